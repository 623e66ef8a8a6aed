"""The files that the demo's institutions hand in: written once, then read like anybody's."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from openpyxl import Workbook

from creditbank.demo import outcomes
from creditbank.demo.cast import ASSESSOR, COLLEGE, TRAINER
from creditbank.recording.columns import title

PRIVATE = 0o600


class Files:
    """The demo's folder of files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "files"

    @property
    def workbook(self) -> Path:
        """The college's results, a workbook."""
        return self.folder / "云岭职业技术学院-成绩.xlsx"

    @property
    def csv(self) -> Path:
        """The assessor's certificates, a CSV file in GB18030 as office programs save it."""
        return self.folder / "启衡示例职业教育评价中心-证书.csv"

    @property
    def own_key(self) -> Path:
        """The folder of the training centre, which keeps its own key."""
        return self.folder / "苇荡职业培训中心"

    def write(self) -> None:
        """Write what is missing. A file that is there is left as it is, byte for byte."""
        self.own_key.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_once(self.workbook, lambda: workbook(outcomes.lines_of(COLLEGE)))
        write_once(self.csv, lambda: gb18030(outcomes.lines_of(ASSESSOR)))
        write_once(self.own_key / "培训名单.json", lambda: json_bytes(outcomes.lines_of(TRAINER)))


def write_once(path: Path, make: Callable[[], bytes]) -> None:
    """Write a file unless it is there; it appears whole or not at all."""
    if not path.exists():
        replace(path, make())


def replace(path: Path, data: bytes) -> None:
    """Write a file, readable by its owner alone; it changes whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _table(lines: list[outcomes.Line]) -> list[list[str]]:
    fields = outcomes.fields_of(lines)
    return [[title(name) for name in fields]] + [
        [cells.get(name, "") for name in fields] for cells in lines
    ]


def workbook(lines: list[outcomes.Line]) -> bytes:
    """Return rows as an .xlsx, every cell a text, as a template with text columns yields it."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "成绩"
    for row in _table(lines):
        sheet.append(row)
    for cells in sheet.iter_rows():
        for cell in cells:
            cell.number_format = "@"
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def gb18030(lines: list[outcomes.Line]) -> bytes:
    """Return rows as a CSV in GB18030 (GB 18030-2022)."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerows(_table(lines))
    return buffer.getvalue().encode("gb18030")


def json_bytes(value: Any) -> bytes:
    """Return a value as JSON that people can read."""
    return json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n"
