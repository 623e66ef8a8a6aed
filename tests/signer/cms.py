"""Signed attributes as pyHanko makes them, for tests of the signer."""

from __future__ import annotations

import os
from typing import Any

from asn1crypto import cms, x509
from pyhanko.sign.general import as_signing_certificate_v2, simple_cms_attribute

from tests.signer.support import client


def attributes(certificate: bytes, **changes: Any) -> cms.CMSAttributes:
    """Return the attributes of a PAdES signature with `certificate` (DER).

    A change gives an attribute another value, None leaves it out.
    """
    members: dict[str, Any] = {
        "content_type": "data",
        "message_digest": os.urandom(32),
        "signing_certificate_v2": as_signing_certificate_v2(x509.Certificate.load(certificate)),
        "cms_algorithm_protection": cms.CMSAlgorithmProtection(
            {
                "digest_algorithm": {"algorithm": "sha256"},
                "signature_algorithm": {"algorithm": "sha256_ecdsa"},
            }
        ),
    }
    members |= changes
    return cms.CMSAttributes(
        [simple_cms_attribute(name, value) for name, value in members.items() if value is not None]
    )


def cms_attributes(signer: Any, **changes: Any) -> bytes:
    """Return attributes with the running signer's own certificate, in DER."""
    data: bytes = attributes(client(signer).public().pades_chain[0], **changes).dump()
    return data
