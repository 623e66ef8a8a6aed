"""The manifest: what an institution signs, once for a whole submission."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from creditbank.proofs.canonical import INTEGER_MAX
from creditbank.proofs.names import NameMalformed, check_stream
from creditbank.proofs.notes import NoteMalformed, b64, decimal, unb64

HEADER: Final = "llcb/manifest/v1"


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Entries `first` .. `first + count - 1` of a stream, the root over their leaves, the root before.

    The root is the RFC 6962 tree hash over the entries' leaf hashes; `previous`
    is the root of the stream's last manifest, 32 zero bytes for the first.
    Raises NoteMalformed for what no manifest can say.
    """

    stream: str
    first: int
    count: int
    root: bytes
    previous: bytes

    def __post_init__(self) -> None:
        try:
            check_stream(self.stream)
        except NameMalformed as error:
            raise NoteMalformed(str(error)) from None
        if self.first < 0 or self.count < 1 or self.first + self.count > INTEGER_MAX:
            raise NoteMalformed("a manifest is over one entry or more, numbered in 53 bits")
        if len(self.root) != 32 or len(self.previous) != 32:
            raise NoteMalformed("a manifest names two roots of 32 bytes")

    def text(self) -> str:
        """Return the five lines that are signed."""
        return (
            f"{HEADER}\n{self.stream}\n{self.first} {self.count}\n"
            f"{b64(self.root)}\n{b64(self.previous)}\n"
        )

    @classmethod
    def parse(cls, text: str) -> Manifest:
        """Read a manifest's text. Raises NoteMalformed."""
        lines = text.split("\n")
        if len(lines) != 6 or lines[5] or lines[0] != HEADER:
            raise NoteMalformed("a manifest is five lines")
        first, blank, count = lines[2].partition(" ")
        if not blank:
            raise NoteMalformed("a manifest names a number and a count")
        return cls(
            stream=lines[1],
            first=decimal(first),
            count=decimal(count),
            root=unb64(lines[3]),
            previous=unb64(lines[4]),
        )
