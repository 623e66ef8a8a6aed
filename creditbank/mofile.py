"""Compile translations: a .po file to the .mo file that gettext reads, with nothing but Python.

Written to GNU gettext's description of both formats ("The Format of PO Files",
"The Format of GNU MO Files"). A running bank compiles its sentences with this
when it is set up, so that neither gettext's programs nor Babel are installed.
"""

from __future__ import annotations

import ast
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final

from creditbank.errors import DomainError

_MAGIC: Final = 0x950412DE
_CONTEXT: Final = "\x04"
_PLURAL: Final = "\x00"


class PoFileMalformed(DomainError):
    """A line that a .po file cannot have; the facts name the file and the line."""

    code: ClassVar[str] = "po-file-malformed"


@dataclass
class _Entry:
    """One message while it is being read: its parts by keyword, and whether it is marked fuzzy."""

    parts: dict[str, str] = field(default_factory=dict)
    fuzzy: bool = False

    def key(self) -> str:
        """Return the id as the .mo file writes it, with its context and its plural."""
        context = self.parts.get("msgctxt")
        plural = self.parts.get("msgid_plural")
        text = self.parts["msgid"] + (_PLURAL + plural if plural is not None else "")
        return text if context is None else context + _CONTEXT + text

    def sentence(self) -> str:
        """Return the translation; empty where one of its forms is missing."""
        if "msgid_plural" not in self.parts:
            return self.parts.get("msgstr", "")
        forms = [text for name, text in self.parts.items() if name.startswith("msgstr[")]
        return _PLURAL.join(forms) if all(forms) else ""


def sentences(path: Path) -> dict[str, str]:
    """Read the translations of a .po file, by id; what is fuzzy or not translated is left out.

    The header stands under the empty id. Raises PoFileMalformed with the line.
    """
    found: dict[str, str] = {}
    entry, keyword = _Entry(), ""
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        line = raw.strip()
        if line.startswith("#"):
            if "msgstr" in keyword:
                _keep(entry, found)
                entry, keyword = _Entry(), ""
            entry.fuzzy = entry.fuzzy or (line.startswith("#,") and "fuzzy" in line)
            continue
        if not line:
            continue
        if not line.startswith('"'):
            name, _space, line = line.partition(" ")
            if name in ("msgctxt", "msgid") and "msgstr" in keyword:
                _keep(entry, found)
                entry = _Entry()
            keyword = name
        try:
            text = ast.literal_eval(line.strip())
        except (SyntaxError, ValueError):
            text = None
        if not isinstance(text, str) or not keyword.startswith("msg"):
            raise PoFileMalformed(path=path.name, line=number)
        entry.parts[keyword] = entry.parts.get(keyword, "") + text
    _keep(entry, found)
    return found


def _keep(entry: _Entry, found: dict[str, str]) -> None:
    if "msgid" in entry.parts and not entry.fuzzy and (sentence := entry.sentence()):
        found[entry.key()] = sentence


def compiled(path: Path) -> bytes:
    """Return the .mo form of a .po file: the same file always gives the same bytes."""
    pairs = sorted(
        (key.encode("utf-8"), text.encode("utf-8")) for key, text in sentences(path).items()
    )
    count = len(pairs)
    ids_at = 7 * 4
    texts_at = ids_at + count * 8
    position = texts_at + count * 8
    tables: list[bytes] = []
    body: list[bytes] = []
    for column in (0, 1):
        for pair in pairs:
            # The length leaves out the NUL that ends each string.
            tables.append(struct.pack("<II", len(pair[column]), position))
            body.append(pair[column] + b"\0")
            position += len(pair[column]) + 1
    head = struct.pack("<IIIIIII", _MAGIC, 0, count, ids_at, texts_at, 0, 0)
    return head + b"".join(tables) + b"".join(body)


def compile_file(path: Path) -> Path:
    """Write the .mo file beside a .po file and return where it went."""
    target = path.with_suffix(".mo")
    target.write_bytes(compiled(path))
    return target
