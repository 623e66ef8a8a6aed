"""The signer signs what it understands and has checked, and nothing else."""

from __future__ import annotations

import os
import socket
import stat
from typing import Any

import orjson
import psycopg
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import load_der_x509_certificate
from psycopg import sql

from creditbank.ledger import learnerkeys
from creditbank.proofs import canonical, commitments, notes, signatures
from creditbank.proofs.manifests import Manifest
from creditbank.proofs.notes import NoteKey, SignedNote
from creditbank.signer.client import SignerClient, SignerRefused, SignerUnavailable
from creditbank.signer.protocol import FRAME_MAX, REQUEST_MAX, SIGNED_JSON_TAG
from creditbank.signer.register import registration_key
from tests.signer.cms import cms_attributes
from tests.signer.support import (
    b64,
    client,
    superuser,
    until,
    until_published,
)
from tests.signer.writer import Writer, registration

STREAM = "school.example/2026"
NUMBER = "JL-2026-000001-7"


class Raw:
    """A connection on which anything can be sent."""

    def __init__(self, signer: Any) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.socket.connect(str(signer.home / "signer" / "signer.sock"))

    def frame(self, payload: bytes) -> dict[str, Any]:
        self.socket.sendall(len(payload).to_bytes(4, "big") + payload)
        length = int.from_bytes(self._exactly(4), "big")
        answer: dict[str, Any] = orjson.loads(self._exactly(length))
        return answer

    def ask(self, **members: Any) -> dict[str, Any]:
        return self.frame(orjson.dumps(members, option=orjson.OPT_SORT_KEYS))

    def refused(self, **members: Any) -> str:
        answer = self.ask(**members)
        assert answer["ok"] is False
        return str(answer["code"])

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            part = self.socket.recv(count - len(data))
            if not part:
                raise ConnectionResetError
            data += part
        return data


@pytest.fixture
def raw(signer: Any) -> Any:
    connection = Raw(signer)
    yield connection
    connection.socket.close()


def document_key(signer: Any) -> signatures.Verifier:
    """Read the document key back from its Multikey, by another implementation of base58."""
    import base58

    data = base58.b58decode(client(signer).public().document_multikey.removeprefix("z"))
    assert data[:2] == b"\xed\x01"
    return signatures.verifier("Ed25519", data[2:])


# -- the frame and the form -----------------------------------------------------------------------
NOT_CANONICAL = [
    b"",
    b"null",
    b"[]",
    b'"public"',
    b"{",
    b'{"do":"public"} ',
    b' {"do":"public"}',
    b'{"do": "public"}',
    b'{"do":"manifest","do":"public"}',
    b'{"do":NaN}',
    b'{"a":1.5,"do":"public"}',
    b'{"do":"public","a":1}',
    b"\xff\xfe",
    b'{"do":"\\ud800"}',
    b"[" * 60_000,
    b'{"a":' * 10_000,
]


def test_what_is_not_a_canonical_object_is_refused(raw: Raw) -> None:
    for payload in NOT_CANONICAL:
        answer = raw.frame(payload)
        assert (answer["ok"], answer["code"]) == (False, "malformed"), payload[:40]
        assert raw.ask(do="public")["ok"] is True


def test_an_unknown_request_is_refused(raw: Raw) -> None:
    for do in ("sign", "", "Public", None, 7, ["public"], {"do": "public"}):
        assert raw.refused(do=do) == "unknown-request", do


def test_a_member_nobody_asked_for_is_refused(raw: Raw) -> None:
    assert raw.refused(do="public", also=1) == "malformed"
    assert raw.refused(do="stream-key", stream=STREAM, algorithm="Ed25519") == "malformed"


def test_a_refused_request_makes_no_key(raw: Raw, signer: Any) -> None:
    raw.refused(do="stream-key", stream=STREAM, algorithm="Ed25519")
    assert client(signer).public().streams == {}


def test_a_frame_longer_than_any_request_ends_the_connection(raw: Raw) -> None:
    raw.socket.sendall((FRAME_MAX + 1).to_bytes(4, "big"))
    assert raw.socket.recv(1) == b""


def test_only_a_signed_body_may_be_long(raw: Raw) -> None:
    assert raw.refused(do="stream-key", stream="a" * REQUEST_MAX) == "too-large"
    body = canonical.encode({"revoked": {"ab": "c" * REQUEST_MAX}, "type": "llcb/status/v1"})
    assert raw.ask(do="trust", body=body.decode())["ok"] is True


def test_half_a_frame_then_nothing_harms_nobody(raw: Raw, signer: Any) -> None:
    raw.socket.sendall((100).to_bytes(4, "big") + b"{")
    raw.socket.close()
    assert client(signer).public().log_vkey


def test_the_socket_is_closed_to_others(signer: Any) -> None:
    home = signer.home / "signer"
    assert stat.S_IMODE((home / "signer.sock").stat().st_mode) == 0o660
    assert stat.S_IMODE(home.stat().st_mode) == 0o750
    assert stat.S_IMODE((home / "keys").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (home / "keys").iterdir()} == {0o600}
    until(lambda: (home / "state.json").exists(), "the first state")
    assert stat.S_IMODE((home / "state.json").stat().st_mode) == 0o600


# -- hosted streams -------------------------------------------------------------------------------
def manifest(**changes: Any) -> Manifest:
    members: dict[str, Any] = {
        "stream": STREAM,
        "first": 12,
        "count": 3,
        "root": b"r" * 32,
        "previous": b"p" * 32,
    }
    return Manifest(**(members | changes))


def test_a_manifest_is_signed_with_the_streams_own_key(signer: Any) -> None:
    key = client(signer).stream_key(STREAM)
    note = SignedNote.parse(client(signer).manifest(manifest()))
    verifier = signatures.verifier(key.algorithm, key.public)
    notes.verify_note(note, [NoteKey(STREAM, notes.ED25519, verifier)])
    assert len(note.lines) == 1
    assert Manifest.parse(note.text) == manifest()


def test_a_streams_key_comes_with_proof_of_possession(signer: Any) -> None:
    key = client(signer).stream_key(STREAM)
    message = b"llcb/possession/v1\0" + STREAM.encode() + b"\0" + key.public
    signatures.verifier(key.algorithm, key.public).verify(message, key.possession)


def test_a_streams_key_is_made_once_and_survives_a_restart(signer: Any) -> None:
    key = client(signer).stream_key(STREAM)
    other = client(signer).stream_key("another.example/2026")
    assert other.public != key.public
    signer.kill()
    signer.start()
    assert client(signer).stream_key(STREAM) == key
    found = client(signer).public().streams
    assert {name: entry.public for name, entry in found.items()} == {
        STREAM: key.public,
        "another.example/2026": other.public,
    }


def test_threads_that_ask_for_a_new_stream_at_once_get_one_key(signer: Any) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: client(signer).stream_key(STREAM).public, range(24)))
    assert len(set(found)) == 1


def test_a_stream_without_a_key_is_not_signed_for(signer: Any) -> None:
    with pytest.raises(SignerRefused) as refusal:
        client(signer).manifest(manifest())
    assert refusal.value.refusal == "no-stream-key"


NO_STREAMS = [
    ("", "malformed"),
    ("a" * 129, "malformed"),
    ("学校.example/2026", "stream-name-invalid"),
    ("School.example/2026", "stream-name-invalid"),
    ("school.example/2026\n", "stream-name-invalid"),
    ("school.example/2026 x", "stream-name-invalid"),
    ("school.example/2026+x", "stream-name-invalid"),
    ("/school.example", "stream-name-invalid"),
    ("school.example/", "stream-name-invalid"),
    ("school.example//x", "stream-name-invalid"),
    ("../../etc/passwd", "stream-name-invalid"),
    ("school.example/../x", "stream-name-invalid"),
    (None, "malformed"),
    (7, "malformed"),
]


def test_a_name_that_is_no_streams_is_refused(raw: Raw) -> None:
    for name, code in NO_STREAMS:
        assert raw.refused(do="stream-key", stream=name) == code, name


MALFORMED_MANIFESTS: list[tuple[dict[str, Any], str]] = [
    ({"count": 0}, "count-out-of-range"),
    ({"count": 10_001}, "count-out-of-range"),
    ({"count": -1}, "count-out-of-range"),
    ({"count": True}, "malformed"),
    ({"count": "3"}, "malformed"),
    ({"first": -1}, "malformed"),
    ({"first": None}, "malformed"),
    ({"root": "cg=="}, "malformed"),
    ({"root": b64(bytes(33))}, "malformed"),
    ({"root": b64(bytes(32))[:-1]}, "malformed"),
    ({"root": b64(bytes(32))[:-2] + "B="}, "malformed"),
    ({"previous": "!" * 44}, "malformed"),
    ({"previous": "é" * 44}, "malformed"),
    ({"stream": "a b"}, "stream-name-invalid"),
]


def test_a_malformed_manifest_is_refused(raw: Raw) -> None:
    raw.ask(do="stream-key", stream=STREAM)
    members: dict[str, Any] = {
        "stream": STREAM,
        "first": 0,
        "count": 1,
        "root": b64(bytes(32)),
        "previous": b64(bytes(32)),
    }
    assert raw.ask(do="manifest", **members)["ok"] is True
    for changes, code in MALFORMED_MANIFESTS:
        assert raw.refused(do="manifest", **(members | changes)) == code, changes
    del members["previous"]
    assert raw.refused(do="manifest", **members) == "malformed"


# -- documents ------------------------------------------------------------------------------------
@pytest.fixture
def registered(signer: Any, writer: Writer) -> int:
    """Register transcripts in a log of a few tiles; return the index of `NUMBER`'s entry."""
    writer.append(400)
    size = writer.append(
        openings=[registration(f"JL-2026-{n:06d}-0") for n in range(3)] + [registration(NUMBER)]
    )
    until_published(writer, size)
    until_published(writer, writer.append(300))
    return size - 1


def sign_document(asking: SignerClient, index: int, number: str = NUMBER) -> bytes:
    return asking.document(
        proof_options_hash=b"o" * 32, document_hash=b"d" * 32, number=number, index=index
    )


def refused(asking: SignerClient, index: int, number: str = NUMBER) -> str:
    with pytest.raises(SignerRefused) as refusal:
        sign_document(asking, index, number)
    return refusal.value.refusal


def test_a_registered_document_is_signed(signer: Any, registered: int) -> None:
    signature = sign_document(client(signer), registered)
    document_key(signer).verify(b"o" * 32 + b"d" * 32, signature)


def test_a_document_is_signed_under_its_own_number_only(signer: Any, registered: int) -> None:
    assert refused(client(signer), registered, "JL-2026-000002-0") == "not-registered"
    assert refused(client(signer), registered - 1) == "not-registered"


def test_an_entry_of_another_kind_registers_nothing(
    signer: Any, writer: Writer, registered: int
) -> None:
    assert refused(client(signer), 5) == "not-registered"
    assert refused(client(signer), 0) == "not-registered"
    for kind in ("transcript-revoke", "genesis"):
        number = f"JL-2026-{kind}"
        size = writer.append(openings=[registration(number, k=kind)])
        until_published(writer, size)
        assert refused_at_last(client(signer), size - 1, number) == "not-registered"


def refused_at_last(to: SignerClient, index: int, number: str) -> Any:
    """The refusal once the signer itself knows of the checkpoint that all others read already."""

    def known() -> str | None:
        code = refused(to, index, number)
        return None if code == "not-published" else code

    return until(known, "the signer to know of its checkpoint")


def test_an_entry_that_is_not_published_registers_nothing(
    signer: Any, writer: Writer, registered: int, db: Any
) -> None:
    number = "JL-2026-000010-0"
    assert refused(client(signer), registered + 1_000) == "not-registered"
    with psycopg.connect(db.superuser_url) as connection:
        # Entries can be written and read, checkpoints not inserted.
        connection.execute("LOCK TABLE ledger_checkpoint IN EXCLUSIVE MODE")
        size = writer.append(openings=[registration(number)])
        assert refused(client(signer), size - 1, number) == "not-published"
    until_published(writer, size)
    assert sign_document(client(signer), size - 1, number)


def test_before_the_first_checkpoint_no_document_is_signed(signer: Any) -> None:
    assert refused(client(signer), 1) == "not-published"


@pytest.mark.parametrize("forged", ["leaf and opening", "opening"])
def test_a_row_changed_behind_the_log_is_no_registration(
    signer: Any, registered: int, db: Any, forged: str
) -> None:
    number = "JL-2020-999999-9"
    opening = registration(number)
    leaf = commitments.leaf(
        commitment=commitments.commitment(opening),
        stream=STREAM,
        kind="transcript-issue",
        seq=403,
        quantity=0,
    )
    with superuser(db.superuser_url) as connection:
        connection.execute(
            "UPDATE ledger_entry SET opening = %s WHERE idx = %s", [opening, registered]
        )
        if forged == "leaf and opening":
            connection.execute(
                "UPDATE ledger_entry SET leaf = %s, dkey = %s WHERE idx = %s",
                [leaf, registration_key(number), registered],
            )
    assert refused(client(signer), registered, number) == "not-registered"
    with pytest.raises(SignerRefused) as refusal:
        client(signer).pades(signed_attributes=cms_attributes(signer), number=number)
    assert refusal.value.refusal == "not-registered"


@pytest.mark.parametrize("lost", ["not reachable", "cut"])
def test_without_the_register_a_document_waits(
    signer: Any, registered: int, db: Any, lost: str
) -> None:
    assert sign_document(client(signer), registered)
    with psycopg.connect(db.superuser_url.rsplit("/", 1)[0] + "/postgres", autocommit=True) as one:
        allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        name = sql.Identifier(db.name)
        if lost == "not reachable":
            one.execute(allow.format(name, sql.Literal(False)))
        one.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = %s AND application_name = 'creditbank-signer'",
            [db.name],
        )
        if lost == "not reachable":
            with pytest.raises(SignerUnavailable):
                sign_document(client(signer), registered)
            one.execute(allow.format(name, sql.Literal(True)))
    assert sign_document(client(signer), registered)


MALFORMED_DOCUMENTS: list[dict[str, Any]] = [
    {"number": ""},
    {"number": "9" * 65},
    {"number": 7},
    {"index": -1},
    {"index": "3"},
    {"proof_options_hash": b64(b"o" * 31)},
    {"document_hash": b64(b"d" * 64)},
    {"document_hash": ""},
]


def test_a_malformed_document_request_is_refused(raw: Raw) -> None:
    members: dict[str, Any] = {
        "number": NUMBER,
        "index": 5,
        "proof_options_hash": b64(b"o" * 32),
        "document_hash": b64(b"d" * 32),
    }
    for changes in MALFORMED_DOCUMENTS:
        assert raw.refused(do="document", **(members | changes)) == "malformed", changes


def test_the_registration_key_is_the_ledgers(signer: Any) -> None:
    for number in (NUMBER, "JL-2026-999999-X", "学分证明"):
        assert registration_key(number) == learnerkeys.dedup_key(
            learnerkeys.PUBLIC_DEDUP, "document", f"{number}/1"
        )


# -- trust list and status ------------------------------------------------------------------------
def body(**members: Any) -> str:
    return canonical.encode(members).decode()


def test_a_trust_list_is_signed_with_the_document_key(signer: Any) -> None:
    keys = client(signer).public()
    text = body(
        type="llcb/trust/v1",
        bank_id="bank.example",
        log_vkey=keys.log_vkey,
        cosigner_vkeys=list(keys.cosigner_vkeys),
        streams={"school.example/2026": {"institution": "吉林"}},
    )
    document_key(signer).verify(SIGNED_JSON_TAG + text.encode(), client(signer).trust(text))


def test_a_status_of_many_documents_is_signed(signer: Any, writer: Writer) -> None:
    size = writer.append()
    until_published(writer, size)
    revoked = {f"{n:064x}": {"index": n, "reason": "更正"} for n in range(20_000)}
    text = body(type="llcb/status/v1", size=size, revoked=revoked)
    document_key(signer).verify(SIGNED_JSON_TAG + text.encode(), client(signer).trust(text))


NOT_SAID = [
    ("{}", "type-unknown"),
    (body(type="llcb/manifest/v1"), "type-unknown"),
    (body(type=["llcb/trust/v1"]), "type-unknown"),
    (body(type="llcb/trust/v1", bank_id="other.example"), "differs"),
    (body(type="llcb/trust/v1", log_vkey="other+00000000+AAAA"), "differs"),
    (body(type="llcb/trust/v1", cosigner_vkeys=[]), "differs"),
    (body(type="llcb/status/v1", size=10**6), "not-published"),
    (body(type="llcb/status/v1", size=-1), "not-published"),
    (body(type="llcb/status/v1", size="1"), "not-published"),
    ('{"type": "llcb/trust/v1"}', "malformed"),
    ('{"type":"llcb/trust/v1","type":"llcb/trust/v1"}', "malformed"),
    ('["llcb/trust/v1"]', "malformed"),
    ("llcb/trust/v1", "malformed"),
    ("", "malformed"),
]


def test_a_body_the_bank_would_not_say_is_refused(raw: Raw) -> None:
    for text, code in NOT_SAID:
        assert raw.refused(do="trust", body=text) == code, text


# -- PDF signatures -------------------------------------------------------------------------------
def test_the_attributes_of_a_registered_transcripts_pdf_are_signed(
    signer: Any, registered: int
) -> None:
    attributes = cms_attributes(signer)
    signature = client(signer).pades(signed_attributes=attributes, number=NUMBER)
    leaf = load_der_x509_certificate(client(signer).public().pades_chain[0])
    public = leaf.public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    public.verify(signature, attributes, ec.ECDSA(hashes.SHA256()))


def test_the_pdf_of_a_number_that_was_not_registered_is_not_signed(
    signer: Any, registered: int
) -> None:
    with pytest.raises(SignerRefused) as refusal:
        client(signer).pades(signed_attributes=cms_attributes(signer), number="JL-2026-0-0")
    assert refusal.value.refusal == "not-registered"


def test_what_are_no_attributes_is_not_signed(signer: Any, registered: int) -> None:
    for data in (b"%PDF-1.7", cms_attributes(signer) + b"\0", b"\x31\x00"):
        with pytest.raises(SignerRefused) as refusal:
            client(signer).pades(signed_attributes=data, number=NUMBER)
        assert refusal.value.refusal == "attributes-refused"


# -- the audit log --------------------------------------------------------------------------------
def test_every_request_leaves_one_line_that_names_nobody(
    signer: Any, registered: int, raw: Raw
) -> None:
    client(signer).stream_key(STREAM)
    client(signer).manifest(manifest())
    sign_document(client(signer), registered)
    client(signer).pades(signed_attributes=cms_attributes(signer), number=NUMBER)
    raw.refused(do="document", number="张三\n", index=1)
    raw.refused(do="张三\n")
    lines = until(
        lambda: [
            line
            for line in signer.log().splitlines()
            if " do=" in line and " do=public" not in line
        ][-6:],
        "six lines",
    )
    shown = [line.partition(" do=")[2] for line in lines]
    assert [line.split()[0] for line in shown] == [
        "stream-key",
        "manifest",
        "document",
        "pades",
        "document",
        "-",
    ]
    assert f"manifest stream={STREAM} first=12 count=3 uid={os.geteuid()}" in shown[1]
    assert shown[-2].endswith("refused malformed")
    assert "张三" not in signer.log()
    assert NUMBER not in signer.log()
