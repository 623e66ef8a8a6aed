"""How findings, grants, lines and plans are written in a decision, and read back (pure).

Members that say nothing (an empty text, a zero that is the default) are left
out, so that one value has one form. What is read back gives the same bytes
again, or is refused.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as BadBase64
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, Final

from creditbank.errors import DomainError
from creditbank.recognition.engine.findings import Finding, Grant, Line, Reason, Verdict
from creditbank.recognition.planning.leftout import Obstacle
from creditbank.recognition.planning.plan import Plan

HASH_BYTES: Final = 32
_AMOUNT: Final = re.compile(r"(?:0|[1-9][0-9]{0,9})(?:\.[0-9]{0,9}[1-9])?\Z")

Json = Any


class FormInvalid(DomainError):
    """A value that is not written as a decision writes it; the facts say where and what."""

    code: ClassVar[str] = "decision-malformed"


# -- small values -----------------------------------------------------------------------------
def amount(value: Decimal) -> str:
    """Write an amount of credits without superfluous zeroes: `4`, `3.5`, `0.25`."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def read_amount(text: Json) -> Decimal:
    """Read an amount. Raises FormInvalid for any other spelling of it."""
    if not isinstance(text, str) or _AMOUNT.match(text) is None:
        raise FormInvalid(value=str(text)[:40], expected="an amount")
    return Decimal(text)


def leaf(value: bytes) -> str:
    """Write a leaf hash (standard base64)."""
    return b64encode(value).decode("ascii")


def read_leaf(text: Json) -> bytes:
    """Read a leaf hash of 32 bytes. Raises FormInvalid."""
    try:
        data = b64decode(text, validate=True) if isinstance(text, str) else b""
    except (BadBase64, ValueError):
        data = b""
    if len(data) != HASH_BYTES or leaf(data) != text:
        raise FormInvalid(value=str(text)[:60], expected="the base64 of 32 bytes")
    return data


def read_day(text: Json) -> date:
    """Read a civil date `YYYY-MM-DD`. Raises FormInvalid."""
    try:
        day = date.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        raise FormInvalid(value=str(text)[:40], expected="YYYY-MM-DD")
    return day


def read_text(text: Json) -> str:
    """Read a text. Raises FormInvalid."""
    if not isinstance(text, str):
        raise FormInvalid(value=str(text)[:40], expected="a text")
    return text


def read_count(value: Json) -> int:
    """Read a whole number that is not negative. Raises FormInvalid."""
    if type(value) is not int or value < 0:
        raise FormInvalid(value=str(value)[:40], expected="0, 1, 2, ...")
    return value


def said(**members: Json) -> dict[str, Json]:
    """Keep the members that say something."""
    return {name: value for name, value in members.items() if value not in ("", None, [], 0, {})}


def only(value: Json, required: Sequence[str], optional: Sequence[str] = ()) -> Mapping[str, Json]:
    """Return an object that has the required members and none but the optional besides.

    Raises FormInvalid.
    """
    if not isinstance(value, Mapping):
        raise FormInvalid(value=str(value)[:40], expected="an object")
    names = set(value)
    if not set(required) <= names or names - set(required) - set(optional):
        raise FormInvalid(value=", ".join(sorted(names))[:120], expected=", ".join(required))
    return value


def items(value: Json) -> Sequence[Json]:
    """Return a list. Raises FormInvalid."""
    if not isinstance(value, list | tuple):
        raise FormInvalid(value=str(value)[:40], expected="a list")
    return value


# -- what the engine hands over ----------------------------------------------------------------
def leaves(values: Sequence[bytes]) -> list[str]:
    """Write leaf hashes, in the order given."""
    return [leaf(value) for value in values]


def read_leaves(value: Json) -> tuple[bytes, ...]:
    """Read leaf hashes. Raises FormInvalid."""
    return tuple(read_leaf(text) for text in items(value))


def grant(value: Grant) -> dict[str, Json]:
    """Write a grant."""
    return {
        **said(course=value.course, category=value.category),
        "credits": amount(value.credits),
        **said(
            surplus=amount(value.surplus) if value.surplus else "",
            surplus_category=value.surplus_category,
            waived=value.waived or None,
            mark=value.mark,
        ),
    }


def read_grant(value: Json) -> Grant:
    """Read a grant. Raises FormInvalid."""
    members = only(
        value,
        ["credits"],
        ["course", "category", "surplus", "surplus_category", "waived", "mark"],
    )
    return Grant(
        course=read_text(members.get("course", "")),
        category=read_text(members.get("category", "")),
        credits=read_amount(members["credits"]),
        surplus=read_amount(members.get("surplus", "0")),
        surplus_category=read_text(members.get("surplus_category", "")),
        waived=members.get("waived", False) is True,
        mark=read_text(members.get("mark", "")),
    )


def reason(value: Reason) -> dict[str, Json]:
    """Write a reason."""
    return {
        "code": value.code,
        "pointer": value.pointer,
        **said(
            leaf="" if value.leaf is None else leaf(value.leaf),
            found=value.found,
            wanted=value.wanted,
            change=value.change,
        ),
    }


def read_reason(value: Json) -> Reason:
    """Read a reason. Raises FormInvalid."""
    members = only(value, ["code", "pointer"], ["leaf", "found", "wanted", "change"])
    return Reason(
        code=read_text(members["code"]),
        pointer=read_text(members["pointer"]),
        leaf=read_leaf(members["leaf"]) if "leaf" in members else None,
        found=read_text(members.get("found", "")),
        wanted=read_text(members.get("wanted", "")),
        change=read_text(members.get("change", "")),
    )


def finding(value: Finding) -> dict[str, Json]:
    """Write a finding."""
    return {
        "rule": value.rule,
        "version": value.version,
        "leaves": leaves(value.leaves),
        "verdict": value.verdict.value,
        **said(
            grants=[grant(one) for one in value.grants],
            choose=value.choose,
            credits_max=None if value.credits_max is None else amount(value.credits_max),
            reasons=[reason(one) for one in value.reasons],
        ),
    }


def read_finding(value: Json) -> Finding:
    """Read a finding. Raises FormInvalid."""
    members = only(
        value,
        ["rule", "version", "leaves", "verdict"],
        ["grants", "choose", "credits_max", "reasons"],
    )
    try:
        verdict = Verdict(members["verdict"])
    except ValueError:
        raise FormInvalid(value=str(members["verdict"])[:40], expected="a verdict") from None
    return Finding(
        rule=read_text(members["rule"]),
        version=read_count(members["version"]),
        leaves=read_leaves(members["leaves"]),
        verdict=verdict,
        grants=tuple(read_grant(one) for one in items(members.get("grants", []))),
        choose=read_count(members.get("choose", 0)),
        credits_max=read_amount(members["credits_max"]) if "credits_max" in members else None,
        reasons=tuple(read_reason(one) for one in items(members.get("reasons", []))),
    )


def line(value: Line) -> dict[str, Json]:
    """Write a line of a plan."""
    return {
        "rule": value.rule,
        "version": value.version,
        "leaves": leaves(value.leaves),
        "grant": grant(value.grant),
    }


def read_line(value: Json) -> Line:
    """Read a line of a plan. Raises FormInvalid."""
    members = only(value, ["rule", "version", "leaves", "grant"])
    return Line(
        rule=read_text(members["rule"]),
        version=read_count(members["version"]),
        leaves=read_leaves(members["leaves"]),
        grant=read_grant(members["grant"]),
    )


def plan(value: Plan) -> dict[str, Json]:
    """Write a plan: its lines, what they count, and what keeps each other use out."""
    return {
        "state": value.state,
        "credits": amount(value.credits),
        "counted": amount(value.counted),
        "required": value.required,
        "outcomes": value.outcomes,
        "lines": [line(one) for one in value.lines],
        "left_out": [
            {
                "rule": one.rule,
                "version": one.version,
                "leaves": leaves(one.leaves),
                "grants": [grant(given) for given in one.grants],
                "obstacles": [_obstacle(found) for found in one.obstacles],
            }
            for one in value.left_out
        ],
    }


def _obstacle(value: Obstacle) -> dict[str, Json]:
    return {
        "code": value.code,
        **said(
            holder=value.holder,
            version=value.version,
            pointer=value.pointer,
            group=value.group,
            most=None if value.most is None else amount(value.most),
            drawn=None if value.drawn is None else amount(value.drawn),
            course=value.course,
            leaf="" if value.leaf is None else leaf(value.leaf),
            in_favour_of=value.in_favour_of,
        ),
    }
