"""Preparing and changing a draft."""

from __future__ import annotations

from typing import Any

import pytest

from creditbank import access
from creditbank.institutions import operations as institutions
from creditbank.institutions.kinds import Role
from creditbank.proofs import canonical
from creditbank.recognition.models import ProgrammeVersion, RuleVersion, VersionStatus
from creditbank.recognition.register import publishing
from creditbank.recognition.register.checking import DocumentRefused
from tests.institutions.cast import make_member
from tests.recognition.shelf import Shelf, make_shelf, written


@pytest.fixture
def shelf(db: Any, settings: Any) -> Shelf:
    settings.STAFF_SECOND_FACTOR = False
    return make_shelf(stream=False)


def pointers(error: pytest.ExceptionInfo[DocumentRefused]) -> set[tuple[str, str]]:
    return {(problem.code, problem.field or "") for problem in error.value.problems}


def test_a_draft_holds_the_canonical_bytes_and_what_they_say(shelf: Shelf) -> None:
    said = shelf.rule(
        code="R-017", version=3, in_force={"from": "2026-03-01", "until": "2027-02-28"}
    )
    row = shelf.draft(said)
    row.refresh_from_db()
    assert bytes(row.document) == canonical.encode(said)
    assert (row.code, row.version, row.title) == ("R-017", 3, said["title"])
    assert (row.first_day.isoformat(), str(row.last_day)) == ("2026-03-01", "2027-02-28")
    assert row.status == VersionStatus.DRAFT
    assert row.parsed().code == "R-017"
    assert row.prepared_by == shelf.clerk


def test_a_programme_is_prepared_the_same_way(shelf: Shelf) -> None:
    row = publishing.prepare_programme(
        institution=shelf.institution,
        document=written(shelf.programme(code="P-1")),
        acting_user=shelf.clerk,
    )
    assert row.parsed().course("ENG-101") is not None
    assert ProgrammeVersion.objects.get().title == "新能源汽车技术"


def test_every_problem_of_a_malformed_document_is_told_with_its_place(shelf: Shelf) -> None:
    said = shelf.rule(law="someday", title="", extra=1, in_force={"from": "2026-02-30"})
    with pytest.raises(DocumentRefused) as refused:
        shelf.draft(said)
    assert {place for _code, place in pointers(refused)} >= {
        "/law",
        "/title",
        "/extra",
        "/in_force/from",
    }
    assert not RuleVersion.objects.exists()


def test_a_rule_that_contradicts_itself_is_refused(shelf: Shelf) -> None:
    said = shelf.rule(
        in_force={"from": "2026-03-01", "until": "2026-02-28"},
        sources={"outcome": {"score": {"min": "80", "max": "60"}}},
    )
    with pytest.raises(DocumentRefused) as refused:
        shelf.draft(said)
    assert pointers(refused) >= {
        ("days-out-of-order", "/in_force/until"),
        ("min-above-max", "/sources/outcome/score/max"),
    }


@pytest.mark.parametrize("data", [b"", b"{", b'{"v": 1, "v": 2}', b"\xff\xfe", b"[" * 50])
def test_what_is_no_json_has_one_problem(shelf: Shelf, data: bytes) -> None:
    with pytest.raises(DocumentRefused) as refused:
        publishing.prepare_rule(
            institution=shelf.institution, document=data, acting_user=shelf.clerk
        )
    assert len(refused.value.problems) == 1
    assert refused.value.problems[0].code.startswith("json-")


def test_an_institution_writes_rules_of_its_own_alone(shelf: Shelf) -> None:
    other = make_shelf(stream=False)
    with pytest.raises(DocumentRefused) as refused:
        shelf.draft(other.rule())
    assert pointers(refused) == {("owner-another", "/owner")}


def test_a_code_that_the_registers_addresses_would_hide_is_refused(shelf: Shelf) -> None:
    with pytest.raises(DocumentRefused) as refused:
        shelf.draft(code="open.json")
    assert pointers(refused) == {("code-reserved", "/code")}


def test_one_version_has_one_draft(shelf: Shelf) -> None:
    shelf.draft(code="R-1")
    with pytest.raises(publishing.VersionExists):
        shelf.draft(code="R-1")


def test_a_viewer_prepares_nothing(shelf: Shelf) -> None:
    viewer = make_member(shelf.institution, Role.VIEWER, serial=1).user
    with pytest.raises(access.Forbidden):
        publishing.prepare_rule(
            institution=shelf.institution, document=written(shelf.rule()), acting_user=viewer
        )


def test_a_stranger_finds_no_such_institution(shelf: Shelf) -> None:
    stranger = make_shelf(stream=False)
    with pytest.raises(access.NotFound):
        publishing.prepare_rule(
            institution=shelf.institution,
            document=written(shelf.rule()),
            acting_user=stranger.clerk,
        )


def test_a_second_factor_is_asked_for(shelf: Shelf, settings: Any) -> None:
    settings.STAFF_SECOND_FACTOR = True
    with pytest.raises(access.SecondFactorRequired):
        shelf.draft()


def test_a_suspended_institution_prepares_nothing(shelf: Shelf) -> None:
    institutions.suspend_institution(institution=shelf.institution, acting_user=None)
    shelf.institution.refresh_from_db()
    with pytest.raises(access.InstitutionSuspended):
        shelf.draft()


# -- changing ---------------------------------------------------------------------------------
def test_a_draft_is_changed_by_whoever_prepared_it(shelf: Shelf) -> None:
    row = shelf.draft(code="R-1")
    said = shelf.rule(code="R-1", title="改过的名称")
    changed = publishing.change_draft(version=row, document=written(said), acting_user=shelf.clerk)
    changed.refresh_from_db()
    assert changed.pk == row.pk
    assert changed.title == "改过的名称"
    assert bytes(changed.document) == canonical.encode(said)


def test_a_colleague_does_not_change_it(shelf: Shelf) -> None:
    row = shelf.draft()
    with pytest.raises(access.Forbidden):
        publishing.change_draft(
            version=row, document=bytes(row.document), acting_user=shelf.reviewer
        )


def test_what_is_filed_is_not_changed(shelf: Shelf) -> None:
    row = shelf.filed()
    with pytest.raises(publishing.VersionNotDraft) as refused:
        publishing.change_draft(version=row, document=bytes(row.document), acting_user=shelf.clerk)
    assert refused.value.facts["state"] == "filed"


def test_a_dropped_draft_leaves_its_number_free(shelf: Shelf) -> None:
    row = shelf.draft(code="R-1")
    dropped = publishing.withdraw_rule(rule=row, reason="写错了", acting_user=shelf.clerk)
    assert dropped.status == VersionStatus.WITHDRAWN
    again = publishing.withdraw_rule(rule=row, reason="又一次", acting_user=shelf.clerk)
    assert again.withdrawal_reason == "写错了"
    assert shelf.draft(code="R-1").pk != row.pk
