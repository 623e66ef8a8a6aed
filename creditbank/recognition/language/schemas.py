"""The JSON Schemas of recognition's documents, and holding a document against one (pure).

The schemas are files beside this module, published as they are; a document that
passes has the right shape and nothing else in it. What a schema cannot say
(days in order, references) is checked in `rules` and `programmes`.

Problems name the place by a JSON pointer (RFC 6901) in `field`. `message` is a
Chinese sentence, which `problemwords` puts into the reader's language; `expected`
is free of language: figures, examples or the very words that may stand there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend
from referencing import Registry, Resource

from creditbank.errors import Problem
from creditbank.proofs.canonical import DEPTH_MAX
from creditbank.proofs.strictjson import JsonRefused

FOLDER: Final = Path(__file__).resolve().parent / "schemas"
VALUE_MAX: Final = 120
"""Characters of a value that a problem repeats."""

_TYPES: Final = Draft202012Validator.TYPE_CHECKER.redefine(
    "integer", lambda _checker, value: isinstance(value, int) and not isinstance(value, bool)
)
"""1.0 is an integer for JSON Schema, but not for canonical JSON."""
_STRICT: Final[Callable[..., Validator]] = extend(Draft202012Validator, type_checker=_TYPES)
_FORMATS: Final = FormatChecker(formats=("date",))

Steps = Sequence[str | int]


def pointer(steps: Steps) -> str:
    """Return the JSON pointer (RFC 6901) of the place that steps lead to; "" is the whole."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)


def names() -> list[str]:
    """Return the names of the schemas there are: `rule-v1`, `programme-v1` ..."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def read(name: str) -> bytes:
    """Return a schema's published bytes. Raises KeyError for a name that is none."""
    if name not in names():
        raise KeyError(name)
    return (FOLDER / f"{name}.json").read_bytes()


@cache
def _registry() -> Registry[Any]:
    """Return all schemas, each under the name of its file: they refer to each other so."""
    return Registry().with_resources(
        (f"{name}.json", Resource.from_contents(json.loads(read(name)))) for name in names()
    )


@cache
def _validator(name: str) -> Validator:
    return _STRICT(json.loads(read(name)), registry=_registry(), format_checker=_FORMATS)


def problems(name: str, document: object) -> list[Problem]:
    """Hold a document against the schema `name` and return everything wrong with its shape.

    Sorted by pointer. A document nested deeper than canonical JSON may be has
    that one problem, for nothing else is looked at then.
    """
    if _too_deep(document):
        return [_problem("too-deep", "", "", f"≤ {DEPTH_MAX}")]
    found = {
        (problem.field or "", problem.code): problem
        for error in _validator(name).iter_errors(document)
        for problem in _problems_of(error)
    }
    return [found[key] for key in sorted(found)]


def unreadable(error: JsonRefused) -> Problem:
    """Return the problem of bytes that are no JSON, or none that has one reading."""
    return Problem(code=error.code, field="", message="不是可读取的 JSON")


def _too_deep(document: object) -> bool:
    level: list[object] = [document]
    for _ in range(DEPTH_MAX + 1):
        level = [
            child
            for value in level
            if isinstance(value, dict | list | tuple)
            for child in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return False
    return True


# -- one error of the validator, in our words -------------------------------------------------
SENTENCES: Final[Mapping[str, str]] = {
    "too-deep": "文档嵌套过深",
    "member-unknown": "不认识的成员",
    "member-missing": "缺少必需的成员",
    "member-excluded": "这个成员不能与旁边的成员同时出现",
    "value-type": "值的类型不对",
    "value-not-listed": "不是允许的取值",
    "text-form": "文本的写法不对",
    "day-invalid": "日期无法读取",
    "text-length": "文本太短或太长",
    "number-range": "数值超出范围",
    "items-count": "列表的项数不对",
    "items-repeated": "列表中有重复的项",
    "members-count": "这里必须恰好写明一种构造",
}
"""What is wrong, by code, for whatever a schema can find."""

_TYPE_WORDS: Final[Mapping[str, str]] = {
    "object": "{ }",
    "array": "[ ]",
    "string": '" "',
    "integer": "0, 1, 2 …",
    "boolean": "true, false",
}


def _problem(code: str, place: str, value: object, expected: str) -> Problem:
    return Problem(
        code=code,
        field=place,
        value=show(value),
        expected=expected[: 2 * VALUE_MAX],
        message=SENTENCES[code],
    )


def show(value: object) -> str:
    """Return a value as a problem repeats it: texts as they are, others as JSON, cut short."""
    said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return said[:VALUE_MAX]


def _words(schema: Any) -> str:
    """Return what a schema of one value asks for, by its examples or its words."""
    if isinstance(schema, Mapping):
        if "examples" in schema:
            return ", ".join(str(one) for one in schema["examples"])
        if "enum" in schema:
            return ", ".join(str(one) for one in schema["enum"])
    return ""


def _problems_of(error: ValidationError) -> Iterator[Problem]:
    """Turn one error of the validator into problems: one for each member that is too many."""
    keyword = str(error.validator)
    steps: list[str | int] = list(error.absolute_path)
    place, value, schema = pointer(steps), error.instance, error.schema
    asked: Any = error.validator_value
    if keyword == "additionalProperties" and isinstance(schema, Mapping):
        known = schema["properties"]
        for name in value:
            if name not in known:
                yield _problem("member-unknown", pointer([*steps, name]), "", ", ".join(known))
    elif keyword == "required":
        for name in asked:
            if name not in value:
                yield _problem("member-missing", pointer([*steps, name]), "", name)
    elif keyword == "dependentRequired":
        for name, needed in asked.items():
            for other in needed:
                if name in value and other not in value:
                    yield _problem("member-missing", pointer([*steps, other]), "", other)
    elif keyword == "type":
        kinds = [asked] if isinstance(asked, str) else asked
        words = _words(schema) or " | ".join(_TYPE_WORDS.get(kind, kind) for kind in kinds)
        yield _problem("value-type", place, value, words)
    elif keyword in ("enum", "const"):
        listed = asked if keyword == "enum" else [asked]
        yield _problem("value-not-listed", place, value, ", ".join(show(one) for one in listed))
    elif keyword == "pattern":
        yield _problem("text-form", place, value, _words(schema) or str(asked))
    elif keyword == "format":
        yield _problem("day-invalid", place, value, "YYYY-MM-DD")
    elif keyword in ("minLength", "maxLength") and isinstance(schema, Mapping):
        yield _problem("text-length", place, value, _range(schema, "Length"))
    elif keyword in ("minimum", "maximum") and isinstance(schema, Mapping):
        least, most = schema.get("minimum", "…"), schema.get("maximum", "…")
        yield _problem("number-range", place, value, f"{least} – {most}")
    elif keyword in ("minItems", "maxItems") and isinstance(schema, Mapping):
        yield _problem("items-count", place, len(value), _range(schema, "Items"))
    elif keyword == "uniqueItems":
        yield _problem("items-repeated", place, value, "")
    elif keyword in ("minProperties", "maxProperties", "oneOf"):
        yield _problem("members-count", place, ", ".join(value), _one_of(schema))
    else:
        # `not` anything at all: nothing may stand here beside what does.
        yield _problem("member-excluded", place, value, "")


def _range(schema: Mapping[str, Any], what: str) -> str:
    least, most = schema.get(f"min{what}", 0), schema.get(f"max{what}", "…")
    return f"{least} – {most}"


def _one_of(schema: Any) -> str:
    if not isinstance(schema, Mapping):
        return ""
    alternatives = [
        " + ".join(one["required"]) for one in schema.get("oneOf", ()) if "required" in one
    ]
    return " | ".join(alternatives or schema.get("properties", ()))
