"""Unified social credit codes: the standard's example, and two traps that others fell into."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbank.institutions import uscc
from creditbank.institutions.uscc import ALPHABET, UsccInvalid, check_character, parse

WORKED_EXAMPLE = "91350100M000100Y43"
WEIGHTS = [pow(3, position, 31) for position in range(17)]

letters = st.sampled_from(ALPHABET)
bodies = st.builds(
    lambda head, region, rest: head + region + rest,
    st.text(letters, min_size=2, max_size=2),
    st.text("0123456789", min_size=6, max_size=6),
    st.text(letters, min_size=9, max_size=9),
)


def remainder(body: str) -> int:
    return sum(ALPHABET.index(c) * w for c, w in zip(body, WEIGHTS, strict=True)) % 31


def body_with_remainder(wanted: int) -> str:
    """Turn the last character until the weighted sum leaves the remainder."""
    for last in ALPHABET:
        body = "91220100MA00000" + "0" + last
        if remainder(body) == wanted:
            return body
    raise AssertionError("every remainder can be reached, since 31 is prime")


def test_the_worked_example_of_the_standard_is_valid():
    assert parse(WORKED_EXAMPLE) == WORKED_EXAMPLE
    assert check_character(WORKED_EXAMPLE[:17]) == "3"


def test_a_sum_that_is_a_multiple_of_31_has_the_check_character_0():
    # Without the outer reduction the character would be ALPHABET[31], which is not there.
    body = body_with_remainder(0)
    assert check_character(body) == "0"
    assert parse(body + "0") == body + "0"


@pytest.mark.parametrize("wanted", range(31))
def test_every_remainder_gives_the_character_of_the_standard(wanted):
    assert check_character(body_with_remainder(wanted)) == ALPHABET[(31 - wanted) % 31]


@pytest.mark.parametrize("letter", list("IOSVZ"))
def test_letters_that_look_like_digits_are_not_in_the_alphabet(letter):
    with pytest.raises(UsccInvalid) as refused:
        parse(WORKED_EXAMPLE[:8] + letter + WORKED_EXAMPLE[9:])
    assert refused.value.facts["reason"] == "character"


def test_letters_are_valued_by_their_place_in_the_alphabet_and_not_by_their_code():
    # J follows H, since I is left out: ord('J') - 55 would be 19, the standard says 18.
    assert ALPHABET.index("J") == 18
    assert (
        check_character("91220100J00000000") == ALPHABET[(31 - remainder("91220100J00000000")) % 31]
    )


def test_a_wrong_check_character_is_refused_and_the_right_one_is_named():
    with pytest.raises(UsccInvalid) as refused:
        parse(WORKED_EXAMPLE[:-1] + "4")
    assert refused.value.facts == {"reason": "check", "found": "4", "expected": "3"}


@pytest.mark.parametrize("text", ["", "91350100M000100Y4", WORKED_EXAMPLE + "0"])
def test_a_code_of_another_length_is_refused(text):
    with pytest.raises(UsccInvalid) as refused:
        parse(text)
    assert refused.value.facts["reason"] == "length"


@pytest.mark.parametrize(
    "typed",
    ["91350100m000100y43", " 9135 0100 M000 100Y 43 ", "９１３５０１００Ｍ０００１００Ｙ４３"],
)
def test_case_blanks_and_full_width_characters_do_not_matter(typed):
    assert parse(typed) == WORKED_EXAMPLE


@given(bodies)
def test_the_check_equation_of_the_standard_holds(body):
    code = body + check_character(body)
    assert parse(code) == code
    assert (remainder(body) + ALPHABET.index(code[-1])) % 31 == 0


@given(bodies, st.integers(0, 16), letters)
def test_any_one_changed_character_is_noticed(body, position, letter):
    code = body + check_character(body)
    changed = code[:position] + letter + code[position + 1 :]
    if changed == code:
        return
    with pytest.raises(UsccInvalid):
        parse(changed)


@given(bodies, st.integers(0, 15))
def test_two_neighbours_exchanged_are_noticed(body, position):
    code = body + check_character(body)
    changed = code[:position] + code[position + 1] + code[position] + code[position + 2 :]
    if changed == code:
        return
    with pytest.raises(UsccInvalid):
        uscc.parse(changed)
