"""Founding institutions, and what they may record until when."""

from datetime import date

import pytest
from django.db import IntegrityError

from creditbank.institutions import operations, queries
from creditbank.institutions.kinds import InstitutionKind, OutcomeKind
from creditbank.institutions.models import Institution
from creditbank.institutions.operations import (
    InstitutionExists,
    InstitutionInvalid,
    ScopeInvalid,
)
from tests.institutions import cast

pytestmark = pytest.mark.usefixtures("db")

DAY = date(2026, 6, 17)


@pytest.mark.parametrize("kind", list(InstitutionKind))
def test_every_kind_of_institution_can_be_founded(kind):
    found = cast.make_institution(kind=kind)
    assert queries.institution(found.slug).kind == kind
    assert queries.institution_by_uscc(found.uscc) == found


def test_all_problems_are_told_at_once():
    with pytest.raises(InstitutionInvalid) as refused:
        cast.make_institution(
            slug="Größe",
            name=" ",
            name_en="A\u202eB",
            kind="guild",
            uscc="91350100M000100Y44",
            region="990000",
            industry="magic",
        )
    assert [(problem.field, problem.code) for problem in refused.value.problems] == [
        ("slug", "slug-invalid"),
        ("name", "text-missing"),
        ("name_en", "text-character"),
        ("kind", "institution-kind-unknown"),
        ("uscc", "uscc-check"),
        ("region", "region-unknown"),
        ("industry", "industry-unknown"),
    ]
    assert {problem.field: problem.expected for problem in refused.value.problems}["uscc"] == "3"
    assert not Institution.objects.exists()


def test_a_slug_and_a_code_belong_to_one_institution():
    first = cast.make_institution()
    for same in ({"slug": first.slug}, {"uscc": first.uscc}):
        with pytest.raises(InstitutionExists):
            cast.make_institution(**same)
    assert list(Institution.objects.all()) == [first]


def test_the_database_itself_refuses_letters_that_no_code_has():
    first = cast.make_institution()
    with pytest.raises(IntegrityError, match="institution_uscc_characters"):
        Institution.objects.filter(pk=first.pk).update(uscc=first.uscc[:-1] + "O")


def test_names_in_korean_are_kept():
    found = cast.make_institution(region="222400", name_ko="시범직업기술학원")
    assert queries.institution(found.slug).name_ko == "시범직업기술학원"


def test_a_scope_holds_from_its_first_day_to_its_last_both_included():
    school = cast.make_institution()
    operations.grant_scope(
        institution=school,
        outcome_kind=OutcomeKind.COURSE,
        valid_from=date(2024, 9, 1),
        valid_until=date(2026, 8, 31),
    )
    for day, may in (
        (date(2024, 8, 31), False),
        (date(2024, 9, 1), True),
        (date(2026, 8, 31), True),
        (date(2026, 9, 1), False),
    ):
        assert queries.may_record(school, OutcomeKind.COURSE, day) is may
    assert not queries.may_record(school, OutcomeKind.TRAINING, DAY)


def test_a_suspended_institution_records_nothing_until_it_is_resumed():
    school = cast.make_institution()
    operations.grant_scope(
        institution=school, outcome_kind=OutcomeKind.COURSE, valid_from=date(2024, 1, 1)
    )
    stream = operations.add_stream(
        institution=school, name="bank.example/a", mode="hosted", acting_user=None
    )
    operations.suspend_institution(institution=school, acting_user=None)
    assert not queries.may_record(queries.institution(school.slug), OutcomeKind.COURSE, DAY)
    assert not queries.stream_may_record(stream.name, OutcomeKind.COURSE, DAY)
    operations.resume_institution(institution=school, acting_user=None)
    assert queries.may_record(queries.institution(school.slug), OutcomeKind.COURSE, DAY)
    assert queries.stream_may_record(stream.name, OutcomeKind.COURSE, DAY)


def test_scopes_of_one_kind_never_overlap():
    school = cast.make_institution()
    operations.grant_scope(
        institution=school,
        outcome_kind=OutcomeKind.COURSE,
        valid_from=date(2024, 1, 1),
        valid_until=date(2024, 12, 31),
    )
    for first, last in (
        (date(2024, 12, 31), None),
        (date(2023, 1, 1), date(2024, 1, 1)),
        (date(2025, 2, 1), date(2025, 1, 1)),
    ):
        with pytest.raises(ScopeInvalid):
            operations.grant_scope(
                institution=school,
                outcome_kind=OutcomeKind.COURSE,
                valid_from=first,
                valid_until=last,
            )
    operations.grant_scope(
        institution=school, outcome_kind=OutcomeKind.COURSE, valid_from=date(2025, 1, 1)
    )
    assert len(queries.scopes(school)) == 2
    with pytest.raises(ScopeInvalid):
        operations.grant_scope(
            institution=school, outcome_kind="sorcery", valid_from=date(2025, 1, 1)
        )


def test_a_scope_ends_on_its_last_day():
    school = cast.make_institution()
    scope = operations.grant_scope(
        institution=school, outcome_kind=OutcomeKind.COURSE, valid_from=date(2025, 1, 1)
    )
    with pytest.raises(ScopeInvalid):
        operations.end_scope(scope=scope, last_day=date(2024, 12, 31), acting_user=None)
    operations.end_scope(scope=scope, last_day=date(2026, 6, 16), acting_user=None)
    assert not queries.may_record(school, OutcomeKind.COURSE, DAY)


def test_an_institution_that_is_not_there_is_named_in_the_error():
    with pytest.raises(queries.UnknownInstitution) as refused:
        queries.institution("nowhere")
    assert refused.value.facts == {"slug": "nowhere"}
