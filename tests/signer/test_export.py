"""The published log as static files: what other people's software reads, and the recovery copy."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from creditbank.proofs import merkle, tiles
from creditbank.proofs.notes import Checkpoint, SignedNote
from creditbank.signer.database import connect
from creditbank.signer.errors import RowsDiffer
from creditbank.signer.export import (
    CHECKPOINT,
    ExportRefused,
    FolderExporter,
    LogExport,
    keep_exported,
)
from creditbank.signer.published import Published, PublishedCheckpoint
from creditbank.signer.stopping import Stopping
from tests.signer.support import client, superuser, until, until_published, verified
from tests.signer.writer import Writer


def published(writer: Writer, size: int) -> PublishedCheckpoint:
    """A checkpoint as the publisher tells it; the export does not look at signatures."""
    root = writer.root(size)
    text = Checkpoint("bank.example/log", size, root).text()
    return PublishedCheckpoint(
        size=size, root=root, note=text.encode() + b"\n\xe2\x80\x94 bank.example/log AAAAAAA=\n"
    )


def read_back(folder: Path, size: int) -> bytes:
    """Read a log of `size` as a mirror does, check every tile, and return the root."""

    def load(level: int | None, n: int, width: int) -> bytes:
        return (folder / tiles.tile_path(level, n, width)).read_bytes()

    leaves: list[bytes] = []
    for n in range(-(-size // 256)):
        width = min(256, size - 256 * n)
        found = tiles.decode_bundle(load(None, n, width))
        assert len(found) == width
        leaves += found
    row, level = [merkle.leaf_hash(leaf) for leaf in leaves], 0
    while row:
        for n in range(-(-len(row) // 256)):
            part = row[256 * n : 256 * n + 256]
            assert load(level, n, len(part)) == b"".join(part)
        row = [merkle.root_of(row[n : n + 256]) for n in range(0, len(row) - 255, 256)]
        level += 1
    return merkle.root_of([merkle.leaf_hash(leaf) for leaf in leaves])


def until_exported(folder: Path, note: bytes) -> None:
    path = folder / CHECKPOINT
    until(lambda: path.exists() and path.read_bytes() == note, "the exported checkpoint")


@pytest.fixture
def connection(db: Any) -> Iterator[Any]:
    with connect(db.signer_url) as connection:
        yield connection


@pytest.fixture
def export(tmp_path: Path) -> LogExport:
    return LogExport(FolderExporter(tmp_path / "log"))


def test_the_exported_log_is_the_one_in_the_database(
    writer: Writer, connection: Any, export: LogExport, tmp_path: Path
) -> None:
    for count in (1, 253, 1, 1, 600, 255):
        size = writer.append(count)
        newest = published(writer, size)
        export.bring_up_to(connection, newest)
        assert read_back(tmp_path / "log", size) == newest.root
        assert (tmp_path / "log" / CHECKPOINT).read_bytes() == newest.note


def test_a_log_of_three_levels_is_exported(
    writer: Writer, connection: Any, export: LogExport, tmp_path: Path
) -> None:
    export.bring_up_to(connection, published(writer, writer.append(100)))
    for _ in range(7):
        size = writer.append(9_999)
    newest = published(writer, size)
    assert export.bring_up_to(connection, newest) == 70_000
    assert read_back(tmp_path / "log", size) == newest.root
    assert (tmp_path / "log" / "tile" / "1" / "000").stat().st_size == 8192
    assert (tmp_path / "log" / "tile" / "2" / "000.p" / "1").stat().st_size == 32


def test_nothing_new_changes_nothing(
    writer: Writer, connection: Any, export: LogExport, tmp_path: Path
) -> None:
    newest = published(writer, writer.append(10))
    assert export.bring_up_to(connection, newest) == 11
    before = (tmp_path / "log" / CHECKPOINT).stat().st_mtime_ns
    assert export.bring_up_to(connection, newest) == 0
    assert (tmp_path / "log" / CHECKPOINT).stat().st_mtime_ns == before


def test_what_is_not_published_is_not_exported(
    writer: Writer, connection: Any, export: LogExport, tmp_path: Path
) -> None:
    newest = published(writer, writer.append(300))
    writer.append(500)
    export.bring_up_to(connection, newest)
    widths = {path.name for path in (tmp_path / "log").rglob("*.p/*")}
    assert read_back(tmp_path / "log", 301) == newest.root
    assert widths == {"45", "1"}
    assert not (tmp_path / "log" / "tile" / "entries" / "001").exists()


def test_partial_tiles_stay_until_the_tile_is_full(
    writer: Writer, connection: Any, export: LogExport, tmp_path: Path
) -> None:
    sizes = [writer.append(9) for _ in range(3)]
    for size in sizes:
        export.bring_up_to(connection, published(writer, size))
    folder = tmp_path / "log" / "tile" / "0" / "000.p"
    assert {path.name for path in folder.iterdir()} == {str(size) for size in sizes}
    export.bring_up_to(connection, published(writer, writer.append(400)))
    assert not folder.exists()
    assert (tmp_path / "log" / "tile" / "0" / "000").stat().st_size == 8192


class CutShort(FolderExporter):
    """An export whose storage fails after some writes."""

    def __init__(self, folder: Path, writes: int) -> None:
        super().__init__(folder)
        self._writes = writes

    def write(self, path: str, data: bytes) -> None:
        if not self._writes:
            raise OSError("no space left")
        self._writes -= 1
        super().write(path, data)


def test_an_export_cut_short_anywhere_can_be_taken_up_again(
    writer: Writer, connection: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "log"
    LogExport(FolderExporter(folder)).bring_up_to(connection, published(writer, writer.append(99)))
    old = (folder / CHECKPOINT).read_bytes()
    newest = published(writer, writer.append(700))
    for writes in range(8):
        with pytest.raises(OSError, match="no space left"):
            LogExport(CutShort(folder, writes)).bring_up_to(connection, newest)
        assert (folder / CHECKPOINT).read_bytes() == old
    LogExport(FolderExporter(folder)).bring_up_to(connection, newest)
    assert read_back(folder, newest.size) == newest.root


def test_a_folder_that_holds_another_log_is_left_alone(
    writer: Writer, connection: Any, export: LogExport, tmp_path: Path
) -> None:
    export.bring_up_to(connection, published(writer, writer.append(30)))
    path = tmp_path / "log" / CHECKPOINT
    other = Checkpoint("bank.example/log", 31, bytes(32)).text().encode()
    path.write_bytes(other + b"\n\xe2\x80\x94 x AAAAAAA=\n")
    before = path.read_bytes()
    with pytest.raises(ExportRefused, match="another log"):
        export.bring_up_to(connection, published(writer, writer.append(30)))
    assert path.read_bytes() == before


def test_a_folder_that_holds_more_than_was_published_is_left_alone(
    writer: Writer, connection: Any, export: LogExport, tmp_path: Path
) -> None:
    small = published(writer, writer.append(30))
    export.bring_up_to(connection, published(writer, writer.append(30)))
    before = (tmp_path / "log" / CHECKPOINT).read_bytes()
    with pytest.raises(ExportRefused):
        export.bring_up_to(connection, small)
    assert (tmp_path / "log" / CHECKPOINT).read_bytes() == before


def test_a_damaged_checkpoint_is_not_taken_for_an_empty_folder(
    writer: Writer, connection: Any, export: LogExport, tmp_path: Path
) -> None:
    export.bring_up_to(connection, published(writer, writer.append(30)))
    (tmp_path / "log" / CHECKPOINT).write_bytes(b"bank.example/log\n31\n")
    with pytest.raises(ExportRefused, match="damaged"):
        export.bring_up_to(connection, published(writer, writer.append(30)))


def test_rows_changed_after_publication_are_not_exported_as_published(
    writer: Writer, connection: Any, export: LogExport, tmp_path: Path, db: Any
) -> None:
    newest = published(writer, writer.append(30))
    with superuser(db.superuser_url) as tampering:
        tampering.execute("UPDATE ledger_entry SET leaf = leaf || ' ' WHERE idx = 7")
    with pytest.raises(RowsDiffer):
        export.bring_up_to(connection, newest)
    assert not (tmp_path / "log" / CHECKPOINT).exists()


def test_the_running_signer_exports_what_it_publishes(signer: Any, writer: Writer) -> None:
    folder = signer.home / "log"
    keys = client(signer).public()
    for count in (10, 300):
        size = writer.append(count)
        note = until_published(writer, size)
        until_exported(folder, note)
        assert read_back(folder, size) == verified(note, keys).root


def test_a_signer_restarted_with_an_empty_folder_exports_everything_again(
    signer: Any, writer: Writer
) -> None:
    size = writer.append(300)
    note = until_published(writer, size)
    signer.stop()
    shutil.rmtree(signer.home / "log", ignore_errors=True)
    signer.start()
    until_exported(signer.home / "log", note)
    assert read_back(signer.home / "log", size) == writer.root(size)


def test_a_site_that_cannot_be_written_does_not_stop_publication(
    signer: Any, writer: Writer
) -> None:
    signer.stop()
    log = signer.home / "log"
    shutil.rmtree(log, ignore_errors=True)
    log.write_text("a file in the place of the folder")
    signer.start()
    for _ in range(2):
        until_published(writer, writer.append())
    until(lambda: "cannot export, trying again" in signer.log(), "a word about it")
    log.unlink()
    until(lambda: (log / CHECKPOINT).exists(), "the export to be taken up")
    assert Checkpoint.parse(SignedNote.parse((log / CHECKPOINT).read_bytes()).text).size == 4


def test_the_exporting_thread_ends_when_it_is_told(writer: Writer, db: Any, tmp_path: Path) -> None:
    told, stopping = Published(), Stopping()
    thread = threading.Thread(
        target=keep_exported,
        args=(FolderExporter(tmp_path / "log"),),
        kwargs={"database": db.signer_url, "published": told, "stopping": stopping},
    )
    thread.start()
    newest = published(writer, writer.append(5))
    told.tell(newest)
    until(lambda: (tmp_path / "log" / CHECKPOINT).exists(), "the export")
    stopping.set()
    told.close()
    thread.join(5)
    assert not thread.is_alive()
    stopping.close()
