"""What differs between two documents."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from creditbank.recognition.language.differences import Difference, between


def test_equal_documents_do_not_differ() -> None:
    assert between({"a": [1, {"b": "2"}]}, {"a": [1, {"b": "2"}]}) == []


def test_members_are_added_removed_and_changed() -> None:
    before = {"title": "旧", "law": "filing", "basis": {"title": "文件"}}
    after = {"title": "新", "basis": {"title": "文件", "clause": "3"}}
    assert between(before, after) == [
        Difference(change="changed", pointer="/title", before="旧", after="新"),
        Difference(change="added", pointer="/basis/clause", after="3"),
        Difference(change="removed", pointer="/law", before="filing"),
    ]


def test_an_element_put_in_front_is_one_addition() -> None:
    assert between({"to": ["b", "c"]}, {"to": ["a", "b", "c"]}) == [
        Difference(change="added", pointer="/to/0", after="a")
    ]


def test_what_was_taken_out_of_a_list_is_pointed_at_in_the_older_one() -> None:
    assert between(["a", "b", "c"], ["a", "c"]) == [
        Difference(change="removed", pointer="/1", before="b")
    ]


def test_a_changed_element_is_looked_into() -> None:
    before = {"constraints": [{"cap": {"credits": "8"}}, {"once": True}]}
    after = {"constraints": [{"cap": {"credits": "10"}}, {"once": True}]}
    assert between(before, after) == [
        Difference(change="changed", pointer="/constraints/0/cap/credits", before="8", after="10")
    ]


def test_a_name_with_a_slash_is_escaped() -> None:
    assert between({}, {"a/b~c": 1})[0].pointer == "/a~1b~0c"


def test_one_and_true_differ() -> None:
    assert between({"version": 1}, {"version": True})[0].change == "changed"
    assert between([1, "a"], [True, "a"])[0].pointer == "/0"


values = st.recursive(
    st.booleans() | st.integers(0, 3) | st.sampled_from(["a", "b", ""]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["a", "b", "c/d"]), inner, max_size=3)
    ),
    max_leaves=8,
)


def at(value: Any, pointer: str) -> Any:
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        value = value[int(name)] if isinstance(value, list) else value[name]
    return value


def same(left: Any, right: Any) -> bool:
    """Equal as JSON: here True is not 1."""
    return repr(left) == repr(right)


@given(values, values)
def test_every_difference_points_at_what_it_names(before: Any, after: Any) -> None:
    found = between(before, after)
    for one in found:
        if one.change != "removed":
            assert same(at(after, one.pointer), one.after)
        else:
            assert same(at(before, one.pointer), one.before)
    assert between(copy.deepcopy(after), after) == []


@given(values, values)
def test_no_difference_is_overlooked(before: Any, after: Any) -> None:
    if not between(before, after):
        assert ordered(before) == ordered(after)


def ordered(value: Any) -> str:
    if isinstance(value, dict):
        return repr({name: ordered(value[name]) for name in sorted(value)})
    return repr([ordered(item) for item in value]) if isinstance(value, list) else repr(value)
