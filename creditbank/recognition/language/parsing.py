"""Stored documents read once: what a digest stands for never changes, so it is remembered."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from creditbank.recognition.language import programmes, rules
from creditbank.recognition.language.programmes import Programme
from creditbank.recognition.language.rules import Rule

REMEMBERED: Final = 4096


class _Document:
    """Bytes that are known by their digest."""

    __slots__ = ("bytes", "digest")

    def __init__(self, digest: bytes, document: bytes) -> None:
        self.digest = digest
        self.bytes = document

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Document) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)


def rule(digest: bytes, document: bytes) -> Rule:
    """Return the rule of a document with this digest. Raises NotCanonical."""
    return _rule(_Document(digest, document))


def programme(digest: bytes, document: bytes) -> Programme:
    """Return the programme of a document with this digest. Raises NotCanonical."""
    return _programme(_Document(digest, document))


@lru_cache(maxsize=REMEMBERED)
def _rule(document: _Document) -> Rule:
    return rules.stored(document.bytes)


@lru_cache(maxsize=REMEMBERED)
def _programme(document: _Document) -> Programme:
    return programmes.stored(document.bytes)
