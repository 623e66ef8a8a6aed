"""How a person proves that the records waiting under their name are theirs.

Typing an identity number proves nothing: many people know it. An
`IdentityProof` is what does. Built in is the claim code, which a clerk hands
out after seeing the document. A real-name sign-in (OIDC) is another proof: it
finds the learner by the digest of the identity that the provider vouches for.
"""

from __future__ import annotations

import hmac
import secrets
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Final, Protocol

from django.conf import settings
from django.utils.translation import gettext
from stdnum.iso7064 import mod_37_36

from creditbank.errors import DomainError
from creditbank.ledger.numbers import ALPHABET
from creditbank.users import persons
from creditbank.users.models import User
from learners.models import ClaimCode, Learner

DIGEST_KEY: Final = "code-digest"
RANDOM_CHARACTERS: Final = 27
"""27 base32 characters hold 135 random bits; the 28th is the check character."""

_GROUP: Final = 4
_READ_AS: Final = str.maketrans({"O": "0", "I": "1", "L": "1", "-": "", " ": "", "\u00b7": ""})


class ClaimRefused(DomainError):
    """A claim that does not stand; the subclasses say why."""

    code: ClassVar[str] = "claim-refused"


class ClaimCodeTypo(ClaimRefused):
    """The text cannot be a claim code: its length, a character or the check character is wrong."""

    code: ClassVar[str] = "claim-code-typo"


class ClaimCodeUnknown(ClaimRefused):
    """No such code was handed out."""

    code: ClassVar[str] = "claim-code-unknown"


class ClaimCodeExpired(ClaimRefused):
    """The code's thirty days are over."""

    code: ClassVar[str] = "claim-code-expired"


class ClaimCodeUsed(ClaimRefused):
    """The code was used before, or a newer one has taken its place."""

    code: ClassVar[str] = "claim-code-used"


class OwnClaimCode(ClaimRefused):
    """Who hands out a code does not use it."""

    code: ClassVar[str] = "own-claim-code"


class IdentityProof(Protocol):
    """Something that shows which learner the person signed in is."""

    def redeem(self, *, user: User, at: datetime) -> Learner:
        """Return the learner that is proved to be this user, and use the proof up.

        Called inside the transaction that binds the two: when binding fails, the
        proof is not used up. Raises ClaimRefused.
        """
        ...


def new_code() -> str:
    """Draw a claim code: 135 random bits and a check character, in groups of four."""
    body = "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_CHARACTERS))
    return _printed(body + str(mod_37_36.calc_check_digit(body, ALPHABET)))


def _printed(plain: str) -> str:
    return "-".join(plain[start : start + _GROUP] for start in range(0, len(plain), _GROUP))


def normalise_code(text: str) -> str:
    """Read a code as typed; case, blanks and look-alike letters do not matter.

    Raises ClaimCodeTypo with reason `length`, `character` or `check`.
    """
    plain = unicodedata.normalize("NFKC", text).strip().upper().translate(_READ_AS)
    plain = "".join(plain.split())
    if len(plain) != RANDOM_CHARACTERS + 1:
        raise ClaimCodeTypo(
            gettext("认领码应为 28 个字符，请对照纸面逐组核对。"),
            reason="length",
            found=len(plain),
            expected=RANDOM_CHARACTERS + 1,
        )
    if any(character not in ALPHABET for character in plain):
        raise ClaimCodeTypo(
            gettext("认领码里有不会出现的字符，请对照纸面逐组核对。"), reason="character"
        )
    if not mod_37_36.is_valid(plain, ALPHABET):
        raise ClaimCodeTypo(gettext("认领码有一处输入错误，请对照纸面逐组核对。"), reason="check")
    return plain


def code_digest(text: str) -> bytes:
    """Return the keyed digest (32 bytes) by which a code is found. Raises ClaimCodeTypo."""
    key = settings.KEYSTORE.get(DIGEST_KEY)
    return hmac.digest(key, b"llcb/claim/v1\0" + normalise_code(text).encode(), "sha256")


@dataclass(frozen=True, kw_only=True)
class CodeProof:
    """The built-in proof: a code that a clerk handed out after seeing the document."""

    code: str = field(repr=False)

    def redeem(self, *, user: User, at: datetime) -> Learner:
        """Use the code up and return the learner it was handed out for. Raises ClaimRefused."""
        digest = code_digest(self.code)
        found = ClaimCode.objects.filter(digest=digest).first()
        if found is None:
            raise ClaimCodeUnknown(gettext("没有这个认领码。"))
        # The learner is locked before the code, as everywhere else.
        learner = Learner.objects.select_for_update().get(pk=found.learner_id)
        row = (
            ClaimCode.objects.select_for_update(of=("self",))
            .select_related("issued_by")
            .filter(pk=found.pk)
            .first()
        )
        if row is None:
            raise ClaimCodeUnknown(gettext("没有这个认领码。"))
        if row.used_at is not None or row.replaced_at is not None:
            raise ClaimCodeUsed(gettext("这个认领码已使用，或已换发新的认领码。"))
        if row.expires_at <= at:
            raise ClaimCodeExpired(
                gettext("认领码已过期，请向发给您认领码的机构重新索取。"),
                expired_at=row.expires_at.isoformat(),
            )
        if persons.are_one(row.issued_by, user):
            raise OwnClaimCode(gettext("发放认领码的人不能自己使用它。"))
        row.used_at = at
        row.save(update_fields=["used_at"])
        return learner
