"""The process in which a stranger's file is read: `python -m creditbank.recording.reader`.

It takes the file on standard input and answers with one JSON object on standard
output. It knows no Django, no database and no secret, and gives itself limits
of memory, processor time and file size before it reads the first byte, so that
a file made to burn either ends this process and nothing else.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
from collections.abc import Sequence
from typing import Any, Final

from creditbank.recording import limits
from creditbank.recording.refusals import Refused

_MAGIC: Final = (
    (b"%PDF", "PDF"),
    (b"MZ", "EXE"),
    (b"\x7fELF", "ELF"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"Rar!", "RAR"),
    (b"7z\xbc\xaf", "7Z"),
    (b"\x1f\x8b", "GZIP"),
    (b"{\\rtf", "RTF"),
)
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")


def read(data: bytes, *, rows_max: int) -> dict[str, Any]:
    """Read a table by what the file is, whatever it is called. Raises Refused.

    Returns `rows` (pairs of row number and cells, blank rows left out), `headers`,
    `sheet`, `encoding` and `from_1904`.
    """
    if not data.strip():
        raise Refused("file-no-rows")
    if len(data) > limits.FILE_BYTES_MAX:
        raise Refused("file-too-large", found=len(data), expected=limits.FILE_BYTES_MAX)
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            raise Refused("file-wrong-type", found=kind)
    if data.startswith(_OLE):
        if _ENCRYPTED in data:
            raise Refused("file-encrypted")
        raise Refused("file-wrong-type", found="XLS")
    if data[:512].lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml", b"<table")):
        raise Refused("file-wrong-type", found="HTML/XML")
    sheet, encoding, from_1904 = "", "", False
    rows: list[list[Any]]
    if data.startswith(_ZIP):
        # Loaded late, so that a text table costs no spreadsheet library.
        from creditbank.recording import workbooks

        book = workbooks.read(data, rows_max=rows_max)
        rows, sheet, from_1904 = [*book.rows], book.name, book.counts_from_1904
    else:
        from creditbank.recording import delimited

        table = delimited.read(data, rows_max=rows_max)
        rows, encoding = [*table.rows], table.encoding
    headers = [cell.strip() if isinstance(cell, str) else "" for cell in rows[0]]
    filled: list[list[Any]] = []
    for number, cells in enumerate(rows[1:], 2):
        if any(_says(cell) for cell in cells):
            filled.append([number, cells])
    if not any(headers) or not filled:
        raise Refused("file-no-rows")
    return {
        "headers": headers,
        "rows": filled,
        "sheet": sheet,
        "encoding": encoding,
        "from_1904": from_1904,
    }


def _says(cell: object) -> bool:
    return bool(cell.strip()) if isinstance(cell, str) else True


def limit_this_process() -> None:
    """Give the process its limits; the system enforces them from here on."""
    for kind, value in (
        (resource.RLIMIT_AS, limits.MEMORY_BYTES),
        (resource.RLIMIT_CPU, limits.CPU_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        resource.setrlimit(kind, (value, value))


def main(arguments: Sequence[str] | None = None) -> int:
    """Read standard input and answer on standard output. Exit code 0 with any answer."""
    parser = argparse.ArgumentParser(prog="python -m creditbank.recording.reader")
    parser.add_argument("--rows", type=int, required=True)
    options = parser.parse_args(arguments)
    limit_this_process()
    answer: dict[str, Any]
    try:
        data = sys.stdin.buffer.read(limits.FILE_BYTES_MAX + 1)
        answer = {"ok": True, **read(data, rows_max=options.rows)}
    except Refused as error:
        answer = {"ok": False, "code": error.code, "facts": error.facts}
    except (MemoryError, RecursionError):
        answer = {"ok": False, "code": "file-too-complex", "facts": {}}
    # Lone surrogates cannot be UTF-8: escaped, they pass, and the check of the cell refuses them.
    sys.stdout.buffer.write(json.dumps(answer, ensure_ascii=True, separators=(",", ":")).encode())
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
