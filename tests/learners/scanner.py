"""Looks for texts wherever a computer may have put them: tables, files, memory of Valkey, answers.

A text is looked for in every spelling in which a reader could still make it
out, also inside of what is packed: gzip, zlib (as in a PDF's streams or a
session), ZIP (as in a workbook), base64 and hexadecimal, within each other.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import psycopg
import redis
from psycopg import sql

DEPTH: Final = 4
UNPACKED_MAX: Final = 64 << 20
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/_-]{24,}={0,2}")
_HEX: Final = re.compile(rb"(?:[0-9a-f]{2}){12,}|(?:[0-9A-F]{2}){12,}")
_ZLIB: Final = re.compile(rb"\x78[\x01\x5e\x9c\xda]")
_GZIP: Final = re.compile(rb"\x1f\x8b\x08")
_PACKED: Final = (b"eA", b"eJ", b"eN", b"eF", b"H4sI", b"UEsD")
"""How zlib, gzip and ZIP begin in base64."""
_ZIP: Final = b"PK\x03\x04"
HEAD: Final = 512
LARGE: Final = 8192
SMALL: Final = 8 << 20
"""Larger things are looked through as they are, without unpacking what may be base64 or hex."""


def spellings(text: str) -> dict[str, bytes]:
    """Return every form in which a text may lie somewhere and still be read, by its name."""
    plain = text.encode()
    forms = {
        "utf-8": plain,
        "case-folded": text.casefold().encode(),
        "upper": text.upper().encode(),
        # Without the outer byte that tells the two byte orders of ASCII apart.
        "utf-16-le": text.encode("utf-16-le").strip(b"\0"),
        "utf-16-be": text.encode("utf-16-be").strip(b"\0"),
        "utf-32-le": text.encode("utf-32-le").strip(b"\0"),
        "gb18030": text.encode("gb18030"),
        "hex": plain.hex().encode(),
        "hex-upper": plain.hex().upper().encode(),
        "url": quote(text, safe="").encode(),
        "url-lower": re.sub("%[0-9A-F]{2}", lambda m: m[0].lower(), quote(text, safe="")).encode(),
        "json": json.dumps(text)[1:-1].encode(),
        "html": escape(text).encode(),
        "html-decimal": "".join(f"&#{ord(c)};" for c in text).encode(),
        "html-hexadecimal": "".join(f"&#x{ord(c):x};" for c in text).encode(),
    }
    for name, encoded in (("utf-8", plain), ("gb18030", text.encode("gb18030"))):
        for shift in range(3):
            # What depends on the bytes before and after is cut off.
            packed = base64.b64encode(bytes(shift) + encoded).rstrip(b"=")
            head = (0, 2, 3)[shift]
            tail = len(packed) - (1 if (shift + len(encoded)) % 3 else 0)
            forms[f"base64-{name}-{shift}"] = packed[head:tail]
            forms[f"base64url-{name}-{shift}"] = packed[head:tail].translate(
                bytes.maketrans(b"+/", b"-_")
            )
    return forms


class Scanner:
    """Looks for some texts, each under a name; and for bytes as they are."""

    def __init__(self, texts: dict[str, str], octets: dict[str, bytes] | None = None) -> None:
        self._forms = {data: name for name, data in (octets or {}).items()}
        self._seen: dict[tuple[bytes, int], set[str]] = {}
        for name, text in texts.items():
            for form in spellings(text).values():
                self._forms.setdefault(form, name)

    def found(self, data: bytes, depth: int = DEPTH) -> set[str]:
        """Return the names of the texts that stand in some bytes, or in what is packed there."""
        if len(data) < LARGE:
            return self._found(data, depth)
        # Databases that were copied from one another are the same in most of their files.
        key = sha256(data).digest(), depth
        if key not in self._seen:
            self._seen[key] = self._found(data, depth)
        return self._seen[key]

    def _found(self, data: bytes, depth: int) -> set[str]:
        names = {name for form, name in self._forms.items() if form in data}
        if depth:
            for inner in _unpacked(data):
                names |= self.found(inner, depth - 1)
        return names

    def tables(self, urls: Iterable[str]) -> dict[str, set[str]]:
        """Look through every table of every schema of databases, the catalogues too."""
        places: dict[str, set[str]] = {}
        for url in urls:
            with psycopg.connect(url, autocommit=True) as connection:
                for schema, table in connection.execute(_TABLES).fetchall():
                    names = self.found(_copied(connection, schema, table), depth=2)
                    if names:
                        places.setdefault(f"{schema}.{table}", set()).update(names)
        return places

    def files(self, *roots: Path) -> dict[str, set[str]]:
        """Look through every file below some folders, and through the files' names."""
        places: dict[str, set[str]] = {}
        for root in roots:
            for path in sorted(root.rglob("*")):
                names = self.found(path.name.encode(), depth=0)
                if path.is_file() and not path.is_symlink():
                    names |= self.found(path.read_bytes(), depth=3)
                if names:
                    places[str(path.relative_to(root.parent))] = names
        return places

    def valkey(self, url: str) -> dict[str, set[str]]:
        """Look through every key and value of every numbered store."""
        places: dict[str, set[str]] = {}
        for number in range(16):
            client = redis.Redis.from_url(url.rpartition("/")[0] + f"/{number}")
            for key in client.scan_iter(count=1000):
                names = self.found(key)
                for value in _values(client, key):
                    names |= self.found(value)
                if names:
                    places[f"{number}/{key.decode(errors='replace')}"] = names
            client.close()
        return places


_TABLES: Final = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm', 'p') AND c.relpersistence <> 't' ORDER BY 1, 2
"""


def _copied(connection: psycopg.Connection[Any], schema: str, table: str) -> bytes:
    """Every column of a table: as bytes, or as text where a type has no bytes to send."""
    name = sql.Identifier(schema, table)
    for form in ("binary", "text"):
        command = sql.SQL("COPY (SELECT * FROM {}) TO STDOUT (FORMAT {})").format(
            name, sql.SQL(form)
        )
        try:
            with connection.cursor().copy(command) as copy:
                return b"".join(bytes(part) for part in copy)
        except psycopg.errors.UndefinedFunction:
            continue
    raise AssertionError(f"{schema}.{table} could not be read")


def _values(client: redis.Redis, key: bytes) -> Iterator[bytes]:
    kind = client.type(key)
    answers: Any = {
        b"string": lambda: [client.get(key)],
        b"list": lambda: client.lrange(key, 0, -1),
        b"set": lambda: client.smembers(key),
        b"zset": lambda: client.zrange(key, 0, -1),
        b"hash": lambda: [part for pair in client.hgetall(key).items() for part in pair],
        b"stream": lambda: [
            part for _, fields in client.xrange(key) for pair in fields.items() for part in pair
        ],
        b"none": list,
    }[kind]()
    for value in answers:
        if value is not None:
            yield bytes(value)


def _unpacked(data: bytes) -> Iterator[bytes]:
    """Yield what is packed within some bytes."""
    view = memoryview(data)
    for match in _ZLIB.finditer(data):
        yield from _inflated(view[match.start() :], zlib.MAX_WBITS)
    for match in _GZIP.finditer(data):
        yield from _inflated(view[match.start() :], 16 + zlib.MAX_WBITS)
    if _ZIP in data:
        yield from _members(data[data.index(_ZIP) :])
    if len(data) > SMALL:
        return
    for match in _BASE64.finditer(data):
        text = match[0].rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
        # A run may begin with a letter that belongs to what stands before it.
        for start in range(4):
            part = text[start:]
            part = part[: -1 if len(part) % 4 == 1 else None]
            part += b"=" * (-len(part) % 4)
            # What is only written in base64 is found by its spellings.
            if part.startswith(_PACKED):
                yield base64.b64decode(part)
    for match in _HEX.finditer(data):
        yield binascii.unhexlify(match[0])


def _inflated(data: memoryview, bits: int) -> Iterator[bytes]:
    packed = zlib.decompressobj(bits)
    try:
        # A little first: most of what looks like a beginning is none.
        out = packed.decompress(data[:HEAD])
        out += packed.decompress(data[HEAD:], UNPACKED_MAX)
    except zlib.error:
        return
    if out:
        yield out


def _members(data: bytes) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.namelist():
                yield member.encode() + b"\0" + archive.read(member)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, zlib.error):
        return


def packings(data: bytes) -> dict[str, bytes]:
    """Return some bytes in every packing that the scanner knows, by name, for its own tests."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("xl/sharedStrings.xml", data * 40)
    return {
        "plain": data,
        "zlib": b"stream\n" + zlib.compress(data * 40) + b"\nendstream",
        "gzip": b"before" + gzip.compress(data * 40),
        "zip": archive.getvalue(),
        "base64": b'{"body": "' + base64.b64encode(data * 3) + b'"}',
        "hex": b"\\\\x" + (data * 3).hex().encode(),
        "zlib in base64url": b"." + base64.urlsafe_b64encode(zlib.compress(data * 40)) + b":1s",
        "zlib in zip": packed_zip(zlib.compress(data * 40)),
        "zip in base64": base64.b64encode(archive.getvalue()),
    }


def packed_zip(data: bytes) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as zipped:
        zipped.writestr("inner.bin", data)
    return archive.getvalue()
