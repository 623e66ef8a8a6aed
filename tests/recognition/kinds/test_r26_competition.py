"""R26, awards of competitions (竞赛).

Sources C20: national special 10, first 6, second 5, third 4; provincial 4, 3.5, 3,
2; school 2, 1.5, 1, 0.5; members of a team who do not lead it 0.5 less. C19:
national individual 4/3/2, team 3/2/1 for the first three names only. C21: the top
15 % of a ranking is a first prize. Highest award of one activity only: R24.
"""

from __future__ import annotations

from typing import Any

import pytest

from creditbank.recognition.engine.evidence import Evidence
from tests.recognition.make import against, given, outcome, rule, unknown

PRIZES = ("特等奖", "一等奖", "二等奖", "三等奖")
SCOPES = {
    "national": ("10", "6", "5", "4"),
    "provincial": ("4", "3.5", "3", "2"),
    "school": ("2", "1.5", "1", "0.5"),
}


def by_grade(amounts: tuple[str, ...], prizes: tuple[str, ...] = PRIZES) -> dict[str, Any]:
    rows = [{"is": [prize], "credits": one} for prize, one in zip(prizes, amounts, strict=True)]
    return {"table": {"by": "grade", "rows": rows}}


BY_SCOPE = {
    "table": {
        "by": "fact:scope",
        "rows": [{"is": [scope], "credits": by_grade(them)} for scope, them in SCOPES.items()],
    }
}
FOLLOWER = {"fact": {"name": "team_role", "is": ["member"]}}
AWARD = rule(
    {"kind": ["competition"]},
    [
        {
            "category": "elective",
            "credits": {"less": {"amount": BY_SCOPE, "by": "0.5", "when": FOLLOWER}},
        }
    ],
)


def award(scope: str, prize: str, role: str = "leader", **facts: str) -> Evidence:
    said = {"scope": scope, "team_role": role} | facts
    return outcome("CUP", kind="competition", grade=prize, facts=said)


@pytest.mark.parametrize(
    ("scope", "prize", "credits"),
    [
        (scope, prize, amount)
        for scope, row in SCOPES.items()
        for prize, amount in zip(PRIZES, row, strict=True)
    ],
)
def test_an_award_counts_by_scope_and_prize(scope: str, prize: str, credits: str) -> None:
    assert given(AWARD, award(scope, prize)) == {"elective": credits}


def test_who_does_not_lead_the_team_gets_half_a_credit_less() -> None:
    assert given(AWARD, award("national", "一等奖", "member")) == {"elective": "5.5"}
    assert given(AWARD, award("school", "二等奖", "member")) == {"elective": "0.5"}


def test_half_a_credit_less_of_half_a_credit_is_nothing() -> None:
    assert set(against(AWARD, award("school", "三等奖", "member"))) == {"nothing-given"}


def test_a_prize_that_is_none_is_refused() -> None:
    refused = against(AWARD, award("national", "优胜奖"))
    assert refused == {"no-row": ("优胜奖", ", ".join(PRIZES), "")}


def test_a_role_that_is_not_known_is_for_a_person() -> None:
    held = outcome("CUP", kind="competition", grade="一等奖", facts={"scope": "national"})
    assert unknown(AWARD, held) == {"fact-unknown"}


TEAM = rule(
    {
        "all": [
            {"kind": ["competition"]},
            {
                "any": [
                    {"fact": {"name": "entered", "is": ["individual"]}},
                    {"fact": {"name": "name_position", "max": "3"}},
                ]
            },
        ]
    },
    [
        {
            "category": "elective",
            "credits": {
                "table": {
                    "by": "fact:entered",
                    "rows": [
                        {"is": ["individual"], "credits": by_grade(("4", "3", "2"), PRIZES[1:])},
                        {"is": ["team"], "credits": by_grade(("3", "2", "1"), PRIZES[1:])},
                    ],
                }
            },
        }
    ],
)


@pytest.mark.parametrize(
    ("prize", "alone", "team"), [("一等奖", "4", "3"), ("二等奖", "3", "2"), ("三等奖", "2", "1")]
)
def test_in_another_scheme_a_team_gets_one_credit_less(prize: str, alone: str, team: str) -> None:
    single = outcome("CUP", kind="competition", grade=prize, facts={"entered": "individual"})
    third = {"entered": "team", "name_position": "3"}
    joint = outcome("CUP", kind="competition", grade=prize, facts=third)
    assert given(TEAM, single) == {"elective": alone}
    assert given(TEAM, joint) == {"elective": team}


def test_the_fourth_name_gets_nothing() -> None:
    fourth = {"entered": "team", "name_position": "4"}
    held = outcome("CUP", kind="competition", grade="一等奖", facts=fourth)
    assert against(TEAM, held) == {"fact": ("4", "≤ 3", "-1")}


RANKED = rule(
    {"kind": ["competition"]},
    [
        {
            "category": "elective",
            "credits": {
                "table": {
                    "by": "fact:rank_percent",
                    "rows": [
                        {"until": "15", "credits": "6"},
                        {"from": "15", "until": "40", "credits": "5"},
                    ],
                    "else": "4",
                }
            },
        }
    ],
)


@pytest.mark.parametrize(
    ("rank", "credits"), [("15", "6"), ("15.1", "5"), ("40", "5"), ("40.1", "4"), ("0.5", "6")]
)
def test_the_top_fifteen_percent_are_a_first_prize(rank: str, credits: str) -> None:
    held = outcome("CUP", kind="competition", facts={"rank_percent": rank})
    assert given(RANKED, held) == {"elective": credits}
