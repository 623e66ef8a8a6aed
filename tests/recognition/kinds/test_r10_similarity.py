"""R10, how alike the contents are (内容相似度).

Sources C23: ≥ 2/3; C22: ≥ 70 %; H7: below 70 % refused.
"""

from __future__ import annotations

import pytest

from creditbank.recognition.language.rules import Rule
from tests.recognition.make import against, given, outcome, rule, unknown


def alike(percent: str) -> Rule:
    return rule({"all": [{"item": ["C"]}, {"fact": {"name": "similarity", "min": percent}}]})


SEVENTY = alike("70")


@pytest.mark.parametrize("found", ["70", "70.1", "100"])
def test_seventy_percent_is_enough(found: str) -> None:
    assert given(SEVENTY, outcome("C", facts={"similarity": found})) == {"MATH-115": "3"}


@pytest.mark.parametrize(("found", "change"), [("69.9", "+0.1"), ("69", "+1"), ("0", "+70")])
def test_less_is_refused_with_what_is_missing(found: str, change: str) -> None:
    held = outcome("C", facts={"similarity": found})
    assert against(SEVENTY, held) == {"fact": (found, "≥ 70", change)}


def test_two_thirds_are_written_to_four_places() -> None:
    of = alike("66.6667")
    assert given(of, outcome("C", facts={"similarity": "66.6667"})) == {"MATH-115": "3"}
    assert set(against(of, outcome("C", facts={"similarity": "66.6666"}))) == {"fact"}


def test_a_similarity_that_nobody_has_attested_is_for_a_person() -> None:
    assert unknown(SEVENTY, outcome("C")) == {"fact-unknown"}
    assert unknown(SEVENTY, outcome("C", facts={"similarity": "七成"})) == {"fact-unknown"}
