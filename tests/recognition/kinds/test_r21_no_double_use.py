"""R21, no double use (不得重复使用).

Sources: C11, the same outcome is not converted repeatedly; I1, a redeemed credit is
irrevocably debited.
"""

from __future__ import annotations

import pytest

from creditbank.recognition.engine.evidence import State
from tests.recognition.make import against, course, outcome, programme, rule
from tests.recognition.planned import chosen, kept_out, line, planned

COLLEGE = programme(course("A", "4"), course("B", "3"))
TO_A = rule({"item": ["I"]}, [{"course": "A"}], code="R-A")
TO_B = rule({"item": ["I"]}, [{"course": "B"}], code="R-B")


def test_an_outcome_is_used_under_one_rule_and_not_under_another_besides() -> None:
    one = outcome("I")
    made = planned([TO_A, TO_B], one, programme=COLLEGE)
    assert [line_.grant.course for line_ in made.lines] == ["A"]
    assert kept_out(made, one, "R-B") == [("worse", "R-A")]


def test_two_outcomes_of_one_item_are_two() -> None:
    made = planned([TO_A, TO_B], outcome("I"), outcome("I"), programme=COLLEGE)
    assert made.credits == 7


def test_what_a_decision_has_used_is_not_used_again() -> None:
    one = outcome("I")
    earlier = [line(one, course="A", credits="4", rule="R-A")]
    made = planned([TO_B], one, programme=COLLEGE, earlier=earlier)
    assert made.lines == ()
    assert kept_out(made, one) == [("once", "")]


@pytest.mark.parametrize("state", ["used", "lapsed"])
def test_what_is_used_elsewhere_or_lapsed_is_refused(state: State) -> None:
    refused = against(TO_A, outcome("I", state=state), programme=COLLEGE)
    assert list(refused) == [state]


def test_an_outcome_is_used_whole_in_one_of_two_pairs() -> None:
    pair = rule(
        {"all": [{"outcome": {"item": ["I"]}}, {"outcome": {"item": ["J"]}}]},
        [{"course": "A"}],
        code="R-P",
    )
    other = rule(
        {"all": [{"outcome": {"item": ["J"]}}, {"outcome": {"item": ["K"]}}]},
        [{"course": "B"}],
        code="R-Q",
    )
    held = [outcome("I"), outcome("J"), outcome("K")]
    assert chosen([pair, other], *held, programme=COLLEGE) == {"I + J": {"A": "4"}}


def test_what_meets_a_course_natively_is_not_recognised_besides() -> None:
    from tests.recognition.make import OWNER

    here = programme(course("A", "4", items=["I"]), course("B", "3"))
    own = outcome("I", body=OWNER)
    made = planned([TO_B], own, programme=here)
    assert made.lines == ()
    assert kept_out(made, own) == [("native", "")]
