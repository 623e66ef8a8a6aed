"""The transcript as a PDF: drawn from its layout, and read back to be compared with it.

The same bytes come out for the same values (no clock, no random). The data
travels as an attached file, `transcript.json`, added together with the
signature (`certificates.pades`).
"""

from __future__ import annotations

import base64
import io
import logging
import re
import threading
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Final, TypeVar

import pypdf
from pypdf.errors import PyPdfError
from pypdf.generic import ContentStream, DecodedStreamObject, StreamObject
from reportlab.pdfgen.canvas import Canvas

from certificates import codes, fonts, pages
from certificates.formats import clr
from certificates.formats.transcript import Difference, TranscriptData, differences
from creditbank.errors import DomainError

ATTACHMENT: Final = "transcript.json"
_LAYOUT: Final = "creditbank pages/"
PAGES_MAX: Final = 40
EMBEDDED_MAX: Final = 5 << 20
CONTENT_MAX: Final = 4 << 20
OPERATORS_MAX: Final = 200_000

_DRAWING: Final = threading.Lock()

# What is odd in a stranger's file is told in the report, not in the log.
logging.getLogger("pypdf").setLevel(logging.CRITICAL)


class PageTextDiffers(DomainError):
    """The document does not say what the pages are to show."""

    code: ClassVar[str] = "page-differs"


class OtherLayout(DomainError):
    """Pages set by another version of the layout; they cannot be compared with this one."""

    code: ClassVar[str] = "other-layout"


class NotOurPdf(DomainError):
    """A PDF that cannot be one of ours; the facts give the reason."""

    code: ClassVar[str] = "not-our-pdf"


# -- writing ----------------------------------------------------------------------------------


def render(document: dict[str, Any], data: TranscriptData) -> bytes:
    """Draw a transcript's pages: PDF bytes, unsigned, without the attachment.

    `data` holds the verification code, which the document does not. Raises
    GlyphMissing for a character that cannot be printed and PageTextDiffers when
    document and data are not of the same transcript.
    """
    found = differences(clr.read(document), data)
    if found:
        raise PageTextDiffers(fields=[item.field for item in found])
    laid = pages.layout(data)
    with _DRAWING:  # The faces keep their subsets per document, but not per thread.
        return _draw(laid, data)


def _draw(laid: pages.Pages, data: TranscriptData) -> bytes:
    fonts.faces()
    buffer = io.BytesIO()
    canvas = Canvas(
        buffer,
        pagesize=(pages.WIDTH, pages.HEIGHT),
        invariant=1,
        pageCompression=1,
        initialFontName=fonts.REGULAR,
        lang="zh-CN",
    )
    # The library knows "now" and "2000" only; the document's own date tells readers more.
    canvas._doc._timeStamp.YMDhms = (*data.issued_on.timetuple()[:3], 0, 0, 0)
    canvas._doc._timeStamp.dhh = 8
    canvas.setTitle(f"终身学习学分证明 {data.number}")
    canvas.setAuthor(data.issuer_name)
    canvas.setSubject("Lifelong Learning Credit Transcript")
    canvas.setCreator(f"{_LAYOUT}{pages.VERSION}")
    canvas.setProducer("creditbank")
    by_page: dict[int, list[pages.Boxes | pages.TextRun]] = {}
    marks: list[pages.Boxes | pages.TextRun] = [*laid.boxes, *laid.runs]
    for mark in marks:
        by_page.setdefault(mark.page, []).append(mark)
    for page in range(laid.count):
        ink = ""
        for mark in by_page.get(page, ()):
            if mark.ink != ink:
                canvas.setFillColorRGB(*pages.COLOURS[mark.ink])
                ink = mark.ink
            if isinstance(mark, pages.Boxes):
                path = canvas.beginPath()
                for x, y, width, height in mark.boxes:
                    path.rect(x, y, width, height)
                canvas.drawPath(path, stroke=0, fill=1)
            else:
                canvas.setFont(mark.face, mark.size)
                canvas.drawString(mark.x, mark.y, mark.text)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


# -- reading ----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class FoundRun:
    """A run of text as a file shows it; x, y and size in points, colour as three parts of 1."""

    page: int
    x: float
    y: float
    size: float
    width: float
    colour: tuple[float, ...]
    text: str


@dataclass(frozen=True, kw_only=True)
class FoundPages:
    """What a file's pages show: texts, filled rectangles, and marks of any other kind."""

    count: int
    runs: tuple[FoundRun, ...]
    boxes: tuple[tuple[int, tuple[tuple[float, ...], ...]], ...]
    others: tuple[tuple[int, str], ...]


def open_pdf(data: bytes) -> pypdf.PdfReader:
    """Open a file of unknown origin. Raises NotOurPdf.

    Nothing is fetched, no password is tried; more than 40 pages are refused.
    """
    with _damage():
        reader = pypdf.PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted:
            raise NotOurPdf(reason="encrypted")
        count = reader.get_num_pages()
    if not 0 < count <= PAGES_MAX:
        raise NotOurPdf(reason="pages", pages=count, expected=PAGES_MAX)
    return reader


@contextmanager
def _damage() -> Iterator[None]:
    """Turn whatever the parser trips over in a hostile file into NotOurPdf."""
    try:
        yield
    except (
        PyPdfError,
        ArithmeticError,
        AssertionError,
        AttributeError,
        LookupError,
        MemoryError,
        OSError,
        RecursionError,
        TypeError,
        ValueError,
        zlib.error,
    ) as error:
        raise NotOurPdf(reason="damaged") from error


def attachment(reader: pypdf.PdfReader) -> bytes:
    """Return the bytes of the attached `transcript.json`, at most 5 MiB.

    Raises NotOurPdf when there is none, or more than one attached file.
    """
    with _damage():
        root: Any = reader.trailer["/Root"].get_object()
        names = root.get("/Names")
        tree: Any = None if names is None else names.get_object().get("/EmbeddedFiles")
        if tree is None:
            raise NotOurPdf(reason="attachment")
        listed = tree.get_object().get("/Names")
        listed = [] if listed is None else list(listed.get_object())
        if len(listed) != 2 or str(listed[0]) != ATTACHMENT:
            raise NotOurPdf(reason="attachment")
        stream = listed[1].get_object()["/EF"].get_object()["/F"].get_object()
        return _decoded(stream, EMBEDDED_MAX)


def _decoded(stream: Any, limit: int) -> bytes:
    """Decode a stream, never to more than `limit` bytes."""
    if not isinstance(stream, StreamObject) or stream.get("/DecodeParms") is not None:
        raise NotOurPdf(reason="stream")
    filters = stream.get("/Filter", [])
    filters = filters.get_object() if hasattr(filters, "get_object") else filters
    data = bytes(stream._data)
    for name in filters if isinstance(filters, list) else [filters]:
        if name == "/ASCII85Decode":
            data = base64.a85decode(b"<~" + data.strip().removeprefix(b"<~"), adobe=True)
        elif name == "/FlateDecode":
            inflater = zlib.decompressobj()
            data = inflater.decompress(data, limit + 1)
        else:
            raise NotOurPdf(reason="stream")
        if len(data) > limit:
            raise NotOurPdf(reason="size", expected=limit)
    return data


def read_runs(data: bytes) -> list[FoundRun]:
    """Return every run of text that a file's pages show. Raises NotOurPdf."""
    return list(read_pages(open_pdf(data)).runs)


def read_pages(reader: pypdf.PdfReader) -> FoundPages:
    """Read what a file's pages show, operator by operator. Raises NotOurPdf."""
    walker = _Walker()
    with _damage():
        for number, page in enumerate(reader.pages):
            walker.walk(number, page)
        return FoundPages(
            count=len(reader.pages),
            runs=tuple(walker.runs),
            boxes=tuple(walker.boxes),
            others=tuple(walker.others),
        )


_BFCHAR: Final = re.compile(rb"<([0-9A-Fa-f]{2})>\s*<([0-9A-Fa-f]{4,8})>")


@dataclass(frozen=True)
class _Font:
    """What a one-byte font spells, and how wide its characters are (1/1000 of the size)."""

    spelling: dict[int, str]
    widths: list[float]

    @classmethod
    def read(cls, font: Any) -> _Font:
        mapped = _decoded(font["/ToUnicode"].get_object(), CONTENT_MAX)
        return cls(
            {
                int(code, 16): bytes.fromhex(text.decode()).decode("utf-16-be", "replace")
                for code, text in _BFCHAR.findall(mapped)
            },
            [float(width) for width in font["/Widths"].get_object()],
        )

    def text(self, data: bytes) -> str:
        return "".join(self.spelling.get(code, "\ufffd") for code in data)

    def width(self, data: bytes) -> float:
        return sum(self.widths[code] if code < len(self.widths) else 0.0 for code in data)


class _Walker:
    """Follows the few operators that our pages use; anything else is noted as a foreign mark."""

    def __init__(self) -> None:
        self.runs: list[FoundRun] = []
        self.boxes: list[tuple[int, tuple[tuple[float, ...], ...]]] = []
        self.others: list[tuple[int, str]] = []
        self._fonts: dict[int, _Font] = {}
        self._left = OPERATORS_MAX

    def walk(self, number: int, page: Any) -> None:
        if page.get("/Annots") is not None and any(
            not self._is_signature(item.get_object()) for item in page["/Annots"]
        ):
            self.others.append((number, "annotation"))
        fonts_by_name = page["/Resources"].get_object()["/Font"].get_object()
        contents = page["/Contents"].get_object()
        parts = contents if isinstance(contents, list) else [contents]
        content = DecodedStreamObject()
        content.set_data(b"\n".join(_decoded(part.get_object(), CONTENT_MAX) for part in parts))
        state = _State(page=number)
        for operands, operator in ContentStream(content, None).operations:
            self._left -= 1
            if self._left < 0:
                raise NotOurPdf(reason="size", expected=OPERATORS_MAX)
            self._step(state, bytes(operator), operands, fonts_by_name)

    @staticmethod
    def _is_signature(annotation: Any) -> bool:
        return (
            annotation.get("/Subtype") == "/Widget"
            and annotation.get("/FT") == "/Sig"
            and all(float(side) == 0 for side in annotation.get("/Rect", []))
        )

    def _step(self, state: _State, operator: bytes, operands: Any, fonts_by_name: Any) -> None:
        if operator == b"rg":
            state.colour = tuple(round(float(part), 3) for part in operands)
        elif operator == b"re":
            state.path.append(tuple(float(part) for part in operands))
        elif operator in (b"f", b"f*"):
            self.boxes.append((state.page, tuple(state.path)))
            state.path = []
        elif operator == b"BT":
            state.text, state.width, state.placed = "", 0.0, False
        elif operator == b"Tm":
            a, b, c, d, state.x, state.y = (float(part) for part in operands)
            if (a, b, c, d) != (1, 0, 0, 1) or state.placed:
                self.others.append((state.page, "text matrix"))
            state.placed = True
        elif operator == b"Tf":
            state.font = self._font(fonts_by_name[operands[0]])
            state.size = float(operands[1])
        elif operator == b"Tj":
            shown = operands[0].original_bytes
            state.text += state.font.text(shown)
            state.width += state.font.width(shown) * state.size / 1000
        elif operator == b"ET":
            if state.text:
                self.runs.append(
                    FoundRun(
                        page=state.page,
                        x=state.x,
                        y=state.y,
                        size=state.size,
                        width=state.width,
                        colour=state.colour,
                        text=state.text,
                    )
                )
        elif operator == b"cm":
            if [float(part) for part in operands] != [1, 0, 0, 1, 0, 0]:
                self.others.append((state.page, "transformation"))
        elif operator not in (b"n", b"TL", b"T*"):
            self.others.append((state.page, operator.decode("latin-1")))

    def _font(self, reference: Any) -> _Font:
        font = reference.get_object()
        key = id(font)
        if key not in self._fonts:
            self._fonts[key] = _Font.read(font)
        return self._fonts[key]


@dataclass(kw_only=True)
class _State:
    page: int
    x: float = 0.0
    y: float = 0.0
    size: float = 0.0
    colour: tuple[float, ...] = (0.0, 0.0, 0.0)
    text: str = ""
    width: float = 0.0
    placed: bool = False
    font: _Font = field(default_factory=lambda: _Font({}, []))
    path: list[tuple[float, ...]] = field(default_factory=list)


# -- comparing --------------------------------------------------------------------------------


def expected_runs(data: TranscriptData) -> list[pages.TextRun]:
    """Return every run of text that the pages of a transcript show."""
    return list(pages.layout(data).runs)


def compare_pages(reader: pypdf.PdfReader, data: TranscriptData) -> list[Difference]:
    """Name every field in which a file's pages differ from what a transcript's pages show.

    The verification code is printed but not part of the signed data: unless
    `data` has it, the code on the first page is taken, and must be one. Raises
    NotOurPdf for pages that cannot be read, OtherLayout for pages of another
    version, GlyphMissing for data that no page of ours can show.
    """
    with _damage():
        information = reader.metadata
        creator = str(information.get("/Creator", "")) if information else ""
    if creator.startswith(_LAYOUT) and creator != f"{_LAYOUT}{pages.VERSION}":
        raise OtherLayout(creator=creator)
    found = read_pages(reader)
    differences_found: list[Difference] = []
    if not data.code:
        code = _printed_code(found)
        try:
            data = replace(data, code=codes.check_code(code))
        except codes.Typo:
            differences_found.append(Difference(field="code", in_file=code, expected=""))
    laid = pages.layout(data)
    differences_found += _compare_runs(_joined(laid.runs), _joined(found.runs))
    differences_found += _compare_boxes(laid.boxes, found.boxes)
    differences_found += [
        Difference(field="page", in_file=f"{mark} (page {page + 1})", expected="")
        for page, mark in dict.fromkeys(found.others)
    ]
    if found.count != laid.count:
        differences_found.append(
            Difference(field="page", in_file=str(found.count), expected=str(laid.count))
        )
    unique: dict[tuple[str, int | None], Difference] = {}
    for item in differences_found:
        unique.setdefault((item.field, item.line), item)
    return list(unique.values())


_CODE: Final = re.compile(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}")
_Run = TypeVar("_Run", FoundRun, pages.TextRun)
_TOUCHING: Final = 0.1
_NEAR: Final = 48.0
"""Points: how far apart two runs of one row may stand and still be the same field altered."""


def _printed_code(found: FoundPages) -> str:
    for run in found.runs:
        if run.text.startswith("验证码 Code "):
            match = _CODE.search(run.text)
            return match[0] if match else run.text
    return ""


def _joined(runs: Sequence[_Run]) -> list[_Run]:
    """Join runs that follow each other without a gap: a name set in several faces is one text."""
    joined: list[_Run] = []
    for run in runs:
        last = joined[-1] if joined else None
        if (
            last is not None
            and (last.page, last.y, last.size) == (run.page, run.y, run.size)
            and abs(last.x + last.width - run.x) < _TOUCHING
        ):
            joined[-1] = replace(last, text=last.text + run.text, width=last.width + run.width)
        else:
            joined.append(run)
    return joined


def _place(run: FoundRun | pages.TextRun) -> tuple[int, float, float]:
    return run.page, round(run.x, 1), round(run.y, 1)


def _compare_runs(
    expected: Sequence[pages.TextRun], found: Sequence[FoundRun]
) -> Iterator[Difference]:
    left: dict[tuple[int, float, float], list[FoundRun]] = {}
    for run in found:
        left.setdefault(_place(run), []).append(run)
    missing: list[pages.TextRun] = []
    for wanted in expected:
        candidates = left.get(_place(wanted), [])
        match = next((run for run in candidates if _same(run, wanted)), None)
        if match is None and candidates:
            match = candidates[0]
            yield Difference(
                field=wanted.field, line=wanted.line, in_file=match.text, expected=wanted.text
            )
        if match is None:
            missing.append(wanted)
        else:
            candidates.remove(match)
    rest = [run for runs in left.values() for run in runs]
    for wanted in missing:
        near = next(
            (
                run
                for run in rest
                if run.page == wanted.page
                and abs(run.y - wanted.y) < 0.2
                and abs(run.x - wanted.x) < _NEAR
            ),
            None,
        )
        if near is not None:
            rest.remove(near)
        yield Difference(
            field=wanted.field,
            line=wanted.line,
            in_file=near.text if near else "",
            expected=wanted.text,
        )
    for run in rest:
        yield Difference(field="page", in_file=run.text, expected="")


def _same(found: FoundRun, wanted: pages.TextRun) -> bool:
    colour = tuple(round(part, 3) for part in pages.COLOURS[wanted.ink])
    return (
        found.text == wanted.text
        and abs(found.size - wanted.size) < 0.01
        and found.colour == colour
    )


def _compare_boxes(
    expected: Sequence[pages.Boxes], found: Sequence[tuple[int, tuple[tuple[float, ...], ...]]]
) -> Iterator[Difference]:
    rest = [(page, _rounded(boxes)) for page, boxes in found]
    for wanted in expected:
        mark = (wanted.page, _rounded(wanted.boxes))
        if mark in rest:
            rest.remove(mark)
        else:
            yield Difference(
                field=wanted.field,
                in_file="",
                expected="" if wanted.field == "page" else f"page {wanted.page + 1}",
            )
    for page, _ in rest:
        yield Difference(field="page", in_file=f"drawing (page {page + 1})", expected="")


def _rounded(boxes: Sequence[tuple[float, ...]]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(round(side, 2) for side in box) for box in boxes)
