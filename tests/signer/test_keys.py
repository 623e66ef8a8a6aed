"""The signer's keys: sealed on disk, certified for PDF readers, public where they should be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import (
    AuthorityInformationAccessOID,
    ExtendedKeyUsageOID,
    NameOID,
)

from creditbank.signer.errors import KeysUnusable, RequestRefused
from creditbank.signer.keys import Identity, KeyRing, multikey
from creditbank.signer.sealing import SealedFolder
from tests.signer.cms import attributes

SEAL = b"s" * 32
IDENTITY = Identity(
    origin="bank.example/log",
    bank_name="示例省终身教育学分银行",
    public_url="https://bank.example",
)


@pytest.fixture
def ring(tmp_path: Path) -> Callable[..., KeyRing]:
    def opened(*, may_create: bool = True, seal: bytes = SEAL) -> KeyRing:
        return KeyRing(tmp_path / "keys", seal=seal, identity=IDENTITY, may_create=may_create)

    return opened


def test_the_keys_are_the_same_when_opened_again(ring: Callable[..., KeyRing]) -> None:
    first = ring()
    first.stream_or_new("a.example/1")
    again = ring(may_create=False)
    for name in ("log", "cosigner", "cosigner_pq"):
        assert getattr(again, name).key().vkey == getattr(first, name).key().vkey
    assert again.document.public == first.document.public
    assert again.pades_chain == first.pades_chain
    assert again.stream("a.example/1").public == first.stream("a.example/1").public


def test_no_secret_stands_on_the_disk_in_clear(
    ring: Callable[..., KeyRing], tmp_path: Path
) -> None:
    import base64

    keys = ring()
    keys.stream_or_new("a.example/1")
    written = b"".join(path.read_bytes() for path in (tmp_path / "keys").iterdir())
    folder = SealedFolder(tmp_path / "keys", SEAL)
    names = ("log", "cosigner", "cosigner-pq", "document", "pades", "pades-root")
    secrets = [
        key.secret for key in (*map(folder.read, names), *folder.stream_keys()) if key is not None
    ]
    assert len({*secrets}) == 7
    for secret in secrets:
        assert len(secret) == 32
        for form in (secret, secret.hex().encode(), base64.b64encode(secret)[:40]):
            assert form not in written


def test_no_secret_shows_in_a_repr(ring: Callable[..., KeyRing], tmp_path: Path) -> None:
    ring()
    key = SealedFolder(tmp_path / "keys", SEAL).read("log")
    assert key is not None
    assert repr(key.secret)[2:-1] not in repr(key)


def test_another_secret_opens_nothing(ring: Callable[..., KeyRing]) -> None:
    ring()
    with pytest.raises(KeysUnusable):
        ring(seal=b"t" * 32)


def test_a_stream_key_is_never_replaced(ring: Callable[..., KeyRing], tmp_path: Path) -> None:
    keys = ring()
    keys.stream_or_new("a.example/1")
    folder = SealedFolder(tmp_path / "keys", SEAL)
    (key,) = folder.stream_keys()
    with pytest.raises(KeysUnusable):
        folder.write(key)


def test_an_unknown_stream_has_no_key(ring: Callable[..., KeyRing]) -> None:
    with pytest.raises(RequestRefused) as refusal:
        ring().stream("a.example/1")
    assert refusal.value.code == "no-stream-key"


def test_the_multikey_is_the_one_other_implementations_read() -> None:
    import base58

    # The first example key of W3C Data Integrity EdDSA Cryptosuites, section B.1.
    text = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
    data = base58.b58decode(text[1:])
    assert multikey(data[2:]) == text
    for byte in (0, 1, 255):
        public = bytes([byte]) * 32
        assert base58.b58decode(multikey(public)[1:]) == b"\xed\x01" + public
        assert multikey(public).startswith("z6Mk")


@pytest.fixture
def chain(ring: Callable[..., KeyRing]) -> tuple[x509.Certificate, x509.Certificate]:
    leaf, root = ring().pades_chain
    return x509.load_der_x509_certificate(leaf), x509.load_der_x509_certificate(root)


Chain = tuple[x509.Certificate, x509.Certificate]


def test_the_leaf_is_issued_by_the_root_and_the_root_by_itself(chain: Chain) -> None:
    leaf, root = chain
    leaf.verify_directly_issued_by(root)
    root.verify_directly_issued_by(root)
    assert isinstance(leaf.public_key(), ec.EllipticCurvePublicKey)
    assert leaf.public_key() != root.public_key()


def test_the_leaf_says_what_pdf_readers_ask_for(chain: Chain) -> None:
    leaf, _ = chain
    extensions = leaf.extensions
    usage = extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert usage.value.content_commitment
    assert not usage.value.key_cert_sign
    purposes = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.EMAIL_PROTECTION]
    (point,) = extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    assert point.full_name is not None
    assert point.full_name[0].value == "https://bank.example/pki/root.crl"
    (access,) = extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    assert access.access_method == AuthorityInformationAccessOID.CA_ISSUERS
    assert access.access_location.value == "https://bank.example/pki/root.cer"
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_the_root_signs_certificates_and_nothing_else(chain: Chain) -> None:
    _, root = chain
    constraints = root.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert (constraints.value.ca, constraints.value.path_length) == (True, 0)
    usage = root.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.key_cert_sign
    assert usage.crl_sign
    assert not usage.digital_signature


def test_the_certificates_bear_the_banks_name_and_last_a_working_life(chain: Chain) -> None:
    leaf, root = chain
    (name,) = leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert name.value == "示例省终身教育学分银行"
    now = datetime.now(UTC)
    for certificate in chain:
        assert certificate.not_valid_before_utc < now
        assert certificate.not_valid_after_utc > now + timedelta(days=29 * 365)
    assert leaf.not_valid_after_utc < root.not_valid_after_utc


def test_a_certificate_validator_accepts_the_chain_for_signing(
    ring: Callable[..., KeyRing],
) -> None:
    import asyncio

    from asn1crypto import x509 as asn1
    from pyhanko_certvalidator import CertificateValidator, ValidationContext

    leaf, root = (asn1.Certificate.load(data) for data in ring().pades_chain)
    context = ValidationContext(trust_roots=[root])
    validator = CertificateValidator(leaf, validation_context=context)
    path = asyncio.run(validator.async_validate_usage({"digital_signature", "non_repudiation"}))
    assert path.leaf == leaf


def test_a_pdf_signature_verifies_with_the_leaf(ring: Callable[..., KeyRing]) -> None:
    from cryptography.hazmat.primitives import hashes

    keys = ring()
    data = attributes(keys.pades_chain[0]).dump()
    public = x509.load_der_x509_certificate(keys.pades_chain[0]).public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    public.verify(keys.sign_pades(data), data, ec.ECDSA(hashes.SHA256()))
