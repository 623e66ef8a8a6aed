"""Manifests: what an institution signs, once for a whole submission."""

from __future__ import annotations

import pytest

from creditbank.proofs import notes
from creditbank.proofs.manifests import Manifest
from creditbank.proofs.notes import NoteMalformed, SignedNote

ROOT, PREVIOUS = bytes(range(32)), bytes(range(32, 64))
GOOD = Manifest(stream="edu.example/2026a", first=40, count=2, root=ROOT, previous=PREVIOUS)


def test_a_manifest_is_five_lines():
    assert GOOD.text() == (
        "llcb/manifest/v1\n"
        "edu.example/2026a\n"
        "40 2\n"
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
        "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=\n"
    )
    assert Manifest.parse(GOOD.text()) == GOOD


def test_the_first_manifest_of_a_stream_names_32_zero_bytes_before_it():
    first = Manifest(stream="a", first=0, count=1, root=ROOT, previous=bytes(32))
    assert Manifest.parse(first.text()) == first


@pytest.mark.parametrize(
    "mangle",
    [
        lambda text: "",
        lambda text: text[:-1],
        lambda text: text + "\n",
        lambda text: text + "extra\n",
        lambda text: text.replace("v1", "v2"),
        lambda text: text.replace("llcb/manifest/v1\n", ""),
        lambda text: text.replace("edu.example/2026a", ""),
        lambda text: text.replace("edu.example/2026a", "Edu.example"),
        lambda text: text.replace("edu.example/2026a", "edu example"),
        lambda text: text.replace("edu.example/2026a", "edu+example"),
        lambda text: text.replace("edu.example/2026a", "a" * 129),
        lambda text: text.replace("40 2", "40"),
        lambda text: text.replace("40 2", "40 2 "),
        lambda text: text.replace("40 2", "40  2"),
        lambda text: text.replace("40 2", "40\t2"),
        lambda text: text.replace("40 2", "040 2"),
        lambda text: text.replace("40 2", "40 02"),
        lambda text: text.replace("40 2", "-40 2"),
        lambda text: text.replace("40 2", "40 0"),
        lambda text: text.replace("40 2", "40 -2"),
        lambda text: text.replace("40 2", "9007199254740991 1"),
        lambda text: text.replace("40 2", "99999999999999999999 1"),
        lambda text: text.replace("AAEC", "AAE"),
        lambda text: text.replace("Hh8=", "Hh8"),
        lambda text: text.replace("Hh8=", "Hh9="),
        lambda text: text.replace("ICEi", "ICEiICEi"),
        lambda text: text.replace("\n", "\r\n"),
    ],
)
def test_a_text_that_is_no_manifest_is_refused(mangle):
    assert mangle(GOOD.text()) != GOOD.text()
    with pytest.raises(NoteMalformed):
        Manifest.parse(mangle(GOOD.text()))


@pytest.mark.parametrize(
    "changes",
    [
        {"stream": ""},
        {"stream": "a\nb"},
        {"first": -1},
        {"count": 0},
        {"first": 2**53},
        {"count": 2**53},
        {"root": b""},
        {"previous": bytes(31)},
    ],
)
def test_what_no_manifest_can_say_is_not_made(changes):
    members = {
        "stream": "a",
        "first": 0,
        "count": 1,
        "root": ROOT,
        "previous": PREVIOUS,
    }
    with pytest.raises(NoteMalformed):
        Manifest(**members | changes)


def test_a_manifest_note_is_told_from_a_leaf_by_its_first_byte(log):
    for index, note, manifest, _ in log.manifests:
        assert log.leaves[index] == note.encode()
        assert log.leaves[index][:1] == b"l"
        assert all(leaf[:1] == b"{" for leaf in log.leaves[index + 1 : index + 1 + manifest.count])
        assert Manifest.parse(SignedNote.parse(note.encode()).text) == manifest
        assert [line.name for line in note.lines] == [manifest.stream]
        assert note.lines[0].key_id == notes.key_id(
            manifest.stream, notes.ED25519, log.streams[manifest.stream].public
        )
