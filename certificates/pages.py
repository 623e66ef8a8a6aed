"""The transcript as pages: where every text and every rule stands (pure, before any PDF).

One function decides it, `layout`. `certificates.pdf` draws what it gives and,
when a file comes back, compares what the file shows with what it gives; so
each run of text knows the field it shows.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Final

import segno

from certificates import codes, fonts
from certificates.formats.transcript import TranscriptData, TranscriptLine, label
from certificates.formats.vocabulary import category_label, kind_label, state_label

WIDTH: Final = 595.28
HEIGHT: Final = 841.89
LEFT: Final = 45.0
RIGHT: Final = WIDTH - 45.0
BOTTOM: Final = 62.0
QR_SIZE: Final = 62.0
QR_QUIET: Final = 4

INK: Final = "ink"
GREY: Final = "grey"
ACCENT: Final = "accent"
GOLD: Final = "gold"
LINE: Final = "line"
COLOURS: Final[dict[str, tuple[float, float, float]]] = {
    # Each keeps its place in a grey-scale print: ink 12 %, accent 32 %, grey 42 %.
    INK: (0.10, 0.13, 0.15),
    GREY: (0.36, 0.41, 0.45),
    ACCENT: (0.04, 0.33, 0.38),
    GOLD: (0.72, 0.57, 0.22),
    LINE: (0.78, 0.82, 0.84),
}

VERSION: Final = 2
"""The version of this layout, written into the PDF. Pages printed with another version
are not compared with this one: raise it whenever `layout` gives other runs or boxes."""

CODE_HIDDEN: Final = "000000000000"
"""Stands for the verification code where it is not known; the code is not in the signed data."""


@dataclass(frozen=True, kw_only=True)
class TextRun:
    """A piece of text in one face at one place; x and y in points from the lower left corner."""

    page: int
    x: float
    y: float
    size: float
    width: float
    face: str
    ink: str
    text: str
    field: str
    line: int | None = None

    @property
    def label_zh(self) -> str:
        """The Chinese name of the field the text belongs to."""
        return label(self.field).zh

    @property
    def label_en(self) -> str:
        """The English name of the field the text belongs to."""
        return label(self.field).en


@dataclass(frozen=True, kw_only=True)
class Boxes:
    """Filled rectangles of one colour: a rule, or the dark modules of the QR code."""

    page: int
    ink: str
    field: str
    boxes: tuple[tuple[float, float, float, float], ...]


@dataclass(frozen=True, kw_only=True)
class Pages:
    """Everything that stands on the pages, in drawing order."""

    count: int
    runs: tuple[TextRun, ...]
    boxes: tuple[Boxes, ...]


# -- setting text -----------------------------------------------------------------------------

_UNIT: Final = re.compile(r"[A-Za-z0-9.,:;%/'()&+_#@-]+|\s+|.", re.DOTALL)
_NOT_FIRST: Final = frozenset("，。、；：！？）》】」』”’%…·")


def wrap(text: str, width: float, size: float, *, bold: bool = False) -> list[str]:
    """Break a text into lines of at most `width` points, Latin words and figures kept whole.

    A word wider than the line is broken where it must be. A closing mark never
    begins a line. Raises GlyphMissing.
    """
    lines: list[str] = []
    current, taken = "", 0.0
    for unit in _UNIT.findall(text):
        room = fonts.width(unit, size, bold=bold)
        if taken + room <= width or (unit.isspace() and current):
            if current or not unit.isspace():
                current, taken = current + unit, taken + room
            continue
        carried = unit
        if current.strip():
            if unit[0] in _NOT_FIRST and len(current) > 1:
                current, carried = current[:-1], current[-1] + unit
            lines.append(current.rstrip())
        while (room := fonts.width(carried, size, bold=bold)) > width and len(carried) > 1:
            cut = max(1, _fitting(carried, width, size, bold=bold))
            lines.append(carried[:cut])
            carried = carried[cut:]
        current, taken = carried, room
    if current.strip():
        lines.append(current.rstrip())
    return lines


def _fitting(text: str, width: float, size: float, *, bold: bool) -> int:
    taken = 0
    while taken < len(text) and fonts.width(text[: taken + 1], size, bold=bold) <= width:
        taken += 1
    return taken


@dataclass(frozen=True, kw_only=True)
class _Text:
    """A line of a cell before it has a place."""

    text: str
    size: float
    field: str
    ink: str = INK
    bold: bool = False


@dataclass(frozen=True, kw_only=True)
class _Column:
    field: str
    zh: str
    en: str
    x: float
    width: float
    right: bool = False


def _columns() -> tuple[_Column, ...]:
    spans = (
        ("lines", "序", "No.", 22.0, False),
        ("title", "学习成果", "Learning outcome", 180.0, False),
        ("body_name", "授予单位", "Awarding body", 108.0, False),
        ("level", "等级 / 类别", "Level / category", 64.0, False),
        ("completed_on", "完成日期", "Completed", 62.0, False),
        ("grade", "成绩", "Result", 38.0, False),
        ("credits", "学分", "Credits", 31.28, True),
    )
    columns = []
    x = LEFT
    for field, zh, en, width, right in spans:
        columns.append(_Column(field=field, zh=zh, en=en, x=x, width=width, right=right))
        x += width
    return tuple(columns)


COLUMNS: Final = _columns()
_GAP: Final = 6.0
_TOTALS_HEIGHT: Final = 26.0
_LEADING: Final = 1.34


class _Setter:
    """Collects runs and boxes page by page, from the top down."""

    def __init__(self, data: TranscriptData) -> None:
        self.data = data
        self.page = 0
        self.y = 0.0
        self.runs: list[TextRun] = []
        self.boxes: list[Boxes] = []

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float,
        field: str,
        ink: str = INK,
        bold: bool = False,
        align: str = "left",
        line: int | None = None,
    ) -> None:
        pieces = fonts.segments(text, size, bold=bold)
        if align != "left":
            whole = sum(piece.width for piece in pieces)
            x -= whole if align == "right" else whole / 2
        for piece in pieces:
            self.runs.append(
                TextRun(
                    page=self.page,
                    x=round(x, 2),
                    y=round(y, 2),
                    size=size,
                    width=piece.width,
                    face=piece.face,
                    ink=ink,
                    text=piece.text,
                    field=field,
                    line=line,
                )
            )
            x += piece.width

    def rule(self, y: float, *, thickness: float = 0.4, ink: str = LINE) -> None:
        box = (LEFT, round(y, 2), round(RIGHT - LEFT, 2), thickness)
        self.boxes.append(Boxes(page=self.page, ink=ink, field="page", boxes=(box,)))


# -- the pages --------------------------------------------------------------------------------


def layout(data: TranscriptData) -> Pages:
    """Set a transcript's pages. Raises GlyphMissing for a character that no face has."""
    _refuse_missing(data)
    setter = _Setter(data)
    _first_page(setter)
    _table_head(setter)
    ending = _TOTALS_HEIGHT + _closing_height(_closing_lines())
    for number, line in enumerate(data.lines, start=1):
        cells = _cells(number, line)
        height = _height(cells)
        # The last row takes totals and closing with it: no page holds those alone.
        needed = height + ending if number == len(data.lines) else height
        if setter.y - needed < BOTTOM:
            _next_page(setter)
            _table_head(setter)
        _row(setter, number, cells, height)
    _totals(setter)
    _closing(setter)
    count = setter.page + 1
    _footers(setter, count)
    return Pages(count=count, runs=tuple(setter.runs), boxes=tuple(setter.boxes))


def _refuse_missing(data: TranscriptData) -> None:
    """Name all missing characters of the document at once, not the first only."""
    texts = [data.holder_name, data.issuer_name, data.issuer_name_en, data.holder_identity_masked]
    for line in data.lines:
        outcome = line.outcome
        texts += [outcome.title, outcome.title_en, outcome.body_name, outcome.level]
        texts += [outcome.framework, outcome.category, outcome.kind, line.institution_name]
        texts += [line.result.grade, line.result.score, line.result.hours]
    lacking = fonts.missing("".join(texts))
    if lacking:
        raise fonts.GlyphMissing(lacking)


def _masthead(setter: _Setter) -> None:
    data = setter.data
    for y, text, size, field, ink, bold in (
        (HEIGHT - 56, data.issuer_name, 12.0, "issuer_name", ACCENT, True),
        (HEIGHT - 69, data.issuer_name_en, 7.5, "issuer_name_en", GREY, False),
    ):
        room = RIGHT - QR_SIZE - 20 - LEFT
        needed = fonts.width(text, size, bold=bold)
        # A long name is set smaller rather than broken: the masthead is one line.
        fitted = size if needed <= room else math.floor(size * room / needed * 20) / 20
        setter.text(LEFT, y, text, size=fitted, field=field, ink=ink, bold=bold)
    x, y = RIGHT - QR_SIZE, HEIGHT - 38 - QR_SIZE
    setter.boxes.append(
        Boxes(page=setter.page, ink=INK, field="qr", boxes=qr_boxes(data.verify_url, x, y))
    )
    setter.text(
        x + QR_SIZE / 2,
        y - 8,
        "扫码核验 Scan to verify",
        size=5.5,
        field="page",
        ink=GREY,
        align="centre",
    )


@lru_cache(maxsize=64)
def qr_boxes(url: str, x: float, y: float) -> tuple[tuple[float, float, float, float], ...]:
    """Return the dark modules of a QR code as rectangles, runs in a row joined.

    Error correction M; the module is chosen so that the symbol fills QR_SIZE.
    """
    matrix = segno.make(url, error="m", micro=False, boost_error=False).matrix
    module = QR_SIZE / len(matrix)
    boxes = []
    for row, cells in enumerate(matrix):
        start = None
        for column, cell in enumerate([*cells, 0]):
            if cell and start is None:
                start = column
            elif not cell and start is not None:
                boxes.append(
                    (
                        round(x + start * module, 3),
                        round(y + QR_SIZE - (row + 1) * module, 3),
                        round((column - start) * module, 3),
                        round(module, 3),
                    )
                )
                start = None
    return tuple(boxes)


def _first_page(setter: _Setter) -> None:
    data = setter.data
    _masthead(setter)
    setter.text(
        WIDTH / 2,
        HEIGHT - 132,
        "终身学习学分证明",
        size=23,
        field="page",
        bold=True,
        align="centre",
    )
    setter.text(
        WIDTH / 2,
        HEIGHT - 150,
        "Lifelong Learning Credit Transcript",
        size=10.5,
        field="page",
        ink=GREY,
        align="centre",
    )
    setter.rule(HEIGHT - 164, thickness=0.9, ink=GOLD)
    setter.y = HEIGHT - 184
    number, code = data.number, codes.grouped(data.code or CODE_HIDDEN)
    rows = (
        (
            ("holder_name", "姓名 Name", data.holder_name),
            ("holder_identity_masked", "证件号码 Identity document", data.holder_identity_masked),
        ),
        (
            ("account", "学分账号 Credit account", data.account),
            ("issued_on", "出具日期 Date of issue", _long_date(data.issued_on)),
        ),
        (
            ("number", "证明编号 Number", number),
            ("code", "验证码 Verification code", code),
        ),
    )
    half = (RIGHT - LEFT) / 2
    for row in rows:
        bottom = setter.y
        for column, (field, name, value) in enumerate(row):
            x = LEFT + column * half
            setter.text(x, setter.y, name, size=7, field="page", ink=GREY)
            name_cell = field == "holder_name"
            bold = name_cell and fonts.takes_bold(value)
            size = 13.0 if name_cell else 11.0
            y = setter.y - 14.5
            for text in wrap(value, half - 16, size, bold=bold):
                setter.text(x, y, text, size=size, field=field, bold=bold)
                y -= size * _LEADING
            for other in data.other_accounts if field == "account" else ():
                setter.text(x, y + 2, f"及 and {other}", size=8, field="other_accounts", ink=GREY)
                y -= 11
            bottom = min(bottom, y)
        setter.y = bottom - 6
    setter.y -= 2


def _next_page(setter: _Setter) -> None:
    setter.page += 1
    _masthead(setter)
    data = setter.data
    setter.text(LEFT, HEIGHT - 92, "终身学习学分证明（续页）", size=11, field="page", bold=True)
    setter.text(
        LEFT, HEIGHT - 105, "Credit Transcript, continued", size=7.5, field="page", ink=GREY
    )
    names = wrap(f"{data.holder_name}　{data.account}", 250, 8.5)
    y = HEIGHT - 92
    for name in names:
        setter.text(RIGHT - QR_SIZE - 20, y, name, size=8.5, field="holder_name", align="right")
        y -= 11.5
    setter.rule(HEIGHT - 118, thickness=0.9, ink=GOLD)
    setter.y = HEIGHT - 130


def _table_head(setter: _Setter) -> None:
    top = setter.y
    setter.rule(top, thickness=0.9, ink=ACCENT)
    for column in COLUMNS:
        for offset, text, size, ink, bold in (
            (11.5, column.zh, 7.5, ACCENT, True),
            (20.0, column.en, 6.0, GREY, False),
        ):
            x = column.x + column.width if column.right else column.x
            setter.text(
                x,
                top - offset,
                text,
                size=size,
                field="page",
                ink=ink,
                bold=bold,
                align="right" if column.right else "left",
            )
    setter.rule(top - 25.5, thickness=0.4, ink=ACCENT)
    setter.y = top - 25.5


def _cells(number: int, line: TranscriptLine) -> list[list[_Text]]:
    outcome, result = line.outcome, line.result
    kind, category = kind_label(outcome.kind), category_label(outcome.category)
    state = state_label(line.state)
    wanted: list[list[_Text]] = [
        [_Text(text=str(number), size=8, field="lines", ink=GREY)],
        [
            _Text(text=outcome.title, size=9, field="title", bold=True),
            _Text(text=outcome.title_en, size=7, field="title_en", ink=GREY),
            _Text(text=f"{kind.zh} {kind.en}", size=6.5, field="kind", ink=GREY),
            _Text(
                text=f"登记簿第 {line.index} 号 Register no. {line.index}",
                size=6.5,
                field="index",
                ink=GREY,
            ),
        ],
        [
            _Text(text=outcome.body_name, size=8, field="body_name"),
            _Text(
                text=""
                if line.institution_name == outcome.body_name
                else f"登记 Recorded by {line.institution_name}",
                size=6.5,
                field="institution_name",
                ink=GREY,
            ),
            _Text(
                text=f"登记 Recorded {line.recorded_on.isoformat()}",
                size=6.5,
                field="recorded_on",
                ink=GREY,
            ),
        ],
        [
            _Text(
                text=f"第 {outcome.level} 级 Level {outcome.level}" if outcome.level else "",
                size=8,
                field="level",
            ),
            _Text(text=category.zh, size=7, field="category", ink=GREY),
            _Text(
                text=category.en if category.en != category.zh else "",
                size=6,
                field="category",
                ink=GREY,
            ),
            _Text(text=outcome.framework, size=6, field="framework", ink=GREY),
        ],
        [
            _Text(text=outcome.completed_on.isoformat(), size=8, field="completed_on"),
            *_valid_until(outcome.valid_until),
        ],
        [
            _Text(text=result.grade, size=8, field="grade"),
            _Text(text=result.score, size=8, field="score"),
            _Text(
                text=f"{result.hours} 学时 h" if result.hours else "",
                size=6.5,
                field="hours",
                ink=GREY,
            ),
        ],
        [
            _Text(text=f"{outcome.credits:.2f}", size=9, field="credits", bold=True),
            _Text(
                text="" if line.state == "entered" else f"{state.zh} {state.en}",
                size=6.5,
                field="state",
                ink=GREY,
            ),
        ],
    ]
    return [
        [
            replace(item, text=text, bold=item.bold and fonts.takes_bold(item.text))
            for item in cell
            for text in wrap(
                item.text,
                column.width - (0 if column.right else _GAP),
                item.size,
                bold=item.bold and fonts.takes_bold(item.text),
            )
        ]
        for cell, column in zip(wanted, COLUMNS, strict=True)
    ]


def _valid_until(day: date | None) -> list[_Text]:
    if day is None:
        return []
    return [
        _Text(text="有效期至 Valid until", size=6, field="page", ink=GREY),
        _Text(text=day.isoformat(), size=7, field="valid_until", ink=GREY),
    ]


def _height(cells: Sequence[Sequence[_Text]]) -> float:
    return max(sum(text.size * _LEADING for text in cell) for cell in cells) + 9


def _row(setter: _Setter, number: int, cells: Sequence[Sequence[_Text]], height: float) -> None:
    for column, cell in zip(COLUMNS, cells, strict=True):
        y = setter.y - 4
        for text in cell:
            y -= text.size * _LEADING
            setter.text(
                column.x + column.width if column.right else column.x,
                y + text.size * 0.22,
                text.text,
                size=text.size,
                field=text.field,
                ink=text.ink,
                bold=text.bold,
                align="right" if column.right else "left",
                line=number,
            )
    setter.y -= height
    setter.rule(setter.y)


def _totals(setter: _Setter) -> None:
    totals = setter.data.totals
    setter.rule(setter.y, thickness=0.9, ink=ACCENT)
    y = setter.y - 17
    setter.text(LEFT, y, "合计 Total", size=9, field="page", bold=True, ink=ACCENT)
    setter.text(LEFT + 62, y, f"{totals.count} 项 lines", size=8, field="totals", ink=GREY)
    middle = (
        f"可用 Available {totals.available:.2f}　已使用 Used {totals.used:.2f}　"
        f"已失效（不计） Lapsed {totals.lapsed:.2f}"
    )
    setter.text(LEFT + 122, y, middle, size=7.5, field="totals", ink=GREY)
    setter.text(
        RIGHT, y - 1, f"{totals.credits:.2f}", size=13, field="totals", bold=True, align="right"
    )
    setter.y -= _TOTALS_HEIGHT
    setter.rule(setter.y, thickness=0.4, ink=ACCENT)


_CLOSING: Final = (
    (
        "每一项成果均由登记机构签名并写入公开登记簿，任何人可按登记簿序号核对。",
        (
            "Each line was signed by its institution and entered in the public register, where "
            "anyone can check it by its register number."
        ),
    ),
    (
        "本文件带有数字签名并附数据文件 transcript.json；改动任何一处，签名即失效。截图与复印件以核验结果为准。",
        (
            "This file is digitally signed and carries its data as transcript.json; any alteration "
            "breaks the signature. Of a picture or copy, trust only the result of verification."
        ),
    ),
)


def _closing_lines() -> list[tuple[str, float, str]]:
    lines: list[tuple[str, float, str]] = []
    for zh, en in _CLOSING:
        lines += [(text, 7.5, INK) for text in wrap(zh, 318, 7.5)]
        lines += [(text, 6.5, GREY) for text in wrap(en, 318, 6.5)]
        lines.append(("", 4.0, GREY))
    return lines


def _closing_height(lines: Sequence[tuple[str, float, str]]) -> float:
    return max(sum(size * 1.45 for _, size, _ in lines) + 34, 132)


def _closing(setter: _Setter) -> None:
    data = setter.data
    lines = _closing_lines()
    height = _closing_height(lines)
    top = setter.y - 14
    y = top
    for text, size, ink in lines:
        y -= size * 1.45
        setter.text(LEFT, y, text, size=size, field="page", ink=ink)
    y -= 9
    for text in wrap(f"核验 Verify: {data.verify_url}", 318, 7.5):
        setter.text(LEFT, y, text, size=7.5, field="verify_token", ink=ACCENT)
        y -= 10.5
    y = top - 10
    setter.text(RIGHT, y, "出具机构 Issued by", size=7, field="page", ink=GREY, align="right")
    y -= 15
    for text in wrap(data.issuer_name, 165, 10.5, bold=True):
        setter.text(RIGHT, y, text, size=10.5, field="issuer_name", bold=True, align="right")
        y -= 14
    for text in wrap(data.issuer_name_en, 165, 7):
        setter.text(RIGHT, y, text, size=7, field="issuer_name_en", ink=GREY, align="right")
        y -= 10
    setter.text(RIGHT, y - 4, _long_date(data.issued_on), size=8, field="issued_on", align="right")
    setter.y -= height


def _footers(setter: _Setter, count: int) -> None:
    data = setter.data
    for page in range(count):
        setter.page = page
        setter.rule(46)
        setter.text(LEFT, 34, f"编号 No. {data.number}", size=7.5, field="number")
        setter.text(
            LEFT + 142,
            34,
            f"验证码 Code {codes.grouped(data.code or CODE_HIDDEN)}",
            size=7.5,
            field="code",
        )
        setter.text(
            RIGHT,
            34,
            f"第 {page + 1} 页 / 共 {count} 页　Page {page + 1} of {count}",
            size=7.5,
            field="page",
            ink=GREY,
            align="right",
        )


_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def _long_date(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日　{day.day} {_MONTHS[day.month - 1]} {day.year}"
