"""Writing the published log out as static files in the C2SP tlog-tiles layout.

The files are the public site (any web server can serve them) and the recovery
copy: order and leaves of the log come back from them. They are written by a
thread of their own, after publication, and never past the published checkpoint;
the `checkpoint` file is replaced last, so that whoever reads it finds all it
covers. Hashes are computed from the leaves once more, not copied from anywhere.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

import psycopg

from creditbank.proofs import tiles
from creditbank.proofs.notes import Checkpoint, NoteMalformed, SignedNote
from creditbank.proofs.tiles import TILE_WIDTH
from creditbank.signer.database import connect
from creditbank.signer.errors import RowsDiffer
from creditbank.signer.files import sync_folder, write_durably
from creditbank.signer.published import Published, PublishedCheckpoint
from creditbank.signer.state import EMPTY_HEAD, TreeHead
from creditbank.signer.stopping import Stopping
from creditbank.signer.tree import Connection, Edge, hash_leaves, read_leaves, windows

log = logging.getLogger(__name__)

CHECKPOINT: Final = "checkpoint"
EVERY_SECONDS: Final = 1.0
"""The least time between two exports: each leaves partial tiles behind that stay for a while."""

RETRY_MOST: Final = 60.0


class ExportRefused(Exception):
    """What stands at the destination is not an earlier state of this log."""


class _Stopped(Exception):
    """The wish to stop came in the middle of an export; the checkpoint was not moved."""


class Exporter(Protocol):
    """Where the log is exported to. Paths are relative, with `/`, as in C2SP tlog-tiles."""

    def read(self, path: str) -> bytes | None:
        """Return a file's content, or None when it is not there."""
        ...

    def write(self, path: str, data: bytes) -> None:
        """Write a file that never changes; written again, it gets the same content."""
        ...

    def remove_partials(self, path: str) -> None:
        """Remove the partial versions (`<path>.p/...`) of a tile that is now full."""
        ...

    def replace(self, path: str, data: bytes) -> None:
        """Replace a file, at once, after everything written before it is durable."""
        ...


class FolderExporter:
    """An export to a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._unsynced: set[Path] = set()

    def read(self, path: str) -> bytes | None:
        """Return a file's content, or None when it is not there."""
        try:
            return (self._folder / path).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, path: str, data: bytes) -> None:
        """Write a file whole or not at all; its name is durable after the next `replace`."""
        target = self._folder / path
        self._make(target.parent)
        draft = target.with_name(f".{target.name}.new")
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(target)
        self._unsynced.add(target.parent)

    def _make(self, folder: Path) -> None:
        if not folder.is_dir():
            self._make(folder.parent)
            folder.mkdir(exist_ok=True)
            self._unsynced.add(folder.parent)

    def remove_partials(self, path: str) -> None:
        """Remove the folder of a tile's partial versions."""
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self._folder / f"{path}.p")

    def replace(self, path: str, data: bytes) -> None:
        """Make all names written so far durable, then replace the file by a rename."""
        for folder in self._unsynced:
            # A folder of partial tiles may have been removed again.
            with contextlib.suppress(FileNotFoundError):
                sync_folder(folder)
        self._unsynced.clear()
        target = self._folder / path
        self._make(target.parent)
        write_durably(target, data, mode=0o644)


class LogExport:
    """Brings a destination up to a published checkpoint."""

    def __init__(self, exporter: Exporter, *, stopping: Stopping | None = None) -> None:
        self._exporter = exporter
        self._stopping = stopping

    def exported(self) -> TreeHead:
        """Return the head that stands at the destination, that of the empty log if none.

        It says where to go on, and is believed for nothing else.
        """
        data = self._exporter.read(CHECKPOINT)
        if data is None:
            return EMPTY_HEAD
        try:
            checkpoint = Checkpoint.parse(SignedNote.parse(data).text)
        except NoteMalformed as error:
            raise ExportRefused(f"the exported checkpoint is damaged: {error}") from error
        return TreeHead(size=checkpoint.size, root=checkpoint.root)

    def bring_up_to(self, connection: Connection, published: PublishedCheckpoint) -> int:
        """Export what is new up to a published checkpoint; return how many leaves that were.

        Cut short at any point it can be called again. Raises ExportRefused when
        the destination holds another log, or more of this one than was published;
        RowsDiffer when the stored rows do not give the published root.
        """
        before = self.exported()
        if before.size > published.size:
            raise ExportRefused(
                f"the destination holds {before.size} leaves, published are {published.size}"
            )
        edge = Edge.load(connection, before.size)
        if edge.frontier.root() != before.root:
            raise ExportRefused(f"the destination holds another log of {before.size} leaves")
        if before.size == published.size:
            return 0
        first = before.size - before.size % TILE_WIDTH
        bundle = read_leaves(connection, first, before.size)
        for low, high in windows(before.size, published.size):
            if self._stopping is not None and self._stopping.is_set():
                raise _Stopped
            leaves = read_leaves(connection, low, high)
            edge, full = edge.extend(hash_leaves(leaves))
            bundle = self._write_bundles(high - len(leaves) - len(bundle), [*bundle, *leaves])
            for tile in full:
                path = tiles.tile_path(tile.level, tile.n)
                self._exporter.write(path, tile.data)
                self._exporter.remove_partials(path)
        if edge.frontier.root() != published.root:
            raise RowsDiffer(
                "the rows read for the export do not give the published root", size=published.size
            )
        if bundle:
            path = tiles.tile_path(None, published.size // TILE_WIDTH, len(bundle))
            self._exporter.write(path, tiles.encode_bundle(bundle))
        for level, n, data in edge.partial_tiles():
            self._exporter.write(tiles.tile_path(level, n, len(data) // 32), data)
        self._exporter.replace(CHECKPOINT, published.note)
        return published.size - before.size

    def _write_bundles(self, first: int, leaves: Sequence[bytes]) -> list[bytes]:
        """Write every full bundle of entries; return the leaves of the unfinished one."""
        full = len(leaves) - len(leaves) % TILE_WIDTH
        for at in range(0, full, TILE_WIDTH):
            path = tiles.tile_path(None, (first + at) // TILE_WIDTH)
            self._exporter.write(path, tiles.encode_bundle(leaves[at : at + TILE_WIDTH]))
            self._exporter.remove_partials(path)
        return list(leaves[full:])


def keep_exported(
    exporter: Exporter, *, database: str, published: Published, stopping: Stopping
) -> None:
    """Export every published checkpoint, or the newest of several, until asked to stop.

    Whatever goes wrong is said in the log and tried again: a full disk of the
    public site must not stop the bank's publication.
    """
    export = LogExport(exporter, stopping=stopping)
    size, pause = -1, EVERY_SECONDS
    while (newest := published.wait_beyond(size)) is not None:
        try:
            with connect(database) as connection:
                while newest is not None:
                    added = export.bring_up_to(connection, newest)
                    log.debug("exported %d leaves, up to %d", added, newest.size)
                    size, pause = newest.size, EVERY_SECONDS
                    stopping.wait(EVERY_SECONDS)
                    newest = published.wait_beyond(size)
        except _Stopped:
            return
        except (psycopg.Error, OSError, ExportRefused, RowsDiffer) as error:
            log.error("cannot export, trying again in %.0f s: %s", pause, error)
        except Exception:
            log.exception("cannot export, trying again in %.0f s", pause)
        else:
            return
        stopping.wait(pause)
        pause = min(pause * 2, RETRY_MOST)
