"""The signer reads CMS signed attributes strictly before it signs them."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest
from asn1crypto import cms, core, tsp, x509
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from pyhanko.sign.general import as_signing_certificate_v2

from creditbank.signer.attributes import ATTRIBUTES_MAX, check_signed_attributes
from creditbank.signer.certificates import make_root
from creditbank.signer.errors import RequestRefused
from tests.signer.cms import attributes

OURS = make_root(ec.derive_private_key(7, ec.SECP256R1()), bank_name="示例银行")
OTHERS = make_root(ec.derive_private_key(8, ec.SECP256R1()), bank_name="示例银行")
GOOD = attributes(OURS, message_digest=b"\x5a" * 32).dump()


def refused(data: bytes) -> str:
    with pytest.raises(RequestRefused) as refusal:
        check_signed_attributes(data, certificate=OURS)
    assert refusal.value.code == "attributes-refused"
    return refusal.value.detail


def test_the_attributes_that_pyhanko_makes_are_accepted() -> None:
    check_signed_attributes(GOOD, certificate=OURS)
    assert len(GOOD) < ATTRIBUTES_MAX


def test_a_signing_time_is_accepted() -> None:
    when = cms.Time({"utc_time": core.UTCTime(datetime(2026, 11, 24, tzinfo=UTC))})
    check_signed_attributes(attributes(OURS, signing_time=when).dump(), certificate=OURS)


def test_a_certificate_named_without_the_default_algorithm_is_accepted() -> None:
    # RFC 5035 section 4: SHA-256 is the default, which DER leaves out.
    named = tsp.SigningCertificateV2.load(
        b"\x30\x26\x30\x24\x30\x22\x04\x20" + sha256(OURS).digest()
    )
    data = attributes(OURS, signing_certificate_v2=named).dump()
    check_signed_attributes(data, certificate=OURS)


@pytest.mark.parametrize("missing", ["content_type", "message_digest", "signing_certificate_v2"])
def test_each_required_attribute_must_be_there(missing: str) -> None:
    assert "required" in refused(attributes(OURS, **{missing: None}).dump())


def test_another_content_type_is_refused() -> None:
    assert "content type" in refused(attributes(OURS, content_type="signed_data").dump())


@pytest.mark.parametrize("length", [0, 20, 31, 33, 48, 64])
def test_a_digest_of_another_length_is_refused(length: int) -> None:
    assert "SHA-256" in refused(attributes(OURS, message_digest=bytes(length)).dump())


def test_another_certificate_is_refused() -> None:
    named = as_signing_certificate_v2(x509.Certificate.load(OTHERS))
    assert "another certificate" in refused(attributes(OURS, signing_certificate_v2=named).dump())


def test_a_certificate_named_by_another_digest_is_refused() -> None:
    named = as_signing_certificate_v2(x509.Certificate.load(OURS), hash_algo="sha512")
    assert "SHA-256" in refused(attributes(OURS, signing_certificate_v2=named).dump())


def test_an_attribute_that_is_not_known_is_refused() -> None:
    extra = cms.CMSAttribute({"type": "1.2.3.4", "values": [core.Null()]})
    data = cms.CMSAttributes([*attributes(OURS), extra]).dump()
    assert "not known" in refused(data)


def test_the_same_attribute_twice_is_refused() -> None:
    made = attributes(OURS)
    assert "twice" in refused(cms.CMSAttributes([*made, made[0]]).dump())


def test_two_values_of_one_attribute_are_refused() -> None:
    twice = cms.CMSAttribute(
        {"type": "message_digest", "values": [core.OctetString(b"a" * 32)] * 2}
    )
    made = [one for one in attributes(OURS) if one["type"].native != "message_digest"]
    assert "exactly one" in refused(cms.CMSAttributes([*made, twice]).dump())


def test_attributes_out_of_order_are_refused() -> None:
    content = cms.CMSAttributes.load(GOOD).contents
    parts = sorted(one.dump() for one in attributes(OURS, message_digest=b"\x5a" * 32))
    assert b"".join(parts) == content
    header = GOOD[: -len(content)]
    assert "order" in refused(header + b"".join(reversed(parts)))


def test_the_implicit_tag_of_the_message_itself_is_refused() -> None:
    # RFC 5652 section 5.4: what is signed has the tag of a set, not [0].
    refused(b"\xa0" + GOOD[1:])


def test_every_cut_is_refused() -> None:
    for length in range(len(GOOD)):
        refused(GOOD[:length])
    refused(GOOD + b"\0")


def facts(data: bytes) -> tuple[Any, ...]:
    """Read the attributes with another parser."""
    parsed = cms.CMSAttributes.load(data, strict=True)
    found = {one["type"].native: one["values"] for one in parsed}
    named = found["signing_certificate_v2"][0]["certs"][0]
    return (
        found["content_type"][0].native,
        len(found["message_digest"][0].native),
        named["cert_hash"].native,
        named["hash_algorithm"]["algorithm"].native,
        len(parsed),
    )


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_a_changed_byte_is_refused_or_changes_nothing_that_was_checked(at: int, by: int) -> None:
    changed = bytearray(GOOD)
    changed[at] ^= by
    try:
        check_signed_attributes(bytes(changed), certificate=OURS)
    except RequestRefused:
        return
    assert facts(bytes(changed)) == facts(GOOD)


@given(st.binary(max_size=400))
def test_any_bytes_are_refused_in_an_orderly_way(data: bytes) -> None:
    refused(data)
    refused(b"\x31" + bytes([min(len(data), 127)]) + data[:127])
