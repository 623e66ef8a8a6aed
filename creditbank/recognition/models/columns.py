"""What several tables say of their columns."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.lookups import Exact, GreaterThan

HASH_BYTES = 32
SEALED_MIN = 28
"""A nonce of 12 bytes and a tag of 16: anything shorter was never sealed."""


def octets(column: str) -> Func:
    """Return how many bytes a column holds."""
    return Func(F(column), function="octet_length", output_field=models.IntegerField())


def is_hash(column: str) -> Q:
    """Say that a column holds 32 bytes."""
    return Q(Exact(octets(column), Value(HASH_BYTES)))


def is_sealed(column: str) -> Q:
    """Say that a column holds something sealed."""
    return Q(GreaterThan(octets(column), Value(SEALED_MIN)))


def is_empty(column: str) -> Q:
    """Say that a column holds nothing."""
    return Q(Exact(octets(column), Value(0)))


def are_hashes(column: str) -> Q:
    """Say that a column holds hashes of 32 bytes one after the other, one at least."""
    rest = Func(
        octets(column), Value(HASH_BYTES), function="mod", output_field=models.IntegerField()
    )
    return Q(Exact(rest, Value(0))) & Q(GreaterThan(octets(column), Value(0)))
