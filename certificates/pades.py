"""The signature on the PDF: PAdES B-B, certifying, no change allowed; made and checked.

A certification signature with DocMDP permission 1 (ISO 32000-2, 12.8.2.2) says
that any change breaks it. Readers disagree on what a change is: bytes behind
the signed range, a later revision that draws over a page. So a file is
accepted only if the signature is sound, the document modification rule is kept
and the signature covers the whole file; whatever else was added is named.
"""

from __future__ import annotations

import asyncio
import io
import logging
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar, Final

import pypdf
from asn1crypto import cms, x509
from asn1crypto.algos import SignedDigestAlgorithm
from asn1crypto.parser import emit, parse, peek
from pyhanko.pdf_utils import embed
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, Signer
from pyhanko.sign.validation import EmbeddedPdfSignature, async_validate_pdf_signature
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko.sign.validation.status import PdfSignatureStatus, SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore
from pypdf.errors import PyPdfError
from pypdf.generic import StreamObject

from creditbank.errors import DomainError

SignAttributes = Callable[[bytes], bytes]
"""Takes the DER of the CMS signed attributes, gives an ECDSA P-256 signature over their SHA-256 (DER)."""

# What is wrong with a stranger's signature is told in the report, not in the log.
logging.getLogger("pyhanko").setLevel(logging.CRITICAL)
logging.getLogger("pyhanko_certvalidator").setLevel(logging.CRITICAL)

FIELD: Final = "Certification"
ECDSA_MAX: Final = 72
"""Bytes of a P-256 signature in DER at the most."""


class PdfSignatureInvalid(DomainError):
    """A PDF whose signature cannot be accepted; `trouble` says why, in one word of `Trouble`."""

    code: ClassVar[str] = "pdf-signature-invalid"

    def __init__(self, trouble: Trouble, detail: str = "") -> None:
        super().__init__(f"{trouble.value}: {detail}" if detail else trouble.value)
        self.trouble = trouble
        self.detail = detail


class Trouble(StrEnum):
    """What is wrong with a PDF's signature."""

    MISSING = "missing"
    """There is no signature."""
    SEVERAL = "several"
    """There is more than one: somebody signed after us, or before."""
    ALTERED = "altered"
    """Bytes inside the signed range differ."""
    APPENDED = "appended"
    """Bytes stand behind the end of the signed file."""
    ANNOTATION = "annotation"
    """A later revision adds an annotation: a note, a stamp, an overlay."""
    CONTENT = "content"
    """A later revision replaces or extends the content of a page."""
    ATTACHMENT = "attachment"
    """A later revision replaces or adds an attached file."""
    UPDATED = "updated"
    """A later revision changes something else."""
    NOT_CERTIFYING = "not-certifying"
    """It is not a certification signature that forbids changes."""
    STRANGER = "stranger"
    """It is sound, but its certificate does not lead to the bank's root."""
    DAMAGED = "damaged"
    """It cannot be read."""


@dataclass(frozen=True, kw_only=True)
class PdfSignature:
    """A PDF signature that was accepted."""

    signer: str
    signed_at: datetime | None
    """The time the signer wrote; nobody else vouches for it (B-B has no time stamp)."""


# -- signing ----------------------------------------------------------------------------------


class _RemoteSigner(Signer):
    """Signs by a function that holds the key somewhere else."""

    def __init__(self, chain: Sequence[bytes], sign: SignAttributes) -> None:
        certificates = [x509.Certificate.load(der) for der in chain]
        registry = SimpleCertificateStore()  # type: ignore[no-untyped-call]
        registry.register_multiple(certificates[1:])
        super().__init__(
            signing_cert=certificates[0],
            cert_registry=registry,
            signature_mechanism=SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}),
        )
        self._sign = sign

    async def async_sign_raw(
        self, data: bytes, digest_algorithm: str, dry_run: bool = False
    ) -> bytes:
        return bytes(ECDSA_MAX) if dry_run else self._sign(data)


def sign(
    pdf: bytes,
    *,
    sign: SignAttributes,
    chain: Sequence[bytes],
    name: str,
    attachment: bytes | None = None,
    attachment_name: str = "transcript.json",
) -> bytes:
    """Attach the data and sign the whole file: one revision, nothing may follow it.

    `chain` are the certificates in DER, the signer's own first, then its root.
    """
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    if attachment is not None:
        stream = embed.EmbeddedFileObject.from_file_data(
            writer, data=attachment, mime_type="application/ld+json"
        )
        embed.embed_file(
            writer,
            embed.FileSpec(
                file_spec_string=attachment_name,
                file_name=attachment_name,
                embedded_data=stream,
                af_relationship=pdf_name("/Source"),
            ),
        )
    metadata = PdfSignatureMetadata(
        field_name=FIELD,
        name=name,
        md_algorithm="sha256",
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
        subfilter=SigSeedSubFilter.PADES,
    )
    signer = PdfSigner(
        metadata, signer=_RemoteSigner(chain, sign), new_field_spec=SigFieldSpec(FIELD)
    )
    # Room for the certificates, the attributes and the signature, written in hexadecimal.
    reserved = 2 * (sum(len(der) for der in chain) + 2048)
    output = io.BytesIO()
    asyncio.run(signer.async_sign_pdf(writer, bytes_reserved=reserved, output=output))
    return output.getvalue()


# -- checking ---------------------------------------------------------------------------------


def validate(data: bytes, *, roots: Sequence[bytes], at: datetime) -> PdfSignature:
    """Accept a PDF's signature, or raise PdfSignatureInvalid with what is wrong.

    `roots` are the bank's root certificates in DER; `at` is the moment as of
    which the certificate is judged: the time the register proves, when known.
    Certificates and revocation lists are never fetched.
    """
    with _damage():
        reader = PdfFileReader(io.BytesIO(data), strict=False)
        signatures = list(reader.embedded_signatures)
        if not signatures:
            raise PdfSignatureInvalid(Trouble.MISSING)
        if len(signatures) > 1:
            raise PdfSignatureInvalid(Trouble.SEVERAL, str(len(signatures)))
        signature = signatures[0]
        status = asyncio.run(_status(signature, roots, at))
        if not status.intact or not status.valid:
            raise PdfSignatureInvalid(Trouble.ALTERED)
        if status.coverage is not SignatureCoverageLevel.ENTIRE_FILE:
            raise PdfSignatureInvalid(_added(data, signature))
        if not _reaches_the_end(data, signature):
            raise PdfSignatureInvalid(Trouble.ALTERED, "outside the signed range")
        if not _certifies(reader, signature):
            raise PdfSignatureInvalid(Trouble.NOT_CERTIFYING)
        if not status.trusted:
            raise PdfSignatureInvalid(Trouble.STRANGER, str(status.trust_problem_indic))
        if not _is_plain(signature, roots):
            raise PdfSignatureInvalid(Trouble.ALTERED, "in the signature's container")
        if not status.docmdp_ok or not status.bottom_line:
            raise PdfSignatureInvalid(Trouble.UPDATED)
        return PdfSignature(
            signer=str(signature.signer_cert.subject.native.get("common_name", "")),
            signed_at=signature.self_reported_timestamp,
        )


@contextmanager
def _damage() -> Iterator[None]:
    """Turn whatever the parser trips over in a hostile file into one refusal."""
    try:
        yield
    except (
        PdfError,
        SignatureValidationError,
        ArithmeticError,
        AssertionError,
        AttributeError,
        LookupError,
        NotImplementedError,
        OSError,
        RecursionError,
        TypeError,
        ValueError,
        zlib.error,
    ) as error:
        raise PdfSignatureInvalid(Trouble.DAMAGED, type(error).__name__) from error


async def _status(
    signature: EmbeddedPdfSignature, roots: Sequence[bytes], at: datetime
) -> PdfSignatureStatus:
    context = ValidationContext(
        trust_roots=[x509.Certificate.load(der) for der in roots],
        allow_fetching=False,
        revocation_mode="soft-fail",
        moment=at.astimezone(UTC),
    )
    return await async_validate_pdf_signature(
        signature,
        signer_validation_context=context,
        key_usage_settings=KeyUsageConstraints(key_usage={"non_repudiation", "digital_signature"}),
    )


def _reaches_the_end(data: bytes, signature: EmbeddedPdfSignature) -> bool:
    """Say whether the signed range is everything but the signature itself, to the last byte."""
    ranges = [int(number) for number in signature.byte_range]
    if len(ranges) != 4:
        return False
    start, length, second, rest = ranges
    gap = data[length:second]
    if start != 0 or second + rest != len(data) or not re.fullmatch(rb"<(?:[0-9A-F]{2})+>", gap):
        return False
    # Behind the signature only the zeros that fill its room, which nothing signs.
    contents = bytes.fromhex(gap[1:-1].decode("ascii"))
    return not any(contents[peek(contents) :])


def _is_plain(signature: EmbeddedPdfSignature, roots: Sequence[bytes]) -> bool:
    """Say whether the CMS container holds what we put there and nothing beside it.

    Most of it is not signed itself: certificates nobody uses, algorithm names,
    unsigned attributes. One signer, his certificate and roots of ours, DER.
    """
    encoded = bytes(signature.pkcs7_content)
    encoded = encoded[: peek(encoded)]
    if not _is_der(encoded):
        return False
    container = cms.ContentInfo.load(encoded, strict=True)
    signed = container["content"]
    if len(signed["signer_infos"]) != 1 or signed["crls"].native is not None:
        return False
    signer = signed["signer_infos"][0]
    own = signature.signer_cert
    certificates = [item.chosen.dump() for item in signed["certificates"]]
    return (
        certificates.count(own.dump()) == 1
        and len(set(certificates)) == len(certificates)
        and set(certificates) <= {own.dump(), *roots}
        and container["content_type"].native == "signed_data"
        and signed["version"].native == "v1"
        and [_algorithm(item) for item in signed["digest_algorithms"]] == ["sha256"]
        and signed["encap_content_info"]["content_type"].native == "data"
        and signed["encap_content_info"]["content"].native is None
        and signer["version"].native == "v1"
        and signer["sid"].name == "issuer_and_serial_number"
        and signer["sid"].chosen["issuer"].dump() == own.issuer.dump()
        and signer["sid"].chosen["serial_number"].native == own.serial_number
        and _algorithm(signer["digest_algorithm"]) == "sha256"
        and _algorithm(signer["signature_algorithm"]) == "sha256_ecdsa"
        and signer["unsigned_attrs"].native is None
    )


def _algorithm(identifier: Any) -> str:
    """Return an algorithm's name if it has no parameters: none, or NULL (RFC 5754)."""
    bare = identifier["parameters"].dump() in (b"", b"\x05\x00")
    return str(identifier["algorithm"].native) if bare else ""


def _is_der(data: bytes) -> bool:
    """Say whether every length in the encoding is the one DER gives it (X.690, section 10.1)."""
    while data:
        size = peek(data)
        kind, method, tag, _, contents, _ = parse(data[:size])
        if emit(kind, method, tag, contents) != data[:size] or (method and not _is_der(contents)):
            return False
        data = data[size:]
    return True


def _certifies(reader: PdfFileReader, signature: EmbeddedPdfSignature) -> bool:
    """Say whether this is the certification signature that forbids every change."""
    permissions = reader.root.get("/Perms")
    certified = None if permissions is None else permissions.get_object().raw_get("/DocMDP")
    return (
        signature.docmdp_level == MDPPerm.NO_CHANGES
        and certified is not None
        and certified == signature.sig_field.raw_get("/V")
    )


def _added(data: bytes, signature: EmbeddedPdfSignature) -> Trouble:
    """Name what was added behind the signed range."""
    _, _, second, rest = (int(number) for number in signature.byte_range)
    end = second + rest
    if b"startxref" not in data[end:]:
        return Trouble.APPENDED
    try:
        before, after = _Shown.read(data[:end]), _Shown.read(data)
    except (
        PyPdfError,
        ArithmeticError,
        AttributeError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
        zlib.error,
    ):
        return Trouble.UPDATED
    if before.contents != after.contents:
        return Trouble.CONTENT
    if before.annotations != after.annotations:
        return Trouble.ANNOTATION
    if before.attachments != after.attachments:
        return Trouble.ATTACHMENT
    return Trouble.UPDATED


@dataclass(frozen=True, kw_only=True)
class _Shown:
    """What a revision shows, as far as it is needed to say what a later one changed."""

    contents: list[list[bytes]]
    annotations: list[int]
    attachments: list[bytes]

    @classmethod
    def read(cls, data: bytes) -> _Shown:
        reader = pypdf.PdfReader(io.BytesIO(data), strict=False)
        contents = []
        for page in reader.pages:
            content: Any = page.get("/Contents")
            content = None if content is None else content.get_object()
            parts = content if isinstance(content, list) else [content]
            # The encoded bytes are compared: nothing is inflated.
            contents.append([_raw(part) for part in parts if part is not None])
        root: Any = reader.trailer["/Root"].get_object()
        names = root.get("/Names")
        tree: Any = None if names is None else names.get_object().get("/EmbeddedFiles")
        listed: Any = [] if tree is None else tree.get_object().get("/Names", [])
        return cls(
            contents=contents,
            annotations=[len(page.get("/Annots") or ()) for page in reader.pages],
            attachments=[
                _raw(item.get_object()["/EF"].get_object()["/F"])
                for item in list(listed.get_object() if hasattr(listed, "get_object") else listed)[
                    1::2
                ]
            ],
        )


def _raw(stream: Any) -> bytes:
    resolved = stream.get_object()
    return bytes(resolved._data) if isinstance(resolved, StreamObject) else b""
