"""The cast is invented, whole, and can be printed."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from certificates import fonts
from creditbank.clock import today
from creditbank.demo import cast, outcomes
from creditbank.demo.items import ITEMS
from creditbank.demo.people import LEARNER, NEVER_ASSIGNED, NEWCOMER, PEOPLE, WAITING
from creditbank.institutions import queries, uscc
from creditbank.institutions.kinds import OutcomeKind
from creditbank.recording.rows import read_row
from learners.identity import DocumentType, normalise_name

EVERYBODY = (*PEOPLE, NEWCOMER)


def test_there_are_twelve_institutions_of_different_kinds_and_sixty_learners() -> None:
    assert len(cast.RECORDING) >= 12
    assert len({one.kind for one in cast.INSTITUTIONS}) >= 12
    assert len(PEOPLE) == 60


def test_each_prefecture_has_an_institution(db: Any) -> None:
    wanted = {region.code for region in queries.prefectures(today())}
    assert len(wanted) == 9
    assert wanted <= {one.region for one in cast.RECORDING}


def test_no_institution_is_named_after_a_place_of_the_province(db: Any) -> None:
    """Real institutions carry the name of their place; invented ones carry none of these."""
    places = {re.sub("[省市]$|朝鲜族自治州$", "", one.name) for one in queries.regions(today())}
    assert {"吉林", "长春", "延边"} <= places
    assert [
        (one.name, place) for one in cast.INSTITUTIONS for place in places if place in one.name
    ] == []


@pytest.mark.parametrize("institution", cast.INSTITUTIONS, ids=lambda one: one.slug)
def test_codes_and_domains_belong_to_nobody(institution: cast.Institution) -> None:
    assert uscc.parse(institution.uscc) == institution.uscc
    assert institution.uscc[8] == "X"
    assert institution.stream.split("/")[0].endswith(".example")


def test_documents_are_invented_and_each_is_one_persons() -> None:
    residents = [one.document for one in EVERYBODY if one.document.type == DocumentType.RESIDENT_ID]
    staff = [member.document for one in cast.INSTITUTIONS for member in one.staff]
    assert {document.number[:6] for document in residents + staff} == {NEVER_ASSIGNED}
    numbers = Counter(one.document.number for one in EVERYBODY)
    numbers.update(document.number for document in staff)
    assert {number: count for number, count in numbers.items() if count > 1} == {}


def test_every_kind_of_document_is_among_them() -> None:
    assert {one.document.type for one in PEOPLE} == set(DocumentType)


@pytest.mark.parametrize("character", "龑𪟝·㛃䶮𬎆𠮷김Д")
def test_an_unusual_character_is_in_somebodys_name(character: str) -> None:
    assert any(character in one.name for one in PEOPLE)


def test_two_people_have_one_name_and_somebodys_has_forty_characters() -> None:
    assert [one.name for one in PEOPLE].count("张伟") == 2
    assert max(len(one.name) for one in PEOPLE) == 40


@pytest.mark.parametrize("person", EVERYBODY, ids=lambda one: str(one.number))
def test_every_name_is_in_normal_form_and_can_be_printed(person: Any) -> None:
    assert normalise_name(person.name) == person.name
    assert fonts.missing(person.name) == ""


def test_every_title_and_institution_can_be_printed() -> None:
    texts = [item.title + item.title_en for item in ITEMS]
    texts += [one.name + one.name_en + one.name_ko for one in cast.INSTITUTIONS]
    assert fonts.missing("".join(texts)) == ""


def test_the_learner_has_outcomes_of_all_nine_kinds() -> None:
    assert {item.kind for item in ITEMS if LEARNER.number in item.takers} == set(OutcomeKind)


def test_nobody_takes_an_item_twice() -> None:
    assert [item.code for item in ITEMS if len(set(item.takers)) != item.takers.count] == []
    assert len({item.code for item in ITEMS}) == len(ITEMS)


def test_every_row_can_be_read() -> None:
    rows = [
        row
        for institution in cast.RECORDING
        for row in outcomes.raw_rows(outcomes.lines_of(institution.slug))
    ]
    assert len(rows) >= 1_500
    assert [problems for row in rows if (problems := read_row(row, today())[1])] == []


def test_those_who_wait_are_not_those_who_sign_in() -> None:
    assert LEARNER not in WAITING
    assert NEWCOMER not in WAITING
