"""R24, the highest award only (只计最高).

Source C20: of one activity with two awards or more, only the highest counts. The
figures are those of R26: national first prize 6, second 5.
"""

from __future__ import annotations

from typing import Any

from creditbank.recognition.engine.evidence import Evidence, State
from tests.recognition.make import OTHER, SENDER, outcome, programme, rule
from tests.recognition.planned import kept_out, obstacles, planned

PRIZES = {
    "table": {
        "by": "grade",
        "rows": [{"is": ["一等奖"], "credits": "6"}, {"is": ["二等奖"], "credits": "5"}],
    }
}


def awards(by: str = "occurrence") -> Any:
    return rule(
        {"kind": ["competition"]},
        [{"category": "elective", "credits": PRIZES}],
        constraints=[{"highest": {"by": by}}],
    )


def award(
    prize: str, event: str = "2025", body: str = SENDER, state: State = "available", **more: Any
) -> Evidence:
    item = more.pop("item", "CUP-1" if prize == "一等奖" else "CUP-2")
    return outcome(
        item, kind="competition", grade=prize, occurrence=event, body=body, state=state, **more
    )


def test_of_one_contest_only_the_highest_award_counts() -> None:
    first, second = award("一等奖", credits="3"), award("二等奖", credits="2")
    made = planned([awards()], second, first, programme=programme())
    assert made.credits == 6
    (found,) = obstacles(made, second)
    assert (found.code, found.pointer) == ("highest", "/constraints/0/highest")
    assert (found.leaf, found.group) == (first.leaf, "2025")


def test_two_contests_two_editions_two_bodies_count_both() -> None:
    first = award("一等奖")
    for other in (award("二等奖", event="2024"), award("二等奖", body=OTHER)):
        assert planned([awards()], first, other, programme=programme()).credits == 11


def test_the_lower_award_does_not_count_when_the_highest_is_used_elsewhere() -> None:
    first, second = award("一等奖", state="used", credits="3"), award("二等奖", credits="2")
    made = planned([awards()], first, second, programme=programme())
    assert made.credits == 0
    assert kept_out(made, second) == [("highest", "R-1/constraints/0/highest")]


def test_the_lower_award_counts_when_the_highest_lapsed() -> None:
    first, second = award("一等奖", state="lapsed", credits="3"), award("二等奖", credits="2")
    assert planned([awards()], first, second, programme=programme()).credits == 5


def test_awards_of_one_bank_value_are_told_apart_by_what_they_give() -> None:
    first, second = award("一等奖"), award("二等奖")
    made = planned([awards()], second, first, programme=programme())
    assert [line_.leaves for line_ in made.lines] == [(first.leaf,)]


def test_of_equal_awards_the_better_score_then_the_older_counts() -> None:
    older, better, later = award("一等奖"), award("一等奖", score="9"), award("一等奖", score="9")
    made = planned([awards()], later, better, older, programme=programme())
    assert [line_.leaves for line_ in made.lines] == [(better.leaf,)]


def test_by_item_it_is_about_one_course_taken_twice() -> None:
    retaken = rule(
        {"item": ["C"]},
        [{"category": "elective", "credits": {"of": "bank"}}],
        constraints=[{"highest": {"by": "item"}}],
    )
    first, second = outcome("C", credits="3", score="60"), outcome("C", credits="3", score="85")
    made = planned([retaken], first, second, programme=programme())
    assert made.credits == 3
    assert [line_.leaves for line_ in made.lines] == [(second.leaf,)]
