"""The published log on other storage: a folder, or any store that Django knows.

The signer keeps a folder up to date by itself; this brings further copies up to
date, by the same code, which recomputes every hash from the stored leaves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final

import psycopg
from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from django.db import connection
from psycopg.conninfo import make_conninfo

from creditbank.errors import DomainError
from creditbank.ledger import queries
from creditbank.proofs import notes
from creditbank.signer.database import connect
from creditbank.signer.errors import RowsDiffer
from creditbank.signer.export import Exporter, LogExport
from creditbank.signer.export import ExportRefused as SignerRefused
from creditbank.signer.published import PublishedCheckpoint

Wrote = Callable[[str], None]

_CONNECTION: Final = ("dbname", "user", "password", "host", "port", "sslmode", "sslrootcert")


class ExportRefused(DomainError):
    """The target holds another history, or does not keep files under their names."""

    code: ClassVar[str] = "export-refused"


class StorageExporter:
    """An export to a store of `STORAGES`, for instance a bucket by django-storages."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def read(self, path: str) -> bytes | None:
        """Return a file's content, or None when it is not there."""
        if not self._storage.exists(path):
            return None
        with self._storage.open(path, "rb") as file:
            data: bytes = file.read()
        return data

    def write(self, path: str, data: bytes) -> None:
        """Write a file that never changes; one that is there already is left as it is."""
        if self.read(path) != data:
            self.replace(path, data)

    def remove_partials(self, path: str) -> None:
        """Leave partial tiles where they are: who may not list a store cannot find them.

        They stay true for ever and hold nothing that the full tile does not.
        """

    def replace(self, path: str, data: bytes) -> None:
        """Put a file in the place of one of that name. Raises ExportRefused.

        A store that never overwrites keeps the new file under another name: then
        the old one is taken away first. Only the checkpoint is ever replaced, and
        a moment without one is no wrong answer.
        """
        saved = self._storage.save(path, ContentFile(data))
        if saved == path:
            return
        self._storage.delete(saved)
        self._storage.delete(path)
        saved = self._storage.save(path, ContentFile(data))
        if saved != path:
            self._storage.delete(saved)
            raise ExportRefused(path=path, kept_as=saved)


class Told:
    """An exporter that also tells of every file it writes."""

    def __init__(self, exporter: Exporter, wrote: Wrote) -> None:
        self._exporter = exporter
        self._wrote = wrote

    def read(self, path: str) -> bytes | None:
        """Return a file's content, or None when it is not there."""
        return self._exporter.read(path)

    def write(self, path: str, data: bytes) -> None:
        """Write a file that never changes."""
        self._exporter.write(path, data)
        self._wrote(path)

    def remove_partials(self, path: str) -> None:
        """Remove the partial versions of a tile that is now full."""
        self._exporter.remove_partials(path)

    def replace(self, path: str, data: bytes) -> None:
        """Replace a file."""
        self._exporter.replace(path, data)
        self._wrote(path)


def export(exporter: Exporter, *, wrote: Wrote = lambda path: None) -> int:
    """Bring a target up to the newest checkpoint, the checkpoint last; return how many leaves.

    Done twice, the second time writes nothing. Raises ExportRefused when the
    target holds another log or a newer one, or the stored rows do not give the
    published root; CheckpointMissing while nothing is published.
    """
    state = queries.log_state()
    if not state.published_size:
        raise queries.CheckpointMissing(size=0)
    checkpoint = notes.Checkpoint.parse(notes.SignedNote.parse(state.checkpoint).text)
    published = PublishedCheckpoint(
        size=checkpoint.size, root=checkpoint.root, note=state.checkpoint
    )
    parameters = connection.get_connection_params()
    url = make_conninfo(
        **{name: str(parameters[name]) for name in _CONNECTION if parameters.get(name)}
    )
    rows: psycopg.Connection[tuple[object, ...]] = connect(url)
    with rows:
        try:
            return LogExport(Told(exporter, wrote)).bring_up_to(rows, published)
        except (SignerRefused, RowsDiffer) as error:
            raise ExportRefused(reason=str(error)) from error
