"""Workbooks that the bank hands out: the rows to correct, and a template to fill in.

Every cell is text. A text that begins with `=` stays a text: it is stored as a
string, shown as one, and marked so that saving the file does not wake it.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from django.utils.translation import gettext
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from creditbank.errors import Problem
from creditbank.recording import columns
from creditbank.recording.labels import listed
from creditbank.recording.payloads import Report

REASON_HEADER: Final = "错误原因"
"""The column that is added. It is no column of ours to read, so that the file can come back as it is."""

_TEXT: Final = "@"
_WRONG: Final = PatternFill(fill_type="solid", start_color="FCF1D9", end_color="FCF1D9")
_BOLD: Final = Font(bold=True)
_WIDTHS: Final = {"number": 22, "name": 14, "item": 18, "project": 28, "contest": 28}
MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def refused_rows(report: Report, labels: Mapping[str, str]) -> bytes:
    """Write the rows that cannot be entered: as they were, with the reasons beside them.

    `labels` names the fields in the reader's language.
    """
    kept = [at for at, header in enumerate(report.headers) if header != REASON_HEADER]
    positions = columns.read_headers([report.headers[at] for at in kept]).positions
    by_row: dict[int, list[Problem]] = {}
    for found in report.problems:
        if found.row is not None:
            by_row.setdefault(found.row, []).append(found)
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Sheet1")
    sheet.freeze_panes = "A2"
    for at in range(len(kept)):
        sheet.column_dimensions[get_column_letter(at + 1)].width = 18
    sheet.column_dimensions[get_column_letter(len(kept) + 1)].width = 80
    sheet.append(
        [_cell(sheet, report.headers[at], font=_BOLD) for at in kept]
        + [_cell(sheet, REASON_HEADER, font=_BOLD)]
    )
    for number, original in sorted(report.originals.items()):
        problems = by_row.get(number, [])
        wrong = {positions[one.field] for one in problems if one.field in positions}
        cells = [
            _cell(sheet, original[at] if at < len(original) else "", wrong=place in wrong)
            for place, at in enumerate(kept)
        ]
        reasons = listed((_reason(one, labels) for one in problems), chinese="；", english="; ")
        sheet.append([*cells, _cell(sheet, reasons)])
    return _saved(book)


def _reason(found: Problem, labels: Mapping[str, str]) -> str:
    where = labels.get(found.field or "", found.field or "")
    expected = (
        gettext("（应为 %(expected)s）") % {"expected": found.expected} if found.expected else ""
    )
    return listed((where, found.message + expected), chinese="：", english=": ")


def template(fields: Sequence[str], items: Iterable[tuple[str, str]]) -> bytes:
    """Write an empty table with the columns of some fields, and a sheet of the items' codes."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(gettext("填写"))
    sheet.freeze_panes = "A2"
    for at, name in enumerate(fields, 1):
        column = sheet.column_dimensions[get_column_letter(at)]
        column.width = _WIDTHS.get(name, 16)
        # The whole column is text: otherwise a number of 18 digits loses its last three.
        column.number_format = _TEXT
    if "document_type" in fields:
        letter = get_column_letter(list(fields).index("document_type") + 1)
        words = "居民身份证,港澳居民来往内地通行证,台湾居民来往大陆通行证,护照,外国人永久居留身份证"
        choice = DataValidation(type="list", formula1=f'"{words}"', allow_blank=True)
        choice.add(f"{letter}2:{letter}5001")
        sheet.data_validations.append(choice)
    sheet.append([_cell(sheet, columns.title(name), font=_BOLD) for name in fields])
    codes = book.create_sheet(gettext("名录"))
    codes.column_dimensions["A"].width = 24
    codes.column_dimensions["B"].width = 60
    codes.append(
        [_cell(codes, gettext("编码"), font=_BOLD), _cell(codes, gettext("名称"), font=_BOLD)]
    )
    for code, title in items:
        codes.append([_cell(codes, code), _cell(codes, title)])
    return _saved(book)


def _cell(sheet: Any, text: str, *, font: Font | None = None, wrong: bool = False) -> Cell:
    cell = WriteOnlyCell(sheet, value=ILLEGAL_CHARACTERS_RE.sub("", text))
    if text:
        cell.data_type = "s"
    cell.number_format = _TEXT
    cell.quotePrefix = True
    if font is not None:
        cell.font = font
    if wrong:
        cell.fill = _WRONG
    return cell


def _saved(book: Workbook) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()
