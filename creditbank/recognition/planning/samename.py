"""When two outcomes bear one name, whatever way it is written (pure).

The Korean bank counts a subject once under all its spellings: blanks, particles,
punctuation and the "I" of the first in a series do not make another subject.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_FIRST: Final = re.compile(r"(?:(?<![a-z])i|(?<![0-9])1)\Z")
"""The number of the first in a series at the end: not the last letter of a word or number."""
_HANGUL: Final = "\uac00-\ud7a3"
_PARTICLES: Final = re.compile(
    rf"(?<=[{_HANGUL}])(?:의|와|과)\Z|(?<=[{_HANGUL}]{{2}})(?:을|를|은|는|이|가)\Z"
)
"""Particles at the end of a word. The later ones end many nouns: they leave two syllables."""
_INSIDE: Final = re.compile(
    rf"(?<=[{_HANGUL}]{{2}})(?:의|와|및|과(?!학|목|정|제|업|외|세|실|거|표|장))(?=[{_HANGUL}]{{2}})"
)
"""The same where words are written together, unless they more likely belong to a noun (과학, 과정 ...)."""
_ALONE: Final = frozenset({"의", "및", "와", "과", "을", "를", "은", "는", "이", "가"})


def same_name(title: str) -> str:
    """Return what all spellings of a name have in common.

    Width and case are put aside (NFKC, casefold), punctuation and blanks, a
    trailing I, Ⅰ or 1, and Korean particles between words. A name of which
    nothing would be left keeps what it has.
    """
    text = unicodedata.normalize("NFKC", title).casefold()
    words = "".join(
        letter if unicodedata.category(letter)[0] in "LMN" else " " for letter in text
    ).split()
    if words and (shorter := _FIRST.sub("", words[-1])) != words[-1]:
        words = [*words[:-1], shorter] if shorter else words[:-1] or words
    if len(words) > 1:
        kept = [_PARTICLES.sub("", word) for word in words[:-1] if word not in _ALONE]
        words = [*kept, words[-1]]
    return _INSIDE.sub("", "".join(words))
