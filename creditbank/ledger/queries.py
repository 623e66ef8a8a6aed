"""What can be read from the account book."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, ClassVar, Final, Literal

from django.conf import settings
from django.db import connection

from creditbank import prepared
from creditbank.errors import DomainError
from creditbank.ledger import kinds, learnerkeys, log
from creditbank.ledger.log import Receipt
from creditbank.ledger.publication import NotYetPublished as NotYetPublished
from creditbank.ledger.publication import wait_until_published as wait_until_published
from creditbank.ledger.statements import (
    CreditRecognised,
    Outcome,
    Reference,
    Result,
    credits_of,
)
from creditbank.proofs import bundles, commitments, merkle, notes, tiles
from creditbank.proofs.bundles import ProofBundle

State = Literal["entered", "reversed", "expired", "used"]

_UNDO_STATES: Final[dict[str, State]] = {
    "award-reverse": "reversed",
    "recognise-reverse": "reversed",
    "expire": "expired",
}


class UnknownEntry(DomainError):
    """There is no entry at this index."""

    code: ClassVar[str] = "unknown-entry"


class CheckpointMissing(DomainError):
    """No checkpoint of this size was published."""

    code: ClassVar[str] = "checkpoint-missing"


@dataclass(frozen=True, kw_only=True)
class Balance:
    """The totals of one or more accounts. The first four partition what was awarded."""

    awarded: Decimal
    available: Decimal
    used: Decimal
    lapsed: Decimal
    converted: Decimal


_SUMS: Final = "SELECT kind, sum(qty) FROM ledger_entry WHERE acct = ANY(%s) GROUP BY kind"
_SUMS_OF_ONE: Final = "SELECT kind, sum(qty) FROM ledger_entry WHERE acct = %s GROUP BY kind"


def balance(accounts: Sequence[int]) -> Balance:
    """Add up accounts from the covering index alone: no row, no opening is read."""
    # Most people have one account, and an array costs as much as the search itself.
    if len(accounts) == 1:
        rows = prepared.run(_SUMS_OF_ONE, accounts)
    else:
        rows = prepared.run(_SUMS, [list(accounts)])
    sums: dict[int, int] = dict(rows)

    def of(kind: kinds.Kind) -> int:
        return sums.get(kind.number, 0)

    awarded = of(kinds.AWARD)
    lapsed = -of(kinds.AWARD_REVERSE) - of(kinds.EXPIRE)
    used = -of(kinds.CONSUME) - of(kinds.CONSUME_REVERSE)
    return Balance(
        awarded=credits_of(awarded),
        available=credits_of(awarded - lapsed - used),
        used=credits_of(used),
        lapsed=credits_of(lapsed),
        converted=credits_of(of(kinds.RECOGNISE) + of(kinds.RECOGNISE_REVERSE)),
    )


@dataclass(frozen=True, kw_only=True)
class Totals:
    """How much the whole ledger holds."""

    accounts: int
    awarded: Decimal
    transcripts: int


def totals() -> Totals:
    """Add up the whole ledger from its indexes. Reads every entry's index: cache the answer."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ledger_account")
        accounts = int(cursor.fetchone()[0])
        cursor.execute("SELECT kind, sum(qty), count(*) FROM ledger_entry GROUP BY kind")
        sums = {int(kind): (int(total), int(count)) for kind, total, count in cursor.fetchall()}
    awarded = sum(sums.get(kind.number, (0, 0))[0] for kind in (kinds.AWARD, kinds.AWARD_REVERSE))
    return Totals(
        accounts=accounts,
        awarded=credits_of(awarded),
        transcripts=sums.get(kinds.TRANSCRIPT_ISSUE.number, (0, 0))[1],
    )


@dataclass(frozen=True, kw_only=True)
class EntryView:
    """One entry as stored, with the manifest it stands under."""

    index: int
    account: int
    kind: kinds.Kind
    quantity: int
    leaf: bytes
    leaf_hash: bytes
    stream: str
    seq: int
    acts_on: bytes | None
    manifest_index: int
    first_seq: int
    count: int
    sealed: bytes = field(repr=False)

    def opening(self) -> bytes:
        """Return the opening. Raises PersonForgotten when the account's secret is gone."""
        if self.account == 0:
            return self.sealed
        return learnerkeys.keys_for(self.account).unseal(self.sealed)


_ENTRY_SQL: Final = (
    "SELECT e.idx, e.acct, e.kind, e.qty, e.leaf, e.opening, m.idx, m.first_seq, m.n"
    " FROM ledger_entry e CROSS JOIN LATERAL ("
    "  SELECT idx, first_seq, n FROM ledger_manifest WHERE idx < e.idx ORDER BY idx DESC LIMIT 1"
    ") m WHERE "
)


def _entry_view(row: tuple[Any, ...]) -> EntryView:
    leaf = bytes(row[4])
    parsed = commitments.parse_leaf(leaf)
    return EntryView(
        index=row[0],
        account=row[1],
        kind=kinds.BY_NUMBER[row[2]],
        quantity=row[3],
        leaf=leaf,
        leaf_hash=merkle.leaf_hash(leaf),
        stream=parsed.stream,
        seq=parsed.seq,
        acts_on=parsed.acts_on,
        sealed=bytes(row[5]),
        manifest_index=row[6],
        first_seq=row[7],
        count=row[8],
    )


def entries_of(accounts: Sequence[int], of: Iterable[kinds.Kind]) -> list[EntryView]:
    """Return the entries of some kinds in accounts, in the order of the log."""
    with connection.cursor() as cursor:
        cursor.execute(
            _ENTRY_SQL + "e.acct = ANY(%s) AND e.kind = ANY(%s) ORDER BY e.idx",
            [list(accounts), [kind.number for kind in of]],
        )
        return [_entry_view(row) for row in cursor.fetchall()]


def entries_after(index: int, of: kinds.Kind) -> list[EntryView]:
    """Return the entries of a kind after a log index, in the order of the log."""
    with connection.cursor() as cursor:
        cursor.execute(_ENTRY_SQL + "e.idx > %s AND e.kind = %s ORDER BY e.idx", [index, of.number])
        return [_entry_view(row) for row in cursor.fetchall()]


def entry(index: int) -> EntryView:
    """Return the entry at a log index. Raises UnknownEntry (also for a manifest's index)."""
    with connection.cursor() as cursor:
        cursor.execute(_ENTRY_SQL + "e.idx = %s", [index])
        row = cursor.fetchone()
    if row is None:
        raise UnknownEntry(index=index)
    return _entry_view(row)


@dataclass(frozen=True, kw_only=True)
class ManifestView:
    """One manifest as stored."""

    index: int
    stream: str
    first_seq: int
    count: int
    note: bytes


def manifest(index: int) -> ManifestView:
    """Return the manifest at a log index. Raises UnknownEntry (also for an entry's index)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT idx, stream, first_seq, n, note FROM ledger_manifest WHERE idx = %s", [index]
        )
        row = cursor.fetchone()
    if row is None:
        raise UnknownEntry(index=index)
    return ManifestView(
        index=row[0], stream=row[1], first_seq=row[2], count=row[3], note=bytes(row[4])
    )


@dataclass(frozen=True, kw_only=True)
class StatementLine:
    """One line of an account's statement (对账单): an award or a recognition, and what became of it.

    An award has its `outcome`, a recognition what was `recognised`. `used_by` is
    the number of the decision that uses an award, while it does.
    """

    index: int
    account: int
    kind: kinds.Kind
    quantity: int
    leaf_hash: bytes
    outcome: Outcome | None
    result: Result
    reference: Reference
    prepared_by: str
    approved_by: str
    state: State
    acted_by_index: int | None
    acted_reason: str
    stream: str
    recorded_at: datetime | None
    recognised: CreditRecognised | None = None
    used_by: str = ""

    @property
    def credits(self) -> Decimal:
        """What moved, in credits."""
        return credits_of(self.quantity)

    @property
    def valid_until(self) -> date:
        """The outcome's last valid day; date.max when it has none."""
        until = self.outcome.valid_until if self.outcome else None
        return until or date.max


def _json_parts(opening: bytes) -> tuple[dict[str, Any], ...]:
    return tuple(json.loads(part) for part in commitments.split(opening))


def statement(accounts: Sequence[int]) -> list[StatementLine]:
    """Return the awards and recognitions of accounts, newest first, each with its state.

    Raises PersonForgotten when a secret is gone: the register no longer holds this person.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ENTRY_SQL + "e.acct = ANY(%s) ORDER BY e.idx", [list(accounts)])
        views = [_entry_view(row) for row in cursor.fetchall()]
    if not views:
        return []
    keys = learnerkeys.keys_of(accounts)
    acted: dict[bytes, tuple[State, int, str]] = {}
    used_by: dict[bytes, str] = {}
    consumed: dict[bytes, bytes] = {}
    parts: dict[int, tuple[dict[str, Any], ...]] = {}
    for view in views:
        if view.account not in keys:
            raise learnerkeys.PersonForgotten(account=view.account)
        parts[view.index] = _json_parts(keys[view.account].unseal(view.sealed))
        if view.acts_on is None:
            continue
        if view.kind is kinds.CONSUME:
            acted[view.acts_on] = ("used", view.index, "")
            used_by[view.acts_on] = str(parts[view.index][0]["decision"])
            consumed[view.leaf_hash] = view.acts_on
        elif view.kind is kinds.CONSUME_REVERSE:
            source = consumed.get(view.acts_on)
            if source is not None:
                acted.pop(source, None)
                used_by.pop(source, None)
        else:
            reason = str(parts[view.index][0].get("reason", ""))
            acted[view.acts_on] = (_UNDO_STATES[view.kind.name], view.index, reason)
    times = recorded_times([view.index for view in views])
    lines = []
    for view in reversed(views):
        if view.kind.klass != "award":
            continue
        core, result, reference, holder = parts[view.index]
        nothing: tuple[State, int | None, str] = ("entered", None, "")
        state, by_index, reason = acted.get(view.leaf_hash, nothing)
        lines.append(
            StatementLine(
                index=view.index,
                account=view.account,
                kind=view.kind,
                quantity=view.quantity,
                leaf_hash=view.leaf_hash,
                outcome=Outcome.from_core(core) if view.kind is kinds.AWARD else None,
                result=Result.from_part(result),
                reference=Reference.from_part(reference),
                prepared_by=str(holder.get("prepared_by", "")),
                approved_by=str(holder.get("approved_by", "")),
                state=state,
                acted_by_index=by_index,
                acted_reason=reason,
                stream=view.stream,
                recorded_at=times.get(view.index),
                recognised=(
                    CreditRecognised.from_core(view.account, core)
                    if view.kind is kinds.RECOGNISE
                    else None
                ),
                used_by=used_by.get(view.leaf_hash, ""),
            )
        )
    return lines


def recorded_times(indexes: Iterable[int]) -> dict[int, datetime]:
    """Return when entries were published: the time in the first checkpoint that covers each.

    An entry that no checkpoint covers yet is missing from the answer.
    """
    wanted = list(indexes)
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT i, c.note FROM unnest(%s::bigint[]) AS i CROSS JOIN LATERAL ("
            " SELECT note FROM ledger_checkpoint WHERE size > i ORDER BY size LIMIT 1) c",
            [wanted],
        )
        return {index: checkpoint_time(bytes(note)) for index, note in cursor.fetchall()}


@lru_cache(maxsize=1024)
def checkpoint_time(note: bytes) -> datetime:
    """Return the time in a checkpoint's cosignature lines (the greatest, should they differ)."""
    signed = notes.SignedNote.parse(note)
    times = [
        notes.cosignature_time(line) for line in signed.lines if line.name != settings.LOG_ORIGIN
    ]
    return datetime.fromtimestamp(max(times), UTC)


def expiring(*, before: date) -> list[StatementLine]:
    """Return the awards in force whose last valid day is before a date, over all accounts."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT number FROM ledger_account ORDER BY number")
        accounts = [int(number) for (number,) in cursor.fetchall()]
    known = learnerkeys.keys_of(accounts)
    expired: list[StatementLine] = []
    for account in accounts:
        if account in known:
            expired += [
                line
                for line in statement([account])
                if line.state == "entered" and line.outcome and line.valid_until < before
            ]
    return expired


@dataclass(frozen=True, kw_only=True)
class Found:
    """An entry that was found by its digest: where it stands and what is kept of it."""

    index: int
    kind: kinds.Kind
    quantity: int
    leaf: bytes
    sealed: bytes = field(repr=False)


Place = tuple[int, int]
"""An account and the digest of what an entry is unique by (`learnerkeys.dedup_key`)."""

_AT: Final = (
    " FROM ledger_entry e JOIN unnest(%s::bigint[], %s::bigint[]) AS u(acct, dkey)"
    " ON e.acct = u.acct AND e.dkey = u.dkey"
)


def found_at(places: Iterable[Place]) -> dict[Place, Found]:
    """Return the entries at these places, in one question; empty places are missing from it."""
    return {
        (account, dkey): Found(
            index=index,
            kind=kinds.BY_NUMBER[kind],
            quantity=quantity,
            leaf=bytes(leaf),
            sealed=bytes(sealed),
        )
        for account, dkey, index, kind, quantity, leaf, sealed in _at(
            "SELECT e.acct, e.dkey, e.idx, e.kind, e.qty, e.leaf, e.opening", places
        )
    }


def kinds_at(places: Iterable[Place]) -> dict[Place, kinds.Kind]:
    """Return what kind of entry stands at each of these places, from the index alone."""
    return {
        (account, dkey): kinds.BY_NUMBER[kind]
        for account, dkey, kind in _at("SELECT e.acct, e.dkey, e.kind", places)
    }


def _at(columns: str, places: Iterable[Place]) -> list[tuple[Any, ...]]:
    asked = list(places)
    if not asked:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            columns + _AT, [[account for account, _ in asked], [dkey for _, dkey in asked]]
        )
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def awarded_leaf(account: int, u: str) -> int | None:
    """Return the index of the award with this uniqueness string, if the account holds it."""
    place = account, learnerkeys.dedup_key(learnerkeys.keys_for(account).dedup, "award", u)
    found = found_at([place])
    return found[place].index if found else None


@dataclass(frozen=True, kw_only=True)
class Generation:
    """Whether an outcome can be awarded: the next free generation, and what stands in the way."""

    u: str
    held_index: int | None
    """The index of the award in force, when there is one."""


def generation(account: int, base: str) -> Generation:
    """Find the uniqueness string for an outcome: generation 1, or the one after a reversal."""
    number = 1
    while True:
        u = f"{base}/{number}"
        index = awarded_leaf(account, u)
        if index is None:
            return Generation(u=u, held_index=None)
        if not is_undone(account, entry(index).leaf_hash):
            return Generation(u=u, held_index=index)
        number += 1


def is_undone(account: int, leaf_hash: bytes) -> bool:
    """Tell whether an entry has a reversal or an expiry."""
    dkey = learnerkeys.dedup_key(
        learnerkeys.keys_for(account).dedup, "undo", f"{leaf_hash.hex()}/1"
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM ledger_entry WHERE acct = %s AND dkey = %s", [account, dkey])
        return cursor.fetchone() is not None


# -- the log ----------------------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class LogState:
    """Where the log stands: committed leaves, and the newest published checkpoint."""

    size: int
    root: bytes
    published_size: int
    checkpoint: bytes
    published_at: datetime | None


def log_state() -> LogState:
    """Return the head and the newest checkpoint."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT size, root FROM ledger_head WHERE id = 1")
        size, root = cursor.fetchone()
        cursor.execute("SELECT size, note FROM ledger_checkpoint ORDER BY size DESC LIMIT 1")
        row = cursor.fetchone()
    note = bytes(row[1]) if row else b""
    return LogState(
        size=size,
        root=bytes(root),
        published_size=row[0] if row else 0,
        checkpoint=note,
        published_at=checkpoint_time(note) if note else None,
    )


def checkpoint(size: int) -> bytes:
    """Return the checkpoint note of a size. Raises CheckpointMissing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT note FROM ledger_checkpoint WHERE size = %s", [size])
        row = cursor.fetchone()
    if row is None:
        raise CheckpointMissing(size=size)
    return bytes(row[0])


class StoredHashes:
    """Reads subtree hashes from stored tiles, and the unfinished edges from what is below them.

    What is known to be needed is fetched in one query; what was read once is kept.
    """

    def __init__(self, needed: Collection[tuple[int, int]] = ()) -> None:
        self._full: dict[tuple[int, int], bytes] = {}
        self._edges: dict[tuple[int, int, int], list[bytes]] = {}
        self._asked: set[tuple[int, int]] = set()
        self._fetch(needed)

    def _fetch(self, needed: Collection[tuple[int, int]]) -> None:
        """Fetch full tiles by (level, n); those that are not stored are not full yet."""
        wanted = set(needed) - self._asked
        if not wanted:
            return
        self._asked |= wanted
        rows = prepared.run(
            "SELECT t.level, t.n, t.data FROM ledger_tile t"
            " JOIN unnest(%s::int2[], %s::int8[]) AS w(level, n)"
            " ON w.level = t.level AND w.n = t.n",
            [[level for level, _ in wanted], [n for _, n in wanted]],
        )
        self._full.update({(level, n): data for level, n, data in rows})

    def _edge(self, level: int, start: int, stop: int) -> list[bytes]:
        """Derive hashes of an unfinished tile from the level below."""
        key = (level, start, stop)
        if key not in self._edges:
            with connection.cursor() as cursor:
                self._edges[key] = (
                    log.leaf_hashes(cursor, start, stop)
                    if level == 0
                    else log.tile_roots(cursor, level - 1, start, stop)
                )
        return self._edges[key]

    def hashes(self, level: int, start: int, stop: int) -> list[bytes]:
        """Return the hashes of complete subtrees `start` .. `stop - 1` of height 8 * level."""
        found: list[bytes] = []
        numbers = range(start // log.TILE, (stop - 1) // log.TILE + 1)
        self._fetch([(level, n) for n in numbers])
        for n in numbers:
            low, high = max(start, n * log.TILE), min(stop, (n + 1) * log.TILE)
            data = self._full.get((level, n))
            if data is None:
                found += self._edge(level, low, high)
            else:
                offset = low - n * log.TILE
                found += [data[32 * i : 32 * i + 32] for i in range(offset, offset + high - low)]
        return found


def tile_data(level: int, n: int, width: int) -> bytes:
    """Return the bytes of a tile of the published log. Raises CheckpointMissing.

    A partial tile exists while the published size ends in it; a full one for ever.
    """
    published = log_state().published_size >> (8 * level)
    if n * log.TILE + width > published:
        raise CheckpointMissing(level=level, n=n, width=width)
    hashes = StoredHashes().hashes(level, n * log.TILE, n * log.TILE + width)
    return b"".join(hashes)


def bundle_data(n: int, width: int) -> bytes:
    """Return an entry bundle of the published log (C2SP tlog-tiles). Raises CheckpointMissing."""
    start = n * log.TILE
    stop = start + width
    if stop > log_state().published_size:
        raise CheckpointMissing(n=n, width=width)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT idx, leaf FROM ledger_entry WHERE idx >= %s AND idx < %s UNION ALL"
            " SELECT idx, note FROM ledger_manifest WHERE idx >= %s AND idx < %s ORDER BY 1",
            [start, stop, start, stop],
        )
        return tiles.encode_bundle([bytes(leaf) for _, leaf in cursor.fetchall()])


def proof(
    index: int, *, disclose: Collection[str] = commitments.PARTS, size: int | None = None
) -> ProofBundle:
    """Prove an entry under a published checkpoint, disclosing the chosen parts of its opening.

    `size` names the checkpoint; without it the newest is taken. A forgotten
    person's entry is proved without its opening. Raises UnknownEntry,
    NotYetPublished, CheckpointMissing.
    """
    view = entry(index)
    state = log_state()
    note = state.checkpoint if size is None else checkpoint(size)
    covered = state.published_size if size is None else size
    if index >= covered:
        raise NotYetPublished(index=index, published=covered)
    first = view.manifest_index + 1
    position = index - first
    own = range(first // log.TILE, (first + view.count - 1) // log.TILE + 1)
    reader = StoredHashes(tiles.needed(index, covered) | {(0, n) for n in own})
    siblings = reader.hashes(0, first, first + view.count)
    try:
        disclosure = commitments.disclose(view.opening(), disclose) if disclose else None
    except learnerkeys.PersonForgotten:
        disclosure = None
    return bundles.ProofBundle(
        index=index,
        path=tuple(tiles.prove_inclusion(reader, index, covered)),
        checkpoint=notes.SignedNote.parse(note),
        kind=view.kind.name,
        leaf=view.leaf,
        manifest=notes.SignedNote.parse(manifest(view.manifest_index).note),
        manifest_index=view.manifest_index,
        manifest_path=tuple(merkle.inclusion_path(siblings, position)),
        position=position,
        disclosure=disclosure,
    )


def stream_head(name: str) -> tuple[int, bytes]:
    """Return a stream's next number and the root of its last manifest; 0 and zeros before any."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT next_seq, prev_root FROM ledger_streamhead WHERE stream = %s", [name]
        )
        row = cursor.fetchone()
    return (int(row[0]), bytes(row[1])) if row else (0, log.ZERO_ROOT)


def receipt(index: int) -> Receipt:
    """Return the receipt of the submission that holds an entry."""
    view = entry(index)
    return Receipt(
        stream=view.stream,
        first_seq=view.first_seq,
        count=view.count,
        manifest_index=view.manifest_index,
    )
