"""Which keys signed for which stream, and when: read from the key entries themselves.

Never from a table of keys: the entries of account 0 are published and stand in
the log. They are read before the rest, so that every part of the log can be
checked without the parts before it.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from creditbank.ledger import kinds
from creditbank.ledger.auditing.findings import Found
from creditbank.ledger.statements import possession_message
from creditbank.proofs import commitments, notes, signatures
from creditbank.proofs.canonical import NotCanonical
from creditbank.proofs.notes import NoteKey, SignedNote

# By the leaf's own words: the column `kind` is what is being audited.
_KEY_ENTRIES: Final = (
    "SELECT idx, leaf, opening FROM ledger_entry WHERE acct = 0 AND"
    ' (position(\'"k":"key-\'::bytea IN leaf) > 0 OR position(\'"k":"genesis"\'::bytea IN leaf) > 0)'
    " ORDER BY idx"
)


@dataclass(frozen=True, kw_only=True)
class Life:
    """A key of a stream, in force for manifests at indexes `added` up to before `retired`."""

    stream: str
    algorithm: str
    public: bytes
    added: int
    retired: int | None = None


class StreamKeys:
    """The lives of all streams' keys."""

    def __init__(self, lives: Iterable[Life] = ()) -> None:
        self._keys: dict[str, list[tuple[NoteKey, Life]]] = {}
        for life in lives:
            key = NoteKey(
                name=life.stream,
                type=notes.ED25519,
                verifier=signatures.verifier(life.algorithm, life.public),
            )
            self._keys.setdefault(life.stream, []).append((key, life))

    def verify(self, note: SignedNote, stream: str, index: int) -> None:
        """Check a note under the keys in force at a log index. Raises SignatureInvalid."""
        keys = [
            key
            for key, life in self._keys.get(stream, ())
            if life.added <= index and (life.retired is None or index < life.retired)
        ]
        notes.verify_note(note, keys)

    def verify_ever(self, note: SignedNote, stream: str) -> None:
        """Check a note under any key the stream ever had. Raises SignatureInvalid."""
        notes.verify_note(note, [key for key, _ in self._keys.get(stream, ())])


def read_lives(connection: psycopg.Connection[tuple[Any, ...]], found: Found) -> list[Life]:
    """Follow the key history through the log; a key that cannot be is found."""
    lives: dict[tuple[str, bytes], list[Life]] = {}
    with connection.cursor(binary=True) as cursor:
        cursor.execute("SELECT note FROM ledger_manifest WHERE idx = 0")
        row = cursor.fetchone()
        genesis_note = row[0] if row else None
    with connection.cursor("audit_keys", binary=True) as cursor:
        cursor.execute(_KEY_ENTRIES)
        for index, leaf, opening in cursor:
            try:
                kind = kinds.BY_NAME.get(commitments.parse_leaf(leaf).kind)
                core = json.loads(commitments.split(opening)[0])
            except NotCanonical:
                continue  # Found where the entry itself is read.
            if kind is not None and kind.klass == "key":
                _follow(lives, kind, index, core, genesis_note, found)
    return [life for all_lives in lives.values() for life in all_lives]


def _follow(
    lives: dict[tuple[str, bytes], list[Life]],
    kind: kinds.Kind,
    index: int,
    core: dict[str, Any],
    genesis_note: bytes | None,
    found: Found,
) -> None:
    where = f"ledger_entry {index}"
    try:
        public, algorithm, stream = b64decode(core["public"]), core["algorithm"], core["stream"]
        verifier = signatures.verifier(algorithm, public)
        held = lives.setdefault((stream, public), [])
        if kind in (kinds.GENESIS, kinds.KEY_ADD):
            _retire(held, index)
            held.append(Life(stream=stream, algorithm=algorithm, public=public, added=index))
            if kind is kinds.GENESIS:
                _genesis(held[-1], index, genesis_note, found)
            else:
                verifier.verify(possession_message(stream, public), b64decode(core["possession"]))
        elif held:
            _retire(held, index)
        else:
            found("key-unknown", where, index)
    except (KeyError, TypeError, ValueError) as error:
        found("key-malformed", where, index, str(error))


def _retire(held: list[Life], index: int) -> None:
    """End the newest life of a key, unless it ended before."""
    if held and held[-1].retired is None:
        life = held[-1]
        held[-1] = Life(
            stream=life.stream,
            algorithm=life.algorithm,
            public=life.public,
            added=life.added,
            retired=index,
        )


def _genesis(life: Life, index: int, note: bytes | None, found: Found) -> None:
    """Check the first manifest under the key that its own entry declares."""
    if note is None or index != 1:
        found("genesis-place", f"ledger_entry {index}", index)
        return
    try:
        StreamKeys([life]).verify(SignedNote.parse(note), life.stream, index)
    except (notes.NoteMalformed, signatures.SignatureInvalid) as error:
        found("manifest-signature", "ledger_manifest 0", index, str(error))
