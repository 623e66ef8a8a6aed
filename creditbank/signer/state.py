"""What the signer remembers: its last signed head, and the anchor on other storage.

Both are kept out of the database and of its backups: that is what finds out a
database that was restored from an older copy. The state is the signer's own
memory and holds all that is needed to go on; the anchor holds size, root and
chain and stands on other storage, so that one disk does not lose both.

Version 1 of both files knew no chain over the checkpoints. It is still read: by
a signer that was just upgraded, and because a head that outsiders vouch for,
put into a lost anchor by hand, comes without one.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from creditbank.proofs import canonical, merkle
from creditbank.proofs.chains import EMPTY_CHAIN, Chain, link
from creditbank.proofs.merkle import Frontier
from creditbank.signer.errors import AnotherSigner, MemoryLost
from creditbank.signer.files import locked, make_folder, write_durably
from creditbank.signer.protocol import b64

VERSION: Final = 2
WITHOUT_CHAIN: Final = 1


@dataclass(frozen=True, kw_only=True)
class TreeHead:
    """A tree's size and its root (32 bytes)."""

    size: int
    root: bytes


EMPTY_HEAD: Final = TreeHead(size=0, root=merkle.EMPTY_ROOT)


@dataclass(frozen=True, kw_only=True)
class Anchored:
    """What the anchor holds: a head, and the chain up to the head's checkpoint (None: unknown)."""

    head: TreeHead
    chain: Chain | None


EMPTY_ANCHORED: Final = Anchored(head=EMPTY_HEAD, chain=EMPTY_CHAIN)


@dataclass(frozen=True, kw_only=True)
class State:
    """The last signed head: its frontier, the note that was signed, and the time in it.

    `note` is empty and `time` 0 before the first signature. `time` is in
    seconds since 1970, as in the cosignatures; it never decreases. `chain` runs
    up to `note` and with it; None when it is not known.
    """

    frontier: Frontier
    root: bytes
    note: bytes
    time: int
    chain: Chain | None

    @property
    def head(self) -> TreeHead:
        """The size and root alone."""
        return TreeHead(size=self.frontier.size, root=self.root)

    @property
    def anchored(self) -> Anchored:
        """What the anchor holds when it is as far as this state."""
        return Anchored(head=self.head, chain=self.chain)


EMPTY_STATE: Final = State(
    frontier=Frontier.empty(), root=merkle.EMPTY_ROOT, note=b"", time=0, chain=EMPTY_CHAIN
)


def _members(path: Path, data: bytes) -> dict[str, canonical.Json]:
    """Read a remembered file. A damaged memory is no memory: it is refused, never guessed at."""
    try:
        members = canonical.decode(data)
    except canonical.NotCanonical as error:
        raise MemoryLost(f"{path} is damaged: {error}", path=str(path)) from error
    if not isinstance(members, dict) or members.get("v") not in (WITHOUT_CHAIN, VERSION):
        raise MemoryLost(f"{path} is not of version {VERSION}", path=str(path))
    return members


def _chain(path: Path, members: dict[str, canonical.Json]) -> Chain | None:
    if members["v"] == WITHOUT_CHAIN:
        return None
    chain = Chain(
        count=_size(path, members, "checkpoints"),
        last=_data(path, members, "chain"),
        before=_data(path, members, "chain_before"),
    )
    if len(chain.last) != merkle.HASH_BYTES or len(chain.before) != merkle.HASH_BYTES:
        raise MemoryLost(f"{path} has no usable 'chain'", path=str(path))
    return chain


def _chain_members(chain: Chain | None) -> dict[str, canonical.Json]:
    if chain is None:
        return {"v": WITHOUT_CHAIN}
    return {
        "chain": b64(chain.last),
        "chain_before": b64(chain.before),
        "checkpoints": chain.count,
        "v": VERSION,
    }


def _size(path: Path, members: dict[str, canonical.Json], name: str) -> int:
    value = members.get(name)
    if type(value) is not int or value < 0:
        raise MemoryLost(f"{path} has no usable {name!r}", path=str(path))
    return value


def _data(path: Path, members: dict[str, canonical.Json], name: str) -> bytes:
    value = members.get(name)
    try:
        if isinstance(value, str):
            return base64.b64decode(value, validate=True)
    except ValueError:
        pass
    raise MemoryLost(f"{path} has no usable {name!r}", path=str(path))


class StateFile:
    """The state, in one file of the signer's own folder."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> State | None:
        """Return the state, or None when nothing was ever signed here. Raises MemoryLost."""
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return None
        members = _members(self._path, data)
        size = _size(self._path, members, "size")
        try:
            frontier = Frontier.unpack(size, _data(self._path, members, "frontier"))
        except merkle.ProofInvalid as error:
            raise MemoryLost(f"{self._path}: {error}", path=str(self._path)) from error
        root = _data(self._path, members, "root")
        if frontier.root() != root:
            raise MemoryLost(
                f"{self._path}: the frontier does not give the root", path=str(self._path)
            )
        note, chain = _data(self._path, members, "note"), _chain(self._path, members)
        if note and chain is not None and link(chain.before, note) != chain.last:
            raise MemoryLost(
                f"{self._path}: the chain does not end in the note", path=str(self._path)
            )
        return State(
            frontier=frontier,
            root=root,
            note=note,
            time=_size(self._path, members, "time"),
            chain=chain,
        )

    def write(self, state: State) -> None:
        """Remember a state; it is on the disk when this returns."""
        members: dict[str, canonical.Json] = {
            "frontier": b64(state.frontier.pack()),
            "note": b64(state.note),
            "root": b64(state.root),
            "size": state.frontier.size,
            "time": state.time,
            **_chain_members(state.chain),
        }
        write_durably(self._path, canonical.encode(members))


class Anchor(Protocol):
    """The highest head that was about to be published, kept on other storage."""

    def read(self) -> Anchored | None:
        """Return the anchored head, or None when there never was one. Raises MemoryLost."""
        ...

    def advance(self, *, expected: Anchored | None, to: Anchored) -> None:
        """Put `to` in the place of `expected`, durably.

        Raises AnotherSigner when the anchor holds something else than `expected`.
        """
        ...


class FileAnchor:
    """An anchor in a file; the compare-and-swap is made under the lock of a file beside it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Anchored | None:
        """Return the anchored head, or None when there is no file. Raises MemoryLost."""
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return None
        members = _members(self._path, data)
        head = TreeHead(
            size=_size(self._path, members, "size"), root=_data(self._path, members, "root")
        )
        return Anchored(head=head, chain=_chain(self._path, members))

    def advance(self, *, expected: Anchored | None, to: Anchored) -> None:
        """Compare and swap. Raises AnotherSigner, MemoryLost."""
        make_folder(self._path.parent, mode=0o700)
        with locked(self._path.with_name(self._path.name + ".lock")):
            found = self.read()
            if found != expected:
                raise AnotherSigner(
                    f"the anchor {self._path} was moved by another signer",
                    path=str(self._path),
                    expected=None if expected is None else expected.head.size,
                    found=None if found is None else found.head.size,
                )
            members: dict[str, canonical.Json] = {
                "root": b64(to.head.root),
                "size": to.head.size,
                **_chain_members(to.chain),
            }
            write_durably(self._path, canonical.encode(members))
