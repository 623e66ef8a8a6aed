"""The faces a certificate is printed with, chosen character by character.

Chinese comes first, then Hangul (names from Yanbian), then a fallback for
ideographs that neither has. A character that no face has is never printed as a
blank: `GlyphMissing` names it and no document is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Final

from reportlab.pdfbase import pdfdoc, pdfmetrics, ttfonts

from creditbank.errors import DomainError

FOLDER: Final = Path(__file__).resolve().parent / "font_files"
REGULAR: Final = "LLCB-SC"
BOLD: Final = "LLCB-SC-Bold"
KOREAN: Final = "LLCB-KR"
FALLBACK: Final = "LLCB-Fallback"
FILES: Final = {
    REGULAR: "NotoSansSC-Regular.ttf",
    BOLD: "NotoSansSC-Bold.ttf",
    KOREAN: "NotoSansKR-Regular.ttf",
    FALLBACK: "Fallback-Regular.ttf",
}
_CHAIN: Final = (REGULAR, KOREAN, FALLBACK)


class GlyphMissing(DomainError):
    """Characters that no face has: the document is not printed rather than printed with a gap."""

    code: ClassVar[str] = "glyph-missing"

    def __init__(self, characters: str) -> None:
        points = " ".join(f"U+{ord(character):04X}" for character in characters)
        super().__init__(f"no glyph for {characters} ({points})", characters=characters)
        self.characters = characters


@dataclass(frozen=True)
class Segment:
    """A piece of text that one face can print; `width` in points at the size asked for."""

    face: str
    text: str
    width: float


class _Face(ttfonts.TTFont):  # type: ignore[misc]
    """A TrueType face whose embedded subsets say what they spell, beyond the BMP as well.

    The library writes U+20BB7 as `<20BB7>` into the ToUnicode map, which no
    reader understands; PDF wants UTF-16BE (ISO 32000-2, 9.10.3).
    """

    def addObjects(self, doc: Any) -> None:  # noqa: N802 - the library's name
        subsets = self.state[doc].subsets if doc in self.state else []
        super().addObjects(doc)
        for number, subset in enumerate(subsets):
            if not any(point > 0xFFFF for point in subset):
                continue
            name = f"{ttfonts.SUBSETN(number).decode()}+{self.face.name.decode()}"
            stream = doc.idToObject.get(f"toUnicodeCMap:{name}")
            if isinstance(stream, pdfdoc.PDFStream):
                stream.content = _to_unicode(name, subset)


def _to_unicode(name: str, subset: Sequence[int]) -> str:
    """Write a ToUnicode map for a one-byte font (ISO 32000-2, 9.10.3)."""
    pairs = "\n".join(
        f"<{code:02X}> <{chr(point).encode('utf-16-be').hex().upper()}>"
        for code, point in enumerate(subset)
    )
    return (
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        f"/CIDSystemInfo << /Registry ({name}) /Ordering ({name}) /Supplement 0 >> def\n"
        f"/CMapName /{name} def\n/CMapType 2 def\n"
        f"1 begincodespacerange\n<00> <{len(subset) - 1:02X}>\nendcodespacerange\n"
        f"{len(subset)} beginbfchar\n{pairs}\nendbfchar\n"
        "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend"
    )


@lru_cache(maxsize=1)
def faces() -> dict[str, _Face]:
    """Load and register the faces, once a process (about 0.3 s; do it before forking)."""
    loaded = {}
    for name, file in FILES.items():
        face = _Face(name, str(FOLDER / file), asciiReadable=0)
        pdfmetrics.registerFont(face)
        loaded[name] = face
    return loaded


@lru_cache(maxsize=1)
def _widths() -> dict[str, dict[int, float]]:
    """The advance of every character in 1/1000 of the size, by face."""
    return {name: dict(face.face.charWidths) for name, face in faces().items()}


@lru_cache(maxsize=1)
def _regular() -> dict[int, float]:
    """The advance of every character that can be printed, in the face it is printed with."""
    tables = _widths()
    return {point: advance for name in reversed(_CHAIN) for point, advance in tables[name].items()}


def missing(text: str) -> str:
    """Return the characters of a text that no face has, each once, in their order."""
    table = _regular()
    return "".join(dict.fromkeys(character for character in text if ord(character) not in table))


def takes_bold(text: str) -> bool:
    """Say whether the bold face has every character of a text.

    Bold is used only then: a name half bold, half regular would look like an alteration.
    """
    table = _widths()[BOLD]
    return all(ord(character) in table for character in text)


def segments(text: str, size: float, *, bold: bool = False) -> list[Segment]:
    """Split a text into pieces that one face each can print. Raises GlyphMissing."""
    tables = _widths()
    if bold and takes_bold(text):
        return [Segment(BOLD, text, _sum(tables[BOLD], text, size))] if text else []
    if all(ord(character) in tables[REGULAR] for character in text):
        return [Segment(REGULAR, text, _sum(tables[REGULAR], text, size))] if text else []
    lacking = missing(text)
    if lacking:
        raise GlyphMissing(lacking)
    pieces: list[tuple[str, str]] = []
    for character in text:
        face = next(name for name in _CHAIN if ord(character) in tables[name])
        if pieces and pieces[-1][0] == face:
            pieces[-1] = (face, pieces[-1][1] + character)
        else:
            pieces.append((face, character))
    return [Segment(face, piece, _sum(tables[face], piece, size)) for face, piece in pieces]


def width(text: str, size: float, *, bold: bool = False) -> float:
    """Return a text's width in points; bold is as `segments` would set it. Raises GlyphMissing."""
    if bold and takes_bold(text):
        return _sum(_widths()[BOLD], text, size)
    try:
        return _sum(_regular(), text, size)
    except KeyError:
        raise GlyphMissing(missing(text)) from None


def _sum(table: dict[int, float], text: str, size: float) -> float:
    return sum(table[ord(character)] for character in text) * size / 1000
