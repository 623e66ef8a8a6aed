"""The demo's rules and programmes: valid, of every kind, and of use to somebody."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import pytest

from certificates import fonts
from creditbank.clock import today
from creditbank.demo import cast, pack
from creditbank.demo.items import ITEMS
from creditbank.demo.people import CLASSMATE, LEARNER, PEOPLE
from creditbank.institutions.kinds import InstitutionKind
from creditbank.recognition.deciding import computation
from creditbank.recognition.engine.findings import Verdict
from creditbank.recognition.language import programmes, rulechecks, rules
from creditbank.recognition.language.rules import Rule
from creditbank.recognition.planning.plan import Plan
from tests.demo import findings, holdings

VERSIONS = findings.all_rules()
RIGHT_NOW = findings.published()
DOCUMENTS: dict[str, Any] = {
    **{one.code: one.document for one in RIGHT_NOW},
    **{one.code: one.document for one in findings.all_programmes()},
}
"""What the table of kinds names: programmes, and of each rule the version in force."""
NAMES = {one.uscc: one for one in cast.INSTITUTIONS}


def named(one: Rule) -> str:
    return f"{one.code} v{one.version}"


def at(document: Any, pointer: str) -> Any:
    """What stands at a JSON pointer."""
    for step in pointer.split("/")[1:]:
        document = document[int(step)] if isinstance(document, list) else document[step]
    return document


def everything_in(value: Any) -> list[Any]:
    """A value and all values in it."""
    found = [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        found += everything_in(one)
    return found


@pytest.mark.parametrize("file", pack.rules(), ids=lambda file: f"{file.code} v{file.version}")
def test_a_rule_is_valid_and_named_as_its_file(file: pack.File) -> None:
    read = rules.read(file.read())
    assert (read.code, read.version) == (file.code, file.version)


@pytest.mark.parametrize("file", pack.programmes(), ids=lambda file: file.code)
def test_a_programme_is_valid_and_named_as_its_file(file: pack.File) -> None:
    read = programmes.read(file.read())
    assert (read.code, read.version) == (file.code, file.version)


@pytest.mark.parametrize("file", [*pack.rules(), *pack.programmes()], ids=lambda file: file.code)
def test_a_file_is_indented_and_no_line_runs_on(file: pack.File) -> None:
    text = file.read().decode()
    assert text.count("\n") > 15
    assert text.endswith("}\n")
    assert max(len(line) for line in text.splitlines()) <= 100


def test_there_are_forty_rules_and_five_programmes_of_different_institutions() -> None:
    assert len({one.code for one in VERSIONS}) >= 40
    owners = {NAMES[one.owner] for one in findings.all_programmes()}
    assert len(owners) >= 5
    assert {one.kind for one in owners} >= {
        InstitutionKind.VOCATIONAL_COLLEGE,
        InstitutionKind.UNIVERSITY,
        InstitutionKind.OPEN_UNIVERSITY,
        InstitutionKind.SECONDARY_VOCATIONAL,
        InstitutionKind.PROVINCIAL_AUTHORITY,
    }


@pytest.mark.parametrize("one", VERSIONS, ids=named)
def test_the_owner_and_the_basis_are_invented(one: Rule) -> None:
    assert one.owner in NAMES
    assert "示" in one.document["basis"]["title"] or "示例" in one.document["basis"]["number"]
    assert re.search(r"〔20\d\d〕示例\d+号$", one.document["basis"]["number"])
    assert "url" not in one.document["basis"]


@pytest.mark.parametrize("one", VERSIONS, ids=named)
def test_items_bodies_and_programmes_of_a_rule_are_the_casts(one: Rule) -> None:
    known = {item.code for item in ITEMS}
    for value in everything_in(one.document):
        if isinstance(value, dict):
            assert set(value.get("item", ())) <= known
            assert set(value.get("body", ())) <= NAMES.keys()
            assert set(value.get("bodies", ())) <= NAMES.keys()
            assert value.get("partner", one.owner) in NAMES
    for code in one.programmes:
        assert findings.programme(code).owner == one.owner


def test_items_of_programmes_are_their_owners() -> None:
    owner_of = {item.code: cast.BY_SLUG[item.owner].uscc for item in ITEMS}
    for programme in findings.all_programmes():
        for course in programme.courses:
            assert {owner_of[item] for item in course.items} <= {programme.owner}


def test_a_native_course_has_the_credits_of_its_item() -> None:
    worth = {item.code: item.credits for item in ITEMS}
    assert [
        (course.code, item)
        for programme in findings.all_programmes()
        for course in programme.courses
        for item in course.items
        if worth[item] != course.credits
    ] == []


@pytest.mark.parametrize("programme", findings.all_programmes(), ids=lambda one: one.code)
def test_a_programme_asks_for_its_total(programme: Any) -> None:
    assert sum(one.credits for one in programme.categories) == programme.total


@pytest.mark.parametrize(
    "programme",
    [one for one in findings.all_programmes() if one.code != "SX-CBB"],
    ids=lambda one: one.code,
)
def test_a_colleges_own_courses_are_enough_for_each_category(programme: Any) -> None:
    """A credit-bank degree has no courses of its own but the required ones."""
    for category in programme.categories:
        own = sum(one.credits for one in programme.courses if one.category == category.code)
        assert own >= category.credits, category.code


def test_static_checks_find_nothing_but_what_is_explained() -> None:
    flaws = rulechecks.check(VERSIONS, findings.all_programmes(), findings.catalogue())
    assert [flaw for flaw in flaws if flaw.severity == "error"] == []
    assert {
        frozenset({flaw.code, flaw.other.split("/")[0]}): flaw.problem.code for flaw in flaws
    } == dict.fromkeys(pack.OVERLAPPING, "overlap")


def test_computing_counts_less_in_a_computing_programme() -> None:
    one = findings.rule("R-013", 1)
    given = {
        code: {
            grant.credits
            for person in PEOPLE
            for finding in findings.applying(one, code, person)
            for grant in finding.grants
        }
        for code in one.programmes
    }
    assert given == {"KF-ADM": {Decimal(2)}, "KF-COM": {Decimal(1)}}


def test_every_text_can_be_printed() -> None:
    texts = [
        value
        for document in (*DOCUMENTS.values(), *(one.document for one in VERSIONS))
        for value in everything_in(document)
        if isinstance(value, str)
    ]
    assert fonts.missing("".join(texts)) == ""


# -- every kind -------------------------------------------------------------------------------
def test_the_table_has_every_kind_once() -> None:
    assert [kind.number for kind in pack.KINDS] == list(range(1, 44))


@pytest.mark.parametrize("kind", pack.KINDS, ids=lambda kind: f"R{kind.number}")
def test_a_kind_stands_where_the_table_says(kind: pack.Kind) -> None:
    assert kind.shown
    for code, pointer, value in kind.shown:
        assert at(DOCUMENTS[code], pointer) == value, (code, pointer)


@pytest.mark.parametrize("kind", pack.KINDS, ids=lambda kind: f"R{kind.number}")
def test_a_kind_is_shown_by_the_rule_of_its_number_or_by_the_degree(kind: pack.Kind) -> None:
    shown = {code for code, _, _ in kind.shown}
    assert shown & {f"R-{kind.number:03}", "SX-CBB"}


def test_every_rule_is_in_the_table() -> None:
    shown = {code for kind in pack.KINDS for code, _, _ in kind.shown}
    assert sorted({one.code for one in VERSIONS} - shown) == []


# -- of use to somebody -----------------------------------------------------------------------
@pytest.mark.parametrize("one", [*RIGHT_NOW, findings.rule(*pack.FILED)], ids=named)
def test_a_rule_gives_something_to_somebody_of_the_cast(one: Rule) -> None:
    """With the facts that somebody who looks at the papers would attest."""
    given = [
        finding
        for code in one.programmes
        for person in PEOPLE
        for finding in findings.applying(one, code, person, attested=True)
    ]
    assert given != []
    assert all(finding.grants for finding in given)


@pytest.mark.parametrize(("version", "day"), [(1, "2023-06-01"), (2, "2024-12-31")])
def test_a_former_version_gave_something_on_its_days(version: int, day: str) -> None:
    """Later ones are longer in force: the certificate is of November 2024."""
    former = findings.rule(pack.CERTIFICATE_RULE, version)
    assert former.in_force(type(former.first_day).fromisoformat(day))
    targets = [target["course"] for target in former.allocation["to"]]
    assert targets[0] == "LOG-102"


# -- the journey ------------------------------------------------------------------------------
def test_the_certificate_rule_has_three_published_versions_and_one_that_waits() -> None:
    versions = [one for one in VERSIONS if one.code == pack.CERTIFICATE_RULE]
    assert [one.version for one in versions] == [1, 2, 3, 4]
    third = versions[2]
    assert (third.first_day.isoformat(), third.last_day) == ("2025-01-01", None)
    assert third.procedure == {
        "mode": "review",
        "reviewers": 1,
        "expected_days": 10,
        "appeal_days": 15,
    }
    assert third.constraints == ({"cap": {"credits": "8"}, "of": {"kinds": ["x-certificate"]}},)


def _usable(person: Any, rules_in_force: tuple[Rule, ...]) -> list[Any]:
    return [
        finding
        for one in rules_in_force
        if pack.PROGRAMME in one.programmes
        for finding in findings.findings(one, pack.PROGRAMME, person)
        if finding.verdict is not Verdict.REFUSED
    ]


def test_the_learner_has_one_usable_outcome_for_seven_credits() -> None:
    (finding,) = _usable(LEARNER, RIGHT_NOW)
    assert (finding.rule, finding.version) == (pack.CERTIFICATE_RULE, 3)
    assert {grant.course: grant.credits for grant in finding.grants} == {
        "LOG-102": Decimal(4),
        "LOG-103": Decimal(3),
    }


@pytest.mark.parametrize(("version", "credits"), [(3, 7), (4, 5)])
def test_the_classmate_has_it_too_and_gets_less_under_the_next_version(
    version: int, credits: int
) -> None:
    others = tuple(one for one in RIGHT_NOW if one.code != pack.CERTIFICATE_RULE)
    rule = findings.rule(pack.CERTIFICATE_RULE, version)
    (finding,) = _usable(CLASSMATE, (*others, rule))
    assert sum(grant.credits for grant in finding.grants) == credits


def _plan(person: Any) -> Plan:
    """What is best for somebody who studies the programme, and what that counts."""
    programme = findings.programme(pack.PROGRAMME)
    held = holdings.held(person.number)
    computed = computation.compute(
        computation.Inputs(
            programme=programme,
            rules=tuple(one for one in RIGHT_NOW if one.is_for(programme)),
            evidence=held,
            held=held,
            filed_on=today(),
            law_on=today(),
        )
    )
    assert computed.plan.state == "optimal"
    return computed.plan


def test_the_learner_has_41_of_76_and_previews_48() -> None:
    plan = _plan(LEARNER)
    assert findings.programme(pack.PROGRAMME).total == 76
    assert plan.counted - plan.credits == 41
    assert plan.counted == 48


def test_the_programme_asks_for_52_required_16_elective_and_8_practice() -> None:
    categories = findings.programme(pack.PROGRAMME).categories
    assert {one.title: int(one.credits) for one in categories} == {
        "必修": 52,
        "选修": 16,
        "实践": 8,
    }


def test_those_who_took_both_courses_there_get_nothing_for_the_certificate() -> None:
    plan = _plan(PEOPLE[39])
    assert plan.lines == ()
    (left,) = plan.left_out
    assert left.rule == pack.CERTIFICATE_RULE
    assert {obstacle.code for obstacle in left.obstacles} == {"one-source"}


def test_the_certificate_is_worth_as_much_at_the_bank_as_the_college_gives() -> None:
    item = next(one for one in ITEMS if one.code == "QH-ZHC-I")
    assert item.credits == 8


def test_the_documents_are_json_of_the_stated_schema() -> None:
    schemas = {json.loads(file.read())["v"] for file in (*pack.rules(), *pack.programmes())}
    assert schemas == {"llcb/rule/v1", "llcb/programme/v1"}
