"""The proof on a document is the one W3C specifies, and covers all that it says."""

from __future__ import annotations

import hashlib
import json
from copy import deepcopy
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import base58
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from openbadgeslib.ob3.ldp import verify_data_integrity_proof
from openbadgeslib.ob3.verifier import OB3VerificationError
from pyld import jsonld
from pyld.documentloader.frozen import FrozenDocumentLoader

from certificates import documents
from certificates.formats import clr, dataintegrity
from certificates.formats.transcript import TranscriptData
from creditbank import multikeys
from creditbank.proofs import signatures
from creditbank.proofs.signatures import SignatureInvalid
from tests.certificates.bank import Genuine, genuine
from tests.certificates.transcripts import transcripts

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parent.parent / "vectors/data-integrity/eddsa-rdfc-2022.json").read_text()
)
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"
CONTEXTS = {
    **dataintegrity.CONTEXTS,
    EXAMPLES: {"@context": {"@vocab": "https://www.w3.org/ns/credentials/examples#"}},
}
PUBLIC = multikeys.public_of(VECTORS["key"]["publicKeyMultibase"])
SECRET = base58.b58decode(VECTORS["key"]["secretKeyMultibase"][1:])[2:]


def options(method: str) -> dict[str, str]:
    created = datetime.strptime(VECTORS["created"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    return dataintegrity.options(verification_method=method, created=created)


def test_the_document_of_the_recommendation_has_its_published_hash() -> None:
    canonical = dataintegrity.Canonicaliser(CONTEXTS).statements(VECTORS["document"])

    assert dataintegrity.digest(canonical).hex() == VECTORS["document_hash"]


@pytest.mark.parametrize("edition", ["recommendation", "repository"])
def test_options_and_signature_have_their_published_figures(edition: str) -> None:
    figures = VECTORS[edition]
    hashed = dataintegrity.hash_options(
        options(figures["verificationMethod"]), [VECTORS["document"]["@context"][0]]
    )
    signature = signatures.signer(signatures.ED25519, SECRET).sign(
        hashed + bytes.fromhex(VECTORS["document_hash"])
    )

    assert hashed.hex() == figures["options_hash"]
    assert "z" + base58.b58encode(signature).decode() == figures["proofValue"]
    if "signature" in figures:
        assert signature.hex() == figures["signature"]


@pytest.mark.parametrize("edition", ["recommendation", "employment"])
def test_a_published_signature_verifies_and_does_not_when_a_hash_differs(edition: str) -> None:
    figures = VECTORS[edition]
    document_hash = figures.get("document_hash", VECTORS["document_hash"])
    message = bytes.fromhex(figures["options_hash"] + document_hash)
    verifier = signatures.verifier(signatures.ED25519, PUBLIC)
    signature = base58.b58decode(figures["proofValue"][1:])

    verifier.verify(message, signature)
    with pytest.raises(SignatureInvalid):
        verifier.verify(message[:-1] + bytes([message[-1] ^ 1]), signature)


@settings(max_examples=40, deadline=None)
@given(transcripts())
def test_remembered_contexts_give_what_the_library_gives_without(data: TranscriptData) -> None:
    document = documents.build(data)
    loader = FrozenDocumentLoader(dict(dataintegrity.CONTEXTS))

    plain = jsonld.normalize(
        document,
        {"algorithm": "URDNA2015", "format": "application/n-quads", "documentLoader": loader},
    )

    assert "".join(sorted(dataintegrity.statements(document))) == plain


def test_remembered_contexts_are_as_many_after_a_thousand_documents_as_after_one() -> None:
    canonicaliser = dataintegrity.Canonicaliser()
    made = genuine()
    canonicaliser.statements(made.document | {"proof": {}})
    first = len(canonicaliser._processor._processed)

    for _ in range(20):
        canonicaliser.statements(deepcopy(made.document))

    assert len(canonicaliser._processor._processed) <= first + 5


def test_adding_the_registration_gives_what_canonicalising_the_whole_gives() -> None:
    made = genuine()
    proof = made.document["evidence"][0]["narrative"]
    prepared = documents.prepare(made.data).registered(proof)
    whole = {name: value for name, value in made.document.items() if name != "proof"}

    assert prepared.statements == dataintegrity.statements(whole)
    assert prepared.document == whole


def test_a_context_file_is_the_published_one() -> None:
    # The first two are printed in VCDM 2.0 (appendix B.1) and VC Data Integrity 1.0.
    assert {
        url: hashlib.sha256(Path(str(path)).read_bytes()).hexdigest()
        for url, path in dataintegrity.CONTEXTS.items()
    } == {
        "https://www.w3.org/ns/credentials/v2": (
            "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734"
        ),
        "https://w3id.org/security/data-integrity/v2": (
            "67f21e6e33a6c14e5ccfd2fc7865f7474fb71a04af7e94136cb399dfac8ae8f4"
        ),
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json": (
            "3d34f4d4ef1bce691106e63798beb5e7b862ba841423f5ee1e53ab7ddf3bca84"
        ),
        "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json": (
            "880f1902d4158f2f33ce06af41b90719977cd1ea337a9de2e41edb3ff5e543d6"
        ),
    }


# -- a second program agrees ------------------------------------------------------------------


def second_opinion(made: Genuine, document: dict[str, Any]) -> None:
    pem = Ed25519PublicKey.from_public_bytes(made.bank.document.public).public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )
    context = json.loads(
        (files("openbadgeslib.ob3.contexts") / "clr_context_2.0.1.json").read_text()
    )
    verify_data_integrity_proof(document, pem, extra_contexts={clr.CLR: context})


def test_a_second_program_accepts_the_proof() -> None:
    made = genuine()

    second_opinion(made, made.document)


def test_a_second_program_refuses_what_ours_refuses() -> None:
    made = genuine()
    altered = deepcopy(made.document)
    altered["credentialSubject"]["verifiableCredential"][0]["credentialSubject"][
        "creditsEarned"
    ] = 30

    with pytest.raises(OB3VerificationError):
        second_opinion(made, altered)


# -- what no signature would cover ------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"@context": [clr.V2, "https://evil.example/v1"]}, id="unlisted context"),
        pytest.param({"@context": [clr.V2, {"x": "https://e.example/x"}]}, id="inline context"),
        pytest.param({"@context": [clr.V2, None]}, id="cleared context"),
        pytest.param({"honours": "with distinction"}, id="unknown term"),
        pytest.param({"type": ["VerifiableCredential", "Unknown"]}, id="unknown type"),
        pytest.param({"id": "no-scheme"}, id="relative identifier"),
        pytest.param({"id": "_:b0"}, id="blank identifier"),
        pytest.param({"issuer": {"id": "did:web:x", "@context": {}}}, id="nested context"),
    ],
)
def test_what_would_not_be_covered_is_refused(change: dict[str, Any]) -> None:
    document = {
        "@context": [clr.V2],
        "id": "https://bank.example/v/1",
        "type": ["VerifiableCredential"],
        "issuer": "did:web:bank.example",
        "credentialSubject": {"id": "did:example:1"},
    }
    dataintegrity.statements(document)

    with pytest.raises(dataintegrity.NotSignable):
        dataintegrity.statements(document | change)


def test_a_text_may_hold_what_some_take_for_the_end_of_a_line() -> None:
    document = {
        "@context": [clr.V2],
        "id": "https://bank.example/v/1",
        "type": ["VerifiableCredential"],
        "name": "a\u2028b\x85c\u000cd",
    }
    canonical = dataintegrity.statements(document)

    assert len(canonical) == 2
    assert dataintegrity.digest(canonical) != dataintegrity.digest(
        dataintegrity.statements(document | {"name": "a\u2028b"})
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "z",
        "z0OIl",
        "6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2",
        "zDnaepBuvsQ8cpsWrVKw8fbpGpvPeNSjVPTWoq6cRqaYzBKVP",
    ],
)
def test_a_text_that_is_no_ed25519_key_is_refused(text: str) -> None:
    with pytest.raises(multikeys.MultikeyInvalid):
        multikeys.public_of(text)


def test_a_key_is_read_back_as_written() -> None:
    assert multikeys.multikey(PUBLIC) == VECTORS["key"]["publicKeyMultibase"]
    assert multikeys.public_of(multikeys.multikey(PUBLIC)) == PUBLIC


def test_a_signer_that_gives_no_ed25519_signature_is_refused() -> None:
    made = genuine()

    with pytest.raises(dataintegrity.ProofMalformed):
        documents.add_proof(
            documents.build(made.data),
            verification_method=made.bank.method,
            created=datetime.now(UTC),
            sign=lambda options_hash, document_hash: b"short",
        )
