"""Reading a text table: encoding, separator, records (pure; runs in the reading process)."""

from __future__ import annotations

import codecs
import csv
import io
import re
from dataclasses import dataclass
from typing import Final

from creditbank.recording import columns, limits
from creditbank.recording.refusals import Refused

_SEPARATORS: Final = (",", "\t", ";", "，")
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, kw_only=True)
class TextTable:
    """The records of a text table, the header first, and the encoding it was read in."""

    rows: list[list[str]]
    encoding: str


def decode(data: bytes) -> tuple[str, str]:
    """Return the text and its encoding: by its mark, else strict UTF-8, else GB18030.

    Excel saves CSV in the machine's code page, which is GBK in most offices; GBK
    and GB2312 are parts of GB18030 (GB 18030-2022). Raises Refused.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _strictly(data[len(mark) :], encoding), encoding
    if b"\0" in data:
        raise Refused("file-nul")
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return _strictly(data, "gb18030"), "gb18030"


def _strictly(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise Refused("file-encoding", found=encoding, position=error.start) from error


def read(data: bytes, *, rows_max: int) -> TextTable:
    """Read a text table. Raises Refused."""
    text, encoding = decode(data)
    control = _CONTROL.search(text)
    if control is not None:
        if control[0] == "\0":
            raise Refused("file-nul")
        raise Refused("file-wrong-type", found=f"U+{ord(control[0]):04X}")
    separator = _separator(text)
    csv.field_size_limit(limits.CELL_CHARACTERS_MAX * 4)
    rows: list[list[str]] = []
    try:
        for record in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True):
            _check(record, len(rows) + 1, rows_max)
            rows.append(record)
    except csv.Error as error:
        if "limit" in str(error):
            raise Refused(
                "file-cell-too-long", row=len(rows) + 1, expected=limits.CELL_CHARACTERS_MAX
            ) from error
        raise Refused("file-damaged", detail="csv", row=len(rows) + 1) from error
    while rows and not any(cell.strip() for cell in rows[-1]):
        rows.pop()
    if not rows:
        raise Refused("file-no-rows")
    return TextTable(rows=rows, encoding=encoding)


def _check(record: list[str], row: int, rows_max: int) -> None:
    if row > rows_max + 1 and any(cell.strip() for cell in record):
        raise Refused("file-too-many-rows", found=row - 1, expected=rows_max)
    if len(record) > limits.COLUMNS_MAX and any(
        cell.strip() for cell in record[limits.COLUMNS_MAX :]
    ):
        raise Refused("file-too-many-columns", found=len(record), expected=limits.COLUMNS_MAX)
    for column, cell in enumerate(record, 1):
        if len(cell) > limits.CELL_CHARACTERS_MAX:
            raise Refused(
                "file-cell-too-long",
                row=row,
                column=column,
                found=len(cell),
                expected=limits.CELL_CHARACTERS_MAX,
            )


def _separator(text: str) -> str:
    """Choose the separator under which the first line has the most known headers."""
    end = min((at for at in (text.find("\n"), text.find("\r")) if at >= 0), default=len(text))
    line = text[: min(end, 10_000)]

    def known(separator: str) -> int:
        try:
            record = next(csv.reader([line], delimiter=separator), [])
        except csv.Error:
            return 0
        return columns.read_headers(record).known

    return max(_SEPARATORS, key=known)
