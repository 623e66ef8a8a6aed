"""R40, what a sum of credits opens (资格阈值).

Sources: K12, 41 credits open the industrial engineer's examination; K10, 100 (40 for
an associate degree) a certificate of the degree to be expected.
"""

from __future__ import annotations

import pytest

from creditbank.recognition.planning.standing import standing
from tests.recognition.make import course, outcome, programme
from tests.recognition.planned import line


def opens(code: str, credits: str) -> dict[str, str]:
    return {"code": code, "title": code, "title_en": code, "credits": credits}


BANK = programme(
    course("A"),
    categories=[
        {"code": "major", "title": "t", "title_en": "t", "credits": "60"},
        {"code": "free", "title": "t", "title_en": "t", "credits": "80"},
    ],
    thresholds=[opens("examination", "41"), opens("associate", "40"), opens("bachelor", "100")],
)


@pytest.mark.parametrize(
    ("major", "free", "missing"),
    [
        ("39.99", "0", ["1.01", "0.01", "60.01"]),
        ("40", "0", ["1", "0", "60"]),
        ("40.99", "0", ["0.01", "0", "59.01"]),
        ("41", "0", ["0", "0", "59"]),
        ("60", "39.99", ["0", "0", "0.01"]),
        ("60", "40", ["0", "0", "0"]),
    ],
)
def test_a_threshold_says_what_is_missing_for_it(major: str, free: str, missing: list[str]) -> None:
    one, two = outcome("M"), outcome("F")
    lines = [line(one, category="major", credits=major), line(two, category="free", credits=free)]
    found = standing(BANK, native=[], lines=lines)
    assert [one.code for one in found.thresholds] == ["examination", "associate", "bachelor"]
    assert [f"{one.missing.normalize():f}" for one in found.thresholds] == missing


def test_credits_that_do_not_count_do_not_open_anything() -> None:
    lines = [line(outcome("M"), category="major", credits="120")]
    found = standing(BANK, native=[], lines=lines)
    assert (found.given, found.counted) == (120, 60)
    assert [one.missing for one in found.thresholds] == [0, 0, 40]
