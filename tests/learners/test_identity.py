"""Identity documents: what is accepted, in which one form it is kept, and what is said of the rest."""

from datetime import date

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric

from learners.identity import DocumentType, IdentityDocument, IdentityInvalid
from tests.learners.people import resident_number

# GB 11643-1999 gives these two as its examples.
STANDARD = ("11010519491231002X", "440524188001010014")

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECKS = "10X98765432"

bodies = st.builds(
    lambda area, born, sequence: f"{area}{born:%Y%m%d}{sequence:03d}",
    st.integers(110000, 839999),
    st.dates(date(1900, 1, 1), date(2020, 12, 31)),
    st.integers(0, 999),
)


def number(kind: DocumentType, text: str) -> str:
    return IdentityDocument(type=kind, number=text).number


def reason(kind: DocumentType, text: str) -> object:
    with pytest.raises(IdentityInvalid) as refused:
        IdentityDocument(type=kind, number=text)
    return refused.value.facts["reason"]


@pytest.mark.parametrize("text", STANDARD)
def test_the_examples_of_the_standard_are_valid(text):
    assert number(DocumentType.RESIDENT_ID, text) == text


@given(bodies)
def test_the_check_character_is_that_of_the_standards_table(body):
    total = sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True))
    text = body + CHECKS[total % 11]
    assert number(DocumentType.RESIDENT_ID, text) == text


@given(bodies, st.integers(0, 16), st.sampled_from("0123456789"))
def test_any_one_wrong_digit_is_noticed(body, position, digit):
    text = body + ric.calc_check_digit(body + "0")
    wrong = text[:position] + digit + text[position + 1 :]
    if wrong == text:
        return
    with pytest.raises(IdentityInvalid):
        IdentityDocument(type=DocumentType.RESIDENT_ID, number=wrong)


@given(bodies, st.integers(0, 16))
def test_two_neighbouring_digits_exchanged_are_noticed(body, position):
    text = body + ric.calc_check_digit(body + "0")
    wrong = text[:position] + text[position + 1] + text[position] + text[position + 2 :]
    if wrong == text:
        return
    with pytest.raises(IdentityInvalid):
        IdentityDocument(type=DocumentType.RESIDENT_ID, number=wrong)


@given(bodies, st.lists(st.integers(0, 18), max_size=5), st.booleans())
def test_however_it_is_typed_the_form_is_one(body, gaps, wide):
    text = body + ric.calc_check_digit(body + "0")
    typed = text.lower()
    for gap in sorted(gaps, reverse=True):
        typed = typed[:gap] + " " + typed[gap:]
    if wide:
        typed = "".join("\u3000" if c == " " else chr(ord(c) + 0xFEE0) for c in typed)
    once = number(DocumentType.RESIDENT_ID, f" {typed}\t")
    assert once == text
    assert number(DocumentType.RESIDENT_ID, once) == once


def test_a_wrong_check_character_is_told_with_the_one_found_and_the_one_expected():
    with pytest.raises(IdentityInvalid) as refused:
        IdentityDocument(type=DocumentType.RESIDENT_ID, number="110105194912310021")
    assert refused.value.facts == {"reason": "check", "found": "1", "expected": "X"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "length"),
        ("1101051949123100", "length"),
        ("1101051949123100222", "length"),
        ("11010519491231002Y", "format"),
        ("1101051949I231002X", "format"),
        ("01010519491231002X", "format"),
        ("91010519491231002X", "format"),
        ("110105491231002", "old-form"),
        ("110105194913310022", "birth-date"),
        ("110105194902300021", "birth-date"),
        ("110105187912310022", "birth-date"),
    ],
)
def test_what_cannot_be_a_citizens_number_is_refused_with_the_reason(text, expected):
    assert reason(DocumentType.RESIDENT_ID, text) == expected


def test_nobody_is_born_tomorrow():
    text = resident_number(1, born="20260618")
    with time_machine.travel("2026-06-17T12:00:00+08:00"):
        assert reason(DocumentType.RESIDENT_ID, text) == "birth-date"
    with time_machine.travel("2026-06-18T12:00:00+08:00"):
        assert number(DocumentType.RESIDENT_ID, text) == text


@pytest.mark.parametrize("area", ["220381", "229999", "810000", "820000", "830000"])
def test_abolished_areas_and_the_residence_permits_of_three_regions_are_accepted(area):
    text = resident_number(7, area=area)
    assert number(DocumentType.RESIDENT_ID, text) == text


@pytest.mark.parametrize("typed", ["H12345678", "h 1234 5678", "H1234567801", "H1234567899"])
def test_a_renewed_hong_kong_permit_is_the_same_document(typed):
    assert number(DocumentType.HK_MO_PERMIT, typed) == "H12345678"


@pytest.mark.parametrize("text", ["12345678", "T12345678", "H1234567", "H123456789"])
def test_another_build_is_no_hong_kong_or_macao_permit(text):
    assert reason(DocumentType.HK_MO_PERMIT, text) == "format"


def test_a_taiwan_permit_has_eight_digits():
    assert number(DocumentType.TW_PERMIT, " 1234 5678 ") == "12345678"
    for text in ("1234567", "1234567801", "A2345678"):
        assert reason(DocumentType.TW_PERMIT, text) == "format"


def test_both_forms_of_the_foreigners_permanent_residence_card_are_accepted():
    body = "92215619900101001"
    new = body + ric.calc_check_digit(body + "0")
    assert number(DocumentType.FOREIGN_PR, new) == new
    assert number(DocumentType.FOREIGN_PR, "kor220090010101") == "KOR220090010101"
    wrong = body + ("0" if new[-1] != "0" else "1")
    assert reason(DocumentType.FOREIGN_PR, wrong) == "check"
    assert reason(DocumentType.FOREIGN_PR, new[:-1]) == "format"
    assert reason(DocumentType.FOREIGN_PR, STANDARD[0]) == "format"


@pytest.mark.parametrize(
    "typed", ["KOR/M12345678", "kor m12345678", "KOR-M12345678", "KOR: M12345678"]
)
def test_a_passport_is_named_with_the_state_that_issued_it(typed):
    assert number(DocumentType.PASSPORT, typed) == "KOR/M12345678"


@pytest.mark.parametrize(
    "text", ["M12345678", "KORM12345678", "KOR/", "KO/M1234567", "KOR/M12345678|"]
)
def test_a_passport_without_its_state_is_refused(text):
    assert reason(DocumentType.PASSPORT, text) == "format"


def test_one_number_of_two_states_is_two_documents():
    one = IdentityDocument(type=DocumentType.PASSPORT, number="KOR/M12345678")
    other = IdentityDocument(type=DocumentType.PASSPORT, number="RUS/M12345678")
    assert one != other


def test_a_kind_of_document_the_bank_does_not_know_is_refused():
    with pytest.raises(IdentityInvalid) as refused:
        IdentityDocument(type="library-card", number="1")  # type: ignore[arg-type]
    assert refused.value.facts["reason"] == "type"


def test_the_kind_may_be_given_as_its_word():
    document = IdentityDocument(type="resident-id", number=STANDARD[0])  # type: ignore[arg-type]
    assert document.type is DocumentType.RESIDENT_ID


@pytest.mark.parametrize(
    ("kind", "text", "masked", "born"),
    [
        (DocumentType.RESIDENT_ID, STANDARD[0], "1101**********002X", date(1949, 12, 31)),
        (DocumentType.HK_MO_PERMIT, "H12345678", "H1*****78", None),
        (DocumentType.TW_PERMIT, "12345678", "12****78", None),
        (DocumentType.FOREIGN_PR, "KOR220090010101", "KO***********01", None),
        (DocumentType.PASSPORT, "KOR/M12345678", "KOR/M******78", None),
    ],
)
def test_a_masked_number_shows_its_ends_only(kind, text, masked, born):
    document = IdentityDocument(type=kind, number=text)
    assert document.masked == masked
    assert len(document.masked) == len(document.number)
    assert document.birth_date == born


@given(st.sampled_from(DocumentType), st.text(max_size=40))
def test_nothing_typed_breaks_the_reader_or_gets_into_an_error(kind, text):
    try:
        document = IdentityDocument(type=kind, number=text)
    except IdentityInvalid as refused:
        told = repr(refused.facts) + str(refused)
        assert len(text) < 6 or text not in told
    else:
        assert IdentityDocument(type=kind, number=document.number) == document
        assert document.number not in repr(document)
