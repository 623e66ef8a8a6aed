"""The files that a transcript's signing certificate names are there, and other programs read them."""

from __future__ import annotations

import asyncio
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.core.cache import cache
from django.test import Client

from certificates import trustlist
from creditbank.ledger.operations import signer as ask
from creditbank.signer.client import SignerRefused


@pytest.fixture(autouse=True)
def _forgotten() -> None:
    trustlist.forget_material()
    cache.clear()


def named(leaf: x509.Certificate) -> tuple[str, str]:
    """The paths that the leaf's own extensions give for the root and for the list."""
    (access,) = leaf.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    (point,) = leaf.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    assert point.full_name is not None
    base = "http://localhost:8000"
    return (
        str(access.access_location.value).removeprefix(base),
        str(point.full_name[0].value).removeprefix(base),
    )


def leaf_certificate() -> x509.Certificate:
    return x509.load_der_x509_certificate(ask().public().pades_chain[0])


def fetch(client: Client) -> tuple[Any, Any]:
    """Fetch both files from where the leaf says they are."""
    root, crl = (client.get(path) for path in named(leaf_certificate()))
    assert (root.status_code, crl.status_code) == (200, 200)
    return root, crl


def openssl(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["openssl", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def laid_out(folder: Path, client: Client) -> Path:
    root, crl = fetch(client)
    certificate = x509.load_der_x509_certificate(root.content)
    (folder / "root.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / "root.crl").write_bytes(crl.content)
    crl_pem = x509.load_der_x509_crl(crl.content).public_bytes(Encoding.PEM)
    (folder / "crl.pem").write_bytes(crl_pem)
    (folder / "leaf.pem").write_bytes(leaf_certificate().public_bytes(Encoding.PEM))
    return folder


def test_the_root_is_the_trust_list_s_and_never_changes(bank: Any, client: Client) -> None:
    root, _ = fetch(client)
    assert root.content == ask().public().pades_chain[1]
    assert root["Content-Type"] == "application/pkix-cert"
    assert "immutable" in root["Cache-Control"]
    assert not root.cookies


def test_the_list_is_the_day_s_and_the_same_for_everyone(bank: Any, client: Client) -> None:
    _, crl = fetch(client)
    _, again = fetch(client)
    assert crl.content == again.content
    assert crl["Content-Type"] == "application/pkix-crl"
    assert crl["Cache-Control"] == "public, max-age=3600"
    found = x509.load_der_x509_crl(crl.content)
    assert found.next_update_utc is not None
    assert found.last_update_utc <= datetime.now(UTC)
    assert found.next_update_utc - found.last_update_utc == timedelta(days=8)
    assert list(found) == []


def test_openssl_believes_list_and_leaf(bank: Any, client: Client, tmp_path: Path) -> None:
    folder = laid_out(tmp_path, client)
    checked = openssl(
        folder, "crl", "-inform", "DER", "-in", "root.crl", "-noout", "-CAfile", "root.pem"
    )
    assert (checked.returncode, "verify OK" in checked.stderr) == (0, True)
    verified = openssl(
        folder, "verify", "-crl_check", "-CAfile", "root.pem", "-CRLfile", "crl.pem", "leaf.pem"
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_pyhanko_s_validator_believes_the_leaf_with_the_list_alone(
    bank: Any, client: Client
) -> None:
    from asn1crypto import crl as asn1_crl
    from asn1crypto import x509 as asn1_x509
    from pyhanko_certvalidator import CertificateValidator, ValidationContext

    root, crl = fetch(client)
    context = ValidationContext(
        trust_roots=[asn1_x509.Certificate.load(root.content)],
        crls=[asn1_crl.CertificateList.load(crl.content)],
        revocation_mode="require",
        allow_fetching=False,
    )
    leaf = asn1_x509.Certificate.load(leaf_certificate().public_bytes(Encoding.DER))
    validator = CertificateValidator(leaf, validation_context=context)
    path = asyncio.run(validator.async_validate_usage({"digital_signature", "non_repudiation"}))
    assert path.leaf == leaf


def test_a_revoked_leaf_is_refused_by_whoever_looks(
    bank: Any, client: Client, tmp_path: Path
) -> None:
    number = x509.load_der_x509_crl(fetch(client)[1].content)
    serial = leaf_certificate().serial_number
    listed = bank.home / "signer" / "keys" / "revoked.txt"
    listed.write_text(f"{serial:x} 2026-01-02 keyCompromise\n")
    folder = laid_out(tmp_path, client)
    found = x509.load_der_x509_crl((folder / "root.crl").read_bytes())
    (entry,) = found
    assert (entry.serial_number, entry.revocation_date_utc.date().isoformat()) == (
        serial,
        "2026-01-02",
    )
    before, after = (
        one.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        for one in (number, found)
    )
    assert after > before
    verified = openssl(
        folder, "verify", "-crl_check", "-CAfile", "root.pem", "-CRLfile", "crl.pem", "leaf.pem"
    )
    assert verified.returncode != 0
    assert "certificate revoked" in verified.stderr


def test_a_list_that_cannot_be_read_is_not_signed(bank: Any, client: Client) -> None:
    (bank.home / "signer" / "keys" / "revoked.txt").write_text("everything\n")
    with pytest.raises(SignerRefused) as refused:
        ask().crl()
    assert refused.value.refusal == "revocations-unreadable"


def test_both_files_are_served_while_the_signer_is_away(bank: Any, client: Client) -> None:
    paths = named(leaf_certificate())
    before = [client.get(path).content for path in paths]
    bank.stop()
    trustlist.forget_material()
    answers = [client.get(path) for path in paths]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert [answer.content for answer in answers] == before
    cache.clear()
    trustlist.forget_material()
    away = client.get(paths[1])
    assert (away.status_code, away["Retry-After"]) == (503, "60")
