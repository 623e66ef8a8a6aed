"""R32, schools that have an agreement (校际协议).

Source C22: exchange credits only with partner schools under a signed agreement,
the plan approved before departure. The days have no source.
"""

from __future__ import annotations

import pytest

from creditbank.recognition.engine.evidence import Evidence
from tests.recognition.make import OTHER, SENDER, against, given, outcome, rule, unknown

AGREEMENT = {
    "number": "示院〔2022〕互认1号",
    "partner": SENDER,
    "from": "2022-09-01",
    "until": "2026-08-31",
    "plan_first": True,
}
EXCHANGE = rule({"kind": ["course"]}, gate={"agreement": AGREEMENT})
DAYS = "2022-09-01 – 2026-08-31"


def exchanged(
    *, body: str = SENDER, completed: str = "2024-06-30", approved: str = "2024-02-20"
) -> Evidence:
    facts = {"started_on": "2024-02-26", "plan_approved_on": approved}
    return outcome("E", body=body, completed=completed, facts=facts)


def test_a_course_at_a_partner_counts() -> None:
    assert given(EXCHANGE, exchanged()) == {"MATH-115": "3"}


def test_a_course_elsewhere_is_refused() -> None:
    assert against(EXCHANGE, exchanged(body=OTHER)) == {"agreement-partner": (OTHER, SENDER, "")}


@pytest.mark.parametrize("completed", ["2022-09-01", "2026-08-31"])
def test_the_agreement_holds_on_its_first_and_its_last_day(completed: str) -> None:
    assert given(EXCHANGE, exchanged(completed=completed)) == {"MATH-115": "3"}


@pytest.mark.parametrize(
    ("completed", "change"), [("2022-08-31", "+1 days"), ("2026-09-01", "-1 days")]
)
def test_it_does_not_hold_before_and_after(completed: str, change: str) -> None:
    assert against(EXCHANGE, exchanged(completed=completed)) == {
        "agreement-days": (completed, DAYS, change)
    }


def test_the_plan_is_approved_before_the_studies_begin() -> None:
    assert given(EXCHANGE, exchanged(approved="2024-02-25")) == {"MATH-115": "3"}
    assert against(EXCHANGE, exchanged(approved="2024-02-26")) == {
        "agreement-plan": ("2024-02-26", "< 2024-02-26", "-1 days")
    }


def test_days_that_nobody_has_attested_are_for_a_person() -> None:
    assert unknown(EXCHANGE, outcome("E")) == {"agreement-plan-unknown"}


def test_every_reason_is_told_at_once() -> None:
    refused = against(
        EXCHANGE, exchanged(body=OTHER, completed="2026-09-10", approved="2024-03-01")
    )
    assert set(refused) == {"agreement-partner", "agreement-days", "agreement-plan"}
