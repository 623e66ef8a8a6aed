"""The scanner that proves forgetting finds what is there: in every spelling, packing and place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from tests.environment import valkey
from tests.learners.scanner import Scanner, packings, spellings

TEXTS = {
    "name": "欧阳鑫淼焱垚",
    "rare": "王𪟝·示例",
    "number": "22999919370707987X",
    "korean": "박시범철수",
}


@pytest.mark.parametrize("text", list(TEXTS))
def test_every_spelling_is_found(text: str) -> None:
    scanner = Scanner(TEXTS)
    for name, form in spellings(TEXTS[text]).items():
        assert scanner.found(b"before \xff" + form + b" after") == {text}, name


@pytest.mark.parametrize("offset", [0, 1, 2])
@pytest.mark.parametrize("text", list(TEXTS))
def test_a_text_is_found_in_every_packing(text: str, offset: int) -> None:
    scanner = Scanner(TEXTS)
    for encoding in ("utf-8", "gb18030"):
        data = b"-" * offset + TEXTS[text].encode(encoding) + b"--"
        for name, packed in packings(data).items():
            assert scanner.found(b"\x00 " + packed + b" \x00") == {text}, (encoding, name)


def test_nothing_is_found_where_nothing_is() -> None:
    scanner = Scanner(TEXTS)
    for packed in packings("张示例 229999199001010015".encode()).values():
        assert scanner.found(packed) == set()


def test_a_text_is_found_in_tables_statistics_files_and_valkey(db: Any, tmp_path: Path) -> None:
    scanner = Scanner(TEXTS)
    with psycopg.connect(db.superuser_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA elsewhere")
        connection.execute("CREATE TABLE elsewhere.notes (t text, b bytea, j jsonb, a text[])")
        row = [
            "x",
            TEXTS["number"].encode("utf-16"),
            json.dumps({"k": TEXTS["rare"]}),
            [TEXTS["name"]],
        ]
        for _ in range(5):
            connection.execute("INSERT INTO elsewhere.notes VALUES (%s, %s, %s, %s)", row)
        for _ in range(5):
            connection.execute("INSERT INTO elsewhere.notes (t) VALUES (%s)", [TEXTS["korean"]])
        connection.execute("ANALYZE elsewhere.notes")
    places = scanner.tables([db.superuser_url])
    assert places["elsewhere.notes"] == set(TEXTS)
    assert "korean" in places["pg_catalog.pg_statistic"]

    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "web.log").write_bytes(b"a\n" + TEXTS["name"].encode() + b"\nb")
    (tmp_path / f"{TEXTS['korean']}.txt").write_bytes(b"")
    assert {name for names in scanner.files(tmp_path).values() for name in names} == {
        "name",
        "korean",
    }

    client = redis.Redis.from_url(valkey.url(7))
    client.set("one", TEXTS["name"])
    client.rpush("two", TEXTS["rare"].encode("gb18030"))
    client.hset("three", TEXTS["number"], "x")
    client.xadd("four", {"x": TEXTS["korean"]})
    try:
        assert set(scanner.valkey(valkey.url(0))) == {"7/one", "7/two", "7/three", "7/four"}
    finally:
        client.flushdb()
