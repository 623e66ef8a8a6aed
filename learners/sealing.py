"""Personal columns, sealed under the account's person key, and the digest that finds a person."""

from __future__ import annotations

import hmac
from typing import Final

from django.conf import settings

from creditbank import sealing
from creditbank.ledger import learnerkeys
from learners.identity import IdentityDocument

DIGEST_KEY: Final = "identity-digest"
_LABEL: Final = b"llcb/person/v1\0"


def purpose(table: str, column: str, row: object) -> str:
    """Name the place a value is sealed for."""
    return f"{table}/{column}/{row}"


def seal(account: int, purpose: str, text: str) -> bytes:
    """Seal a text under an account's person key, for one place. Raises PersonForgotten."""
    key = learnerkeys.keys_for(account).person
    return sealing.seal(key, _LABEL + purpose.encode(), text.encode())


def open_sealed(account: int, purpose: str, sealed: bytes) -> str:
    """Open a sealed text. Raises PersonForgotten when the key is gone, SealBroken when changed."""
    key = learnerkeys.keys_for(account).person
    return sealing.unseal(key, _LABEL + purpose.encode(), sealed).decode()


def identity_digest(document: IdentityDocument) -> bytes:
    """Return the keyed digest (HMAC-SHA-256, 32 bytes) under which a person is found again.

    The key is the key store's, so that nobody without it can try numbers against
    a copied database.
    """
    key = settings.KEYSTORE.get(DIGEST_KEY)
    text = f"llcb/identity/v1\0{document.type.value}|{document.number}"
    return hmac.digest(key, text.encode(), "sha256")
