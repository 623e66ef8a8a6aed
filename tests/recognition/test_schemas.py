"""The published schemas: right in themselves, readable by others, and as strict as they look."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from creditbank.institutions.kinds import Category, OutcomeKind, SkillLevel, XLevel
from creditbank.recognition.engine import allocation, amounts, conditions, gates
from creditbank.recognition.language import schemas
from tests.recognition.make import programme_document, rule_document

RULE = json.loads(schemas.read("rule-v1"))
PROGRAMME = json.loads(schemas.read("programme-v1"))


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    """Every schema of an object with members within a schema."""
    if isinstance(schema, dict):
        # Inside `if`, `dependentSchemas` and such, properties only add to what stands outside.
        if "properties" in schema and "type" in schema:
            yield schema
        for value in schema.values():
            yield from objects(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from objects(value)


@pytest.mark.parametrize("name", schemas.names())
def test_a_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(json.loads(schemas.read(name)))


@pytest.mark.parametrize("schema", [RULE, PROGRAMME], ids=["rule", "programme"])
def test_no_object_takes_members_that_are_not_named(schema: dict[str, Any]) -> None:
    found = list(objects(schema))
    assert len(found) > 5
    assert all(one.get("additionalProperties") is False for one in found)


def test_anyone_can_use_them_under_the_address_they_are_published_at() -> None:
    base = "https://bank.example/schemas/"
    registry: Registry[Any] = Registry().with_resources(
        (f"{base}{name}.json", Resource.from_contents(json.loads(schemas.read(name))))
        for name in schemas.names()
    )
    schema = {"$ref": f"{base}programme-v1.json"}
    validator = Draft202012Validator(schema, registry=registry)
    assert validator.is_valid(programme_document(constraints=[{"share": {"percent": 50}}]))
    assert not validator.is_valid(programme_document(constraints=[{"share": {"percent": 0}}]))


def test_the_engine_knows_every_construct_that_a_rule_may_hold() -> None:
    members = RULE["$defs"]["condition"]["properties"].keys()
    assert members - {"of", "not"} == conditions.CONDITIONS.keys() | conditions.COMBINED.keys()
    assert RULE["$defs"]["amount"]["properties"].keys() == amounts.AMOUNTS.keys()
    assert RULE["$defs"]["gate"]["properties"].keys() <= gates.GATES.keys()
    parts = RULE["$defs"]["allocation"]["properties"].keys()
    assert parts <= allocation.PARTS.keys()
    assert {"courses", "waived"} <= allocation.PARTS.keys()


def test_the_words_of_the_schema_are_those_of_the_catalogue() -> None:
    assert RULE["$defs"]["kind"]["enum"] == OutcomeKind.values
    assert RULE["$defs"]["outcomeCategory"]["enum"] == Category.values
    assert RULE["$defs"]["certificateLevel"]["enum"] == XLevel.values
    assert RULE["$defs"]["skillLevel"]["enum"] == SkillLevel.values


def test_a_schema_that_is_none_is_not_read() -> None:
    with pytest.raises(KeyError):
        schemas.read("../programmes")


@pytest.mark.parametrize(
    ("steps", "pointer"),
    [((), ""), (("a", 0, "b"), "/a/0/b"), (("a/b", "m~n"), "/a~1b/m~0n")],
)
def test_pointers_are_written_as_the_standard_says(
    steps: tuple[str | int, ...], pointer: str
) -> None:
    assert schemas.pointer(steps) == pointer


def test_problems_come_sorted_by_their_place_and_say_what_was_expected() -> None:
    document = rule_document() | {"law": "today", "version": 0, "code": "R 1"}
    found = schemas.problems("rule-v1", document)
    assert [(one.field, one.code, one.value, one.expected) for one in found] == [
        ("/code", "text-form", "R 1", "LOG-101"),
        ("/law", "value-not-listed", "today", "filing, decision"),
        ("/version", "number-range", "0", "1 – 9999"),
    ]
