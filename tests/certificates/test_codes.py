"""Numbers and codes survive being printed, read aloud and typed; a slip is found in its group."""

from __future__ import annotations

import contextlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.iso7064 import mod_37_36

from certificates import codes
from certificates.codes import ALPHABET, Typo

CHECK = {"number": codes.check_number, "code": codes.check_code}
NEW = {"number": codes.new_number, "code": codes.new_code}
FIELDS = st.sampled_from(["number", "code"])


def drawn(field: str) -> str:
    return NEW[field]().replace("-", "")


def test_a_new_number_is_printed_in_groups_of_four() -> None:
    number = codes.new_number()

    assert [len(group) for group in number.split("-")] == [4, 4, 4]
    assert codes.check_number(number) == number


def test_a_new_code_has_twelve_characters_and_is_never_the_last_one() -> None:
    drawn_codes = {codes.new_code() for _ in range(200)}

    assert len(drawn_codes) == 200
    assert {len(code) for code in drawn_codes} == {12}


@given(FIELDS, st.integers(0, 11), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_found_in_its_group(field: str, place: int, wrong: str) -> None:
    text = drawn(field)
    typed = text[:place] + wrong + text[place + 1 :]

    if typed == text:
        CHECK[field](typed)
    else:
        with pytest.raises(Typo) as found:
            CHECK[field](typed)
        assert (found.value.field, found.value.group) == (field, place // 4 + 1)


@given(FIELDS, st.sampled_from([3, 7]))
def test_neighbours_of_two_groups_changed_over_are_found(field: str, place: int) -> None:
    text = drawn(field)
    typed = text[:place] + text[place + 1] + text[place] + text[place + 2 :]

    if typed == text:
        CHECK[field](typed)
    else:
        with pytest.raises(Typo) as found:
            CHECK[field](typed)
        assert found.value.group in (place // 4 + 1, place // 4 + 2)


@pytest.mark.parametrize("field", CHECK)
def test_of_neighbours_in_a_group_changed_over_one_in_five_hundred_is_missed(field: str) -> None:
    """All of them cannot be found with a check character of the same alphabet."""
    rest = drawn(field)[4:]
    changed = missed = 0
    for letters in itertools.islice(itertools.product(ALPHABET, repeat=3), 0, None, 7):
        body = "".join(letters)
        group = body + mod_37_36.calc_check_digit(f"{field[0].upper()}1{body}", ALPHABET)
        CHECK[field](group + rest)
        for place in range(3):
            typed = group[:place] + group[place + 1] + group[place] + group[place + 2 :]
            if typed == group:
                continue
            changed += 1
            with contextlib.suppress(Typo):
                CHECK[field](typed + rest)
                missed += 1

    assert changed > 13_000
    assert missed * 450 < changed


@given(FIELDS)
def test_groups_changed_over_are_found(field: str) -> None:
    text = drawn(field)
    typed = text[4:8] + text[:4] + text[8:]

    if typed == text:
        CHECK[field](typed)
    else:
        with pytest.raises(Typo):
            CHECK[field](typed)


def test_a_number_typed_where_the_code_belongs_is_found() -> None:
    with pytest.raises(Typo) as found:
        codes.check_code(codes.new_number())

    assert found.value.field == "code"
    assert found.value.code == "V-TYPO"


@pytest.mark.parametrize(("text", "group"), [("", 0), ("8ATA", 0), ("8ATA-PKYT-W68X-8ATA", 0)])
def test_a_wrong_length_is_told_without_naming_a_group(text: str, group: int) -> None:
    with pytest.raises(Typo) as found:
        codes.check_number(text)

    assert (found.value.group, found.value.reason) == (group, "length")


@pytest.mark.parametrize("character", ["U", "?", "中", "é"])
def test_a_character_that_no_number_has_is_found_in_its_group(character: str) -> None:
    with pytest.raises(Typo) as found:
        codes.check_number(f"8ATA-P{character}YT-W68X")

    assert (found.value.group, found.value.reason) == (2, "character")


@pytest.mark.parametrize(
    "typed",
    [
        "8ata pkyt w68x",
        "8ATAPKYTW68X",
        "  8ATA — PKYT — W68X  ",
        "８ＡＴＡ－ＰＫＹＴ－Ｗ６８Ｘ",
        "8ATA.PKYT_W68X",
    ],
)
def test_the_ways_people_type_a_number_are_all_read(typed: str) -> None:
    assert codes.check_number(typed) == "8ATA-PKYT-W68X"


def test_letters_that_look_like_digits_are_read_as_digits() -> None:
    number = next(
        number
        for number in (codes.new_number() for _ in range(2000))
        if "0" in number and "1" in number
    )

    assert codes.check_number(number.replace("0", "o").replace("1", "l")) == number
    assert codes.check_number(number.replace("0", "O").replace("1", "I")) == number
