"""How several rules' procedures come to one, and working days."""

from __future__ import annotations

from datetime import date

import pytest

from creditbank.recognition.deciding import procedure, workdays
from creditbank.recognition.deciding.procedure import Panel, Procedure


def test_without_rules_a_person_of_the_college_decides() -> None:
    assert procedure.of([]) == Procedure()
    assert Procedure().people == 1


def test_it_is_automatic_when_all_rules_are() -> None:
    automatic, review = {"mode": "automatic"}, {"mode": "review"}
    assert procedure.of([automatic, automatic]).automatic
    assert procedure.of([automatic]).people == 0
    assert not procedure.of([automatic, review]).automatic


def test_the_stricter_of_two_rules_holds() -> None:
    found = procedure.of(
        [
            {"mode": "review", "reviewers": 2, "notice_days": 3, "appeal_days": 15},
            {
                "mode": "review",
                "panel": {"members": 3, "industry_experts": 1, "industry_years": 8},
                "chain": ["bank", "college"],
                "expected_days": 20,
                "appeal_days": 30,
            },
        ]
    )
    assert found.first_stage == 3
    assert found.panel == Panel(members=3, experts=1, years=8)
    assert found.chain == ("college", "bank")
    assert found.people == 4
    assert (found.notice_days, found.expected_days, found.appeal_days) == (3, 20, 30)


def test_every_part_can_be_taken_out(monkeypatch: pytest.MonkeyPatch) -> None:
    documents = [{"mode": "automatic", "notice_days": 5}]
    assert procedure.of(documents).notice_days == 5
    monkeypatch.delitem(procedure.PARTS, "notice_days")
    assert procedure.of(documents).notice_days == 0


def test_the_average_includes_only_what_every_rule_includes() -> None:
    included, silent = {"gpa": "included"}, {"mode": "review"}
    assert procedure.of([included]).average == "included"
    assert procedure.of([included, silent]).average == "excluded"


@pytest.mark.parametrize(
    ("day", "count", "expected"),
    [
        ("2026-12-04", 0, "2026-12-04"),
        ("2026-12-04", 1, "2026-12-07"),
        ("2026-12-05", 1, "2026-12-07"),
        ("2026-12-06", 1, "2026-12-07"),
        ("2026-12-07", 5, "2026-12-14"),
        ("2026-12-04", 10, "2026-12-18"),
    ],
)
def test_working_days_are_mondays_to_fridays(day: str, count: int, expected: str) -> None:
    first, last = date.fromisoformat(day), date.fromisoformat(expected)
    assert workdays.after(first, count) == last
    assert workdays.between(first, last) == count
    assert workdays.between(last, first) == -count


def test_working_days_are_not_counted_backwards() -> None:
    with pytest.raises(ValueError):
        workdays.after(date(2026, 12, 4), -1)
