"""R38, what a decision means for fees (学费).

Sources C27, C26, H7: free of study but not of fees; the course's fee given back;
150 dollars a course.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from creditbank.recognition.deciding import packages, procedure
from creditbank.recognition.workflow import decisions, requests
from tests.recognition.world import World

KINDS = {
    "payable": (
        {"kind": "payable", "amount": "400", "note": "免修不免费", "note_en": "Fees stay due"},
        "400",
    ),
    "refunded": ({"kind": "refunded", "amount": "400"}, "-400"),
    "per-course": ({"kind": "per-course", "amount": "150"}, "300"),
    "none": ({"kind": "none"}, "0"),
}


@pytest.mark.parametrize(("fee", "due"), KINDS.values(), ids=KINDS)
def test_the_learner_sees_it_before_and_the_decision_says_it(
    bare_world: World, fee: dict[str, Any], due: str
) -> None:
    world = bare_world
    world.publish(procedure={"mode": "review", "fee": fee})
    learner = world.graduate()
    form = requests.prepare(learner=learner, programme=world.programme)
    assert form.procedure.fee(len(form.lines)) == Decimal(due)
    decision = world.decide(world.request(learner))
    said = packages.to_json(decisions.package_of(decision))["fees"]
    assert said == ([] if fee["kind"] == "none" else [fee])


def test_a_note_stands_even_where_nothing_is_due(world: World) -> None:
    decision = world.decide(world.request(world.graduate()))
    assert packages.to_json(decisions.package_of(decision))["fees"] == [
        {"kind": "none", "note": "不收费", "note_en": "No fee"}
    ]


def test_without_a_rule_on_fees_nothing_is_said() -> None:
    found = procedure.of([{"mode": "review"}])
    assert (found.fees, found.fee(3)) == ((), 0)
