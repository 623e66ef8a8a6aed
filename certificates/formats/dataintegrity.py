"""W3C Data Integrity proofs with the cryptosuite eddsa-rdfc-2022 (VC-DI-EDDSA 1.0, section 3.2).

Pure; never fetches. A document is expanded (JSON-LD 1.1) with contexts that
stand in `certificates/contexts`, turned into RDF, canonicalised (RDFC-1.0) and
hashed; the proof's options are treated the same way under the document's
contexts; the signature covers both hashes. Contexts that are not on the list,
contexts written into the document, terms and types that no context defines
are refused: each would leave something readable that nobody signed.

Canonicalising a hostile graph can cost time without bound. Whoever verifies a
document of unknown origin therefore checks its shape first (`formats.clr.read`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Final

import base58
from pyld.canon import URDNA2015
from pyld.documentloader.frozen import FrozenDocumentLoader
from pyld.jsonld import JsonLdError, JsonLdProcessor

from creditbank.errors import DomainError
from creditbank.proofs.signatures import SignatureInvalid, Verifier

Json = Any
Document = dict[str, Json]
Sign = Callable[[bytes, bytes], bytes]
"""Takes the hash of the options and the hash of the document, gives 64 bytes of Ed25519."""

CRYPTOSUITE: Final = "eddsa-rdfc-2022"
SIGNATURE_BYTES: Final = 64

_FOLDER: Final = Path(__file__).resolve().parent.parent / "contexts"
CONTEXT_FILES: Final[Mapping[str, str]] = {
    "https://www.w3.org/ns/credentials/v2": "credentials-v2.json",
    "https://w3id.org/security/data-integrity/v2": "data-integrity-v2.json",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json": "ob-3.0.3.json",
    "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json": "clr-2.0.1.json",
}
_RELATIVE: Final = "https://relative.invalid/"
"""The base address of all documents: whatever begins with it was not absolute."""

"""Multicodec ed25519-pub as a varint (Controlled Identifiers 1.0, section 2.2.2)."""

_PROOF_MEMBERS: Final = frozenset(
    {"type", "cryptosuite", "created", "verificationMethod", "proofPurpose", "proofValue"}
)


class NotSignable(DomainError):
    """A document that says more, or something else, than a signature over it would cover."""

    code: ClassVar[str] = "not-signable"


class ProofMalformed(DomainError):
    """The `proof` member is not one eddsa-rdfc-2022 proof; the facts name the member."""

    code: ClassVar[str] = "proof-malformed"


# -- canonical statements ---------------------------------------------------------------------


class _Processor(JsonLdProcessor):  # type: ignore[misc]  # the library has no types
    """PyLD's processor with two additions: nothing is dropped unseen, contexts are read once.

    PyLD gives every context that applies to one node only (`type` scoped) a
    new identity at each node, so that its own cache never finds one again: on
    a transcript that is two thirds of the time. The contexts allowed here are
    a closed list, so what they give is remembered by the objects involved.
    """

    def __init__(self, loader: FrozenDocumentLoader) -> None:
        super().__init__(on_property_dropped=_refuse_property)
        self._options = {
            "algorithm": "URDNA2015",
            "base": _RELATIVE,
            "documentLoader": loader,
            "processingMode": "json-ld-1.1",
        }
        self._processed: dict[tuple[Any, ...], tuple[Any, Any, Any]] = {}

    def dataset(self, document: Document) -> Any:
        """Return the RDF dataset of a document."""
        return self.to_rdf(document, self._options)

    def expand(self, input_: Any, options: Any) -> Any:
        expanded = super().expand(input_, options)
        _check_identifiers(expanded)
        return expanded

    def _process_context(
        self,
        active_ctx: Any,
        local_ctx: Any,
        options: Any,
        override_protected: bool = False,
        propagate: bool = True,
        validate_scoped: bool = True,
        cycles: Any = None,
    ) -> Any:
        name = (
            tuple(local_ctx)
            if isinstance(local_ctx, list) and all(isinstance(item, str) for item in local_ctx)
            else id(local_ctx)
        )
        key = (id(active_ctx), name, override_protected, propagate, validate_scoped)
        known = self._processed.get(key)
        if known is not None:
            return known[2]
        processed = super()._process_context(
            active_ctx, local_ctx, options, override_protected, propagate, validate_scoped, cycles
        )
        # Holding both inputs keeps their identities from being given to other objects.
        self._processed[key] = (active_ctx, local_ctx, processed)
        return processed


def _refuse_property(name: str | None) -> None:
    raise NotSignable("a term that no context defines", term=str(name))


def _check_identifiers(expanded: Any) -> None:
    """Refuse types and identifiers that are not absolute.

    The processor would make them absolute under some base address, or drop
    them: either way the signature would not cover what the reader sees.
    """
    stack = [expanded]
    while stack:
        item = stack.pop()
        if isinstance(item, list):
            stack.extend(item)
        elif isinstance(item, dict):
            if "@value" in item:
                continue
            for name in item.get("@type", ()):
                if name.startswith(_RELATIVE):
                    raise NotSignable("a type that no context defines", term=name)
            identifier = item.get("@id")
            if identifier is not None and (
                not isinstance(identifier, str)
                or ":" not in identifier
                or identifier.startswith((_RELATIVE, "_:"))
            ):
                raise NotSignable("an identifier that is not absolute", term=str(identifier))
            stack.extend(value for name, value in item.items() if name not in ("@id", "@type"))


CONTEXTS: Final[Mapping[str, Path | Document]] = {
    url: _FOLDER / name for url, name in CONTEXT_FILES.items()
}


class Canonicaliser:
    """Canonicalises documents under a closed list of contexts: files, or their JSON."""

    def __init__(self, contexts: Mapping[str, Path | Document] = CONTEXTS) -> None:
        self._allowed = frozenset(contexts)
        self._processor = _Processor(FrozenDocumentLoader(dict(contexts)))

    def statements(self, document: Document) -> frozenset[str]:
        """Return the canonical N-Quads of a document, one string a statement (RDFC-1.0).

        Raises NotSignable for contexts, terms, types and texts that would not
        be covered as they stand.
        """
        check_contexts(document, self._allowed)
        try:
            dataset = self._processor.dataset(document)
            text: str = URDNA2015().main(dataset, {"format": "application/n-quads"})
        except JsonLdError as error:
            cause = error.__cause__
            if isinstance(cause, NotSignable):
                raise cause from error
            raise NotSignable(str(error)) from error
        # Lines end in LF only: texts may hold other characters that split lines.
        return frozenset(line + "\n" for line in text.split("\n") if line)


@lru_cache(maxsize=1)
def _canonicaliser() -> Canonicaliser:
    return Canonicaliser()


def check_contexts(value: Json, allowed: frozenset[str] = frozenset(CONTEXT_FILES)) -> None:
    """Refuse every `@context`, at any depth, that is not a list of allowed addresses.

    Raises NotSignable for an address that is not on the list and for a context
    written into the document (VC Data Integrity 1.0, section 2.4.1).
    """
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, list):
            stack.extend(item)
        elif isinstance(item, dict):
            if "@context" in item:
                contexts = item["@context"]
                for context in contexts if isinstance(contexts, list) else [contexts]:
                    if not isinstance(context, str):
                        raise NotSignable("a context written into the document", term="@context")
                    if context not in allowed:
                        raise NotSignable("a context that is not on the list", term=context)
            stack.extend(entry for name, entry in item.items() if name != "@context")


def statements(document: Document) -> frozenset[str]:
    """Return a document's canonical statements under the contexts of the bank's documents."""
    return _canonicaliser().statements(document)


def digest(canonical: frozenset[str]) -> bytes:
    """Hash canonical statements: SHA-256 over the sorted N-Quads (code point order, RDFC-1.0)."""
    return hashlib.sha256("".join(sorted(canonical)).encode()).digest()


# -- proofs -----------------------------------------------------------------------------------


def options(*, verification_method: str, created: datetime) -> Document:
    """Make the options of a proof for the purpose `assertionMethod`; `created` to the second."""
    return {
        "type": "DataIntegrityProof",
        "cryptosuite": CRYPTOSUITE,
        "created": created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "verificationMethod": verification_method,
        "proofPurpose": "assertionMethod",
    }


def hash_options(proof: Document, contexts: Sequence[Json]) -> bytes:
    """Hash a proof's options (all but `proofValue`) under the document's contexts."""
    config = {name: value for name, value in proof.items() if name != "proofValue"}
    return digest(statements({"@context": list(contexts), **config}))


def proof_of(
    document: Document,
    canonical: frozenset[str],
    *,
    verification_method: str,
    created: datetime,
    sign: Sign,
) -> Document:
    """Make the proof of a document (without `proof`) whose canonical statements are given."""
    proof = options(verification_method=verification_method, created=created)
    signature = sign(hash_options(proof, document["@context"]), digest(canonical))
    if len(signature) != SIGNATURE_BYTES:
        raise ProofMalformed("an Ed25519 signature has 64 bytes", found=len(signature))
    proof["proofValue"] = "z" + base58.b58encode(signature).decode("ascii")
    return proof


def read_proof(proof: Json) -> tuple[Document, bytes]:
    """Read a `proof` member: its options and the 64 bytes of its signature.

    One object with exactly the members that `options` writes and `proofValue`:
    of several proofs other verifiers pick different ones. Raises ProofMalformed.
    """
    if not isinstance(proof, dict):
        raise ProofMalformed("one proof expected", member="proof")
    if set(proof) != _PROOF_MEMBERS or not all(isinstance(item, str) for item in proof.values()):
        raise ProofMalformed("other members than a proof has", member="proof")
    for name, expected in (
        ("type", "DataIntegrityProof"),
        ("cryptosuite", CRYPTOSUITE),
        ("proofPurpose", "assertionMethod"),
    ):
        if proof[name] != expected:
            raise ProofMalformed(f"{expected} expected", member=name)
    value = proof["proofValue"]
    try:
        signature = base58.b58decode(value[1:]) if value.startswith("z") else b""
    except ValueError:
        signature = b""
    # Leading zeros and other spellings of the same bytes are refused with the length.
    if len(signature) != SIGNATURE_BYTES or base58.b58encode(signature).decode() != value[1:]:
        raise ProofMalformed("64 bytes in base58btc expected", member="proofValue")
    return {name: item for name, item in proof.items() if name != "proofValue"}, signature


def verify(document: Document, canonical: frozenset[str], verifier: Verifier) -> None:
    """Check a document's proof with a key that the caller has chosen and trusts.

    `canonical` are the statements of the document without `proof`. Raises
    ProofMalformed, or SignatureInvalid from the verifier.
    """
    config, signature = read_proof(document.get("proof"))
    verifier.verify(hash_options(config, document["@context"]) + digest(canonical), signature)


__all__ = [
    "CONTEXTS",
    "CONTEXT_FILES",
    "CRYPTOSUITE",
    "Canonicaliser",
    "NotSignable",
    "ProofMalformed",
    "SignatureInvalid",
    "check_contexts",
    "digest",
    "hash_options",
    "options",
    "proof_of",
    "read_proof",
    "statements",
    "verify",
]
