"""The outcome catalogue: proposed by institutions, decided by the authority, in versions."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError

from creditbank.institutions import operations, queries
from creditbank.institutions.catalogue import (
    CatalogueItemInvalid,
    ItemCodeTaken,
    ItemNotProposed,
    ItemWithdrawn,
    NotOwnItem,
    OverlappingValidity,
    OwnProposal,
)
from creditbank.institutions.kinds import InstitutionKind, ItemStatus, OutcomeKind
from creditbank.institutions.models import CatalogueItem
from creditbank.institutions.queries import UnknownItem
from creditbank.users.operations import bind_person
from tests.institutions import cast

pytestmark = pytest.mark.usefixtures("db")

DAY = date(2026, 6, 17)
UNKNOWN_BODY = cast.make_uscc(99_000_001)


def problems(refused: pytest.ExceptionInfo[CatalogueItemInvalid]) -> list[tuple[str | None, str]]:
    return [(problem.field, problem.code) for problem in refused.value.problems]


def test_a_proposal_cannot_be_recorded_before_it_is_approved():
    item = cast.propose(cast.make_institution())
    assert (item.version, item.status) == (1, ItemStatus.PROPOSED)
    assert queries.proposals() == [item]
    with pytest.raises(UnknownItem):
        queries.active_item(item.code, DAY)
    assert queries.opening_members(item.code, 1) is None


def test_the_authority_sets_credits_level_and_category():
    authority = cast.make_user()
    item = cast.propose(cast.make_institution(), level=3, category="vocational")
    approved = cast.approve(
        item, approved_credits=Decimal("2.5"), level=4, category="degree", acting_user=authority
    )
    assert approved.approved_by == authority
    assert queries.active_item(item.code, DAY) == approved
    assert (approved.proposed_credits, approved.approved_credits) == (Decimal("3"), Decimal("2.5"))
    assert (approved.framework, approved.level, approved.category) == ("lqf/1", "4", "degree")
    assert queries.proposals() == []


def test_without_a_decision_on_them_level_and_category_are_the_proposed_ones():
    approved = cast.approve(cast.propose(cast.make_institution(), level=3, category="vocational"))
    assert (approved.level, approved.category) == ("3", "vocational")


def test_an_openings_members_are_those_that_were_approved():
    school = cast.make_institution()
    approved = cast.approve(cast.propose(school), approved_credits=Decimal("2.25"))
    assert queries.opening_members(approved.code, 1) == {
        "kind": "course",
        "title": "新能源汽车技术基础",
        "title_en": "Fundamentals of New-Energy Vehicles",
        "body": school.uscc,
        "body_name": school.name,
        "framework": "lqf/1",
        "level": "4",
        "category": "degree",
        "q": 225,
    }
    for code, version in (
        (approved.code, 2),
        ("NONE", 1),
        (None, 1),
        (approved.code, "1"),
        (approved.code, True),
        (approved.code, 1 << 80),
        ("a\0b", 1),
    ):
        assert queries.opening_members(code, version) is None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"code": "x"}, [("code", "item-code-invalid")]),
        ({"code": "A|B"}, [("code", "item-code-invalid")]),
        ({"kind": "stroll"}, [("kind", "outcome-kind-unknown")]),
        ({"title": ""}, [("title", "text-missing")]),
        ({"title": "长" * 121}, [("title", "text-too-long")]),
        ({"level": 9}, [("level", "level-unknown")]),
        ({"category": "royal"}, [("category", "category-unknown")]),
        ({"proposed_credits": Decimal("200.01")}, [("proposed_credits", "credits-out-of-range")]),
        ({"proposed_credits": Decimal("-1")}, [("proposed_credits", "credits-out-of-range")]),
        ({"proposed_credits": Decimal("NaN")}, [("proposed_credits", "credits-out-of-range")]),
        ({"proposed_credits": Decimal("0.005")}, [("proposed_credits", "credits-not-hundredths")]),
        ({"hours": Decimal("0")}, [("hours", "hours-out-of-range")]),
        ({"hours": Decimal("1.25")}, [("hours", "hours-not-tenths")]),
        ({"valid_until": date(2023, 1, 1)}, [("valid_until", "days-out-of-order")]),
        ({"x_level": "中级"}, [("x_level", "x-level-invalid")]),
        ({"skill_level": "5"}, [("skill_level", "skill-level-invalid")]),
        ({"body_uscc": "12"}, [("body_uscc", "uscc-length")]),
        ({"body_uscc": UNKNOWN_BODY}, [("body_name", "text-missing")]),
        (
            {"title_en": "", "proposed_credits": Decimal("999"), "level": 0},
            [
                ("title_en", "text-missing"),
                ("level", "level-unknown"),
                ("proposed_credits", "credits-out-of-range"),
            ],
        ),
    ],
)
def test_what_cannot_stand_is_refused_with_all_its_problems(changes, expected):
    school = cast.make_institution()
    with pytest.raises(CatalogueItemInvalid) as refused:
        cast.propose(school, **changes)
    assert problems(refused) == expected
    assert not CatalogueItem.objects.exists()


def x_certificate(**changes):
    return {
        "kind": OutcomeKind.X_CERTIFICATE,
        "title": "智能新能源汽车（中级）",
        "standard": "智能新能源汽车职业技能等级标准",
        "standard_version": "2021年2.0版",
        "x_level": "中级",
        "category": "vocational",
    } | changes


def test_an_x_certificate_names_organisation_standard_version_and_level():
    organisation = cast.make_institution(
        kind=InstitutionKind.ASSESSMENT_ORGANISATION, name="示例评价组织"
    )
    school = cast.make_institution()
    item = cast.propose(school, **x_certificate(body_uscc=organisation.uscc, body_name="别名"))
    assert (item.body_uscc, item.body_name) == (organisation.uscc, "示例评价组织")
    with pytest.raises(CatalogueItemInvalid) as refused:
        cast.propose(
            school,
            **x_certificate(
                body_uscc=organisation.uscc, standard="", standard_version="", x_level="五级"
            ),
        )
    assert problems(refused) == [
        ("standard", "standard-missing"),
        ("standard_version", "standard-missing"),
        ("x_level", "x-level-invalid"),
    ]


def test_a_school_awards_no_x_certificate_in_its_own_name():
    with pytest.raises(CatalogueItemInvalid) as refused:
        cast.propose(cast.make_institution(), **x_certificate())
    assert problems(refused) == [("body_uscc", "body-not-assessment-organisation")]


def test_an_assessment_organisation_the_bank_does_not_know_is_named_in_full():
    item = cast.propose(
        cast.make_institution(),
        **x_certificate(body_uscc=UNKNOWN_BODY.lower(), body_name="省外示例评价组织"),
    )
    assert (item.body_uscc, item.body_name) == (UNKNOWN_BODY, "省外示例评价组织")


def test_a_human_resources_certificate_has_one_of_five_levels():
    centre = cast.make_institution(kind=InstitutionKind.TRAINING_CENTRE)
    item = cast.propose(centre, kind=OutcomeKind.SKILL_LEVEL, skill_level="3")
    assert item.get_skill_level_display() == "三级（高级工）"
    for wrong in (
        {"skill_level": ""},
        {"skill_level": "6"},
        {"skill_level": "3", "x_level": "中级"},
    ):
        with pytest.raises(CatalogueItemInvalid):
            cast.propose(centre, kind=OutcomeKind.SKILL_LEVEL, **wrong)


def test_the_database_itself_keeps_the_two_certificate_families_apart():
    item = cast.propose(
        cast.make_institution(kind=InstitutionKind.ASSESSMENT_ORGANISATION), **x_certificate()
    )
    with pytest.raises(IntegrityError, match="item_certificate_level"):
        CatalogueItem.objects.filter(pk=item.pk).update(x_level="", skill_level="3")


@pytest.mark.parametrize(
    "kind", [k for k in OutcomeKind if k not in ("x-certificate", "skill-level")]
)
def test_every_other_kind_of_outcome_can_be_in_the_catalogue(kind):
    approved = cast.approve(cast.propose(cast.make_institution(), kind=kind, hours=Decimal("48.5")))
    assert queries.active_item(approved.code, DAY).kind == kind


def test_a_code_belongs_to_the_item_that_had_it_first():
    item = cast.propose(cast.make_institution())
    with pytest.raises(ItemCodeTaken):
        cast.propose(cast.make_institution(), code=item.code)
    with pytest.raises(NotOwnItem):
        operations.propose_version(
            item=item, institution=cast.make_institution(), valid_from=DAY, acting_user=None
        )


def test_who_proposed_does_not_approve_under_any_sign_in():
    proposer, second_sign_in = cast.make_user(), cast.make_user()
    bind_person(user=proposer, digest=cast.person(1))
    bind_person(user=second_sign_in, digest=cast.person(1))
    item = cast.propose(cast.make_institution(), acting_user=proposer)
    for user in (proposer, second_sign_in):
        with pytest.raises(OwnProposal):
            cast.approve(item, acting_user=user)
    assert queries.item(item.code, 1).status == ItemStatus.PROPOSED


def test_a_decision_needs_credits_a_level_and_a_category():
    item = cast.propose(cast.make_institution(), level=None, category="")
    with pytest.raises(CatalogueItemInvalid) as refused:
        cast.approve(item, approved_credits=Decimal("201"))
    assert problems(refused) == [
        ("approved_credits", "credits-out-of-range"),
        ("level", "level-missing"),
        ("category", "category-missing"),
    ]


def test_a_version_is_decided_once():
    approved = cast.approve(cast.propose(cast.make_institution()))
    with pytest.raises(ItemNotProposed):
        cast.approve(approved, approved_credits=Decimal("9"))
    assert queries.item(approved.code, 1).approved_credits == Decimal("3.00")


def test_a_new_version_ends_the_open_one_the_day_before():
    school = cast.make_institution()
    first = cast.approve(cast.propose(school))
    proposed = operations.propose_version(
        item=first,
        institution=school,
        valid_from=date(2026, 9, 1),
        proposed_credits=Decimal("4"),
        acting_user=None,
    )
    assert (proposed.version, proposed.title, proposed.status) == (2, first.title, "proposed")
    assert queries.active_item(first.code, date(2026, 12, 1)).version == 1
    cast.approve(proposed)
    assert queries.item(first.code, 1).valid_until == date(2026, 8, 31)
    for day, version, approved in (
        (date(2026, 8, 31), 1, Decimal("3")),
        (date(2026, 9, 1), 2, Decimal("4")),
    ):
        found = queries.active_item(first.code, day)
        assert (found.version, found.approved_credits) == (version, approved)
    assert [item.version for item in queries.item_versions(first.code)] == [1, 2]


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2023, 6, 1), None),
        (date(2023, 6, 1), date(2024, 1, 1)),
        (date(2024, 12, 31), date(2025, 6, 1)),
        (date(2024, 3, 1), date(2024, 4, 1)),
    ],
)
def test_two_approved_versions_are_never_in_force_on_one_day(first, last):
    school = cast.make_institution()
    held = cast.approve(
        cast.propose(school, valid_from=date(2024, 1, 1), valid_until=date(2024, 12, 31))
    )
    other = operations.propose_version(
        item=held, institution=school, valid_from=first, valid_until=last, acting_user=None
    )
    with pytest.raises(OverlappingValidity) as refused:
        cast.approve(other)
    assert refused.value.facts["version"] == 1
    assert queries.item(held.code, 1).valid_until == date(2024, 12, 31)
    with pytest.raises(IntegrityError, match="item_versions_apart"):
        CatalogueItem.objects.filter(pk=other.pk).update(
            approved_credits=1, status="withdrawn", withdrawn_on=date(2027, 1, 1)
        )


def test_a_version_may_follow_one_that_ended_or_go_before_it():
    school = cast.make_institution()
    held = cast.approve(
        cast.propose(school, valid_from=date(2024, 1, 1), valid_until=date(2024, 12, 31))
    )
    for first, last in ((date(2025, 1, 1), None), (date(2023, 1, 1), date(2023, 12, 31))):
        cast.approve(
            operations.propose_version(
                item=held, institution=school, valid_from=first, valid_until=last, acting_user=None
            )
        )
    assert [
        queries.active_item(held.code, date(year, 5, 1)).version for year in (2023, 2024, 2025)
    ] == [3, 1, 2]


def test_kind_and_awarding_body_never_change_with_a_version():
    school = cast.make_institution()
    item = cast.propose(school)
    with pytest.raises(CatalogueItemInvalid) as refused:
        operations.propose_version(
            item=item,
            institution=school,
            valid_from=DAY,
            acting_user=None,
            kind=OutcomeKind.TRAINING,
            body_uscc=UNKNOWN_BODY,
        )
    assert problems(refused) == [
        ("body_uscc", "item-member-fixed"),
        ("kind", "item-member-fixed"),
    ]


def test_a_withdrawn_item_still_counts_for_what_was_completed_before():
    approved = cast.approve(cast.propose(cast.make_institution()))
    withdrawn = operations.withdraw_item(
        item=approved, on=date(2026, 3, 1), reason="评价组织退出目录", acting_user=None
    )
    assert queries.active_item(approved.code, date(2026, 2, 28)) == withdrawn
    with pytest.raises(UnknownItem):
        queries.active_item(approved.code, date(2026, 3, 1))
    assert queries.opening_members(approved.code, 1) is not None
    with pytest.raises(ItemWithdrawn):
        operations.withdraw_item(item=approved, on=DAY, reason="再次", acting_user=None)


def test_an_item_withdrawn_before_its_first_day_was_never_in_force():
    school = cast.make_institution()
    approved = cast.approve(cast.propose(school, valid_from=date(2026, 9, 1)))
    operations.withdraw_item(item=approved, on=DAY, reason="重复", acting_user=None)
    with pytest.raises(UnknownItem):
        queries.active_item(approved.code, date(2026, 9, 1))
    cast.approve(
        operations.propose_version(
            item=approved, institution=school, valid_from=date(2026, 9, 1), acting_user=None
        )
    )
    assert queries.active_item(approved.code, date(2026, 9, 1)).version == 2


def test_a_withdrawal_needs_a_reason_and_a_dropped_proposal_was_never_approved():
    item = cast.propose(cast.make_institution())
    with pytest.raises(CatalogueItemInvalid):
        operations.withdraw_item(item=item, on=DAY, reason=" ", acting_user=None)
    operations.withdraw_item(item=item, on=DAY, reason="撤回", acting_user=None)
    assert queries.proposals() == []
    assert queries.opening_members(item.code, 1) is None


def test_the_public_catalogue_of_a_day_and_an_institutions_own():
    school, other = cast.make_institution(), cast.make_institution()
    course = cast.approve(cast.propose(school))
    training = cast.approve(cast.propose(other, kind=OutcomeKind.TRAINING))
    cast.propose(school)
    assert queries.catalogue(DAY) == [course, training]
    assert queries.catalogue(DAY, kinds=[OutcomeKind.TRAINING]) == [training]
    assert len(queries.catalogue_of(school)) == 2


def recording(kind=OutcomeKind.COURSE, **changes):
    """Set up an approved item, its owner's stream and scope, and another school's stream."""
    owner, other = cast.make_institution(), cast.make_institution()
    for school, name in ((owner, "bank.example/owner"), (other, "bank.example/other")):
        operations.grant_scope(institution=school, outcome_kind=kind, valid_from=date(2024, 1, 1))
        operations.add_stream(institution=school, name=name, mode="hosted", acting_user=None)
    return owner, other, cast.approve(cast.propose(owner, kind=kind, **changes))


def test_an_institution_records_its_own_courses_and_nobody_elses():
    owner, other, item = recording()
    assert queries.recording_refusal("bank.example/owner", item.code, 1, DAY) is None
    refused = queries.recording_refusal("bank.example/other", item.code, 1, DAY)
    assert refused is not None
    assert (refused.code, refused.expected) == ("not-own-item", owner.slug)
    assert queries.active_items(owner, DAY) == [item]
    assert queries.active_items(other, DAY) == []


def test_a_certificate_is_recorded_by_whoever_has_that_scope():
    _, other, item = recording(OutcomeKind.SKILL_LEVEL, skill_level="4")
    for name in ("bank.example/owner", "bank.example/other"):
        assert queries.recording_refusal(name, item.code, 1, DAY) is None
    assert queries.active_items(other, DAY) == [item]


def test_a_refusal_to_record_says_why():
    _, _, item = recording(valid_until=date(2026, 12, 31))
    name = "bank.example/owner"

    def code(item_code: str, version: int, on: date) -> str:
        refused = queries.recording_refusal(name, item_code, version, on)
        assert refused is not None
        return refused.code

    assert code("NONE", 1, DAY) == "unknown-item"
    assert code(item.code, 2, DAY) == "unknown-item"
    assert code(item.code, 1, date(2027, 1, 1)) == "item-not-in-force"
    assert code(item.code, 1, date(2023, 12, 31)) == "item-not-in-force"
    scope = queries.scopes(item.institution)[0]
    operations.end_scope(scope=scope, last_day=date(2026, 1, 31), acting_user=None)
    assert code(item.code, 1, DAY) == "outside-scope"
