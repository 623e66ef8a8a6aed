"""The published log written to other storage: whole, once, and never over another history."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.core.management import CommandError, call_command

from creditbank.ledger import export, operations, queries
from creditbank.proofs import merkle, notes, tiles
from creditbank.signer.export import FolderExporter
from tests.ledger.cast import College, make_college, published


@pytest.fixture
def college(bank: Any) -> College:
    return make_college(courses=1)


def record(college: College, count: int) -> None:
    accounts = operations.open_accounts(count)
    published(college.record(*(college.award(account) for account in accounts)))


def root_of(folder: Path) -> bytes:
    """The root over the entries in a folder, computed from them alone."""
    note = notes.SignedNote.parse((folder / "checkpoint").read_bytes())
    checkpoint = notes.Checkpoint.parse(note.text)
    entries: list[bytes] = []
    for n in range(-(-checkpoint.size // 256)):
        width = min(256, checkpoint.size - 256 * n)
        entries += tiles.decode_bundle((folder / tiles.tile_path(None, n, width)).read_bytes())
    assert merkle.root_of([merkle.leaf_hash(entry) for entry in entries]) == checkpoint.root
    return checkpoint.root


def test_a_folder_holds_the_whole_log_and_is_brought_up_to_date(
    college: College, tmp_path: Path, capsys: Any
) -> None:
    folder = tmp_path / "mirror"
    record(college, 300)
    call_command("export_log", folder)
    assert root_of(folder) == queries.log_state().root
    record(college, 400)
    written: list[str] = []
    leaves = export.export(FolderExporter(folder), wrote=written.append)
    assert leaves == 401
    assert written[-1] == "checkpoint"
    assert "tile/0/000" not in written
    assert root_of(folder) == queries.log_state().root
    assert export.export(FolderExporter(folder), wrote=written.append) == 0


@pytest.mark.parametrize("overwrites", [True, False])
def test_a_store_of_django_holds_the_same_files(
    college: College, tmp_path: Path, settings: Any, *, overwrites: bool
) -> None:
    place = tmp_path / "store"
    settings.STORAGES = {
        **settings.STORAGES,
        "mirror": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": place, "allow_overwrite": overwrites},
        },
    }
    settings.LOG_EXPORT_STORAGE = "mirror"
    record(college, 300)
    call_command("export_log", verbosity=0)
    assert root_of(place) == queries.log_state().root
    record(college, 5)
    call_command("export_log", "--storage", "mirror", verbosity=0)
    assert root_of(place) == queries.log_state().root
    assert not [path for path in place.rglob("*") if "_" in path.name]


def test_a_target_with_another_history_is_left_alone(college: College, tmp_path: Path) -> None:
    folder = tmp_path / "mirror"
    record(college, 3)
    call_command("export_log", folder)
    text = (folder / "checkpoint").read_text()
    lines = text.split("\n")
    lines[2] = notes.b64(bytes(32))
    (folder / "checkpoint").write_text("\n".join(lines))
    before = sorted((path, path.stat().st_mtime_ns) for path in folder.rglob("*"))
    record(college, 3)
    with pytest.raises(CommandError, match="export-refused"):
        call_command("export_log", folder)
    assert sorted((path, path.stat().st_mtime_ns) for path in folder.rglob("*")) == before


def test_a_target_that_is_ahead_of_the_log_is_left_alone(college: College, tmp_path: Path) -> None:
    folder = tmp_path / "mirror"
    record(college, 3)
    call_command("export_log", folder)
    lines = (folder / "checkpoint").read_text().split("\n")
    lines[1] = str(int(lines[1]) + 1000)
    (folder / "checkpoint").write_text("\n".join(lines))
    with pytest.raises(CommandError, match="export-refused"):
        call_command("export_log", folder)


def test_a_store_that_renames_files_is_refused(college: College, tmp_path: Path) -> None:
    class Renaming(FileSystemStorage):
        def get_available_name(self, name: str, max_length: int | None = None) -> str:
            return f"{name}-renamed"

    storage = Renaming(location=tmp_path / "store")
    exporter = export.StorageExporter(storage)
    with pytest.raises(export.ExportRefused):
        exporter.replace("checkpoint", b"x")
    storage.save("other", ContentFile(b"y"))
    assert not (tmp_path / "store" / "checkpoint").exists()


def test_nothing_is_exported_before_the_first_checkpoint(signer: Any, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="checkpoint-missing"):
        call_command("export_log", tmp_path / "mirror")
    with pytest.raises(CommandError, match="LOG_EXPORT_STORAGE"):
        call_command("export_log")
