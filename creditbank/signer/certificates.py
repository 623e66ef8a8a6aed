"""The certificates behind the PAdES signature on a transcript's PDF: a root of the bank, a leaf.

PDF readers need an X.509 chain, which nobody gives to a new bank for nothing;
the root is published in the trust list, so that it need not be believed on
sight. The root also signs the list of what it has revoked. Poppler's `pdfsig` calls a signing certificate good only when it has
emailProtection, a CRL distribution point and an AIA, so the leaf has them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

ROOT_YEARS: Final = 40
LEAF_YEARS: Final = 30
"""A transcript is shown for a working life, and a B-B signature is checked as of that day."""

BANK_NAME_MAX: Final = 48
"""X.520 allows 64 characters in a common name; the root's has a few more than the bank's."""

_NOTHING: Final = {
    "digital_signature": False,
    "content_commitment": False,
    "key_encipherment": False,
    "data_encipherment": False,
    "key_agreement": False,
    "key_cert_sign": False,
    "crl_sign": False,
    "encipher_only": False,
    "decipher_only": False,
}


CRL_DAYS: Final = 8
"""How long a list may be believed: a new one stands every day, so a week's failure is no alarm."""


@dataclass(frozen=True, kw_only=True)
class Revoked:
    """One certificate that the root no longer stands for: its serial number, since when, why."""

    serial: int
    since: date
    reason: x509.ReasonFlags

    @classmethod
    def parse(cls, line: str) -> Revoked:
        """Read `SERIAL-IN-HEX YYYY-MM-DD REASON` (RFC 5280's name, `keyCompromise`). Raises ValueError."""
        serial, since, reason = line.split()
        return cls(
            serial=int(serial.replace(":", ""), 16),
            since=date.fromisoformat(since),
            reason=x509.ReasonFlags(reason),
        )


def make_crl(
    root_key: ec.EllipticCurvePrivateKey,
    *,
    root: bytes,
    revoked: Sequence[Revoked],
    updated: datetime,
) -> bytes:
    """Return the root's revocation list (DER, RFC 5280 section 5) as of `updated`.

    The same list of the same moment has the same bytes: the signature is the
    deterministic one (RFC 6979), and the list's number is that moment.
    """
    issuer = x509.load_der_x509_certificate(root)
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.subject)
        .last_update(updated)
        .next_update(updated + timedelta(days=CRL_DAYS))
        .add_extension(x509.CRLNumber(int(updated.timestamp())), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier),
            critical=False,
        )
    )
    for one in revoked:
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder()
            .serial_number(one.serial)
            .revocation_date(datetime.combine(one.since, time(), UTC))
            .add_extension(x509.CRLReason(one.reason), critical=False)
            .build()
        )
    signed = builder.sign(root_key, hashes.SHA256(), ecdsa_deterministic=True)
    return signed.public_bytes(Encoding.DER)


def _name(bank_name: str, common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, bank_name),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _builder(
    *, subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, years: int
) -> x509.CertificateBuilder:
    # A day of slack: the reader's clock may be behind the bank's.
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=round(years * 365.25)))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def make_root(key: ec.EllipticCurvePrivateKey, *, bank_name: str) -> bytes:
    """Return the root's certificate (DER), signed by itself."""
    name = _name(bank_name, f"{bank_name} 文件签名根证书")
    usage = {**_NOTHING, "key_cert_sign": True, "crl_sign": True}
    certificate = (
        _builder(subject=name, issuer=name, public=key.public_key(), years=ROOT_YEARS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(Encoding.DER)


def make_leaf(
    key: ec.EllipticCurvePublicKey,
    *,
    bank_name: str,
    public_url: str,
    root: bytes,
    root_key: ec.EllipticCurvePrivateKey,
) -> bytes:
    """Return the signing certificate (DER) of the bank's PDFs, issued by the root.

    The addresses under `public_url` where readers look for a revocation list and
    for the root are written into it and cannot be changed later.
    """
    issuer = x509.load_der_x509_certificate(root)
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    usage = {**_NOTHING, "digital_signature": True, "content_commitment": True}
    certificate = (
        _builder(
            subject=_name(bank_name, bank_name), issuer=issuer.subject, public=key, years=LEAF_YEARS
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier),
            critical=False,
        )
        .add_extension(
            x509.CRLDistributionPoints(
                [
                    x509.DistributionPoint(
                        full_name=[x509.UniformResourceIdentifier(f"{public_url}/pki/root.crl")],
                        relative_name=None,
                        reasons=None,
                        crl_issuer=None,
                    )
                ]
            ),
            critical=False,
        )
        .add_extension(
            x509.AuthorityInformationAccess(
                [
                    x509.AccessDescription(
                        AuthorityInformationAccessOID.CA_ISSUERS,
                        x509.UniformResourceIdentifier(f"{public_url}/pki/root.cer"),
                    )
                ]
            ),
            critical=False,
        )
        .sign(root_key, hashes.SHA256())
    )
    return certificate.public_bytes(Encoding.DER)
