"""What is in force on a day, and which version decides a request."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import time_machine

from creditbank.recognition.register import publishing, rulebook
from creditbank.recognition.register.checking import DocumentRefused
from tests.recognition.shelf import Shelf, make_authority, make_shelf

MARCH = date(2026, 3, 1)


@pytest.fixture
def shelf(bank: Any, settings: Any) -> Shelf:
    settings.STAFF_SECOND_FACTOR = False
    return make_shelf()


def codes(found: Any) -> list[tuple[str, int]]:
    return [(row.code, row.version) for row in found]


def test_a_version_is_in_force_from_its_first_to_its_last_day(shelf: Shelf) -> None:
    shelf.publish(code="R-1", in_force={"from": "2026-03-01", "until": "2026-08-31"})
    for on, there in (
        (date(2026, 2, 28), False),
        (date(2026, 3, 1), True),
        (date(2026, 8, 31), True),
        (date(2026, 9, 1), False),
    ):
        assert bool(rulebook.in_force(on)) is there, on


def test_drafts_and_filed_versions_are_not_in_force(shelf: Shelf) -> None:
    shelf.draft()
    shelf.filed()
    assert rulebook.in_force(MARCH) == []


def test_a_newer_version_takes_over_on_its_first_day(shelf: Shelf) -> None:
    shelf.publish(code="R-1", version=1)
    shelf.publish(code="R-1", version=2, in_force={"from": "2026-09-01"})
    assert rulebook.rule_in_force("R-1", date(2026, 8, 31)).version == 1
    assert rulebook.rule_in_force("R-1", date(2026, 9, 1)).version == 2
    assert rulebook.superseded_on(rulebook.rule("R-1", 1)) == date(2026, 9, 1)
    assert rulebook.superseded_on(rulebook.rule("R-1", 2)) is None


def test_after_a_newer_version_ends_an_older_one_that_goes_on_is_back(shelf: Shelf) -> None:
    shelf.publish(code="R-1", version=1)
    shelf.publish(code="R-1", version=2, in_force={"from": "2026-09-01", "until": "2026-12-31"})
    assert rulebook.rule_in_force("R-1", date(2026, 12, 31)).version == 2
    assert rulebook.rule_in_force("R-1", date(2027, 1, 1)).version == 1


def test_when_a_newer_version_is_withdrawn_the_older_one_is_back(shelf: Shelf) -> None:
    shelf.publish(code="R-1", version=1)
    with time_machine.travel("2026-10-01T12:00:00+08:00", tick=True):
        second = shelf.publish(code="R-1", version=2, in_force={"from": "2026-09-01"})
        publishing.withdraw_rule(
            rule=second, reason="有误", acting_user=shelf.reviewer, on=date(2026, 10, 5)
        )
    assert rulebook.rule_in_force("R-1", date(2026, 10, 4)).version == 2
    assert rulebook.rule_in_force("R-1", date(2026, 10, 5)).version == 1
    assert rulebook.superseded_on(rulebook.rule("R-1", 1)) is None


def test_programmes_have_versions_too(shelf: Shelf) -> None:
    shelf.publish_programme(code="P-1", version=1)
    shelf.publish_programme(code="P-1", version=2, in_force={"from": "2026-09-01"})
    assert rulebook.programme_in_force("P-1", date(2026, 9, 1)).version == 2
    assert codes(rulebook.programme_versions("P-1")) == [("P-1", 2), ("P-1", 1)]
    with pytest.raises(rulebook.UnknownProgramme):
        rulebook.programme_in_force("P-1", date(2026, 2, 28))


# -- which programmes a rule reaches ------------------------------------------------------------
def test_a_rule_reaches_what_it_names_or_all_of_its_owner(shelf: Shelf) -> None:
    first = shelf.publish_programme(code="P-1").parsed()
    second = shelf.publish_programme(code="P-2").parsed()
    shelf.publish(code="R-all")
    shelf.publish(code="R-one", programmes=["P-1"])
    assert codes(rulebook.rules_in_force(programme=first, on=MARCH)) == [
        ("R-all", 1),
        ("R-one", 1),
    ]
    assert codes(rulebook.rules_in_force(programme=second, on=MARCH)) == [("R-all", 1)]


def test_another_institutions_rule_reaches_nothing_here(shelf: Shelf) -> None:
    programme = shelf.publish_programme(code="P-1").parsed()
    other = make_shelf()
    other.publish(code="R-other")
    with pytest.raises(DocumentRefused) as refused:
        other.publish(code="R-named", programmes=["P-1"])
    assert [one.field for one in refused.value.problems] == ["/programmes/0"]
    assert rulebook.rules_in_force(programme=programme, on=MARCH) == []


def test_an_authoritys_rule_reaches_every_programme(shelf: Shelf) -> None:
    programme = shelf.publish_programme(code="P-1").parsed()
    authority = make_authority()
    authority.publish(code="R-province")
    make_shelf().publish_programme(code="P-9")
    authority.publish(code="R-elsewhere", programmes=["P-9"])
    assert codes(rulebook.rules_in_force(programme=programme, on=MARCH)) == [("R-province", 1)]
    assert (
        rulebook.rules_in_force(programme=programme, on=MARCH, institution=shelf.institution) == []
    )


# -- which version decides ----------------------------------------------------------------------
FILED = date(2026, 8, 31)
DECIDED = date(2026, 9, 10)


@pytest.fixture
def deciding(shelf: Shelf) -> Any:
    programme = shelf.publish_programme(code="P-1").parsed()

    def decide(*versions: tuple[str, str]) -> list[tuple[str, int]]:
        for number, (law, first) in enumerate(versions, 1):
            shelf.publish(code="R-1", version=number, law=law, in_force={"from": first})
        return codes(
            rulebook.rules_that_decide(programme=programme, filed_on=FILED, decided_on=DECIDED)
        )

    return decide


def test_by_the_law_of_filing_the_version_of_that_day_decides(deciding: Any) -> None:
    assert deciding(("filing", "2026-03-01"), ("filing", "2026-09-01")) == [("R-1", 1)]


def test_by_the_law_of_decision_the_version_of_that_day_decides(deciding: Any) -> None:
    assert deciding(("decision", "2026-03-01"), ("decision", "2026-09-01")) == [("R-1", 2)]


def test_the_version_of_the_day_of_filing_says_which_law_it_is(deciding: Any) -> None:
    assert deciding(("filing", "2026-03-01"), ("decision", "2026-09-01")) == [("R-1", 1)]


def test_a_version_that_hands_over_to_the_day_of_decision_is_followed(deciding: Any) -> None:
    assert deciding(("decision", "2026-03-01"), ("filing", "2026-09-01")) == [("R-1", 2)]


def test_a_rule_published_after_filing_does_not_reach_back_unless_it_says_so(
    deciding: Any,
) -> None:
    assert deciding(("filing", "2026-09-01")) == []


def test_a_rule_of_the_day_of_decision_reaches_what_was_filed_before(deciding: Any) -> None:
    assert deciding(("decision", "2026-09-01")) == [("R-1", 1)]


def test_a_rule_withdrawn_after_filing_still_decides_by_the_law_of_filing(shelf: Shelf) -> None:
    programme = shelf.publish_programme(code="P-1").parsed()
    with time_machine.travel("2026-09-05T12:00:00+08:00", tick=True):
        for code, law in (("R-filing", "filing"), ("R-decision", "decision")):
            row = shelf.publish(code=code, law=law)
            publishing.withdraw_rule(rule=row, reason="废止", acting_user=shelf.reviewer)
    decides = rulebook.rules_that_decide(programme=programme, filed_on=FILED, decided_on=DECIDED)
    assert codes(decides) == [("R-filing", 1)]


# -- versions -----------------------------------------------------------------------------------
def test_versions_and_what_differs_between_two(shelf: Shelf) -> None:
    first = shelf.publish(code="R-1", version=1)
    second = shelf.publish(
        code="R-1",
        version=2,
        in_force={"from": "2026-09-01"},
        constraints=[{"cap": {"credits": "10"}}],
    )
    assert codes(rulebook.versions("R-1")) == [("R-1", 2), ("R-1", 1)]
    assert rulebook.before(second) == first
    assert rulebook.before(first) is None
    found = {(one.pointer, one.before, one.after) for one in rulebook.between(first, second)}
    assert found == {
        ("/constraints/0/cap/credits", "8", "10"),
        ("/in_force/from", "2026-03-01", "2026-09-01"),
        ("/version", 1, 2),
    }


def test_an_unpublished_version_is_unknown_to_the_register(shelf: Shelf) -> None:
    shelf.filed(code="R-1")
    with pytest.raises(rulebook.UnknownRule):
        rulebook.rule("R-1", 1)
    with pytest.raises(rulebook.UnknownRule):
        rulebook.versions("R-1")
    assert rulebook.own_rule(shelf.institution, "R-1", 1).code == "R-1"
    with pytest.raises(rulebook.UnknownRule):
        rulebook.own_rule(make_shelf(stream=False).institution, "R-1", 1)


def test_a_dropped_draft_is_nowhere_to_be_found(shelf: Shelf) -> None:
    row = shelf.draft(code="R-1")
    publishing.withdraw_rule(rule=row, reason="写错了", acting_user=shelf.clerk)
    assert rulebook.own_rules(shelf.institution) == []


def test_filed_versions_wait_in_the_order_of_their_filing(shelf: Shelf) -> None:
    for code in ("R-b", "R-a"):
        shelf.filed(code=code)
    assert codes(rulebook.filed_rules()) == [("R-b", 1), ("R-a", 1)]
