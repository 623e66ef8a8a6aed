"""The two files that a transcript's signing certificate names: the root, and what it revoked.

Their addresses stand in every signature and cannot be changed later. The root
is the same for ever; the revocation list is a new one every day, signed by the
root in the signer's hands, and the last one is remembered while the signer is away.
"""

from __future__ import annotations

import logging
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from typing import Final

from cryptography import x509

from certificates import trustlist
from creditbank.ledger import operations as ledger
from creditbank.signer.client import SignerError

logger = logging.getLogger(__name__)

KEY: Final = "pki/crl"


def root_certificate() -> bytes:
    """Return the root's certificate (DER). Raises SignerUnavailable when nobody remembers it."""
    return trustlist.signer_material().pades_chain[-1]


def revocation_list() -> bytes:
    """Return the root's newest revocation list (DER).

    While the signer is away or cannot read what was revoked it is the last one
    that was fetched, as long as it may be believed; otherwise raises SignerError.
    """
    place = f"{KEY}/{root_certificate().hex()[-32:]}"
    try:
        made = ledger.signer().crl()
    except SignerError as error:
        logger.warning("no new revocation list: %s", error)
        kept = trustlist.remembered(place)
        if kept is None or _is_over(b64decode(kept)):
            raise
        return b64decode(kept)
    trustlist.remember(place, b64encode(made).decode(), timeout=None)
    return made


def _is_over(data: bytes) -> bool:
    until = x509.load_der_x509_crl(data).next_update_utc
    return until is None or until < datetime.now(UTC)
