"""Checking rows: every problem of every row at once, and what each row would do."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

import pytest

from creditbank.clock import today
from creditbank.institutions import operations as institutions
from creditbank.institutions.kinds import OutcomeKind, Role
from creditbank.ledger import operations as ledger
from creditbank.ledger import queries as entries
from creditbank.recording.cells import Broken, Number
from creditbank.recording.checks import Checked, check_rows
from creditbank.recording.problems import SENTENCES
from creditbank.recording.rows import RawRow
from learners import operations as learners
from learners import sealing
from learners.identity import IdentityDocument
from tests.institutions.cast import approve, make_institution, make_member, propose
from tests.learners.people import resident_number
from tests.recording.cast import DAY, School, add_item, make_school, somebody


@pytest.fixture
def school(bank: object) -> School:
    return make_school()


def check(school: School, *rows: RawRow, **changes: Any) -> Checked:
    facts: dict[str, Any] = {
        "stream": school.stream.name,
        "acting": [school.clerk, school.reviewer],
    } | changes
    checked = check_rows(school.institution, rows, today(), **facts)
    places = Counter(one.row.number for one in [*checked.accepted, *checked.unchanged])
    places.update(set(checked.refused_rows))
    # Each row is in exactly one place.
    assert places == Counter(row.number for row in rows)
    assert {found.code for found in checked.problems} <= set(SENTENCES)
    return checked


def codes(checked: Checked) -> set[tuple[int | None, str | None, str]]:
    return {(found.row, found.field, found.code) for found in checked.problems}


def test_a_good_row_about_somebody_new_would_be_entered_as_generation_one(school: School) -> None:
    checked = check(school, school.row())
    (accepted,) = checked.new
    assert accepted.account is None
    assert accepted.learner is None
    assert accepted.credits == school.items[0].approved_credits
    item = school.items[0]
    assert accepted.u == f"{item.body_uscc}|{item.code}|/1"


def test_checking_writes_nothing(school: School) -> None:
    before = ledger.head_size()
    document = somebody()
    check(school, school.row(document=document))
    assert ledger.head_size() == before
    from learners import queries

    assert queries.by_identity(document) is None


WRONG = resident_number(7)[:-1] + ("0" if not resident_number(7).endswith("0") else "1")


BAD: Final[list[tuple[dict[str, Any], str, str]]] = [
    ({"number": WRONG}, "number", "identity-check"),
    ({"number": "22999919900101"}, "number", "identity-length"),
    ({"number": "229999199001010"}, "number", "identity-old-form"),
    ({"number": "22999919900230001X"}, "number", "identity-birth-date"),
    ({"number": "A" * 18}, "number", "identity-format"),
    ({"number": Number("2.20102199001011e+17")}, "number", "identity-mangled"),
    ({"number": "2.20102E+17"}, "number", "identity-mangled"),
    ({"number": "220102199001010000"}, "number", "identity-mangled"),
    ({"number": Broken()}, "number", "cell-error"),
    ({"number": ""}, "number", "value-missing"),
    ({"number": None}, "number", "value-missing"),
    ({"document_type": "学生证"}, "document_type", "document-type-unknown"),
    ({"document_type": "护照"}, "number", "identity-format"),
    ({"name": "张\ue000"}, "name", "name-private-use"),
    ({"name": "张3"}, "name", "name-character"),
    ({"name": " "}, "name", "value-missing"),
    ({"item": "NO-SUCH"}, "item", "unknown-item"),
    ({"item": ""}, "item", "value-missing"),
    ({"completed_on": "2025.13.3"}, "completed_on", "date-unreadable"),
    ({"completed_on": "1949-10-01"}, "completed_on", "date-too-old"),
    ({"completed_on": Broken()}, "completed_on", "cell-error"),
    ({"credits": "2"}, "credits", "credits-differ"),
    ({"credits": "201"}, "credits", "credits-out-of-range"),
    ({"credits": "-1"}, "credits", "credits-out-of-range"),
    ({"credits": "3.001"}, "credits", "credits-not-hundredths"),
    ({"credits": "三"}, "credits", "number-unreadable"),
    ({"credits": "NaN"}, "credits", "number-unreadable"),
    ({"score": "1001"}, "score", "score-out-of-range"),
    ({"score": date(2026, 1, 1)}, "score", "number-unreadable"),
    ({"score": "x" * 41}, "score", "text-too-long"),
    ({"hours": "0"}, "hours", "hours-out-of-range"),
    ({"grade": "优\u202e秀"}, "grade", "text-character"),
    ({"grade": "不及格"}, "grade", "not-passed"),
    ({"score": "缺考"}, "score", "not-passed"),
    ({"valid_until": "2026-06-16"}, "valid_until", "dates-out-of-order"),
    ({"started_on": "2026-06-18"}, "started_on", "dates-out-of-order"),
    ({"term": "a|b"}, "term", "text-character"),
    ({"year": "26"}, "year", "year-unreadable"),
    ({"certificate": "\x07"}, "certificate", "text-character"),
]


def test_what_is_wrong_is_told_with_row_field_and_code(school: School) -> None:
    checked = check(
        school, *(school.row(row, **changes) for row, (changes, _, _) in enumerate(BAD, 2))
    )
    found: dict[int, list[tuple[str | None, str]]] = {}
    for one in checked.problems:
        assert one.row is not None
        found.setdefault(one.row, []).append((one.field, one.code))
    assert found == {row: [(field, code)] for row, (_, field, code) in enumerate(BAD, 2)}


def test_a_day_in_the_future_is_refused_and_today_is_not(school: School) -> None:
    tomorrow = today() + timedelta(days=1)
    checked = check(
        school,
        school.row(2, completed_on=today().isoformat()),
        school.row(3, completed_on=tomorrow.isoformat()),
    )
    assert codes(checked) == {(3, "completed_on", "date-in-future")}
    assert checked.problems[0].value == tomorrow.isoformat()
    assert checked.problems[0].expected == f"≤ {today().isoformat()}"


def test_all_problems_of_all_rows_are_told_at_once(school: School) -> None:
    checked = check(
        school,
        school.row(2),
        school.row(3, number=WRONG, completed_on="去年", credits="x", item="NO-SUCH"),
        school.row(4, item="NO-SUCH", score="1001"),
        school.row(5),
    )
    assert codes(checked) == {
        (3, "number", "identity-check"),
        (3, "completed_on", "date-unreadable"),
        (3, "credits", "number-unreadable"),
        (3, "item", "unknown-item"),
        (4, "item", "unknown-item"),
        (4, "score", "score-out-of-range"),
    }
    assert [one.row.number for one in checked.new] == [2, 5]


def test_no_problem_shows_an_identity_number_or_a_name(school: School) -> None:
    document = somebody()
    school.record(school.row(document=document))
    wrong = document.number[:-1] + ("1" if document.number[-1] != "1" else "2")
    checked = check(
        school,
        school.row(2, number=wrong, name="欧阳示例"),
        school.row(3, document=document, name="欧阳示例"),
        school.row(4, number=document.number[:17]),
        school.row(5, name="欧阳3示例"),
    )
    told = "\n".join(f"{found.value} {found.expected}" for found in checked.problems)
    assert len(checked.problems) == 4
    for secret in (document.number, wrong, document.number[4:14], "欧阳示例", "张示例"):
        assert secret not in told
    assert "欧***" in told


def test_a_proposed_item_cannot_be_recorded(school: School) -> None:
    item = propose(school.institution)
    checked = check(school, school.row(item=item.code))
    assert codes(checked) == {(2, "item", "item-not-approved")}


def test_an_item_is_recorded_for_the_days_on_which_it_is_in_force(school: School) -> None:
    item = approve(
        propose(school.institution, valid_from=date(2025, 1, 1), valid_until=date(2025, 12, 31))
    )
    checked = check(
        school,
        school.row(2, item=item.code, completed_on="2025-12-31"),
        school.row(3, item=item.code, completed_on="2026-01-01"),
    )
    assert codes(checked) == {(3, "item", "item-not-in-force")}
    assert checked.problems[0].expected == "2025-01-01 – 2025-12-31"


def test_a_withdrawn_item_is_recorded_for_what_was_completed_before(school: School) -> None:
    item = institutions.withdraw_item(item=school.items[0], on=DAY, reason="停开", acting_user=None)
    checked = check(
        school,
        school.row(2, item=item.code, completed_on=(DAY - timedelta(days=1)).isoformat()),
        school.row(3, item=item.code, completed_on=DAY.isoformat()),
    )
    assert codes(checked) == {(3, "item", "item-not-in-force")}


def test_each_version_counts_for_its_own_days(school: School) -> None:
    item = school.items[0]
    second = approve(
        institutions.propose_version(
            item=item,
            institution=school.institution,
            valid_from=date(2026, 1, 1),
            proposed_credits=Decimal("4.50"),
            acting_user=None,
        )
    )
    checked = check(
        school,
        school.row(2, completed_on="2025-12-31"),
        school.row(3, completed_on="2026-01-01"),
    )
    assert [(one.item.version, one.credits) for one in checked.new] == [
        (1, item.approved_credits),
        (second.version, Decimal("4.50")),
    ]


def test_another_institutions_course_is_not_ours_to_record(school: School) -> None:
    other = make_institution()
    item = approve(propose(other))
    checked = check(school, school.row(item=item.code))
    assert codes(checked) == {(2, "item", "not-own-item")}


def test_what_lies_outside_the_scope_is_refused_for_its_day(school: School) -> None:
    checked = check(school, school.row(completed_on="2019-12-31"))
    assert codes(checked) == {(2, "item", "item-not-in-force")}
    item = approve(propose(school.institution, valid_from=date(2010, 1, 1)))
    checked = check(school, school.row(item=item.code, completed_on="2019-12-31"))
    assert codes(checked) == {(2, "completed_on", "outside-scope")}


def test_a_suspended_institution_records_nothing(school: School) -> None:
    institutions.suspend_institution(institution=school.institution, acting_user=None)
    checked = check(school, school.row())
    assert codes(checked) == {(2, "completed_on", "outside-scope")}


# -- people -----------------------------------------------------------------------------------
def own_document(school: School) -> IdentityDocument:
    """A document that is the clerk's own: the clerk's membership was made with its digest."""
    document = somebody()
    member = make_member(school.institution, Role.CLERK)
    member.user.person_digest = sealing.identity_digest(document)
    member.user.save()
    school.clerk_member = member
    return document


def test_nobody_awards_credits_to_themselves(school: School) -> None:
    document = own_document(school)
    checked = check(school, school.row(2, document=document), school.row(3))
    assert codes(checked) == {(2, "number", "own-award")}


def test_nobody_awards_credits_to_the_account_they_have_claimed(school: School) -> None:
    document = somebody()
    learner = learners.register_learner(document=document, name="张示例")
    code = learners.issue_claim_code(learner, school.reviewer)
    member = make_member(school.institution, Role.CLERK)
    learners.claim(user=member.user, code=code)
    school.clerk_member = member
    checked = check(school, school.row(document=document))
    assert codes(checked) == {(2, "number", "own-award")}


def test_a_name_that_differs_from_the_registers_is_a_problem(school: School) -> None:
    document = somebody()
    school.record(school.row(document=document, name="阿卜杜拉·买买提"))
    second = school.items[1].code
    checked = check(
        school,
        school.row(2, document=document, name="李示例", item=second),
    )
    assert codes(checked) == {(2, "name", "name-differs")}
    assert check(school, school.row(document=document, name="阿卜杜拉•买买提", item=second)).new


def test_one_number_with_two_names_in_a_file_is_a_problem(school: School) -> None:
    document = somebody()
    checked = check(
        school,
        school.row(2, document=document),
        school.row(3, document=document, name="李示例", item=school.items[1].code),
    )
    assert codes(checked) == {(3, "name", "name-differs-in-file")}


def test_one_outcome_twice_in_a_file_is_told_at_the_second(school: School) -> None:
    document = somebody()
    checked = check(
        school,
        school.row(2, document=document),
        school.row(3),
        school.row(4, document=document, number=f" {document.number.lower()} "),
    )
    assert codes(checked) == {(4, "item", "duplicate-in-file")}
    assert checked.problems[0].expected == "2"


# -- what the bank holds ----------------------------------------------------------------------
def test_a_row_that_the_bank_holds_is_unchanged_and_names_its_index(school: School) -> None:
    document = somebody()
    receipt = school.record(school.row(document=document))
    checked = check(school, school.row(document=document), school.row(3))
    assert [(one.row.number, one.index) for one in checked.unchanged] == [(2, receipt.first_index)]
    assert [one.row.number for one in checked.new] == [3]


def test_a_row_that_leaves_the_result_blank_contradicts_nothing(school: School) -> None:
    document = somebody()
    school.record(school.row(document=document, grade="良好", hours="48"))
    assert check(school, school.row(document=document, score=None)).unchanged


def test_a_held_outcome_with_other_content_asks_for_a_reversal(school: School) -> None:
    document = somebody()
    receipt = school.record(school.row(document=document))
    checked = check(school, school.row(document=document, score="88"))
    assert codes(checked) == {(2, "score", "already-held")}
    assert checked.problems[0].value == "88"
    assert checked.problems[0].expected == f"86 (#{receipt.first_index})"


def test_a_reversed_outcome_can_be_entered_again_as_the_next_generation(school: School) -> None:
    document = somebody()
    receipt = school.record(school.row(document=document))
    ledger.reverse_entry(index=receipt.first_index, reason="成绩登记有误")
    (accepted,) = check(school, school.row(document=document)).new
    assert accepted.u.endswith("/2")
    assert accepted.account == entries.entry(receipt.first_index).account


def test_duplicates_are_found_over_all_accounts_of_a_learner(school: School) -> None:
    document = somebody()
    receipt = school.record(school.row(document=document))
    account = entries.entry(receipt.first_index).account
    other = learners.register_learner(document=somebody(), name="张示例")
    from learners.models import LearnerAccount

    # The account changes hands only in this test: linking moves nothing in the bank.
    LearnerAccount.objects.filter(account_id=other.account_id).delete()
    from learners import queries

    owner = queries.by_account(account)
    assert owner is not None
    learners.link_account(learner=owner, account=other.account_id)
    checked = check(school, school.row(document=document))
    assert [one.index for one in checked.unchanged] == [receipt.first_index]


# -- the kinds --------------------------------------------------------------------------------
GOOD: dict[str, dict[str, str]] = {
    OutcomeKind.X_CERTIFICATE: {"certificate": "20260617-000 123a"},
    OutcomeKind.SKILL_LEVEL: {"certificate": "S000022000001253000001"},
    OutcomeKind.TRAINING: {"batch": "2026年第3期"},
    OutcomeKind.COMMUNITY: {"batch": "春季班"},
    OutcomeKind.CONTINUING_EDUCATION: {"year": "2026年", "project": "专业技术人员公需科目"},
    OutcomeKind.COMPETITION: {"contest": "示例省技能大赛", "edition": "第3届", "event": "焊接"},
    OutcomeKind.WORK_EXPERIENCE: {"started_on": "2020-03-01"},
    OutcomeKind.APPRENTICESHIP: {"started_on": "2024/9/1"},
}


def test_each_kind_is_recorded_with_what_tells_its_outcomes_apart(school: School) -> None:
    for kind in GOOD:
        walk_kind(school, kind)


def walk_kind(school: School, kind: str) -> None:
    item = add_item(school, kind)
    document = somebody()
    good = school.row(2, document=document, item=item.code, score=None, **GOOD[kind])
    assert check(school, good).new
    for name in GOOD[kind]:
        lacking = {key: value for key, value in GOOD[kind].items() if key != name}
        checked = check(school, school.row(2, item=item.code, score=None, **lacking))
        code = "certificate-missing" if name == "certificate" else "reference-missing"
        assert codes(checked) == {(2, name, code)}
    receipt = school.record(good)
    checked = check(
        school, school.row(2, document=document, item=item.code, score=None, **GOOD[kind])
    )
    assert [one.index for one in checked.unchanged] == [receipt.first_index]
    changed = {name: f"{value}" for name, value in GOOD[kind].items()}
    last = list(changed)[-1]
    changed[last] = {
        "certificate": "S000022000001253000002",
        "started_on": "2021-01-01",
    }.get(last, "另一个")
    checked = check(school, school.row(2, document=document, item=item.code, score=None, **changed))
    assert [one.u.endswith("/1") for one in checked.new] == [True]


SKILL_NUMBERS: Final[list[tuple[Any, str]]] = [
    ("S00002200000125300000", "certificate-length"),
    ("S0000220000012530000011", "certificate-length"),
    ("X000022000001253000001", "certificate-format"),
    ("S000022000001259000001", "certificate-format"),
    ("S000022000001254000001", "certificate-level"),
    (Number("1.23456789012346e+21"), "certificate-mangled"),
    ("1.23457E+21", "certificate-mangled"),
]


def test_a_skill_certificates_number_is_checked_in_all_its_parts(school: School) -> None:
    item = add_item(school, OutcomeKind.SKILL_LEVEL)
    rows = [
        school.row(row, item=item.code, certificate=number)
        for row, (number, _) in enumerate(SKILL_NUMBERS, 2)
    ]
    assert codes(check(school, *rows)) == {
        (row, "certificate", code) for row, (_, code) in enumerate(SKILL_NUMBERS, 2)
    }


def test_two_recorders_of_one_certificate_meet_whichever_item_they_name(school: School) -> None:
    first = add_item(school, OutcomeKind.SKILL_LEVEL)
    second = add_item(school, OutcomeKind.SKILL_LEVEL)
    document = somebody()
    number = "S000022000001253000001"
    receipt = school.record(
        school.row(document=document, item=first.code, certificate=number, score=None)
    )
    checked = check(
        school,
        school.row(
            document=document,
            item=second.code,
            certificate=f" {number[:10]} {number[10:]}",
            score=None,
        ),
    )
    assert [one.index for one in checked.unchanged] == [receipt.first_index]


def test_a_row_of_another_kind_of_document_is_read_by_its_word(school: School) -> None:
    checked = check(
        school,
        school.row(2, document_type="护照", number="KOR/M12345678", name="김예시"),
        school.row(3, document_type="台胞证", number="12345678"),
        school.row(4, document_type="港澳居民来往内地通行证", number="H12345678 01"),
    )
    assert [one.row.document.type.value for one in checked.new] == [
        "passport",
        "tw-permit",
        "hk-mo-permit",
    ]


def test_progress_is_told_while_rows_are_read(school: School) -> None:
    told: list[int] = []
    check(school, *school.rows(501), progress=told.append)
    assert told == [0, 250, 500]
