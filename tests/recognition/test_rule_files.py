"""`manage.py rules export | import | check`."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from creditbank.proofs import canonical
from creditbank.recognition.models import ProgrammeVersion, RuleVersion, VersionStatus
from creditbank.recognition.register import folders
from tests.conftest import Database
from tests.institutions.cast import approve, propose
from tests.recognition.shelf import Shelf, make_shelf, programme_document, rule_document, written


@pytest.fixture
def shelf(bank: Any, settings: Any) -> Shelf:
    settings.STAFF_SECOND_FACTOR = False
    return make_shelf()


def run(*arguments: object) -> tuple[str, str]:
    """Run the command; return what it says on both outputs."""
    out, err = io.StringIO(), io.StringIO()
    call_command("rules", *map(str, arguments), stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def refused(*arguments: object) -> tuple[CommandError, str]:
    """Run the command, which refuses; return its end and what it said before."""
    err = io.StringIO()
    with pytest.raises(CommandError) as error:
        call_command("rules", *map(str, arguments), stdout=io.StringIO(), stderr=err)
    return error.value, err.getvalue()


def put(folder: Path, name: str, document: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    data = document if isinstance(document, bytes) else written(document)
    (folder / name).write_bytes(data)


# -- out and in again ---------------------------------------------------------------------------
def test_what_is_exported_and_read_again_has_the_very_bytes(shelf: Shelf, tmp_path: Path) -> None:
    rule = shelf.publish(code="R-017", title="“引号”、反斜杠 \\ 与换行以外的字")
    programme = shelf.publish_programme(code="P-1")
    out, _err = run("export", tmp_path / "pack")
    assert "2 份" in out
    assert sorted(path.name for path in (tmp_path / "pack").iterdir()) == [
        "P-1.v1.json",
        "R-017.v1.json",
    ]
    read = folders.read_files([tmp_path / "pack"])
    assert read.problems == ()
    assert {one.document.canonical() for one in read.documents} == {
        bytes(rule.document),
        bytes(programme.document),
    }
    # For a person to read: one member a line, in Chinese.
    text = (tmp_path / "pack" / "R-017.v1.json").read_text()
    assert '\n  "code": "R-017",\n' in text
    assert "引号" in text


def test_all_versions_or_those_of_one_institution_are_exported(
    shelf: Shelf, tmp_path: Path
) -> None:
    shelf.publish(code="R-1", version=1)
    shelf.publish(code="R-1", version=2, in_force={"from": "2026-04-01"})
    make_shelf().publish(code="R-2")
    run("export", tmp_path / "now")
    run("export", tmp_path / "all", "--all")
    run("export", tmp_path / "own", "--all", "--institution", shelf.slug)
    names = {
        folder: sorted(path.name for path in (tmp_path / folder).iterdir())
        for folder in ("now", "all", "own")
    }
    assert names == {
        "now": ["R-1.v2.json", "R-2.v1.json"],
        "all": ["R-1.v1.json", "R-1.v2.json", "R-2.v1.json"],
        "own": ["R-1.v1.json", "R-1.v2.json"],
    }


def test_an_import_prepares_drafts_for_the_owners_they_name(shelf: Shelf, tmp_path: Path) -> None:
    said = shelf.rule(code="R-1")
    put(tmp_path / "pack" / "rules", "one.json", said)
    put(tmp_path / "pack" / "programmes", "p.json", shelf.programme(code="P-1"))
    out, _err = run("import", tmp_path / "pack", "--prepared-by", shelf.clerk.username)
    assert "新增草稿 2" in out
    row = RuleVersion.objects.get()
    assert row.status == VersionStatus.DRAFT
    assert row.prepared_by == shelf.clerk
    assert bytes(row.document) == canonical.encode(said)
    assert ProgrammeVersion.objects.get().owner == shelf.institution


def test_an_import_can_be_repeated(shelf: Shelf, tmp_path: Path) -> None:
    shelf.publish(code="R-1")
    shelf.draft(code="R-2")
    run("export", tmp_path / "pack", "--all")
    put(tmp_path / "pack", "R-2.json", shelf.rule(code="R-3"))
    out, _err = run("import", tmp_path / "pack", "--prepared-by", shelf.clerk.username)
    assert "新增草稿 1，登记过的 1" in out
    out, _err = run("import", tmp_path / "pack", "--prepared-by", shelf.clerk.username)
    assert "新增草稿 0，登记过的 2" in out


def test_every_problem_of_every_file_is_told_and_nothing_is_kept(
    shelf: Shelf, tmp_path: Path
) -> None:
    put(tmp_path / "pack", "good.json", shelf.rule(code="R-1"))
    put(tmp_path / "pack", "malformed.json", shelf.rule(code="R-2", law="someday", title=""))
    put(tmp_path / "pack", "no-json.json", b"{")
    put(tmp_path / "pack", "programme.json", shelf.programme(total="5"))
    put(
        tmp_path / "pack", "stranger.json", shelf.rule(code="R-4") | {"owner": "91350100M000100Y43"}
    )
    put(tmp_path / "pack", "twice.json", shelf.rule(code="R-1", title="同一版本"))
    end, told = refused("import", tmp_path / "pack", "--prepared-by", shelf.clerk.username)
    assert end.returncode == 1
    for line in (
        "malformed.json /law:",
        "malformed.json /title:",
        "no-json.json /:",
        "programme.json /total:",
        "stranger.json /owner:",
        "twice.json /version:",
    ):
        assert line in told, told
    assert not RuleVersion.objects.exists()


def test_a_user_who_is_no_clerk_of_the_owner_imports_nothing(shelf: Shelf, tmp_path: Path) -> None:
    put(tmp_path / "pack", "one.json", shelf.rule(code="R-1"))
    stranger = make_shelf(stream=False)
    end, _told = refused("import", tmp_path / "pack", "--prepared-by", stranger.clerk.username)
    assert end.returncode == 3
    end, _told = refused("import", tmp_path / "pack", "--prepared-by", "nobody")
    assert end.returncode == 2
    end, _told = refused("import", tmp_path / "nowhere", "--prepared-by", shelf.clerk.username)
    assert end.returncode == 2


# -- checking without a database ------------------------------------------------------------------
class _Owner:
    uscc = "12220100X00000001T"


def owner() -> Any:
    from tests.institutions.cast import make_uscc

    found = _Owner()
    found.uscc = make_uscc(1)
    return found


def test_good_files_pass(tmp_path: Path) -> None:
    put(tmp_path, "r.json", rule_document(owner(), code="R-1"))
    put(tmp_path, "p.json", programme_document(owner(), code="P-1"))
    out, err = run("check", tmp_path)
    assert "检查了 2 份：问题 0，提醒 0" in out
    assert err == ""


def test_files_are_held_against_each_other(tmp_path: Path) -> None:
    put(tmp_path, "p.json", programme_document(owner(), code="P-1"))
    put(
        tmp_path,
        "course.json",
        rule_document(owner(), code="R-1", allocation={"to": [{"course": "NO-SUCH"}]}),
    )
    put(
        tmp_path,
        "cap.json",
        rule_document(owner(), code="R-2", constraints=[{"cap": {"credits": "500"}}]),
    )
    put(tmp_path, "law.json", rule_document(owner(), code="R-3", law="someday"))
    end, told = refused("check", tmp_path)
    assert end.returncode == 1
    assert "course.json /allocation/to/0/course:" in told
    assert "cap.json /constraints/0/cap/credits:" in told
    assert "law.json /law:" in told


def test_warnings_alone_are_told_and_pass(tmp_path: Path) -> None:
    put(tmp_path, "p.json", programme_document(owner(), code="P-1"))
    put(
        tmp_path,
        "r.json",
        rule_document(
            owner(), code="R-1", allocation={"to": [{"course": "ENG-101", "credits": "9"}]}
        ),
    )
    out, err = run("check", tmp_path)
    assert "提醒 1" in out
    assert "提醒 r.json /allocation/to/0/credits:" in err


def test_items_are_held_against_the_catalogue_when_it_is_given(tmp_path: Path) -> None:
    document = rule_document(owner(), code="R-1", sources={"outcome": {"item": ["NO-SUCH"]}})
    put(tmp_path / "pack", "r.json", document)
    out, _err = run("check", tmp_path / "pack")
    assert "问题 0" in out
    put(tmp_path, "catalogue.json", {})
    end, told = refused("check", tmp_path / "pack", "--catalogue", tmp_path / "catalogue.json")
    assert end.returncode == 1
    assert "r.json /sources/outcome/item/0:" in told
    put(tmp_path, "catalogue.json", b"[1]")
    end, _told = refused("check", tmp_path / "pack", "--catalogue", tmp_path / "catalogue.json")
    assert "catalogue-unreadable" in str(end)


def test_the_catalogue_of_the_api_is_read(
    db: Database, client: Any, tmp_path: Path, settings: Any
) -> None:
    shelf = make_shelf(stream=False)
    item = approve(propose(shelf.institution))
    catalogue = client.get("/api/v1/catalogue").json()
    put(tmp_path, "catalogue.json", json.dumps(catalogue).encode())
    put(tmp_path / "pack", "r.json", shelf.rule(sources={"outcome": {"item": [item.code]}}))
    out, _err = run("check", tmp_path / "pack", "--catalogue", tmp_path / "catalogue.json")
    assert "问题 0" in out
