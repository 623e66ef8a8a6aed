"""Reading an .xlsx workbook that nobody vouches for (pure; runs in the reading process).

The archive is looked at before anything is unpacked, each part that is needed
is unpacked under a cap and walked with a streaming parser, and a fresh archive
of just these parts is what the spreadsheet library gets to see. So macros,
links, second members of one name and cells at the far end of the sheet never
reach it.
"""

from __future__ import annotations

import io
import posixpath
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from xml.parsers import expat

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from creditbank.recording import columns, limits
from creditbank.recording.refusals import Refused

Cell = str | dict[str, Any]
"""A text, or {"n": number as text}, {"d": ISO date}, {"b": bool}, {"e": True} for an error."""

_REFERENCE: Final = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_END: Final = b"PK\x05\x06"
_PARTS: Final = re.compile(
    r"(\[content_types\]\.xml|_rels/\.rels|xl/workbook\.xml|xl/_rels/workbook\.xml\.rels"
    r"|xl/sharedstrings\.xml|xl/styles\.xml|xl/worksheets/[^/]+\.xml)"
)
HEADERS_KNOWN_MIN: Final = 2
"""A sheet with fewer recognised headers is an instruction or a list, not the table."""


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """The rows of the sheet that holds the table, the first row of the sheet first."""

    name: str
    rows: list[list[Cell]]
    counts_from_1904: bool


# What `zipfile` raises on bytes that are no archive it can read: broken structure, another
# version or method (NotImplementedError), a password (RuntimeError), sizes that lie.
UNREADABLE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
)


def read(data: bytes, *, rows_max: int) -> Sheet:
    """Read the table of a workbook. Raises Refused."""
    parts = _unpack(data)
    rels = _relationships(parts)
    sheets, from_1904 = _sheets(parts, rels)
    clean = _pack(parts)
    too_large: Refused | None = None
    found: list[Sheet] = []
    first: Sheet | None = None
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(clean)) as book:
            visible = [
                sheet.name
                for sheet in book.sheets_metadata
                if sheet.visible == SheetVisibleEnum.Visible
                and sheet.typ == SheetTypeEnum.WorkSheet
            ]
            for name in visible:
                part = parts.get(sheets.get(name, "").casefold())
                if part is None:
                    continue
                try:
                    size = _measure(part[1], rows_max=rows_max)
                except Refused as error:
                    too_large = too_large or error
                    continue
                if size.cells == 0:
                    continue
                rows = _rows(book.get_sheet_by_name(name).to_python(skip_empty_area=False))
                for row, column in size.broken:
                    if row <= len(rows) and column <= len(rows[row - 1]):
                        rows[row - 1][column - 1] = {"e": True}
                sheet = Sheet(name=name, rows=rows, counts_from_1904=from_1904)
                first = first or sheet
                headers = [cell if isinstance(cell, str) else "" for cell in rows[0]]
                if columns.read_headers(headers).known >= HEADERS_KNOWN_MIN:
                    found.append(sheet)
    except CalamineError as error:
        raise Refused("file-damaged", detail=type(error).__name__) from error
    if too_large is not None and not found:
        raise too_large
    if len(found) > 1:
        raise Refused("file-several-sheets", found=len(found), expected=1)
    if found:
        return found[0]
    if first is None:
        raise Refused("file-no-rows")
    return first


# -- the archive ------------------------------------------------------------------------------
Parts = dict[str, tuple[str, bytes]]
"""The parts needed, by their name in lower case: the name as written, and the bytes."""


def _unpack(data: bytes) -> Parts:
    # Bytes after the end of the directory, or before its beginning, make one
    # file two: what one program takes for a table, another may take for a page.
    if data[-22:-18] != _END or data[-2:] != b"\0\0":
        raise Refused("file-polyglot")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            _check_members(members, len(data))
            return {
                member.filename.casefold(): (member.filename, _content(archive, member))
                for member in members
                if _PARTS.fullmatch(member.filename.casefold())
            }
    except UNREADABLE as error:
        raise Refused("file-damaged", detail=type(error).__name__) from error


def _check_members(members: list[zipfile.ZipInfo], packed: int) -> None:
    if len(members) > limits.MEMBERS_MAX:
        raise Refused("file-bomb", found=len(members), expected=limits.MEMBERS_MAX)
    unpacked = sum(member.file_size for member in members)
    if unpacked > limits.UNPACKED_BYTES_MAX:
        raise Refused("file-bomb", found=unpacked, expected=limits.UNPACKED_BYTES_MAX)
    if unpacked > limits.RATIO_FROM_BYTES and unpacked > limits.RATIO_MAX * packed:
        raise Refused("file-bomb", found=unpacked // packed, expected=limits.RATIO_MAX)
    names: set[str] = set()
    for member in members:
        name = member.filename
        if (
            name.startswith("/")
            or "\\" in name
            or "\0" in name
            or ".." in name.split("/")
            or name.casefold() in names
        ):
            raise Refused("file-damaged", detail="member-name")
        names.add(name.casefold())
        if member.flag_bits & 0x1:
            raise Refused("file-encrypted")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Refused("file-damaged", detail="compression")
    if any("vbaproject" in name or name.startswith("xl/macrosheets/") for name in names):
        raise Refused("file-macros")
    if any(name.startswith("xl/externallinks/") or name == "xl/connections.xml" for name in names):
        raise Refused("file-external-links")
    if "xl/workbook.xml" not in names:
        raise Refused("file-wrong-type", found=_kind_of(names))


def _kind_of(names: set[str]) -> str:
    known = {
        "xl/workbook.bin": "XLSB",
        "word/document.xml": "DOCX",
        "ppt/presentation.xml": "PPTX",
        "mimetype": "OpenDocument",
    }
    return next((kind for name, kind in known.items() if name in names), "ZIP")


def _content(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    with archive.open(member) as file:
        content = file.read(limits.UNPACKED_BYTES_MAX + 1)
    if len(content) != member.file_size:
        raise Refused("file-bomb", found=len(content), expected=member.file_size)
    # No part of a workbook has a document type, and none is written in UTF-16:
    # both are ways to say one thing to a checker and another to a reader.
    if b"\0" in content or b"<!" in content.replace(b"<!--", b"").replace(b"<![CDATA[", b""):
        raise Refused("file-damaged", detail="xml")
    return content


def _pack(parts: Parts) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in parts.values():
            archive.writestr(name, content)
    return buffer.getvalue()


# -- the parts --------------------------------------------------------------------------------
def _elements(content: bytes) -> list[tuple[str, dict[str, str]]]:
    """Return the local name and attributes of each element of a small part. Raises Refused."""
    found: list[tuple[str, dict[str, str]]] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, attributes: found.append(
        (name.rpartition(":")[2], attributes)
    )
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise Refused("file-damaged", detail="xml") from error
    return found


def _relationships(parts: Parts) -> dict[str, str]:
    """Return the parts that the workbook points to, by relationship id."""
    found = parts.get("xl/_rels/workbook.xml.rels")
    if found is None:
        raise Refused("file-damaged", detail="relationships")
    targets: dict[str, str] = {}
    for name, attributes in _elements(found[1]):
        if name != "Relationship" or "Id" not in attributes:
            continue
        if attributes.get("TargetMode", "").casefold() == "external":
            raise Refused("file-external-links")
        target = attributes.get("Target", "")
        path = target[1:] if target.startswith("/") else posixpath.join("xl", target)
        targets[attributes["Id"]] = posixpath.normpath(path)
    return targets


def _sheets(parts: Parts, targets: dict[str, str]) -> tuple[dict[str, str], bool]:
    """Return the part of each sheet by the sheet's name, and whether dates count from 1904."""
    names: dict[str, str] = {}
    from_1904 = False
    for name, attributes in _elements(parts["xl/workbook.xml"][1]):
        if name == "sheet":
            relation = next(
                (
                    value
                    for key, value in attributes.items()
                    if key.rpartition(":")[2] == "id" and ":" in key
                ),
                "",
            )
            names[attributes.get("name", "")] = targets.get(relation, "")
        elif name == "workbookPr":
            from_1904 = attributes.get("date1904", "0").casefold() in ("1", "true")
    return names, from_1904


@dataclass
class _Size:
    """How far a sheet's filled cells reach, and which hold no value, found while walking it."""

    rows_max: int
    cells: int = 0
    row: int = 0
    column: int = 0
    filled: bool = False
    has_value: bool = False
    is_error: bool = False
    inside: bool = False
    broken: list[tuple[int, int]] = field(default_factory=list)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take an element's beginning."""
        local = name.rpartition(":")[2]
        if local == "row":
            self.row = _number(attributes.get("r")) or self.row + 1
            self.column = 0
        elif local == "c":
            reference = _REFERENCE.fullmatch(attributes.get("r", ""))
            if "r" in attributes and reference is None:
                raise Refused("file-damaged", detail="cell")
            if reference is not None:
                self.row = int(reference[2])
                self.column = _column(reference[1])
            else:
                self.column += 1
            self.filled = self.inside = False
            self.is_error = attributes.get("t") == "e"
            # A formula may say the empty text, and then that is its value.
            self.has_value = attributes.get("t") in ("str", "inlineStr")
        elif local in ("v", "is", "f"):
            self.inside = local != "f"
            if not self.filled:
                self._fill()

    def end(self, name: str) -> None:
        """Take an element's end: a filled cell may turn out to be an error, or a bare formula."""
        local = name.rpartition(":")[2]
        if local in ("v", "is"):
            self.inside = False
        elif local == "c" and self.filled:
            if self.is_error or not self.has_value:
                self.broken.append((self.row, self.column))
            self.filled = False

    def text(self, _data: str) -> None:
        """Take text: inside a value it is the value."""
        if self.inside:
            self.has_value = True

    def _fill(self) -> None:
        self.filled = True
        self.cells += 1
        # The header is the one row more.
        if self.row > self.rows_max + 1:
            raise Refused("file-too-many-rows", found=self.row - 1, expected=self.rows_max)
        if self.column > limits.COLUMNS_MAX:
            raise Refused("file-too-many-columns", found=self.column, expected=limits.COLUMNS_MAX)


def _number(text: str | None) -> int:
    if text is None:
        return 0
    if not text.isdigit() or len(text) > 7:
        raise Refused("file-damaged", detail="row")
    return int(text)


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _measure(content: bytes, *, rows_max: int) -> _Size:
    """Walk a sheet and stop at the first filled cell that lies too far out.

    The library lays a sheet out as a full rectangle: one cell at the far corner
    would ask for seventeen thousand million others.
    """
    size = _Size(rows_max=rows_max)
    parser = expat.ParserCreate()
    parser.StartElementHandler = size.start
    parser.EndElementHandler = size.end
    parser.CharacterDataHandler = size.text
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise Refused("file-damaged", detail="xml") from error
    return size


# -- the cells --------------------------------------------------------------------------------
def _rows(table: list[list[Any]]) -> list[list[Cell]]:
    return [
        [_cell(value, row, column) for column, value in enumerate(line, 1)]
        for row, line in enumerate(table, 1)
    ]


def _cell(value: object, row: int, column: int) -> Cell:
    if isinstance(value, str):
        if len(value) > limits.CELL_CHARACTERS_MAX:
            raise Refused(
                "file-cell-too-long",
                row=row,
                column=column,
                found=len(value),
                expected=limits.CELL_CHARACTERS_MAX,
            )
        return value
    if isinstance(value, bool):
        return {"b": value}
    if isinstance(value, int):
        return {"n": str(value)}
    if isinstance(value, float):
        # Excel keeps 15 digits; more would show the machine's rounding.
        return {"n": format(value, ".15g")}
    if isinstance(value, datetime):
        return {"d": value.date().isoformat()}
    if isinstance(value, date):
        return {"d": value.isoformat()}
    if isinstance(value, time | timedelta):
        return str(value)
    return ""
