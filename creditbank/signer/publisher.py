"""Following the log and publishing signed checkpoints.

The order of writes, and what a crash leaves
--------------------------------------------
For a committed head of size N, with S the size in the state, A in the anchor and
C the newest in the checkpoint table (so C = A = S < N):

1. The rows S .. N-1 are read, the tree is recomputed, compared with the head and
   the tiles, and the note is signed. A crash loses nothing: C = A = S < N.
2. The state is written, with the note and the chain. A crash leaves C = A < S = N. The note was
   shown to nobody, but it was signed: the next start moves the anchor to N and
   publishes this very note, never a second one with another time.
3. The anchor is moved from S to N. A crash leaves C < A = S = N: likewise.
4. The row is inserted and announced. A crash before the commit leaves the same as
   in 3; after it, C = A = S = N, and only the announcement may not have been heard:
   whoever waits also polls.

So at every start C <= A <= S, and N >= S since only committed heads are signed.
Everything else is something that happened to the database or the folders:

* N < S or N < A: the database is an older copy. Refused (`behind-anchor`).
* The stored tree at S, at A or at C has another root than the one signed there:
  an older copy was restored and filled again. Refused (`root-differs`).
* C > S but C <= A, or A > S: the state is an older copy, the anchor is not. What
  was published is at most A, so the tree is recomputed up to A, and when its root
  is the anchored one nothing was forgotten: the state is brought up to A.
* C > S and C > A: both memories are gone or older than what was published. Then
  nobody here can tell whether this database is the one that was signed: refused
  (`memory-lost`) until someone puts a head that outsiders vouch for (a witness, a
  mirror, the published log) into the anchor.
* No anchor where there is a state: its storage is probably not mounted, and an
  anchor made anew would be on the wrong disk. Refused (`memory-lost`).

The chain
---------
Every checkpoint row carries the chain up to itself (see `proofs.chains`); state and
anchor hold the chain up to their own checkpoint, the value before it, and the count.
So the newest row must carry the newest memory's chain, or, when a crash came before
the row, the value before; an older memory's chain must stand in the row of its size.
That costs two rows to read; that all the others are linked is the audit's part. What
does not fit is refused (`checkpoints-differ`): rows were changed or removed, or an
older copy was restored and its entries replayed, and the checkpoints since are lost.

Where the newest memory knows no chain (it was written before there was one, or by
hand), and when the operator asks for it, the chain is taken from the rows, all of
which are then read and must be linked. A head whose note was lost is signed again,
and takes the place of the lost one in the chain and in the anchor.

Before all that, triggers, constraints and rights are compared with the checked-in list
(`creditbank.guards`): what is signed over an unguarded ledger cannot be taken back.

The checks are made at every start and after every reconnection, since a database
may be swapped while the signer waits for it to come back.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Final

import psycopg

from creditbank.proofs import notes
from creditbank.proofs.chains import EMPTY_CHAIN, Chain
from creditbank.proofs.notes import Checkpoint, NoteMalformed
from creditbank.proofs.signatures import SignatureInvalid
from creditbank.signer.database import LedgerHead, Session
from creditbank.signer.errors import (
    BehindAnchor,
    CheckpointsDiffer,
    KeysUnusable,
    MemoryLost,
    RootDiffers,
    RowsDiffer,
)
from creditbank.signer.keys import KeyRing
from creditbank.signer.published import Published, PublishedCheckpoint
from creditbank.signer.state import (
    EMPTY_ANCHORED,
    EMPTY_STATE,
    Anchor,
    Anchored,
    State,
    StateFile,
    TreeHead,
)
from creditbank.signer.stopping import Stopping
from creditbank.signer.tree import Edge, check_tiles, hash_leaves, read_leaves, windows

log = logging.getLogger(__name__)

POLL_SECONDS: Final = 1.0
"""How long a lost announcement can delay a checkpoint."""

RETRY_FIRST: Final = 0.1
RETRY_MOST: Final = 5.0
PROGRESS_ROWS: Final = 1_000_000


@dataclass(frozen=True, kw_only=True)
class _Latest:
    """The newest published checkpoint, its signatures checked."""

    head: TreeHead
    note: bytes
    time: int
    chain: bytes


class _Stopped(Exception):
    """The wish to stop came in the middle of catching up; nothing was signed."""


class Publisher:
    """Publishes a checkpoint for every committed head it sees, or stops with the reason."""

    def __init__(
        self,
        *,
        database: str,
        keys: KeyRing,
        state_file: StateFile,
        anchor: Anchor,
        published: Published,
        stopping: Stopping,
        adopt: bool = False,
    ) -> None:
        """Prepare. `adopt` takes the stored checkpoints, once, for all there ever were."""
        self._adopt = adopt
        self._database = database
        self._keys = keys
        self._state_file = state_file
        self._anchor = anchor
        self._published = published
        self._stopping = stopping
        self._state = EMPTY_STATE
        self._edge = Edge.empty()
        self._former_backend: int | None = None

    def run(self) -> None:
        """Publish until asked to stop.

        A database that cannot be reached and storage that cannot be written are
        tried again for ever, ever more slowly, and said in the log. Raises
        SignerStops for what no trying again can heal.
        """
        pause = RETRY_FIRST
        while not self._stopping.is_set():
            try:
                session = Session(self._database)
                try:
                    session.claim(former=self._former_backend)
                    self._former_backend = session.backend
                    self._recover(session)
                    pause = RETRY_FIRST
                    self._follow(session)
                finally:
                    session.close()
            except _Stopped:
                return
            except (psycopg.Error, OSError) as error:
                log.warning(
                    "cannot publish, trying again in %.1f s: %s: %s",
                    pause,
                    type(error).__name__,
                    str(error).strip().replace("\n", " "),
                )
                self._stopping.wait(pause)
                pause = min(pause * 2, RETRY_MOST)

    def _follow(self, session: Session) -> None:
        while not self._stopping.is_set():
            self._step(session)
            session.wait(self._stopping, POLL_SECONDS)

    # -- one checkpoint ---------------------------------------------------------------------
    def _step(self, session: Session) -> None:
        head = session.head()
        signed = self._state.head
        if head.size < signed.size:
            raise BehindAnchor(
                f"the database ends at {head.size}, but {signed.size} leaves were signed",
                size=head.size,
                signed=signed.size,
            )
        if head.size == signed.size:
            if head.root != signed.root:
                self._refuse(session, "the head has another root than the one signed", head)
            return
        try:
            edge = self._advance(session, self._edge, head.size)
        except RowsDiffer:
            self._check_signed_tree(session)
            raise
        root = edge.frontier.root()
        if (head.frontier, head.root) != (edge.frontier.pack(), root):
            self._refuse(session, "the head is not the tree of the stored rows", head)
        note, timestamp = self._sign(head.size, root, not_before=self._state.time)
        assert self._state.chain is not None  # recovered, so known
        chain = self._state.chain.extend(note)
        state = State(frontier=edge.frontier, root=root, note=note, time=timestamp, chain=chain)
        self._state_file.write(state)
        self._anchor.advance(expected=self._state.anchored, to=state.anchored)
        session.insert_checkpoint(head.size, note, chain.last)
        self._state, self._edge = state, edge
        self._tell(state)

    def _tell(self, state: State) -> None:
        self._published.tell(
            PublishedCheckpoint(size=state.frontier.size, root=state.root, note=state.note)
        )

    def _advance(self, session: Session, edge: Edge, size: int) -> Edge:
        """Recompute the tree from the stored rows up to a size; compare the tiles on the way."""
        start = edge.frontier.size
        for low, high in windows(start, size):
            if self._stopping.is_set():
                raise _Stopped
            hashes = hash_leaves(read_leaves(session.work, low, high))
            edge, tiles = edge.extend(hashes)
            check_tiles(session.work, tiles)
            if (high - start) // PROGRESS_ROWS > (low - start) // PROGRESS_ROWS:
                log.info("recomputed %d of %d rows", high - start, size - start)
        return edge

    def _sign(self, size: int, root: bytes, *, not_before: int) -> tuple[bytes, int]:
        """Sign a checkpoint; return the note and the time in its cosignatures.

        The time never decreases, whatever the clock does: a verifier takes it
        for the time of the entries.
        """
        keys = self._keys
        checkpoint = Checkpoint(keys.log.name, size, root)
        timestamp = max(not_before, int(time.time()))
        note = notes.sign_note(checkpoint.text(), keys.log)
        cosignatures = tuple(
            notes.cosign(checkpoint, name=key.name, signer=key.signer, timestamp=timestamp)
            for key in (keys.cosigner, keys.cosigner_pq)
        )
        return notes.SignedNote(note.text, note.lines + cosignatures).encode(), timestamp

    def _refuse(self, session: Session, message: str, head: LedgerHead) -> None:
        """Stop, saying whether what was signed has changed or only what came after."""
        self._check_signed_tree(session)
        raise RowsDiffer(message, signed=self._state.frontier.size, size=head.size)

    def _check_signed_tree(self, session: Session) -> None:
        """Compare the stored tree at the last signed size. Raises RootDiffers."""
        _check_stored(session, self._state.head, "the last signed head")

    # -- starting and reconnecting ----------------------------------------------------------
    def _recover(self, session: Session) -> None:
        """Bring state, anchor, database and memory to one head, or refuse; see the module's text."""
        session.check_guards()
        head = session.head()
        latest = self._read_latest(session)
        state, anchored = self._read_memory(latest)
        anchor = anchored.head
        remembered = max(state.frontier.size, anchor.size)
        if head.size < remembered:
            raise BehindAnchor(
                f"the database ends at {head.size}, but {remembered} leaves were signed:"
                " an older copy of it was restored",
                size=head.size,
                state=state.frontier.size,
                anchor=anchor.size,
            )
        if latest is not None and latest.head.size > remembered:
            raise MemoryLost(
                f"a checkpoint of {latest.head.size} leaves was published,"
                f" but state and anchor remember {remembered}",
                published=latest.head.size,
                state=state.frontier.size,
                anchor=anchor.size,
            )
        self._check_history(session, state, anchor, latest)
        chain = self._published_chain(session, state, anchored, latest)
        edge = Edge.load(session.work, state.frontier.size)
        if anchor.size > state.frontier.size:
            state, edge = self._catch_up(session, state, edge, anchored)
        self._edge = edge
        self._state = self._complete(state, chain, latest)
        if self._state != state:
            self._state_file.write(self._state)
        if self._state.anchored != anchored:
            log.info("moving the anchor from %d to %d", anchor.size, self._state.frontier.size)
            self._anchor.advance(expected=anchored, to=self._state.anchored)
        self._publish_again(session, latest)
        self._adopt = False
        if self._state.frontier.size:
            self._tell(self._state)
        log.info(
            "following the log from %d; the database ends at %d", edge.frontier.size, head.size
        )

    def _read_memory(self, latest: _Latest | None) -> tuple[State, Anchored]:
        """Read state and anchor; make them when this is a new bank."""
        state, anchor = self._state_file.read(), self._anchor.read()
        if state is None and anchor is None:
            if latest is not None:
                raise MemoryLost(
                    f"a checkpoint of {latest.head.size} leaves was published,"
                    " but there is neither state nor anchor",
                    published=latest.head.size,
                )
            # The anchor first: a state without an anchor is refused, so that an
            # anchor whose storage is not mounted is never made anew.
            self._anchor.advance(expected=None, to=EMPTY_ANCHORED)
            anchor = EMPTY_ANCHORED
            log.info("a new log: nothing was ever signed")
        if anchor is None:
            raise MemoryLost("there is a state but no anchor; is its storage mounted?")
        if state is None:
            state = EMPTY_STATE
            self._state_file.write(state)
        elif state.note:
            self._check_own(state.note, state.head)
        return state, anchor

    def _read_latest(self, session: Session) -> _Latest | None:
        """Read the newest published checkpoint and check that these keys signed it."""
        row = session.latest_checkpoint()
        if row is None:
            return None
        size, note, chain = row
        head = self._check_own(note, None)
        if head.size != size:
            raise RowsDiffer(f"the checkpoint row {size} holds a note of {head.size}")
        return _Latest(head=head, note=note, time=_time_of(note), chain=chain)

    def _check_own(self, note: bytes, head: TreeHead | None) -> TreeHead:
        """Check that a note bears the signatures of these keys. Raises KeysUnusable, RootDiffers."""
        keys = [self._keys.log.key(), self._keys.cosigner.key(), self._keys.cosigner_pq.key()]
        try:
            signed = notes.SignedNote.parse(note)
            notes.verify_note(signed, keys, required=len(keys))
            checkpoint = Checkpoint.parse(signed.text)
        except (NoteMalformed, SignatureInvalid) as error:
            raise KeysUnusable(
                f"an earlier checkpoint was not signed with these keys: {error}"
            ) from error
        found = TreeHead(size=checkpoint.size, root=checkpoint.root)
        if checkpoint.origin != self._keys.log.name or (head is not None and found != head):
            raise RootDiffers("the state's note is not of the state's head", size=found.size)
        return found

    def _check_history(
        self, session: Session, state: State, anchor: TreeHead, latest: _Latest | None
    ) -> None:
        """Compare the stored tree at every size that was signed. Raises RootDiffers."""
        # One head is usually all three; of heads that differ each is checked.
        signed = {state.head: "the last signed head", anchor: "the anchor"}
        if latest is not None:
            signed.setdefault(latest.head, "the newest published checkpoint")
        for head, what in signed.items():
            _check_stored(session, head, what)

    def _published_chain(
        self, session: Session, state: State, anchored: Anchored, latest: _Latest | None
    ) -> Chain:
        """Return the chain up to the newest row, having compared it with what is remembered.

        Raises CheckpointsDiffer.
        """
        memories = (state.anchored, anchored)
        newest = max(memory.head.size for memory in memories)
        known = [memory.chain for memory in memories if memory.head.size == newest]
        if self._adopt or not any(known):
            chain = session.walk_checkpoints()
            log.warning("taking the %d stored checkpoints for all there were", chain.count)
            return chain
        for memory in memories:
            size, chain_then = memory.head.size, memory.chain
            # What is older than the newest memory was published before that was signed.
            if 0 < size < newest and chain_then and session.chain_at(size) != chain_then.last:
                raise CheckpointsDiffer(f"the checkpoint of {size} is not the one published")
        size = latest.head.size if latest else 0
        last = latest.chain if latest else EMPTY_CHAIN.last
        for remembered in known:
            if remembered and size == newest and last == remembered.last:
                return remembered
            if remembered and size < newest and last == remembered.before:
                return Chain(count=remembered.count - 1, last=last, before=last)
        raise CheckpointsDiffer(
            f"the newest checkpoint, of {size}, is not the one that was published before {newest}:"
            " checkpoints were changed, or lost with an older copy",
            size=size,
        )

    def _catch_up(
        self, session: Session, state: State, edge: Edge, anchored: Anchored
    ) -> tuple[State, Edge]:
        """Bring a state that is older than the anchor up to it, from the rows."""
        anchor = anchored.head
        log.warning("the state is at %d, the anchor at %d", state.frontier.size, anchor.size)
        edge = self._advance(session, edge, anchor.size)
        if edge.frontier.root() != anchor.root:
            raise RootDiffers(
                f"the stored rows give another root at the anchor's size {anchor.size}",
                size=anchor.size,
            )
        state = State(
            frontier=edge.frontier, root=anchor.root, note=b"", time=state.time, chain=None
        )
        return state, edge

    def _complete(self, state: State, chain: Chain, latest: _Latest | None) -> State:
        """Return the state with its note and chain, whichever of them was lost or never known.

        `chain` is the one up to the newest row.
        """
        frontier, note, timestamp = state.frontier, state.note, state.time
        if latest is not None:
            timestamp = max(timestamp, latest.time)
        if latest is not None and latest.head.size == frontier.size:
            note = latest.note
        elif frontier.size:
            if not note:
                # The state was lost, so the note is too. The head is the anchored one
                # and nothing larger was published: signing it again forks nothing.
                note, timestamp = self._sign(frontier.size, state.root, not_before=timestamp)
            chain = chain.extend(note)
        return State(frontier=frontier, root=state.root, note=note, time=timestamp, chain=chain)

    def _publish_again(self, session: Session, latest: _Latest | None) -> None:
        """Publish the signed head when a crash came between signing and publishing."""
        state = self._state
        size = state.frontier.size
        if not size or (latest is not None and latest.head.size >= size):
            return
        assert state.chain is not None  # completed just now
        log.info("publishing again the checkpoint of %d", size)
        session.insert_checkpoint(size, state.note, state.chain.last)


def _check_stored(session: Session, head: TreeHead, what: str) -> None:
    """Compare the stored tree at a signed size with the root signed there.

    From the full tiles and the rows of the unfinished one: some dozens of rows,
    not the whole log. That tiles and rows agree is the audit's part, and the
    publisher's for every new row.
    """
    frontier = Edge.load(session.work, head.size).frontier
    if frontier.root() != head.root:
        raise RootDiffers(
            f"the stored tree at {head.size} is not the one of {what}:"
            " an older copy was restored and filled again",
            size=head.size,
            expected=head.root.hex(),
            found=frontier.root().hex(),
        )


def _time_of(note: bytes) -> int:
    """Return the latest time in a checked note's cosignatures."""
    lines = notes.SignedNote.parse(note).lines
    return max(notes.cosignature_time(line) for line in lines[1:])
