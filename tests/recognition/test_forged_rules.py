"""Documents that are no rule and no programme: each is refused with all its problems, by pointer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from creditbank.errors import Problem, Refusals
from creditbank.recognition.language import programmes, rules
from tests.recognition.make import rule_document

FOLDER = Path(__file__).resolve().parent.parent / "vectors" / "rules"
EXPECTED = json.loads((FOLDER / "EXPECTED.json").read_text(encoding="utf-8"))


def problems(name: str) -> tuple[Problem, ...]:
    kind = programmes if name.startswith("programme-") else rules
    with pytest.raises(Refusals) as refused:
        kind.read((FOLDER / f"{name}.json").read_bytes())
    return refused.value.problems


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_forged_document_is_refused_for_what_is_wrong_with_it(name: str) -> None:
    assert [[one.field, one.code] for one in problems(name)] == EXPECTED[name]


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_every_problem_has_a_sentence(name: str) -> None:
    assert all(one.message for one in problems(name))


def test_every_file_is_expected_to_be_refused() -> None:
    files = {path.stem for path in FOLDER.glob("*.json")} - {"EXPECTED"}
    assert files == set(EXPECTED)


def test_what_is_no_document_at_all_is_refused_too() -> None:
    for value in (None, 1, "rule", [], {}, {"v": 1}, {1: 2}, object(), {"v": {"a": {1, 2}}}):
        with pytest.raises(rules.RuleInvalid):
            rules.parse(value)
        with pytest.raises(programmes.ProgrammeInvalid):
            programmes.parse(value)


def test_a_document_nested_without_end_is_refused_before_anything_recurses() -> None:
    nested: dict[str, object] = {}
    for _ in range(100_000):
        nested = {"not": nested}
    with pytest.raises(rules.RuleInvalid) as refused:
        rules.parse(rule_document() | {"sources": {"outcome": nested}})
    assert [one.code for one in refused.value.problems] == ["too-deep"]
    # Taken apart by hand: the interpreter would take it apart by recursion.
    while nested:
        nested = nested.pop("not")  # type: ignore[assignment]
