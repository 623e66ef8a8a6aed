"""R18, caps for a term and a year (学期/学年上限).

Source K3: at most 24 credits a semester and 42 a year, by the day on which the
course ended; semester 1 is 1 March to 31 August, semester 2 is 1 September to the
end of February; in the semester of graduation what ended after 15 July or 15
January does not count.
"""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from creditbank.recognition.engine.evidence import Evidence
from tests.recognition.make import outcome, programme, rule
from tests.recognition.planned import kept_out, line, obstacles, planned

HALVES = [
    {"name": "1", "from": "03-01", "until": "08-31"},
    {"name": "2", "from": "09-01", "until": "02-29"},
]
YEAR = [{"name": "year", "from": "03-01", "until": "02-29"}]
SEMESTER = {
    "bucket": {
        "credits": "24",
        "periods": HALVES,
        "last": [{"period": "1", "until": "07-15"}, {"period": "2", "until": "01-15"}],
    }
}
ANNUAL = {"bucket": {"credits": "42", "periods": YEAR}}
BANK = programme(
    categories=[{"code": "all", "title": "t", "title_en": "t", "credits": "140"}],
    courses=[
        {"code": "A", "title": "t", "title_en": "t", "credits": "3", "category": "all"},
    ],
    constraints=[SEMESTER, ANNUAL],
)
COUNT = rule({"kind": ["course"]}, [{"category": "all", "credits": {"of": "bank"}}])
_items = itertools.count(1)


def ended(*days: str, credits: str = "12") -> list[Evidence]:
    return [outcome(f"I-{next(_items)}", credits=credits, completed=day) for day in days]


def credited(held: list[Evidence], **changes: Any) -> int:
    made = planned([COUNT], *held, programme=BANK, **changes)
    return int(made.credits)


def test_24_credits_count_in_a_semester_and_no_more() -> None:
    held = ended("2024-03-01", "2024-08-31", "2024-05-20")
    assert credited(held[:2]) == 24
    made = planned([COUNT], *held, programme=BANK)
    assert made.credits == 24
    (found,) = obstacles(made, held[2])
    assert (found.code, found.holder, found.pointer) == ("bucket", "P-1", "/constraints/0/bucket")
    assert (found.group, str(found.most)) == ("2024-03-01/2024-08-31", "24.00")


@pytest.mark.parametrize(
    ("last_of_one", "first_of_next"),
    [
        ("2024-08-31", "2024-09-01"),
        ("2024-02-29", "2024-03-01"),
        ("2023-02-28", "2023-03-01"),
        ("2023-12-31", "2023-08-31"),
    ],
)
def test_the_day_decides_the_semester(last_of_one: str, first_of_next: str) -> None:
    same = ended(last_of_one, last_of_one, last_of_one)
    assert credited(same) == 24
    apart = ended(last_of_one, last_of_one, first_of_next)
    assert credited(apart) == 36


def test_the_turn_of_the_year_does_not_end_the_second_semester() -> None:
    assert credited(ended("2023-09-01", "2023-12-31", "2024-01-01", "2024-02-29")) == 24


def test_the_29th_of_february_is_in_the_second_semester_of_a_leap_year() -> None:
    assert credited(ended("2024-02-29", "2023-09-01", "2024-02-28")) == 24
    assert credited(ended("2025-02-28", "2024-09-01", "2025-03-01")) == 36


def test_42_credits_count_in_a_year_and_no_more() -> None:
    held = ended("2024-03-01", "2024-08-31", "2024-09-01", "2025-02-28", credits="11")
    held += ended("2024-10-01", credits="1")
    made = planned([COUNT], *held, programme=BANK)
    assert made.credits == 34
    assert credited(ended("2024-03-01", "2024-09-01", credits="21")) == 42
    assert credited(ended("2024-03-01", "2024-09-01", credits="21.5")) == 21
    assert credited(ended("2024-03-01", "2025-03-01", credits="21.5")) == 43


def test_what_was_recognised_in_a_semester_before_counts_there() -> None:
    before, now = ended("2024-04-01", "2024-05-01")
    earlier = [line(before, category="all", credits="12")]
    assert credited([before, now], earlier=earlier) == 12
    assert credited([before, now], earlier=[line(before, category="all", credits="12.01")]) == 0


@pytest.mark.parametrize(
    ("graduates", "last_day", "day_after"),
    [
        ("2024-08-20", "2024-07-15", "2024-07-16"),
        ("2024-02-20", "2024-01-15", "2024-01-16"),
        ("2023-12-10", "2024-01-15", "2024-01-16"),
    ],
)
def test_the_semester_of_graduation_is_cut(graduates: str, last_day: str, day_after: str) -> None:
    assert credited(ended(last_day), award_on=graduates) == 12
    late = ended(day_after)
    made = planned([COUNT], *late, programme=BANK, award_on=graduates)
    assert made.credits == 0
    place = "0" if "-07-" in last_day else "1"
    assert kept_out(made, late[0]) == [("bucket", f"P-1/constraints/0/bucket/last/{place}")]


def test_other_semesters_are_not_cut() -> None:
    assert credited(ended("2023-07-16"), award_on="2024-08-20") == 12
    assert credited(ended("2024-07-16"), award_on="2025-02-20") == 12
    assert credited(ended("2024-07-16")) == 12


def test_a_use_of_several_counts_on_the_day_the_last_was_completed() -> None:
    both = rule(
        {"all": [{"outcome": {"item": ["L"]}}, {"outcome": {"item": ["M"]}}]},
        [{"category": "all", "credits": "13"}],
        code="R-2",
    )
    pair = [
        outcome("L", kind="training", completed="2024-08-31"),
        outcome("M", kind="training", completed="2024-09-01"),
    ]
    spring, autumn = ended("2024-05-01", credits="12"), ended("2024-10-01", credits="12")
    assert planned([COUNT, both], *pair, *spring, programme=BANK).credits == 25
    assert planned([COUNT, both], *pair, *autumn, programme=BANK).credits == 13
