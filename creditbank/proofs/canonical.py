"""Canonical JSON: RFC 8785 bytes for a profile that leaves nothing to interpretation.

The profile: member names are ASCII, numbers are integers of at most 53 bits,
strings hold no lone surrogates, nesting is at most 32 deep. Within it orjson
with sorted keys gives the very bytes of RFC 8785; outside it they may differ
(names beyond the basic plane are sorted by other units, floats are spelt
otherwise), so that outside it is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Union

import orjson

Json = Union[None, bool, int, str, Sequence["Json"], Mapping[str, "Json"]]  # noqa: UP007 - it names itself

INTEGER_MAX: Final = 2**53 - 1
DEPTH_MAX: Final = 32


class NotCanonical(ValueError):
    """The value is outside the profile, or the bytes are not its canonical form.

    `position` is the 0-based position among several values, when there are several.
    """

    def __init__(self, reason: str, position: int | None = None) -> None:
        super().__init__(reason)
        self.position = position


def _check(value: object, depth: int) -> None:
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, int):
        if abs(value) > INTEGER_MAX:
            raise NotCanonical("an integer of more than 53 bits")
    elif isinstance(value, str):
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise NotCanonical("a lone surrogate") from None
    elif isinstance(value, dict | list | tuple):
        if depth >= DEPTH_MAX:
            raise NotCanonical(f"nested deeper than {DEPTH_MAX}")
        if isinstance(value, dict):
            for name in value:
                if not isinstance(name, str) or not name.isascii():
                    raise NotCanonical("a member name that is not ASCII text")
            value = value.values()
        for item in value:
            _check(item, depth + 1)
    else:
        raise NotCanonical(f"a {type(value).__name__}")


def encode(value: Json) -> bytes:
    """Return the canonical bytes of a value (RFC 8785). Raises NotCanonical outside the profile.

    Objects are dicts, arrays are lists or tuples.
    """
    _check(value, 0)
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def decode(data: bytes) -> Json:
    """Read canonical bytes back. Raises NotCanonical unless `encode` gives these very bytes.

    So duplicate member names, blanks, floats, NaN and deep nesting are refused.
    """
    try:
        # The parser itself stops at 1,024 levels: no input can exhaust the stack.
        value: Json = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise NotCanonical(f"not JSON: {error}") from None
    if encode(value) != data:
        raise NotCanonical("not the canonical form")
    return value
