"""R4, a block of courses for a block (整块转换).

Sources U11: 1 400 block agreements in British Columbia; H8: advanced standing.
The courses and credits of a block have no source: those here are invented.
"""

from __future__ import annotations

from creditbank.recognition.engine.findings import Verdict
from tests.recognition.make import course, findings, given, outcome, programme, rule

SECOND_YEAR = programme(course("YEAR-1A", "4"), course("YEAR-1B", "4"), course("YEAR-1C", "2"))
DIPLOMA = ["D-1", "D-2", "D-3"]
BLOCK = rule(
    {"all": [{"outcome": {"item": [item]}} for item in DIPLOMA]},
    [{"course": "YEAR-1A"}, {"course": "YEAR-1B"}, {"course": "YEAR-1C"}],
)


def test_the_whole_block_gives_the_whole_block() -> None:
    block = [outcome(item, credits="3") for item in DIPLOMA]
    assert given(BLOCK, *block, programme=SECOND_YEAR) == {
        "YEAR-1A": "4",
        "YEAR-1B": "4",
        "YEAR-1C": "2",
    }


def test_it_is_one_use_of_all_of_them() -> None:
    block = [outcome(item, credits="3") for item in DIPLOMA]
    (found,) = findings(BLOCK, *reversed(block), programme=SECOND_YEAR)
    assert found.leaves == tuple(one.leaf for one in block)


def test_a_part_of_the_block_gives_nothing() -> None:
    found = findings(BLOCK, outcome("D-1"), outcome("D-3"), programme=SECOND_YEAR)
    assert [one.verdict for one in found] == [Verdict.REFUSED, Verdict.REFUSED]
    assert {reason.pointer for one in found for reason in one.reasons} == {"/sources/all/1"}
