"""Whether two users are one person, as far as the bank has seen identity documents."""

from __future__ import annotations

import hmac

from creditbank.users.models import User


def are_one(one: User, other: User) -> bool:
    """Say whether two users are known to be one person.

    True for one user, and for two users bound to one identity. False does not
    mean that they are two people: an identity may never have been shown.
    """
    if one.pk == other.pk:
        return True
    return (
        one.person_digest is not None
        and other.person_digest is not None
        and hmac.compare_digest(bytes(one.person_digest), bytes(other.person_digest))
    )


def is_identified(user: User) -> bool:
    """Say whether an identity document was seen for a user."""
    return user.person_digest is not None
