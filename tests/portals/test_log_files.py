"""The machine paths of the log: what a program finds there, computed again from the entries."""

from __future__ import annotations

import gzip
import hashlib
import re
from typing import Any

import pytest
from django.test import Client

from creditbank.ledger import operations, queries
from creditbank.proofs import notes
from tests.ledger.cast import College, make_college, published

ENTRIES = 600


@pytest.fixture
def college(bank: object) -> College:
    return make_college()


def fill(college: College, entries: int = ENTRIES) -> int:
    """Record one award for each of many accounts; return the published size."""
    accounts = operations.open_accounts(entries)
    receipt = published(college.record(*(college.award(account) for account in accounts)))
    assert receipt.size > 2 * 256
    return queries.log_state().published_size


def leaf(data: bytes) -> bytes:
    return hashlib.sha256(b"\0" + data).digest()


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def root(hashes: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, straight from its definition."""
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return node(root(hashes[:split]), root(hashes[split:]))


def unbundle(data: bytes) -> list[bytes]:
    found = []
    while data:
        length = int.from_bytes(data[:2], "big")
        found.append(data[2 : 2 + length])
        data = data[2 + length :]
    return found


def fetch_all(client: Client, size: int) -> list[bytes]:
    """All entries, as a monitor fetches them."""
    entries: list[bytes] = []
    for n in range(size // 256):
        entries += unbundle(client.get(f"/log/tile/entries/{n:03d}").content)
    if size % 256:
        path = f"/log/tile/entries/{size // 256:03d}.p/{size % 256}"
        entries += unbundle(client.get(path).content)
    return entries


def test_entries_tiles_and_checkpoint_give_one_and_the_same_tree(
    college: College, client: Client
) -> None:
    size = fill(college)
    note = notes.SignedNote.parse(client.get("/log/checkpoint").content)
    checkpoint = notes.Checkpoint.parse(note.text)
    assert checkpoint.size == size
    entries = fetch_all(client, size)
    assert len(entries) == size
    hashes = [leaf(entry) for entry in entries]
    assert root(hashes) == checkpoint.root
    level0 = b""
    for n in range(size // 256):
        level0 += client.get(f"/log/tile/0/{n:03d}").content
    level0 += client.get(f"/log/tile/0/{size // 256:03d}.p/{size % 256}").content
    assert level0 == b"".join(hashes)
    uppers = client.get(f"/log/tile/1/000.p/{size // 256}").content
    assert uppers == b"".join(root(hashes[n * 256 : n * 256 + 256]) for n in range(size // 256))


def test_the_key_at_vkey_signed_the_checkpoint(college: College, client: Client) -> None:
    answer = client.get("/log/vkey")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    first_line = answer.content.decode().split("\n")[0]
    key = notes.NoteKey.parse_vkey(first_line)
    note = notes.SignedNote.parse(client.get("/log/checkpoint").content)
    assert notes.verify_note(note, [key]) == (key,)


def test_tiles_are_immutable_and_the_checkpoint_is_not(college: College, client: Client) -> None:
    size = fill(college)
    for path in ("/log/tile/0/000", f"/log/tile/0/002.p/{size % 256}", "/log/tile/entries/000"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer["Content-Type"] == "application/octet-stream"
        assert answer["Access-Control-Allow-Origin"] == "*"
    checkpoint = client.get("/log/checkpoint")
    assert checkpoint["Cache-Control"] == "public, max-age=2"
    assert checkpoint["Content-Type"] == "text/plain; charset=utf-8"
    assert checkpoint["Access-Control-Allow-Origin"] == "*"


def test_an_old_partial_tile_stays_what_it_was(college: College, client: Client) -> None:
    size = queries.log_state().published_size
    path = f"/log/tile/0/000.p/{size}"
    before = client.get(path).content
    fill(college)
    assert client.get(path).content == before


MISSPELT = [
    "tile/0/000.p/256",
    "tile/0/000.p/0",
    "tile/0/000.p/01",
    "tile/0/0",
    "tile/0/0000",
    "tile/00/000",
    "tile/0/x000/000",
    "tile/0/001/234",
    "tile/64/000",
    "tile/-1/000",
    "tile/entries/000/",
    "tile/0/000%3Fx=1",
    "tile/0/x999/x999/x999/999",
    "tile/data/000",
]
NOT_THERE = ["tile/0/001", "tile/8/000.p/1", "tile/0/000.p/255", "tile/entries/000"]
OTHER_ADDRESSES = ["/log/checkpoint/", "/log/vkey/", "/log/", "/log/tile/", "/log/01", "/log/-1"]


def test_only_one_spelling_of_each_path_is_answered_and_none_redirected(
    college: College, client: Client
) -> None:
    for path in MISSPELT + NOT_THERE:
        answer = client.get(f"/log/{path}")
        assert answer.status_code == 404, path
        assert answer["Access-Control-Allow-Origin"] == "*"
        assert "immutable" not in answer["Cache-Control"]
    for address in OTHER_ADDRESSES:
        assert client.get(address).status_code == 404, address


def test_entries_are_compressed_for_those_who_ask(college: College, client: Client) -> None:
    fill(college)
    plain = client.get("/log/tile/entries/000")
    assert "Content-Encoding" not in plain
    packed = client.get("/log/tile/entries/000", headers={"Accept-Encoding": "br, gzip;q=0.5"})
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    assert len(packed.content) < len(plain.content) / 2
    refused = client.get("/log/tile/entries/000", headers={"Accept-Encoding": "gzip;q=0"})
    assert "Content-Encoding" not in refused


def test_only_safe_methods_are_answered(college: College, client: Client) -> None:
    assert client.head("/log/checkpoint").status_code == 200
    assert client.post("/log/checkpoint").status_code == 405
    assert client.delete("/log/tile/0/000.p/2").status_code == 405


def test_shared_caches_see_no_cookie_and_no_language(
    college: College, client: Client, settings: Any
) -> None:
    name = "creditbank.portals.publicfiles.PublicFileMiddleware"
    if name not in settings.MIDDLEWARE:
        settings.MIDDLEWARE = [name, *settings.MIDDLEWARE]
    client.cookies["sid"] = "somebody"
    client.cookies["lang"] = "en"
    answer = client.get("/log/checkpoint", headers={"Accept-Language": "en"})
    assert "Vary" not in answer
    assert "Content-Language" not in answer
    assert not answer.cookies
    bundle = client.get("/log/tile/entries/000.p/2", headers={"Accept-Encoding": "gzip"})
    assert bundle["Vary"] == "Accept-Encoding"


def test_no_person_can_be_found_in_the_published_entries(college: College, client: Client) -> None:
    account = operations.open_account()
    published(college.record(college.award(account)))
    size = queries.log_state().published_size
    for entry in fetch_all(client, size):
        text = entry.decode()
        assert "86" not in re.findall(r'"[^"]*"', text)
        assert "新能源" not in text
        assert "良好" not in text


def test_before_the_first_entry_nothing_is_there(signer: Any, client: Client) -> None:
    assert client.get("/log/vkey").status_code == 404
    assert client.get("/log/tile/0/000").status_code == 404
