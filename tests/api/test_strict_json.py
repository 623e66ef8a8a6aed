"""What JSON the API reads, and what it refuses with a code of its own."""

from __future__ import annotations

import json
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.parsers import JSON_BYTES_MAX
from creditbank.proofs.strictjson import DEPTH_MAX, JsonRefused, loads
from tests.api.clients import anyone, problem

REFUSED = {
    "nesting-100k": (b"[" * 100_000, "json-too-deep"),
    "nesting-100k-objects": (b'{"a":' * 100_000, "json-too-deep"),
    "nesting-33": (b"[" * 33 + b"]" * 33, "json-too-deep"),
    "duplicate": (b'{"number": "a", "number": "b"}', "json-duplicate-name"),
    "duplicate-escaped": (b'{"number": "a", "\\u006eumber": "b"}', "json-duplicate-name"),
    "nan": (b'{"number": NaN}', "json-constant"),
    "infinity": (b'{"number": Infinity}', "json-constant"),
    "minus-infinity": (b'{"number": -Infinity}', "json-constant"),
    "1e400": (b'{"number": 1e400}', "json-number"),
    "1e-400": (b'{"number": 1e-400}', "json-number"),
    "exponent-of-exponents": (b'{"number": 1e' + b"9" * 5000 + b"}", "json-number"),
    "int-5000": (b'{"number": ' + b"7" * 5000 + b"}", "json-number"),
    "surrogate": (b'{"number": "\\ud800"}', "json-surrogate"),
    "surrogate-name": (b'{"\\udfff": 1}', "json-surrogate"),
    "nul": (b'{"number": "\\u0000"}', "json-nul"),
    "raw-nul": (b'{"number": "\x00"}', "json-malformed"),
    "latin-1": (b'{"number": "\xe9"}', "json-not-utf8"),
    "surrogate-utf8": (b'{"number": "\xed\xa0\x80"}', "json-not-utf8"),
    "trailing": (b'{"number": 1} x', "json-malformed"),
    "open": (b'{"number": "', "json-malformed"),
    "bom": (b"\xef\xbb\xbf{}", "json-malformed"),
    "single-quotes": (b"{'number': 1}", "json-malformed"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_json_that_could_be_read_in_two_ways_is_a_400(name: str, db: Any) -> None:
    body, code = REFUSED[name]
    answer = anyone().post("/api/v1/verify", body, content_type="application/json")
    problem(answer, 400, code)


def test_numbers_are_never_floats() -> None:
    assert loads(b"[1, 2.50, 1e3]") == [1, Decimal("2.50"), Decimal("1e3")]
    assert [type(item) for item in loads(b"[1, 2.50, -0.1]")] == [int, Decimal, Decimal]


def test_brackets_in_a_text_are_not_depth() -> None:
    text = "[{" * 100 + '\\"['
    assert loads(json.dumps({"a": text}).encode()) == {"a": text}


def test_the_deepest_nesting_allowed_is_read() -> None:
    assert loads(b"[" * DEPTH_MAX + b"]" * DEPTH_MAX)


def test_many_quotes_that_never_end_are_refused_at_once() -> None:
    with pytest.raises(JsonRefused):
        loads(b'"' + b'\\"' * (JSON_BYTES_MAX // 4))


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(VALUES, st.booleans())
def test_all_other_json_is_read_as_it_was_written(value: object, ascii_only: bool) -> None:
    assert loads(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_a_refusal(data: bytes) -> None:
    with suppress(JsonRefused):
        loads(data)


def test_a_body_beyond_the_cap_is_a_413(db: Any) -> None:
    body = b'{"number": "' + b"7" * (10 << 20) + b'"}'
    answer = anyone().post("/api/v1/verify", body, content_type="application/json")
    assert problem(answer, 413, "body-too-large")["facts"] == {"expected": 10 << 20}


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "*/*"])
def test_another_content_type_is_a_415(kind: str, db: Any) -> None:
    answer = anyone().post("/api/v1/verify", b"{}", content_type=kind)
    problem(answer, 415, "media-type-unsupported")
