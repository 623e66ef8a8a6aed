"""JSON read strictly: what two readers could read in two ways is refused (pure).

RFC 8259 leaves duplicate names, lone surrogates and huge numbers open; I-JSON
(RFC 7493) closes them. Both doors read by this: the API and the institutions'
own offline program.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any, Final, NoReturn

DEPTH_MAX: Final = 32
INT_DIGITS_MAX: Final = 18
NUMBER_CHARACTERS_MAX: Final = 40
EXPONENT_MAX: Final = 30

_STRUCTURE: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{}]', re.DOTALL)
"""A text, also one that never ends: were that not a match, each quote in it would be tried anew."""
_EXPONENT: Final = re.compile(r"[eE]([+-]?[0-9]+)\Z")


class JsonRefused(Exception):
    """JSON that is not read, with a stable code that begins with `json-`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def loads(data: bytes) -> Any:
    """Read strict JSON: objects, lists, text, int, Decimal, bool and None; never a float.

    Raises JsonRefused for bytes that are not UTF-8 or not JSON, nesting deeper
    than 32, a name that stands twice in an object, NaN and Infinity, numbers out
    of all measure, lone surrogates and NUL.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise JsonRefused("json-not-utf8") from None
    _refuse_deep(text)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_float=_decimal,
            parse_int=_integer,
            parse_constant=_constant,
        )
    except (ValueError, RecursionError):
        raise JsonRefused("json-malformed") from None
    _refuse_texts(value)
    return value


def _refuse_deep(text: str) -> None:
    """Count brackets outside of texts, before a reader that recurses is let near them."""
    depth = 0
    for match in _STRUCTURE.finditer(text):
        token = match[0]
        if token in ("[", "{"):
            depth += 1
            if depth > DEPTH_MAX:
                raise JsonRefused("json-too-deep")
        elif token in ("]", "}"):
            depth -= 1


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise JsonRefused("json-duplicate-name")
    return value


def _decimal(text: str) -> Decimal:
    exponent = _EXPONENT.search(text)
    if len(text) > NUMBER_CHARACTERS_MAX or (
        exponent is not None and abs(int(exponent[1])) > EXPONENT_MAX
    ):
        raise JsonRefused("json-number")
    return Decimal(text)


def _integer(text: str) -> int:
    if len(text.lstrip("-")) > INT_DIGITS_MAX:
        raise JsonRefused("json-number")
    return int(text)


def _constant(_name: str) -> NoReturn:
    raise JsonRefused("json-constant")


def _refuse_texts(value: Any) -> None:
    if isinstance(value, str):
        if "\0" in value:
            raise JsonRefused("json-nul")
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise JsonRefused("json-surrogate")
    elif isinstance(value, list):
        for item in value:
            _refuse_texts(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            _refuse_texts(name)
            _refuse_texts(item)
