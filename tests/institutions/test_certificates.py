"""Certificate numbers: two families under one Chinese name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbank.institutions.certificates import (
    CertificateNumberInvalid,
    check_number,
    parse_skill_number,
)
from creditbank.institutions.kinds import OutcomeKind

SKILL = "Y000122123456245000001"


def test_a_human_resources_number_is_read_part_by_part():
    number = parse_skill_number(SKILL)
    assert (number.enterprise, number.province, number.year, number.level) == (
        True,
        "22",
        "24",
        "5",
    )


@pytest.mark.parametrize("level", list("12345"))
def test_the_sixteenth_character_is_the_level(level):
    assert parse_skill_number(SKILL[:15] + level + SKILL[16:]).level == level


@pytest.mark.parametrize(
    "number",
    [
        "X" + SKILL[1:],
        SKILL[:15] + "6" + SKILL[16:],
        SKILL[:15] + "0" + SKILL[16:],
        SKILL[:5] + "A" + SKILL[6:],
    ],
)
def test_another_build_is_refused(number):
    with pytest.raises(CertificateNumberInvalid) as refused:
        check_number(OutcomeKind.SKILL_LEVEL, number)
    assert refused.value.facts["reason"] == "format"


@pytest.mark.parametrize("number", [SKILL[:-1], SKILL + "0"])
def test_another_length_is_refused(number):
    with pytest.raises(CertificateNumberInvalid) as refused:
        check_number(OutcomeKind.SKILL_LEVEL, number)
    assert refused.value.facts == {"reason": "length", "found": len(number), "expected": 22}


def test_the_special_technician_variant_has_two_letters_and_no_known_level():
    number = "YT" + "0" * 20
    assert check_number(OutcomeKind.SKILL_LEVEL, number) == number
    assert parse_skill_number(number).level == ""


def test_no_build_is_laid_on_an_x_certificate_number():
    for number in ("1", SKILL[:-1], "Ⅹ-2024/初级-000017", "证书第0001号", "A" * 64):
        assert check_number(OutcomeKind.X_CERTIFICATE, number)


def test_a_certificate_needs_a_number_and_a_course_does_not():
    for kind in (OutcomeKind.X_CERTIFICATE, OutcomeKind.SKILL_LEVEL):
        with pytest.raises(CertificateNumberInvalid) as refused:
            check_number(kind, "  ")
        assert refused.value.facts["reason"] == "missing"
    assert check_number(OutcomeKind.COURSE, " ") == ""


@pytest.mark.parametrize("number", ["A\u202eB", "A\u0000B", "A|B", "A" * 65])
def test_what_would_deceive_or_break_a_reference_is_refused(number):
    with pytest.raises(CertificateNumberInvalid):
        check_number(OutcomeKind.X_CERTIFICATE, number)


@given(
    st.from_regex(r"[YS][0-9]{14}[1-5][0-9]{6}", fullmatch=True),
    st.lists(st.integers(0, 22), max_size=4),
)
def test_blanks_case_and_width_do_not_make_another_number(number, gaps):
    typed = number.lower()
    for gap in sorted(gaps, reverse=True):
        typed = typed[:gap] + " " + typed[gap:]
    wide = "".join(chr(ord(c) + 0xFEE0) if c != " " else "\u3000" for c in typed)
    assert check_number(OutcomeKind.SKILL_LEVEL, typed) == number
    assert check_number(OutcomeKind.SKILL_LEVEL, wide) == number
