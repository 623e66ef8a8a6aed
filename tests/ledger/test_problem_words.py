"""What the ledger's checks say of a row can be said in English too, every sentence of it."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from types import ModuleType

import pytest
from django.utils import translation

from creditbank.errors import Problem
from creditbank.ledger import (
    acting,
    checks,
    problemwords,
    recognitionchecks,
    sealing,
    shapes,
    submissions,
)

HAN = re.compile("[\u4e00-\u9fff]")
MODULES = (acting, checks, recognitionchecks, sealing, shapes, submissions)


def sentences(module: ModuleType) -> Iterator[str]:
    """Every Chinese text of a module's code; of a text with a detail, what stands before it."""
    tree = ast.parse(inspect.getsource(module))
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and HAN.search(node.value)
            and id(node) not in prose
        ):
            yield node.value.removesuffix("：")


@pytest.mark.parametrize("module", MODULES, ids=lambda one: one.__name__)
def test_every_sentence_about_a_row_has_its_english_one(module: ModuleType) -> None:
    said = set(sentences(module))
    assert said
    with translation.override("en"):
        for text in said:
            words = problemwords.SENTENCES.get(text) or problemwords.EXPECTED.get(text)
            assert words is not None, f"not in the table: {text}"
            assert not HAN.search(str(words)), text


def test_the_table_holds_nothing_that_nobody_says() -> None:
    said = {text for module in MODULES for text in sentences(module)}
    assert set(problemwords.SENTENCES) | set(problemwords.EXPECTED) == said


def test_a_problem_is_told_in_the_readers_language_with_its_detail() -> None:
    found = Problem(
        code="manifest-malformed", message="清单无法读取：line 2 is empty", expected="整数"
    )
    with translation.override("zh-hans"):
        assert problemwords.message(found) == "清单无法读取: line 2 is empty"
        assert problemwords.expected(found) == "整数"
    with translation.override("en"):
        assert problemwords.message(found) == "The manifest cannot be read: line 2 is empty"
        assert problemwords.expected(found) == "a whole number"


def test_what_is_told_elsewhere_stands_as_it_is() -> None:
    found = Problem(code="x", message="The score is too high.", expected="0 – 1000")
    assert problemwords.message(found) == "The score is too high."
    assert problemwords.expected(found) == "0 – 1000"
