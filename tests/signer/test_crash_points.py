"""A crash between any two writes of the signer: the next start goes on as if nothing had been.

Each test prepares what a crash at that point leaves on disk and in the database.
The last one kills the real process at random moments.
"""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import pytest

from creditbank.proofs.notes import Checkpoint, SignedNote
from tests.signer.support import (
    Backup,
    client,
    read_json,
    refusal,
    superuser,
    until,
    until_published,
    verified,
)
from tests.signer.writer import Writer


class Scene:
    """A bank with a published checkpoint of `old`, and a later one of `new` that a crash hides."""

    def __init__(self, signer: Any, writer: Writer, db: Any) -> None:
        self.signer, self.writer, self.db = signer, writer, db
        self.old = writer.append(300)
        until_published(writer, self.old)
        self.files = {path: path.read_bytes() for path in self._memory()}
        self.new = writer.append(20)
        self.note = until_published(writer, self.new)
        self.keys = client(signer).public()
        signer.stop()

    def _memory(self) -> tuple[Path, Path]:
        home = self.signer.home
        return home / "signer" / "state.json", home / "anchor" / "head.json"

    @property
    def state(self) -> Path:
        return self._memory()[0]

    @property
    def anchor(self) -> Path:
        return self._memory()[1]

    def as_before(self, *paths: Path) -> None:
        for path in paths:
            path.write_bytes(self.files[path])

    def unpublish(self) -> None:
        with superuser(self.db.superuser_url) as connection:
            connection.execute("DELETE FROM ledger_checkpoint WHERE size = %s", [self.new])

    def starts_and_goes_on(self) -> bytes:
        """Start, see the hidden checkpoint published and the next one too; return the former."""
        self.signer.start()
        note = until_published(self.writer, self.new)
        assert verified(note, self.keys).root == self.writer.root(self.new)
        following = self.writer.append(500)
        last = verified(until_published(self.writer, following), self.keys)
        assert last.root == self.writer.root(following)
        for path in (self.state, self.anchor):
            assert read_json(path)["size"] == following
        return note


@pytest.fixture
def scene(signer: Any, writer: Writer, db: Any) -> Scene:
    return Scene(signer, writer, db)


def test_after_signing_before_the_state_nothing_was_promised(scene: Scene) -> None:
    scene.as_before(scene.state, scene.anchor)
    scene.unpublish()
    scene.starts_and_goes_on()


def test_after_the_state_before_the_anchor_the_very_same_note_is_published(scene: Scene) -> None:
    scene.as_before(scene.anchor)
    scene.unpublish()
    assert scene.starts_and_goes_on() == scene.note


def test_after_the_anchor_before_the_row_the_very_same_note_is_published(scene: Scene) -> None:
    scene.unpublish()
    assert scene.starts_and_goes_on() == scene.note


def test_after_the_row_the_checkpoint_stands_once(scene: Scene) -> None:
    assert scene.starts_and_goes_on() == scene.note
    sizes = [size for size, _ in scene.writer.checkpoints()]
    assert sizes.count(scene.new) == 1


def test_the_log_grew_while_a_signed_note_was_not_yet_published(scene: Scene) -> None:
    scene.unpublish()
    later = scene.writer.append(40)
    scene.signer.start()
    until_published(scene.writer, later)
    published = dict(scene.writer.checkpoints())
    assert published[scene.new] == scene.note
    assert scene.old in published


def test_a_state_from_an_older_copy_is_brought_up_to_the_anchor(scene: Scene) -> None:
    scene.as_before(scene.state)
    assert scene.starts_and_goes_on() == scene.note


def test_a_lost_state_is_made_again_from_rows_and_anchor(scene: Scene) -> None:
    scene.state.unlink()
    assert scene.starts_and_goes_on() == scene.note


def test_a_lost_state_whose_note_was_not_published_signs_the_anchored_head(scene: Scene) -> None:
    scene.as_before(scene.state)
    scene.unpublish()
    note = scene.starts_and_goes_on()
    assert Checkpoint.parse(SignedNote.parse(note).text) == Checkpoint.parse(
        SignedNote.parse(scene.note).text
    )


def test_an_anchor_from_an_older_copy_is_moved_forward(scene: Scene) -> None:
    scene.as_before(scene.anchor)
    assert scene.starts_and_goes_on() == scene.note


def test_a_draft_that_a_crash_left_beside_the_state_is_not_read(scene: Scene) -> None:
    for path in (scene.state, scene.anchor):
        path.with_name(f".{path.name}.new").write_bytes(b'{"size":')
    assert scene.starts_and_goes_on() == scene.note


def test_a_first_start_cut_short_after_the_anchor_goes_on(signer: Any, writer: Writer) -> None:
    until(lambda: (signer.home / "signer" / "state.json").exists(), "the first state")
    signer.stop()
    (signer.home / "signer" / "state.json").unlink()
    assert read_json(signer.home / "anchor" / "head.json")["size"] == 0
    signer.start()
    until_published(writer, writer.append())


def test_a_first_start_cut_short_between_two_keys_makes_the_missing_ones(
    signer: Any, writer: Writer
) -> None:
    until(lambda: (signer.home / "signer" / "state.json").exists(), "the first state")
    before = client(signer).public()
    signer.stop()
    (signer.home / "signer" / "state.json").unlink()
    (signer.home / "anchor" / "head.json").unlink()
    (signer.home / "signer" / "keys" / "pades.json").unlink()
    signer.start()
    after = client(signer).public()
    assert after.log_vkey == before.log_vkey
    assert after.pades_chain[1] == before.pades_chain[1]
    assert after.pades_chain[0] != before.pades_chain[0]


def test_killed_at_random_moments_every_checkpoint_stays_a_prefix(
    signer: Any, writer: Writer
) -> None:
    keys = client(signer).public()
    seen: dict[int, bytes] = {}
    dice = random.Random(20_261_124)
    for _ in range(8):
        for _ in range(dice.randrange(1, 12)):
            writer.append(dice.randrange(1, 200))
        time.sleep(dice.random() * 0.1)
        signer.kill()
        published = dict(writer.checkpoints())
        assert {size: published.get(size) for size in seen} == seen
        seen = published
        signer.start()
    size = writer.append()
    until_published(writer, size)
    leaves = writer.leaves()
    assert len(leaves) == size
    for found, note in writer.checkpoints():
        assert verified(note, keys).root == writer.root(found)


def test_an_older_copy_of_everything_but_the_anchor_is_still_refused(
    signer: Any, writer: Writer, db: Any
) -> None:
    until_published(writer, writer.append(10))
    backup = Backup(db.superuser_url)
    state = (signer.home / "signer" / "state.json").read_bytes()
    until_published(writer, writer.append(10))
    signer.stop()
    backup.restore()
    (signer.home / "signer" / "state.json").write_bytes(state)
    assert refusal(signer) == (4, "behind-anchor")
