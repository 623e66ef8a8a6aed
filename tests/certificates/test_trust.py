"""The trust list and the status snapshot are believed as signed, or not at all."""

from __future__ import annotations

import json
from typing import Any

import pytest

from creditbank import trust
from creditbank.proofs import canonical
from creditbank.trust import TrustInvalid
from tests.certificates.bank import BANK_ID, BANK_STREAM, COLLEGE, DID, Bank, genuine

DIGEST = bytes(range(32))


def changed(wire: bytes, change: dict[str, Any], bank: Bank | None = None) -> bytes:
    """Change members of the body; sign again if a bank is given."""
    body = json.loads(json.loads(wire)["body"]) | change
    text = canonical.encode(body).decode()
    if bank is not None:
        return trust.wire(text, bank.document.sign)
    return json.dumps({"body": text, "signature": json.loads(wire)["signature"]}).encode()


def test_a_trust_list_is_read_as_it_was_written() -> None:
    made = genuine()

    read = trust.parse_trust(made.bank.trust_wire())

    assert (read.bank_id, read.number, read.size) == (BANK_ID, 1, len(made.bank.leaves))
    assert read.dids == {DID}
    assert read.methods == {made.bank.method: (DID, made.bank.document.public)}
    assert read.bank_stream == BANK_STREAM
    assert read.log_key.vkey == made.bank.log_key.vkey
    assert read.pades_roots == (made.bank.root,)
    assert read.genesis == (made.bank.leaf_hash(0), made.bank.leaf_hash(1))
    assert read.time == made.bank.time


def test_a_status_is_read_as_it_was_written() -> None:
    made = genuine()

    read = made.bank.status(
        revoked={DIGEST: trust.Revocation(reason="更正", successor="T-2", index=9)},
        reversed={DIGEST: trust.Reversal(reason="撤回", index=10)},
    )

    assert read.revoked == {DIGEST: trust.Revocation(reason="更正", successor="T-2", index=9)}
    assert read.reversed == {DIGEST: trust.Reversal(reason="撤回", index=10)}
    assert read.size == len(made.bank.leaves)
    assert read.at > made.bank.time


@pytest.mark.parametrize(
    "change",
    [
        {"number": 2},
        {"bank_id": "other.example"},
        {"streams": {}},
        {"type": "llcb/status/v1"},
        {"extra": "member"},
    ],
)
def test_an_altered_trust_list_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(TrustInvalid):
        trust.parse_trust(changed(genuine().bank.trust_wire(), change))


def test_a_list_that_a_stranger_signed_is_refused() -> None:
    made = genuine()

    with pytest.raises(TrustInvalid):
        trust.parse_trust(changed(made.bank.trust_wire(), {"number": 2}, Bank("stranger")))


def test_a_strangers_whole_list_is_refused_where_a_key_is_pinned() -> None:
    made = genuine()
    stranger = Bank("stranger").trust_wire()

    assert trust.parse_trust(made.bank.trust_wire(), pinned=made.bank.document.public).number == 1
    with pytest.raises(TrustInvalid):
        trust.parse_trust(stranger, pinned=made.bank.document.public)


@pytest.mark.parametrize(
    "change",
    [
        {"checkpoint": ""},
        {"checkpoint": "bank.example/log\n1\nAAAA\n\n"},
        {"log_vkey": "x"},
        {"cosigner_vkeys": []},
        {"did_documents": []},
        {"did_documents": [{"id": DID}]},
        {"number": -1},
        {"number": "1"},
        {"pades_roots": ["!"]},
        {"streams": {"a": {"institution": "x", "uscc": "y", "keys": [{}]}}},
        {"streams": {"a": {"institution": "x", "uscc": "y", "keys": "none"}}},
    ],
)
def test_a_malformed_list_is_refused_though_the_bank_signed_it(change: dict[str, Any]) -> None:
    made = genuine()

    with pytest.raises(TrustInvalid):
        trust.parse_trust(changed(made.bank.trust_wire(), change, made.bank))


def test_a_key_that_another_controls_is_refused() -> None:
    made = genuine()
    document = trust.did_document(DID, [made.bank.document.public])
    document["verificationMethod"][0]["controller"] = "did:web:evil.example"

    with pytest.raises(TrustInvalid):
        trust.parse_trust(changed(made.bank.trust_wire(), {"did_documents": [document]}, made.bank))


def test_a_key_that_is_not_for_assertions_signs_no_documents() -> None:
    made = genuine()
    other = Bank("stranger").document.public
    document = trust.did_document(DID, [made.bank.document.public, other])
    document["assertionMethod"] = document["assertionMethod"][:1]

    read = trust.parse_trust(
        changed(made.bank.trust_wire(), {"did_documents": [document]}, made.bank)
    )

    assert set(read.methods) == {made.bank.method}


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b'{"body": 1, "signature": ""}', b'{"body": "{}", "signature": "!"}'],
)
def test_what_is_no_signed_list_is_refused(data: bytes) -> None:
    made = genuine()

    with pytest.raises(TrustInvalid):
        trust.parse_trust(data)
    with pytest.raises(TrustInvalid):
        trust.parse_status(data, made.trust)


def test_a_status_of_a_stranger_is_refused() -> None:
    with pytest.raises(TrustInvalid):
        trust.parse_status(Bank("stranger").status_wire(), genuine().trust)


@pytest.mark.parametrize(
    "change",
    [
        {"size": "1"},
        {"at": "yesterday"},
        {"revoked": {"xyz": {"reason": "", "successor": "", "index": 1}}},
        {"revoked": {DIGEST.hex().upper(): {"reason": "", "successor": "", "index": 1}}},
        {"reversed": {DIGEST.hex(): {"reason": ""}}},
    ],
)
def test_a_malformed_status_is_refused_though_the_bank_signed_it(change: dict[str, Any]) -> None:
    made = genuine()

    with pytest.raises(TrustInvalid):
        trust.parse_status(changed(made.bank.status_wire(), change, made.bank), made.trust)


@pytest.mark.parametrize(
    ("index", "in_force"),
    [(9, False), (10, True), (11, True), (19, True), (20, False), (21, False)],
)
def test_a_key_signs_from_its_addition_until_its_retirement(index: int, in_force: bool) -> None:
    key = trust.StreamKey(algorithm="Ed25519", public=bytes(32), added=10, retired=20)

    assert key.in_force(index) is in_force


@pytest.mark.parametrize(("index", "in_force"), [(14, True), (15, False), (16, False)])
def test_a_compromised_key_signs_nothing_from_that_index_on(index: int, in_force: bool) -> None:
    key = trust.StreamKey(
        algorithm="Ed25519", public=bytes(32), added=10, retired=20, compromised_from=15
    )

    assert key.in_force(index) is in_force


def test_an_unknown_stream_has_no_keys() -> None:
    assert genuine().trust.stream_keys("nobody.example/1", 5) == ()
    assert len(genuine().trust.stream_keys(COLLEGE, 50)) == 1


def test_a_did_document_names_its_keys_as_other_verifiers_want_them() -> None:
    public = genuine().bank.document.public

    document = trust.did_document(DID, [public])

    assert document["assertionMethod"] == [trust.verification_method(DID, public)]
    assert document["verificationMethod"][0]["publicKeyMultibase"].startswith("z6Mk")
    assert document["verificationMethod"][0]["controller"] == DID
