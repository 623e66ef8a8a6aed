"""R5, the level of a certificate decides what it exempts from (课证融通).

Source C18: 初级 → required basic courses only; 中级 → core courses; 高级 → both;
at most 8 credits per certificate, and at most its value at the national bank.
One course, one certificate is R22. The courses are invented.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from creditbank.recognition.engine.evidence import Evidence
from creditbank.recognition.language.rules import Rule
from tests.recognition.make import against, course, finding, given, outcome, programme, rule

COLLEGE = programme(
    course("BASIC-1", "3", tags=["basic"]),
    course("BASIC-2", "3", tags=["basic"]),
    course("CORE-1", "4", tags=["core"]),
    course("CORE-2", "4", tags=["core"]),
    course("CORE-3", "4", tags=["core"]),
    course("OTHER", "2"),
)
EIGHT_OR_ITS_VALUE = {"lower": ["8", {"of": "bank"}]}


def exempting(level: str, *tags: str, **allocation: Any) -> Rule:
    return rule(
        {"all": [{"kind": ["x-certificate"]}, {"certificate_level": [level]}]},
        [{"courses": {"tag": tag}} for tag in tags],
        allocation={"choose": 3, "at_most": EIGHT_OR_ITS_VALUE} | allocation,
    )


BASIC = exempting("初级", "basic")
INTERMEDIATE = exempting("中级", "core")
ADVANCED = exempting("高级", "basic", "core")


def certificate(level: str, credits: str = "8") -> Evidence:
    return outcome("X-NEV", kind="x-certificate", credits=credits, certificate_level=level)


@pytest.mark.parametrize(
    ("level", "of", "courses"),
    [
        ("初级", BASIC, {"BASIC-1", "BASIC-2"}),
        ("中级", INTERMEDIATE, {"CORE-1", "CORE-2", "CORE-3"}),
        ("高级", ADVANCED, {"BASIC-1", "BASIC-2", "CORE-1", "CORE-2", "CORE-3"}),
    ],
)
def test_each_level_opens_its_own_courses(level: str, of: Rule, courses: set[str]) -> None:
    assert set(given(of, certificate(level), programme=COLLEGE)) == courses


@pytest.mark.parametrize(("level", "of"), [("初级", INTERMEDIATE), ("中级", ADVANCED)])
def test_a_level_below_does_not_open_those_above(level: str, of: Rule) -> None:
    wanted = "中级" if of is INTERMEDIATE else "高级"
    assert against(of, certificate(level), programme=COLLEGE) == {
        "certificate-level": (level, wanted, wanted)
    }


@pytest.mark.parametrize(("value", "most"), [("12", "8"), ("8", "8"), ("5", "5"), ("7.5", "7.5")])
def test_a_certificate_gives_eight_credits_at_most_and_never_more_than_its_value(
    value: str, most: str
) -> None:
    found = finding(INTERMEDIATE, certificate("中级", value), programme=COLLEGE)
    assert (found.choose, found.credits_max) == (3, Decimal(most))


def test_where_all_come_together_they_are_cut_to_the_most_from_the_last_on() -> None:
    together = rule(
        {"certificate_level": ["中级"]},
        [{"courses": {"tag": "core"}}],
        allocation={"at_most": EIGHT_OR_ITS_VALUE},
    )
    assert given(together, certificate("中级", "12"), programme=COLLEGE) == {
        "CORE-1": "4",
        "CORE-2": "4",
    }
