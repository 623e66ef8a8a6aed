"""Which of two attempts at a course is the better one (pure).

A retaken course counts once, at its best. What cannot be compared is not
guessed: the clerk is asked for a result of the same sort.
"""

from __future__ import annotations

import unicodedata
from decimal import Decimal, InvalidOperation
from typing import Final

FAILED: Final = frozenset(
    {
        "不及格",
        "不合格",
        "不通过",
        "未通过",
        "未合格",
        "缺考",
        "旷考",
        "作弊",
        "取消",
        "f",
        "fail",
        "failed",
    }
)
"""Results that award nothing."""

_WORDS: Final = {
    "优秀": 50,
    "优": 50,
    "良好": 40,
    "良": 40,
    "中等": 30,
    "中": 30,
    "及格": 20,
    "合格": 20,
    "通过": 20,
    "pass": 20,
    **dict.fromkeys(FAILED - {"f"}, 0),
}
_LETTERS: Final = {
    letter + sign: 10 * rank + step
    for rank, letter in enumerate("fdcba")
    for sign, step in (("-", -3), ("", 0), ("+", 3))
}


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace(" ", "").casefold()


def is_failed(grade: str, score: str) -> bool:
    """Say whether a result says in words that the attempt was not passed."""
    return _plain(grade) in FAILED or _plain(score) in FAILED


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(_plain(text))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _rank(scale: dict[str, int], grade: str, score: str) -> int | None:
    for text in (grade, score):
        rank = scale.get(_plain(text))
        if rank is not None:
            return rank
    return None


def is_better(new: tuple[str, str], held: tuple[str, str]) -> bool | None:
    """Say whether an attempt (grade, score) beats another; None when they cannot be compared.

    Scores are compared as numbers, else grades on one scale (优秀 … 不及格, or
    A+ … F). An equal attempt is not better.
    """
    scores = _number(new[1]), _number(held[1])
    if scores[0] is not None and scores[1] is not None:
        return scores[0] > scores[1]
    for scale in (_WORDS, _LETTERS):
        ranks = _rank(scale, *new), _rank(scale, *held)
        if ranks[0] is not None and ranks[1] is not None:
            return ranks[0] > ranks[1]
    return None
