"""R39, what an award asks for as a whole (毕业/学位条件).

Source K1: 140 credits, 60 of them major and 30 liberal, at least 18 accredited, and
the required courses.
"""

from __future__ import annotations

from typing import Any

from creditbank.recognition.planning.standing import Standing, standing
from tests.recognition.make import OTHER, OWNER, SENDER, course, outcome, programme
from tests.recognition.planned import line

KOREA = programme(
    course("REQ", "3", required=True, items=["OWN-REQ"]),
    course("LIB", "3", category="liberal"),
    minimums=[
        {
            "code": "accredited",
            "title": "认可课程",
            "title_en": "Accredited",
            "of": {"bodies": [OWNER, SENDER]},
            "credits": "18",
        }
    ],
)


def stands(*given: tuple[str, str, str], met: bool = True, **more: Any) -> Standing:
    """Where one stands with credits of a body for a category, and the required course."""
    held = [outcome(f"I-{n}", body=body) for n, (_, _, body) in enumerate(given)]
    lines = [
        line(one, category=category, credits=amount)
        for one, (category, amount, _) in zip(held, given, strict=True)
    ]
    own = [outcome("OWN-REQ", body=OWNER)] if met else []
    return standing(KOREA, native=own, lines=lines, held=held, **more)


def short(found: Standing) -> list[tuple[str, str, str]]:
    return [(one.code, one.subject, f"{one.credits:f}") for one in found.shortfalls]


def test_140_of_the_right_kinds_with_the_required_course_finish() -> None:
    found = stands(("major", "57", SENDER), ("liberal", "30", OTHER), ("elective", "50", OTHER))
    assert (found.state, found.shortfalls) == ("finished", ())
    assert (found.counted, found.missing) == (140, 0)


def test_a_hundredth_too_few_does_not_finish() -> None:
    found = stands(("major", "57", SENDER), ("liberal", "30", OTHER), ("elective", "49.99", OTHER))
    assert found.state == "unfinished"
    assert short(found) == [("total", "", "0.01"), ("category", "elective", "0.01")]


def test_the_total_reached_but_liberal_short_is_named() -> None:
    found = stands(("major", "67", SENDER), ("liberal", "20", OTHER), ("elective", "50", OTHER))
    assert found.given == 140
    assert found.state == "unfinished"
    assert short(found) == [("misplaced", "", "10.00"), ("category", "liberal", "10.00")]


def test_a_required_course_that_is_not_met_is_named() -> None:
    found = stands(
        ("major", "60", SENDER), ("liberal", "30", OTHER), ("elective", "50", OTHER), met=False
    )
    assert short(found) == [("required", "REQ", "0")]


def test_18_accredited_credits_are_enough_and_17_99_are_not() -> None:
    others = [("major", "42", OTHER), ("liberal", "30", OTHER), ("elective", "50", OTHER)]
    assert stands(("major", "15", SENDER), *others).state == "finished"
    found = stands(("major", "14.99", SENDER), ("major", "0.01", OTHER), *others)
    assert short(found) == [("minimum", "accredited", "0.01")]
    (minimum,) = found.minimums
    assert (str(minimum.counted), str(minimum.missing)) == ("17.99", "0.01")


def test_accredited_credits_beyond_what_their_category_counts_do_not_help() -> None:
    found = stands(("liberal", "31", SENDER), ("elective", "50", SENDER), ("major", "57", OTHER))
    assert found.state == "finished"
    only = stands(("liberal", "14", OTHER), ("major", "100", OTHER))
    assert [str(one.counted) for one in only.minimums] == ["3.00"]
