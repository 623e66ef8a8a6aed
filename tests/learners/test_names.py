"""People's names: Han with rare characters, with a middle dot, Korean, Latin."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learners.identity import NAME_MAX, NameInvalid, names_match, normalise_name


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("李明", "李明"),
        (" 李　明 ", "李明"),
        ("李 明", "李明"),
        ("阿依古丽·买买提", "阿依古丽·买买提"),
        ("阿依古丽•买买提", "阿依古丽·买买提"),
        ("阿依古丽・买买提", "阿依古丽·买买提"),
        ("阿依古丽 ‧ 买买提", "阿依古丽·买买提"),
        ("阿依古丽.买买提", "阿依古丽·买买提"),
        ("阿依古丽．买买提", "阿依古丽·买买提"),
        ("阿依古丽。买买提", "阿依古丽·买买提"),
        ("김 철 수", "김철수"),
        ("김철수", "김철수"),
        ("\u1100 \u1161나다", "가나다"),
        (unicodedata.normalize("NFD", "김철수"), "김철수"),
        ("Anna  Maria   Keller", "Anna Maria Keller"),
        ("J. R. Example", "J. R. Example"),
        ("Jean-Luc O'Neill", "Jean-Luc O'Neill"),
        ("Ｋｉｍ　Ｃｈｅｏｌｓｕ", "Kim Cheolsu"),
        ("𬎆珊", "𬎆珊"),
        ("𠮷野一", "𠮷野一"),
        ("张\U000323af", "张\U000323af"),
        ("〇示例", "〇示例"),
        ("\uf90a示例", "金示例"),
    ],
)
def test_a_name_has_one_form_however_it_was_typed(typed, name):
    assert normalise_name(typed) == name
    assert names_match(typed, name)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        (" \u3000\t", "empty"),
        ("李" * (NAME_MAX + 1), "length"),
        ("李\ue863", "private-use"),
        ("李\U000f0000", "private-use"),
        ("李4", "character"),
        ("李<b>", "character"),
        ("李\u202e明", "character"),
        ("李\u200b明", "character"),
        ("李\x00明", "character"),
        ("·", "character"),
        ("--", "character"),
    ],
)
def test_what_is_no_name_is_refused_with_the_reason(text, why):
    with pytest.raises(NameInvalid) as refused:
        normalise_name(text)
    assert refused.value.facts["reason"] == why


def test_a_private_character_is_named_with_its_code_and_place():
    with pytest.raises(NameInvalid) as refused:
        normalise_name("李\ue863")
    assert refused.value.facts["found"] == "U+E863"
    assert refused.value.facts["position"] == 2


def test_two_people_of_one_name_differ_by_number_and_not_by_name():
    assert names_match("王示例", "王 示例")
    assert not names_match("王示例", "王示范")
    assert names_match("ANNA KELLER", "Anna Keller")


@given(st.text(max_size=30))
def test_normalising_twice_changes_nothing_and_nothing_breaks_it(text):
    try:
        once = normalise_name(text)
    except NameInvalid:
        return
    assert normalise_name(once) == once
    assert unicodedata.is_normalized("NFC", once)
    assert once == once.strip()


@given(
    st.lists(st.sampled_from("张王李赵示例김철수𠮷𬎆"), min_size=2, max_size=6),
    st.data(),
)
def test_blanks_typed_to_fill_a_column_do_not_change_a_name(characters, data):
    name = "".join(characters)
    typed = "".join(
        character + data.draw(st.sampled_from(["", " ", "\u3000", "  "])) for character in name
    )
    assert normalise_name(typed) == name
