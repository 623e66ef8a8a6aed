"""Personal columns, sealed under the account's person key, and the digest that finds a person.

A sealed column is 12 random bytes of nonce and the AES-256-GCM ciphertext with
its tag. What it belongs to is authenticated with it (table, column, row), so
that a value moved to another place does not open.
"""

from __future__ import annotations

import hmac
import os
from typing import ClassVar, Final

from cryptography.exceptions import InvalidTag
from django.conf import settings

from creditbank.errors import DomainError
from creditbank.ledger import learnerkeys
from learners.identity import IdentityDocument

DIGEST_KEY: Final = "identity-digest"
_NONCE: Final = 12
_LABEL: Final = b"llcb/person/v1\0"


class SealBroken(DomainError):
    """A sealed column was changed, or stands in another place than it was sealed for."""

    code: ClassVar[str] = "seal-broken"


def purpose(table: str, column: str, row: object) -> str:
    """Name the place a value is sealed for."""
    return f"{table}/{column}/{row}"


def seal(account: int, purpose: str, text: str) -> bytes:
    """Seal a text under an account's person key, for one place. Raises PersonForgotten."""
    nonce = os.urandom(_NONCE)
    key = learnerkeys.keys_for(account).person
    return nonce + key.encrypt(nonce, text.encode(), _LABEL + purpose.encode())


def open_sealed(account: int, purpose: str, sealed: bytes) -> str:
    """Open a sealed text. Raises PersonForgotten when the key is gone, SealBroken when changed."""
    key = learnerkeys.keys_for(account).person
    try:
        data = key.decrypt(sealed[:_NONCE], sealed[_NONCE:], _LABEL + purpose.encode())
    except (InvalidTag, ValueError) as error:
        raise SealBroken(purpose=purpose) from error
    return data.decode()


def identity_digest(document: IdentityDocument) -> bytes:
    """Return the keyed digest (HMAC-SHA-256, 32 bytes) under which a person is found again.

    The key is the key store's, so that nobody without it can try numbers against
    a copied database.
    """
    key = settings.KEYSTORE.get(DIGEST_KEY)
    text = f"llcb/identity/v1\0{document.type.value}|{document.number}"
    return hmac.digest(key, text.encode(), "sha256")
