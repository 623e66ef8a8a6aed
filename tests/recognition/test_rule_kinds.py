"""The table of rule kinds in the documentation, the tests and the campaign name the same kinds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.campaign.constructs import ALL_KINDS

ROOT = Path(__file__).resolve().parent.parent.parent
KINDS = ROOT / "tests" / "recognition" / "kinds"
ROW = re.compile(
    r"^\| R(?P<number>[0-9]+) \|[^|]+\|[^|]+\| (?P<tests>[^|]+) \| (?P<source>[^|]+) \|$"
)


def rows() -> dict[int, tuple[list[str], str]]:
    """The rows of the table by number: the tests named, and the source."""
    text = (ROOT / "docs" / "recognition.md").read_text(encoding="utf-8")
    found = (ROW.match(line) for line in text.splitlines())
    return {
        int(match["number"]): (re.findall(r"`([a-z0-9_]+)`", match["tests"]), match["source"])
        for match in found
        if match
    }


def test_the_table_names_all_forty_three_kinds_in_order() -> None:
    assert list(rows()) == list(range(1, 44))


def test_the_campaign_takes_a_construct_out_for_each_of_them() -> None:
    assert {one.number for one in ALL_KINDS} == set(range(1, 44))


@pytest.mark.parametrize("path", sorted(KINDS.glob("test_r*.py")), ids=lambda path: path.stem)
def test_a_kinds_test_stands_in_the_table_and_says_where_its_figures_come_from(path: Path) -> None:
    name = path.stem.removeprefix("test_")
    number = int(name[1:3])
    tests, source = rows()[number]
    assert name in tests
    docstring = path.read_text(encoding="utf-8").split('"""')[1]
    assert docstring.startswith(f"R{number}, ")
    # Each key of a source in the table stands in the test too.
    keys = re.findall(r"\b[A-Z][0-9]+b?\b", source)
    assert all(key in docstring for key in keys), (keys, docstring)
    assert keys or "no source" in docstring.lower()
