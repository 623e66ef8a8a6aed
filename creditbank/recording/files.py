"""Reading a stranger's file: handed to a process of its own, its answer turned into rows."""

from __future__ import annotations

import contextlib
import json
import logging
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar, Final

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from creditbank.errors import DomainError
from creditbank.recording import columns, limits
from creditbank.recording.cells import Broken, Number, Value, text_of
from creditbank.recording.rows import RawRow

logger = logging.getLogger(__name__)

FILE_SENTENCES: Final[dict[str, Promise | str]] = {
    "file-too-large": _("文件太大：最多 10 MB。请分成几个文件。"),
    "file-wrong-type": _("这不是 .xlsx 或 .csv 表格。请在 Excel 或 WPS 中另存为 .xlsx。"),
    "file-encrypted": _("文件有密码。请去掉密码再上传。"),
    "file-macros": _("文件里有宏。请另存为不带宏的 .xlsx。"),
    "file-external-links": _("文件里有指向其他文件的链接。请断开链接，或只复制数值到新文件。"),
    "file-bomb": _("文件展开后太大。请把表格复制到新的工作簿再保存。"),
    "file-too-complex": _("文件太复杂，读取时超出了限制。请把表格复制到新的工作簿再保存。"),
    "file-damaged": _("文件已损坏，无法读取。请重新保存后再上传。"),
    "file-polyglot": _("文件首尾有多余的内容。请在 Excel 或 WPS 中另存为新的 .xlsx。"),
    "file-encoding": _("文字编码无法识别。请另存为 UTF-8 或 GB18030 的 .csv，或 .xlsx。"),
    "file-nul": _("文件里有空字符，不是文本表格。请另存为 .xlsx。"),
    "file-too-many-rows": _("行数太多。请分成几个文件。"),
    "file-too-many-columns": _("列数太多：最多 60 列。"),
    "file-cell-too-long": _("有一个单元格的内容太长：最多 1000 个字符。"),
    "file-several-sheets": _("有几个工作表都像是成绩表。请只保留一个。"),
    "file-no-rows": _("文件里没有数据行。第一行应为表头，数据从第二行开始。"),
    "file-columns-missing": _("表头缺少必需的列。"),
    "file-columns-repeated": _("表头里有重复的列。"),
}


class FileRefused(DomainError):
    """A file that is not read; the code of the instance begins with `file-` and says why."""

    code: ClassVar[str] = "file-refused"

    @property
    def sentence(self) -> str:
        """Say in the reader's language what is wrong and what to do."""
        return file_sentence(self.code)


def file_sentence(code: str) -> str:
    """Return the sentence of a `file-…` code in the reader's language."""
    return str(FILE_SENTENCES.get(code, FILE_SENTENCES["file-damaged"]))


_classes: Final[dict[str, type[FileRefused]]] = {
    code: type("FileRefused", (FileRefused,), {"code": code, "__doc__": FileRefused.__doc__})
    for code in FILE_SENTENCES
}


def refused(code: str, **facts: object) -> FileRefused:
    """Make the refusal of a file with a code of FILE_SENTENCES.

    The facts are kept in clear: they count and name kinds, and never quote the
    file, whose first row may be a person's.
    """
    return _classes.get(code, _classes["file-damaged"])("", **facts)


@dataclass(frozen=True, kw_only=True)
class Table:
    """A file that was read: its headers, its rows by field, and each row as it was written."""

    headers: tuple[str, ...]
    rows: tuple[RawRow, ...]
    originals: dict[int, tuple[str, ...]] = field(repr=False)
    sheet: str = ""
    encoding: str = ""
    ignored: tuple[str, ...] = ()


def read_table(data: bytes, *, rows_max: int = limits.ROWS_MAX) -> Table:
    """Read a table of outcomes from the bytes of an .xlsx or .csv file.

    What the file is called does not matter. Raises FileRefused with a `file-…`
    code; never anything else for any bytes.
    """
    if len(data) > limits.FILE_BYTES_MAX:
        raise refused("file-too-large", found=len(data), expected=limits.FILE_BYTES_MAX)
    answer = _ask(data, rows_max)
    if not answer.get("ok"):
        raise refused(str(answer.get("code")), **answer.get("facts", {}))
    return _table(answer)


def _ask(data: bytes, rows_max: int) -> dict[str, Any]:
    """Let the reading process read. It has no environment of ours and no way to our files."""
    process = subprocess.Popen(
        [sys.executable, "-s", "-m", "creditbank.recording.reader", "--rows", str(rows_max)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=settings.BASE_DIR,
        env={"LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    feeder = threading.Thread(target=_feed, args=(process, data), daemon=True)
    watchdog = threading.Timer(limits.WALL_SECONDS, process.kill)
    feeder.start()
    watchdog.start()
    try:
        answer = process.stdout.read(limits.ANSWER_BYTES_MAX + 1)
    finally:
        watchdog.cancel()
        process.stdout.close()
        process.kill()
        process.wait()
        feeder.join()
    if len(answer) > limits.ANSWER_BYTES_MAX:
        return {"code": "file-too-complex"}
    try:
        return dict(json.loads(answer))
    except ValueError:
        # It died on a limit, or on a fault of the library: nothing was read.
        logger.warning("the reading process ended with code %s", process.returncode)
        return {"code": "file-too-complex"}


def _feed(process: subprocess.Popen[bytes], data: bytes) -> None:
    assert process.stdin is not None
    # It may need no more of the file to refuse it, or have died.
    with contextlib.suppress(OSError):
        process.stdin.write(data)
    with contextlib.suppress(OSError):
        process.stdin.close()


def _table(answer: dict[str, Any]) -> Table:
    headers = tuple(str(header) for header in answer["headers"])
    mapping = columns.read_headers(headers)
    if mapping.repeated:
        raise refused(
            "file-columns-repeated",
            found=" · ".join(columns.title(name) for name in mapping.repeated),
        )
    if mapping.missing:
        raise refused(
            "file-columns-missing",
            found=" · ".join(columns.title(name) for name in mapping.positions),
            expected=" · ".join(columns.title(name) for name in mapping.missing),
        )
    rows, originals = [], {}
    for number, raw in answer["rows"]:
        cells = [_value(cell) for cell in raw]
        values = {
            name: cells[position]
            for name, position in mapping.positions.items()
            if position < len(cells)
        }
        originals[number] = tuple(text_of(cell) for cell in cells)
        if any(value not in (None, "") for value in values.values()):
            rows.append(RawRow(number=number, values=values, serials=not answer.get("from_1904")))
    if not rows:
        raise refused("file-no-rows")
    return Table(
        headers=headers,
        rows=tuple(rows),
        originals=originals,
        sheet=str(answer.get("sheet", "")),
        encoding=str(answer.get("encoding", "")),
        ignored=mapping.ignored,
    )


def _value(cell: object) -> Value:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, dict):
        if "n" in cell:
            return Number(str(cell["n"]))
        if "d" in cell:
            return date.fromisoformat(str(cell["d"]))
        if "b" in cell:
            return bool(cell["b"])
        if "e" in cell:
            return Broken()
    return None
