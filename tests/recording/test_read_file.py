"""Files: what is a table is read the same however it was saved; what is not is refused by code."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from creditbank.recording import delimited, files, reader
from creditbank.recording.cells import Broken, Number
from creditbank.recording.files import FileRefused, read_table
from creditbank.recording.refusals import Refused
from tests.recording.badfiles import BAD, GOOD_LINE, good, many_shared_strings
from tests.recording.cast import HEADERS, saved, text_table, workbook

NAMES = {
    make: make.__name__ if make.__name__ != "<lambda>" else f"bytes-{at}"
    for at, make in enumerate(BAD)
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("make", BAD, ids=list(NAMES.values()))
def test_a_bad_file_is_refused_with_its_code_and_a_sentence(make: Callable[[], bytes]) -> None:
    data = make()
    with pytest.raises(FileRefused) as refused:
        read_table(data)
    assert refused.value.code == BAD[make]
    assert refused.value.code in files.FILE_SENTENCES
    assert len(refused.value.sentence) > 8


def test_a_million_shared_strings_stay_within_the_limits() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    table = read_table(many_shared_strings())
    assert len(table.rows) == 1
    # It was another process that unpacked them.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


def test_a_process_that_uses_too_much_memory_ends_and_nothing_else_does() -> None:
    program = (
        "from creditbank.recording import reader\n"
        "reader.limit_this_process()\n"
        "held = bytearray(2 << 30)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert ended.returncode != 0
    assert b"MemoryError" in ended.stderr


def test_a_process_that_dies_without_an_answer_is_told_as_too_complex(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(FileRefused) as refused:
        read_table(good())
    assert refused.value.code == "file-too-complex"


def test_the_reading_process_is_told_nothing_of_our_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\nenv > {seen}\n")
    program.chmod(0o700)
    monkeypatch.setenv("DATABASE_URL", "postgres://somebody:secret@host/bank")
    monkeypatch.setattr(sys, "executable", str(program))
    with pytest.raises(FileRefused):
        read_table(good())
    assert "secret" not in seen.read_text()
    assert "DATABASE_URL" not in seen.read_text()


@pytest.mark.parametrize(
    "data",
    [
        good(),
        text_table([GOOD_LINE]),
        text_table([GOOD_LINE], encoding="utf-8-sig"),
        text_table([GOOD_LINE], encoding="gb18030"),
        text_table([GOOD_LINE], encoding="utf-16", separator="\t"),
        text_table([GOOD_LINE], separator=";"),
        text_table([GOOD_LINE], separator="\t"),
        text_table([GOOD_LINE]).replace(b"\r\n", b"\n"),
        text_table([GOOD_LINE]) + b"\r\n,,,,,,\r\n\r\n",
    ],
    ids=["xlsx", "utf-8", "mark", "gb18030", "utf-16", "semicolon", "tab", "newline", "blank-rows"],
)
def test_one_table_is_read_the_same_however_it_was_saved(data: bytes) -> None:
    table = read_table(data)
    assert table.headers == HEADERS
    (row,) = table.rows
    assert row.number == 2
    assert [row.of(name) for name in ("number", "name", "item", "completed_on", "score")] == (
        GOOD_LINE[:5]
    )


def test_a_rare_character_survives_gb18030() -> None:
    line = [*GOOD_LINE]
    line[1] = "王𬎆·阿卜"
    assert read_table(text_table([line], encoding="gb18030")).rows[0].of("name") == "王𬎆·阿卜"


def test_rows_keep_the_numbers_they_have_in_the_file() -> None:
    table = read_table(workbook([GOOD_LINE, [None] * 7, [None] * 7, GOOD_LINE]))
    assert [row.number for row in table.rows] == [2, 5]
    assert set(table.originals) == {2, 5}


def test_a_cell_is_told_apart_by_what_it_is() -> None:
    line = [220102199001011234, "张示例", "C1", date(2026, 6, 17), 86.3, "#N/A", "=1+1"]
    (row,) = read_table(workbook([line])).rows
    assert row.of("number") == Number("2.20102199001011e+17")
    assert row.of("completed_on") == date(2026, 6, 17)
    assert row.of("score") == Number("86.3")
    assert row.of("grade") == Broken()
    assert row.of("term") == Broken()


def test_the_sheet_with_the_table_is_found_and_columns_of_no_use_are_named() -> None:
    book = Workbook()
    notes = book.active
    assert notes is not None
    notes.append(["请先阅读本说明"])
    sheet = book.create_sheet("数据")
    sheet.append([*HEADERS, "备注"])
    sheet.append([*GOOD_LINE, "x"])
    table = read_table(saved(book))
    assert table.sheet == "数据"
    assert table.ignored == ("备注",)
    assert len(table.rows) == 1


def test_days_counted_from_1904_are_not_taken_for_serial_numbers() -> None:
    book = Workbook()
    book.epoch = datetime(1904, 1, 1)  # noqa: DTZ001 - a calendar, not an instant
    sheet = book.active
    assert sheet is not None
    sheet.append(list(HEADERS))
    sheet.append(GOOD_LINE)
    (row,) = read_table(saved(book)).rows
    assert row.serials is False


def test_five_thousand_rows_are_read_and_one_more_is_not() -> None:
    assert len(read_table(text_table([GOOD_LINE] * 5_000)).rows) == 5_000
    lines = workbook([GOOD_LINE] * 5_001)
    with pytest.raises(FileRefused) as refused:
        read_table(lines)
    assert refused.value.facts["expected"] == 5_000
    assert len(read_table(lines, rows_max=50_000).rows) == 5_001


def test_a_refusal_names_what_was_found_and_expected() -> None:
    with pytest.raises(FileRefused) as refused:
        read_table(workbook([GOOD_LINE[:3]], HEADERS[:3]))
    assert refused.value.facts == {"found": "证件号码 · 姓名 · 课程代码", "expected": "完成日期"}


def test_a_refusal_never_quotes_what_stands_where_headers_should_be() -> None:
    with pytest.raises(FileRefused) as refused:
        read_table(workbook([GOOD_LINE, GOOD_LINE], GOOD_LINE))
    assert refused.value.code == "file-columns-missing"
    assert refused.value.facts["found"] == ""


def outcome(data: bytes) -> str:
    """What reading gives: "rows", or the code of the refusal."""
    try:
        return "rows" if reader.read(data, rows_max=100)["rows"] else "nothing"
    except Refused as error:
        return error.code


@given(st.binary(max_size=4_000))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_a_table_or_refused_and_nothing_else(data: bytes) -> None:
    assert outcome(data) in {"rows", *files.FILE_SENTENCES}


@given(st.integers(0, 10_000), st.integers(1, 255))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_workbook_with_a_changed_byte_is_a_table_or_refused(position: int, change: int) -> None:
    data = bytearray(good())
    data[position % len(data)] ^= change
    assert outcome(bytes(data)) in {"rows", *files.FILE_SENTENCES}


@given(st.text(max_size=300))
@settings(max_examples=200, deadline=None)
def test_text_is_decoded_back_in_both_encodings(text: str) -> None:
    clean = "".join(c for c in text if c.isprintable() and not 0xD800 <= ord(c) < 0xE000)
    line = "姓名," + clean
    assert delimited.decode(b"\xef\xbb\xbf" + line.encode()) == (line, "utf-8")
    assert delimited.decode(line.encode())[0] == line
