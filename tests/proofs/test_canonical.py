"""Canonical JSON: RFC 8785 within a profile that leaves nothing to interpretation."""

from __future__ import annotations

import json

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from creditbank.proofs import canonical
from creditbank.proofs.canonical import NotCanonical, decode, encode

NAMES = st.text(st.characters(max_codepoint=127), max_size=6)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
INTEGERS = st.integers(-canonical.INTEGER_MAX, canonical.INTEGER_MAX)
VALUES = st.recursive(
    st.none() | st.booleans() | INTEGERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


def by_definition(value: object) -> bytes:
    """RFC 8785 within the profile, by the standard library's own printer."""
    return json.dumps(
        value, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    ).encode()


@settings(max_examples=400, deadline=None)
@given(VALUES)
def test_any_value_of_the_profile_is_encoded_as_rfc_8785_says_and_read_back(value):
    data = encode(value)
    assert data == by_definition(value) == rfc8785.dumps(value)
    assert decode(data) == value


def test_the_sample_of_rfc_8785_section_3_2_2_without_its_floats():
    value = {"string": '€$\u000f\u000aA\'\u0042"\\\\"/', "literals": [None, True, False]}
    expected = '{"literals":[null,true,false],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    assert encode(value) == expected.encode()


def test_the_ascii_names_of_the_sorting_sample_stand_in_the_order_of_rfc_8785():
    value = {"1": "One", "\r": "Carriage Return", "</script>": "Browser Challenge"}
    assert encode(value) == (b'{"\\r":"Carriage Return","1":"One","</script>":"Browser Challenge"}')


@pytest.mark.parametrize("code", range(128))
def test_every_ascii_character_has_one_spelling(code):
    text = chr(code)
    assert encode(text) == by_definition(text)
    escaped = f'"\\u{code:04x}"'.encode()
    if escaped != encode(text):
        with pytest.raises(NotCanonical):
            decode(escaped)


@pytest.mark.parametrize("number", [0, 1, -1, 2**53 - 1, -(2**53 - 1)])
def test_integers_of_53_bits_pass(number):
    assert decode(encode({"n": number})) == {"n": number}
    assert encode(number) == str(number).encode()


@pytest.mark.parametrize(
    "value",
    [
        2**53,
        -(2**53),
        2**64,
        10**400,
        1.0,
        0.5,
        float("nan"),
        float("inf"),
        b"bytes",
        {1, 2},
        pytest.param(object(), id="object"),
        {1: "a"},
        {None: "a"},
        {"é": 1},
        {"\ud800": 1},
        "\ud800",
        "a\udfffb",
        ["\udc00"],
        {"a": [{"b": 1.5}]},
    ],
    ids=repr,
)
def test_a_value_outside_the_profile_is_refused(value):
    with pytest.raises(NotCanonical):
        encode(value)


@pytest.mark.parametrize(
    "data",
    [
        b'{"q":1,"q":100}',
        b'{"a":{"x":1,"x":1}}',
        b'{"b":1,"a":2}',
        b'{"a": 1}',
        b' {"a":1}',
        b'{"a":1}\n',
        b'{"a":1}{"b":2}',
        b'{"a":1,}',
        b"[1,]",
        b"{'a':1}",
        b"",
        b"nul",
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"1.0",
        b"1e2",
        b"1E2",
        b"0.1",
        b"-0",
        b"01",
        b"+1",
        b"9007199254740992",
        b"18446744073709551616",
        b"1" * 5000,
        b'"\\/"',
        b'"\\u0041"',
        b'"\\u000F"',
        b'"\\ud800"',
        b'"\\udc00\\ud800"',
        b'"\xed\xa0\x80"',
        b'"\xff"',
        b'"\xc0\x80"',
        b'"\t"',
        b'"\n"',
        b"\xef\xbb\xbf1",
        b"\x00",
        '{"é":1}'.encode(),
        b'{"\\u00e9":1}',
        "{'a':1}".encode("utf-16"),
    ],
    ids=lambda data: repr(data[:24]),
)
def test_bytes_that_are_not_the_canonical_form_are_refused(data):
    with pytest.raises(NotCanonical):
        decode(data)


@pytest.mark.parametrize(("start", "end"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_nesting_is_allowed_to_32_and_no_deeper(start, end):
    inner = b"1"
    assert decode(start * 32 + inner + end * 32) is not None
    for depth in (33, 1000, 1024, 1025, 100_000):
        with pytest.raises(NotCanonical):
            decode(start * depth + inner + end * depth)
        with pytest.raises(NotCanonical):
            decode(start * depth)


def test_a_value_nested_deeper_than_the_stack_is_refused_when_encoded():
    value: object = 1
    for _ in range(100_000):
        value = [value]
    with pytest.raises(NotCanonical, match="32"):
        encode(value)
    # Taken apart by hand: freeing so deep a list recurses in some interpreters.
    while isinstance(value, list):
        value = value.pop()


def test_brackets_inside_a_text_do_not_count_as_nesting():
    data = encode({"a": "[" * 5000 + "{" * 5000})
    assert decode(data) == {"a": "[" * 5000 + "{" * 5000}


@settings(max_examples=300, deadline=None)
@given(VALUES, st.data())
def test_no_two_different_byte_strings_read_as_the_same_value(value, data):
    original = encode(value)
    position = data.draw(st.integers(0, len(original) - 1))
    flipped = bytearray(original)
    flipped[position] ^= 1 << data.draw(st.integers(0, 7))
    try:
        read = decode(bytes(flipped))
    except NotCanonical:
        return
    assert read != value or type(read) is not type(value)
    assert encode(read) == bytes(flipped)
