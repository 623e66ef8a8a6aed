"""What the signer checks before it signs a document: that it was entered in the register first.

A transcript is registered, then signed, so that a document made with a stolen
key or dated back has no registration to show. The check trusts no row: the
entry must stand in the tree under the checkpoint this signer published.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any, Final, TypeVar

import psycopg

from creditbank.proofs import canonical, commitments, merkle, tiles
from creditbank.proofs.canonical import NotCanonical
from creditbank.proofs.tiles import HEIGHT, TILE_WIDTH
from creditbank.signer.database import connect
from creditbank.signer.errors import RequestRefused, RowsDiffer
from creditbank.signer.published import Published, PublishedCheckpoint
from creditbank.signer.tree import Connection, hash_leaves, read_leaves, read_tiles, tile_roots

log = logging.getLogger(__name__)

TRANSCRIPT_ISSUE: Final = "transcript-issue"
_PUBLIC_DEDUP: Final = sha256(b"llcb/public/v1").digest()
"""The digest key of the reserved account 0 (docs/ledger-format.md)."""

_BY_INDEX: Final = "SELECT idx, acct, leaf, opening FROM ledger_entry WHERE idx = %s"
_BY_KEY: Final = "SELECT idx, acct, leaf, opening FROM ledger_entry WHERE acct = 0 AND dkey = %s"

Row = tuple[int, int, bytes, bytes]
Result = TypeVar("Result")


def registration_key(number: str) -> int:
    """Return the key under which a transcript's registration is unique in account 0.

    The first 8 bytes, signed, of SHA-256(digest key | class | NUL | u), with the
    class of documents and the number's first generation as u.
    """
    digest = sha256(_PUBLIC_DEDUP + b"document\0" + f"{number}/1".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


class StoredHashes:
    """Reads the hashes of complete subtrees from the stored tiles and rows of a tree."""

    def __init__(self, connection: Connection, size: int) -> None:
        self._connection = connection
        self._size = size
        self._tiles: dict[tuple[int, int], bytes] = {}

    def hashes(self, level: int, start: int, stop: int) -> Sequence[bytes]:
        """Return hashes `start` .. `stop - 1` of a level; they lie in one tile."""
        n = start // TILE_WIDTH
        if (n + 1) * TILE_WIDTH > self._size >> (HEIGHT * level):
            if level == 0:
                return hash_leaves(read_leaves(self._connection, start, stop))
            return tile_roots(self._connection, level - 1, start, stop)
        if (level, n) not in self._tiles:
            self._tiles[level, n] = read_tiles(self._connection, level, n, n + 1)[0].data
        data = self._tiles[level, n]
        at = (start - n * TILE_WIDTH) * 32
        return [data[at + 32 * i : at + 32 * (i + 1)] for i in range(stop - start)]


class Register:
    """The signer's view of the register. Safe for use by several threads."""

    def __init__(self, database: str, published: Published) -> None:
        self._database = database
        self._published = published
        self._lock = threading.Lock()
        self._connection: Connection | None = None

    def close(self) -> None:
        """Close the connection; the next question opens another."""
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def check_registered(self, number: str, index: int) -> None:
        """Check that the entry at `index` registers the transcript `number`, and is published.

        Raises RequestRefused: `not-published`, `not-registered`, `register-unreachable`.
        """
        self._ask(lambda connection: self._check(connection, number, _BY_INDEX, index))

    def check_number(self, number: str) -> None:
        """Check that some published entry registers the transcript `number`. Raises likewise."""
        key = registration_key(number)
        self._ask(lambda connection: self._check(connection, number, _BY_KEY, key))

    def _ask(self, question: Callable[[Connection], Result]) -> Result:
        """Ask over the kept connection; over a new one when the kept one has died."""
        with self._lock:
            for kept in (self._connection is not None, False):
                try:
                    if self._connection is None:
                        self._connection = connect(self._database)
                    return question(self._connection)
                except psycopg.Error as error:
                    self._drop()
                    if not kept:
                        log.warning("cannot read the register: %s", str(error).strip())
                        break
            raise RequestRefused("register-unreachable", "the register cannot be read now")

    def _check(self, connection: Connection, number: str, query: str, parameter: int) -> None:
        published = self._published.newest()
        if published is None:
            raise RequestRefused("not-published", "no checkpoint was published yet")
        with connection.cursor(binary=True) as cursor:
            row: Any = cursor.execute(query.encode(), [parameter], prepare=True).fetchone()
        if row is None:
            raise RequestRefused("not-registered", "there is no such entry")
        index, account, leaf, opening = row
        if index >= published.size:
            raise RequestRefused("not-published", f"entry {index} is under no checkpoint yet")
        if account != 0 or not _registers(number, leaf, opening):
            raise RequestRefused("not-registered", f"entry {index} does not register this number")
        _check_in_tree(connection, index, leaf, published)


def _registers(number: str, leaf: bytes, opening: bytes) -> bool:
    """Tell whether an entry's own bytes say that a transcript of this number is issued."""
    try:
        said = commitments.parse_leaf(leaf)
        core = canonical.decode(commitments.split(opening)[0])
        committed = commitments.commitment(opening)
    except NotCanonical:
        return False
    return (
        isinstance(core, dict)
        and said.commitment == committed
        and said.kind == core.get("k") == TRANSCRIPT_ISSUE
        and core.get("number") == number
    )


def _check_in_tree(
    connection: Connection, index: int, leaf: bytes, published: PublishedCheckpoint
) -> None:
    """Prove the leaf under the published root, so that a row changed afterwards is no registration."""
    try:
        path = tiles.prove_inclusion(
            StoredHashes(connection, published.size), index, published.size
        )
        merkle.verify_inclusion(
            leaf=merkle.leaf_hash(leaf),
            index=index,
            size=published.size,
            path=path,
            root=published.root,
        )
    except (merkle.ProofInvalid, RowsDiffer) as error:
        log.critical("entry %d cannot be proved under the published root: %s", index, error)
        raise RequestRefused(
            "not-registered", f"entry {index} does not stand under the published checkpoint"
        ) from None
