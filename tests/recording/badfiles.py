"""Files that are broken, oversized or made to harm, each made here by the trick it is named for."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Final

from openpyxl import Workbook

from tests.recording.cast import HEADERS, saved, text_table, workbook

GOOD_LINE: Final = ["22999919900101001X", "张示例", "C1", "2026-06-17", "86", "", ""]
_SHEET: Final = "xl/worksheets/sheet1.xml"
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def good() -> bytes:
    return workbook([GOOD_LINE])


def rewritten(change: Callable[[str, bytes], bytes | None], **extra: bytes) -> bytes:
    """The good workbook with members changed, left out (None) or added."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(good())) as source,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            content = change(name, source.read(name))
            if content is not None:
                target.writestr(name, content)
        for name, content in extra.items():
            target.writestr(name.replace("__", "/").replace("_", "."), content)
    return buffer.getvalue()


def _same(_name: str, content: bytes) -> bytes:
    return content


def _sheet_xml(rows: str) -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns="{_MAIN}"><sheetData>'
        f"{rows}</sheetData></worksheet>"
    ).encode()


def _with_sheet(content: bytes) -> bytes:
    return rewritten(lambda name, old: content if name == _SHEET else old)


def _header_xml() -> str:
    cells = "".join(
        f'<c r="{chr(65 + at)}1" t="inlineStr"><is><t>{header}</t></is></c>'
        for at, header in enumerate(HEADERS)
    )
    return f'<row r="1">{cells}</row>'


def zip_bomb() -> bytes:
    """A member of 60 MB that packs into 60 KB."""
    return _with_sheet(_sheet_xml(_header_xml() + " " * (60 << 20)))


def ratio_bomb() -> bytes:
    """Under the cap of unpacked bytes, but a thousand to one."""
    return _with_sheet(_sheet_xml(_header_xml() + " " * (30 << 20)))


def lying_bomb() -> bytes:
    """A member that declares a few bytes and unpacks to 60 MB."""
    data = bytearray(_with_sheet(_sheet_xml(_header_xml() + " " * (60 << 20))))
    for signature, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        at = data.find(signature)
        while at >= 0:
            name_at = at + (46 if signature == b"PK\x01\x02" else 30)
            if data[name_at : name_at + len(_SHEET)] == _SHEET.encode():
                struct.pack_into("<I", data, at + offset, 900)
            at = data.find(signature, at + 4)
    return bytes(data)


def million_rows() -> bytes:
    rows = (
        f'<row><c t="inlineStr"><is><t>{number * 7919 % 1_000_003}</t></is></c></row>'
        for number in range(1_000_000)
    )
    return _with_sheet(_sheet_xml(_header_xml() + "".join(rows))[: 49 << 20])


def far_cell() -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(list(HEADERS))
    sheet.append(GOOD_LINE)
    sheet["XFD1048576"] = "x"
    return saved(book)


def far_column() -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(list(HEADERS))
    sheet["XFD2"] = "x"
    return saved(book)


def impossible_reference() -> bytes:
    return _with_sheet(
        _sheet_xml(_header_xml() + '<row r="2"><c r="AAAA99999999"><v>1</v></c></row>')
    )


def billion_laughs() -> bytes:
    levels = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    doctype = f'<!DOCTYPE w [<!ENTITY a0 "ha">{levels}]>'
    return _with_sheet(
        f'<?xml version="1.0"?>{doctype}<worksheet xmlns="{_MAIN}"><sheetData>'
        f"<row><c t='inlineStr'><is><t>&a9;</t></is></c></row></sheetData></worksheet>".encode()
    )


def outside_entity() -> bytes:
    doctype = '<!DOCTYPE w [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
    return _with_sheet(
        f'<?xml version="1.0"?>{doctype}<worksheet xmlns="{_MAIN}"><sheetData>'
        f"<row><c t='inlineStr'><is><t>&f;</t></is></c></row></sheetData></worksheet>".encode()
    )


def deep_nesting() -> bytes:
    return _with_sheet(_sheet_xml(_header_xml() + "<a>" * 100_000 + "</a>" * 100_000))


def many_shared_strings() -> bytes:
    """A good table with a million further texts that no cell shows."""
    texts = "".join(
        f"<si><t>{number * 48_271 % 2_147_483_647:x}</t></si>" for number in range(1_000_000)
    )

    def change(name: str, content: bytes) -> bytes:
        if name != "xl/sharedStrings.xml":
            return content
        return content.replace(b"</sst>", texts.encode() + b"</sst>")

    return rewritten(change)


def many_members() -> bytes:
    return rewritten(_same, **{f"xl__media__{n}_bin": b"x" for n in range(120)})


def long_cell() -> bytes:
    return workbook([[*GOOD_LINE[:6], "长" * 30_000]])


def macros() -> bytes:
    return rewritten(_same, xl__vbaProject_bin=b"\xd0\xcf\x11\xe0")


def external_link() -> bytes:
    return rewritten(_same, xl__externalLinks__externalLink1_xml=b"<externalLink/>")


def external_relationship() -> bytes:
    def change(name: str, content: bytes) -> bytes:
        if name != "xl/_rels/workbook.xml.rels":
            return content
        link = (
            b'<Relationship Id="rId99" Type="t" Target="http://192.0.2.1/x" TargetMode="External"/>'
        )
        return content.replace(b"</Relationships>", link + b"</Relationships>")

    return rewritten(change)


def doubled_member() -> bytes:
    buffer = io.BytesIO(good())
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("XL/worksheets/SHEET1.xml", _sheet_xml(""))
    return buffer.getvalue()


def climbing_member() -> bytes:
    buffer = io.BytesIO(good())
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("../../etc/cron.d/x", b"x")
    return buffer.getvalue()


def something_after() -> bytes:
    return good() + b"<html><script>alert(1)</script></html>"


def comment_at_the_end() -> bytes:
    buffer = io.BytesIO(good())
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.comment = b"<script>alert(1)</script>"
    return buffer.getvalue()


def page_before() -> bytes:
    return b"<html></html>" + good()


def pdf_before() -> bytes:
    return b"%PDF-1.7\n" + good()


def truncated() -> bytes:
    return good()[:-400]


def flipped() -> bytes:
    data = bytearray(good())
    with zipfile.ZipFile(io.BytesIO(good())) as archive:
        start = archive.getinfo(_SHEET).header_offset + 30 + len(_SHEET)
    for at in range(start + 20, start + 60):
        data[at] ^= 0xFF
    return bytes(data)


def no_relationships() -> bytes:
    return rewritten(lambda name, old: None if name.endswith("workbook.xml.rels") else old)


def utf16_sheet() -> bytes:
    content = f'<?xml version="1.0" encoding="UTF-16"?><worksheet xmlns="{_MAIN}"/>'
    return _with_sheet(content.encode("utf-16"))


def encrypted() -> bytes:
    name = "EncryptedPackage".encode("utf-16-le")
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000) + name + bytes(1000)


def old_excel() -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(3000)


def other_office_file() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", "<w/>")
    return buffer.getvalue()


def no_columns() -> bytes:
    return workbook([["1", "2"]], ["甲", "乙"])


def column_missing() -> bytes:
    return workbook([GOOD_LINE[:3]], HEADERS[:3])


def column_twice() -> bytes:
    return workbook([[*GOOD_LINE, GOOD_LINE[0]]], [*HEADERS, "证件号码"])


def only_headers() -> bytes:
    return workbook([])


def two_tables() -> bytes:
    book = Workbook()
    first = book.active
    assert first is not None
    for sheet in (first, book.create_sheet("又一个")):
        sheet.append(list(HEADERS))
        sheet.append(GOOD_LINE)
    return saved(book)


def hidden_table() -> bytes:
    book = Workbook()
    first = book.active
    assert first is not None
    hidden = book.create_sheet("藏着的")
    hidden.append(list(HEADERS))
    hidden.append(GOOD_LINE)
    hidden.sheet_state = "hidden"
    return saved(book)


def too_many_rows() -> bytes:
    return text_table([GOOD_LINE] * 5_001)


def too_many_columns() -> bytes:
    headers = [*HEADERS, *(f"列{n}" for n in range(60))]
    return text_table([[*GOOD_LINE, *["x"] * 60]], headers)


def too_large() -> bytes:
    return text_table([GOOD_LINE]) + b"\n" + b"x" * (10 << 20)


def ten_megabyte_cell() -> bytes:
    return text_table([[*GOOD_LINE[:6], "x" * (9 << 20)]])


def open_quote() -> bytes:
    return text_table([GOOD_LINE]) + b'\r\n"' + b"x," * 2_000


def nul_bytes() -> bytes:
    return text_table([GOOD_LINE]).replace(b"86", b"8\0006")


def utf16_without_mark() -> bytes:
    return text_table([GOOD_LINE], encoding="utf-16-le")


def no_encoding() -> bytes:
    return text_table([GOOD_LINE]) + b"\r\n\xff\xff\x80\x80"


def control_characters() -> bytes:
    return text_table([GOOD_LINE]) + b"\r\n\x1b[31mred"


def random_bytes() -> bytes:
    return bytes((index * 73 + index // 7 * 31) % 255 + 1 for index in range(5_000))


def compressed_csv() -> bytes:
    return b"\x1f\x8b" + zlib.compress(text_table([GOOD_LINE]))


BAD: Final[dict[Callable[[], bytes], str]] = {
    zip_bomb: "file-bomb",
    ratio_bomb: "file-bomb",
    lying_bomb: "file-damaged",
    million_rows: "file-too-many-rows",
    far_cell: "file-too-many-rows",
    far_column: "file-too-many-columns",
    impossible_reference: "file-damaged",
    billion_laughs: "file-damaged",
    outside_entity: "file-damaged",
    deep_nesting: "file-no-rows",
    many_members: "file-bomb",
    long_cell: "file-cell-too-long",
    macros: "file-macros",
    external_link: "file-external-links",
    external_relationship: "file-external-links",
    doubled_member: "file-damaged",
    climbing_member: "file-damaged",
    something_after: "file-polyglot",
    comment_at_the_end: "file-polyglot",
    page_before: "file-wrong-type",
    pdf_before: "file-wrong-type",
    truncated: "file-polyglot",
    flipped: "file-damaged",
    no_relationships: "file-damaged",
    utf16_sheet: "file-damaged",
    encrypted: "file-encrypted",
    old_excel: "file-wrong-type",
    other_office_file: "file-wrong-type",
    no_columns: "file-columns-missing",
    column_missing: "file-columns-missing",
    column_twice: "file-columns-repeated",
    only_headers: "file-no-rows",
    two_tables: "file-several-sheets",
    hidden_table: "file-no-rows",
    too_many_rows: "file-too-many-rows",
    too_many_columns: "file-too-many-columns",
    too_large: "file-too-large",
    ten_megabyte_cell: "file-cell-too-long",
    open_quote: "file-damaged",
    nul_bytes: "file-nul",
    utf16_without_mark: "file-nul",
    no_encoding: "file-encoding",
    control_characters: "file-wrong-type",
    compressed_csv: "file-wrong-type",
    lambda: b"": "file-no-rows",
    lambda: b"MZ\x90\0" + bytes(200): "file-wrong-type",
    lambda: b"\x7fELF" + bytes(200): "file-wrong-type",
    lambda: b"%PDF-1.7\n": "file-wrong-type",
    lambda: b"\x89PNG\r\n\x1a\n" + bytes(50): "file-wrong-type",
    lambda: b"<html><table><tr><td>1</td></tr></table></html>": "file-wrong-type",
    lambda: b"PK\x03\x04": "file-polyglot",
    lambda: b"PK\x05\x06" + bytes(18): "file-wrong-type",
}
"""Each bad file and the code with which it is refused."""
