"""Openings, the commitments to them, and the leaves that carry the commitments.

An opening is four canonical JSON objects, core, result, reference and holder,
joined by tabs; each holds its own 16-byte salt, so that one part can be shown
and another kept. The public leaf carries only the commitment over the four
part digests: it says nothing about anyone.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import orjson

from creditbank.proofs import canonical
from creditbank.proofs.canonical import NotCanonical
from creditbank.proofs.hashing import HASH_BYTES
from creditbank.proofs.names import NameMalformed, check_kind, check_stream

PARTS: Final = ("core", "result", "reference", "holder")
SALT_BYTES: Final = 16
TAB: Final = b"\t"
VERSION: Final = 1

_COMMIT: Final = b"llcb/commit/v1\0"
_PREFIX: Final = {name: b"llcb/part/v1\0" + name.encode() + b"\0" for name in PARTS}
_CORE, _RESULT, _REFERENCE, _HOLDER = (_PREFIX[name] for name in PARTS)
_TEXT_OR_INTEGER: Final = frozenset({str, int})
_LEAF_MEMBERS: Final = frozenset({"c", "i", "k", "n", "q", "v"})
_OPTION: Final = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER
"""Sorted names, and integers of at most 53 bits: more of them raise."""

Part = dict[str, Any]
"""A part's members, the salt among them; their values are texts and integers."""

Members = Mapping[str, Any]
"""A part's members without its salt. Openings that say the same may share one: never change it."""

Opened = tuple[bytes, Members, Members, Members, Members]
"""(commitment, core, result, reference, holder) of one opening."""

Leaves = list[tuple[bytes, bytes]]
"""(leaf bytes, leaf hash) of each entry."""

_SALT: Final = b'"s":"'
_SALT_DIGITS: Final = 2 * SALT_BYTES

# Parts already read, without their salts: a college's openings say the same of one course for
# every student, and what has been read once in these very bytes need not be parsed again.
_read: Final[tuple[dict[bytes, Members], ...]] = ({}, {}, {})
_READ_MAX: Final = 4_096


def part_digest(name: str, data: bytes) -> bytes:
    """Return a part's digest: SHA-256("llcb/part/v1" NUL name NUL bytes)."""
    return sha256(_PREFIX[name] + data).digest()


def commit(digests: Sequence[bytes]) -> bytes:
    """Return the commitment over the four part digests, in the order of PARTS."""
    if len(digests) != len(PARTS) or any(len(digest) != HASH_BYTES for digest in digests):
        raise NotCanonical("a commitment is over four digests of 32 bytes")
    return sha256(_COMMIT + b"".join(digests)).digest()


def join(
    *,
    core: Mapping[str, str | int],
    result: Mapping[str, str],
    reference: Mapping[str, str],
    holder: Mapping[str, str],
    salts: bytes | None = None,
) -> bytes:
    """Return the opening's bytes; salts (64 bytes) are drawn unless given."""
    drawn = os.urandom(SALT_BYTES * len(PARTS)) if salts is None else salts
    if len(drawn) != SALT_BYTES * len(PARTS):
        raise NotCanonical("an opening has four salts of 16 bytes")
    digits = drawn.hex()
    return TAB.join(
        (
            _print(core, digits[:32]),
            _print(result, digits[32:64]),
            _print(reference, digits[64:96]),
            _print(holder, digits[96:]),
        )
    )


def _print(members: Mapping[str, str | int], salt: str) -> bytes:
    """Return a part's canonical bytes. Raises NotCanonical."""
    if not _TEXT_OR_INTEGER.issuperset(map(type, members.values())):
        raise NotCanonical("a part holds texts and integers only")
    if not "".join(members).isascii():
        raise NotCanonical("a member name that is not ASCII text")
    try:
        return orjson.dumps({**members, "s": salt}, option=_OPTION)
    except (TypeError, orjson.JSONEncodeError) as error:
        raise NotCanonical(str(error)) from None


def unsalted(opening: bytes) -> bytes:
    """Return an opening of ours with zeros for its salts: what it says, the same at every try."""
    said = []
    for part in opening.split(TAB):
        at = part.find(_SALT) + len(_SALT)
        said.append(part[:at] + b"0" * _SALT_DIGITS + part[at + _SALT_DIGITS :])
    return TAB.join(said)


def _parse(data: bytes) -> Part:
    """Read one part's bytes in full. Raises NotCanonical and what orjson raises."""
    part = orjson.loads(data)
    # Values of two types only leave nothing nested to walk through, whatever the input.
    if orjson.dumps(part, option=_OPTION) != data:
        raise NotCanonical("an opening is not in canonical form")
    if not _TEXT_OR_INTEGER.issuperset(map(type, part.values())):
        raise NotCanonical("a part holds texts and integers only")
    if not "".join(part).isascii():
        raise NotCanonical("a member name that is not ASCII text")
    salt = part["s"]
    if type(salt) is not str or len(salt) != _SALT_DIGITS:
        raise NotCanonical("a part's salt is not 32 hexadecimal digits")
    members: Part = part
    return members


class _Unusual(Exception):
    """A part that cannot be remembered by its bytes without the salt."""


def _members(data: bytes, template: bytes, read: dict[bytes, Members]) -> Members:
    """Read one part; remember it by its bytes without the salt.

    In a canonical object of texts and integers the marker `"s":"` stands in no
    text, though another member's name can end like it. Where it stands once, it
    opens the salt, and whatever has the same bytes around a salt says the same.
    Raises _Unusual where it stands more often, and what `_parse` raises.
    """
    part = _parse(data)
    if data.count(_SALT) != 1:
        raise _Unusual
    del part["s"]
    if len(read) >= _READ_MAX:
        read.clear()
    read[template] = part
    return part


def read_opening(opening: bytes) -> Opened:
    """Read an opening: its commitment and the members of its four parts. Raises NotCanonical.

    Each part must be the canonical bytes of an object whose values are texts and
    integers, with a salt "s" of 32 lower-case hexadecimal digits.
    """
    # Written out for the four parts: this runs for every entry recorded and audited.
    known_core, known_result, known_reference = _read
    try:
        a, b, c, d = opening.split(TAB)
        at = a.find(_SALT) + 5
        salts = a[at : at + 32]
        template = a[:at] + a[at + 32 :]
        core = known_core.get(template)
        if core is None:
            core = _members(a, template, known_core)
        at = b.find(_SALT) + 5
        salts += b[at : at + 32]
        template = b[:at] + b[at + 32 :]
        result = known_result.get(template)
        if result is None:
            result = _members(b, template, known_result)
        at = c.find(_SALT) + 5
        salts += c[at : at + 32]
        template = c[:at] + c[at + 32 :]
        reference = known_reference.get(template)
        if reference is None:
            reference = _members(c, template, known_reference)
        # The holder is another in every opening of a submission: nothing to remember.
        holder = _parse(d)
        salts += holder.pop("s").encode()
        # Reading digits and writing them again refuses upper case.
        if len(salts) != 128 or binascii.hexlify(binascii.unhexlify(salts)) != salts:
            raise NotCanonical("a part's salt is not 32 hexadecimal digits")
    except NotCanonical:
        raise
    except _Unusual:
        core, result, reference, holder = map(_read_part, (a, b, c, d))
        for part in (core, result, reference, holder):
            del part["s"]
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise NotCanonical(f"an opening is malformed: {error}") from None
    commitment = sha256(
        _COMMIT
        + sha256(_CORE + a).digest()
        + sha256(_RESULT + b).digest()
        + sha256(_REFERENCE + c).digest()
        + sha256(_HOLDER + d).digest()
    ).digest()
    return commitment, core, result, reference, holder


def read_openings(openings: Sequence[bytes]) -> list[Opened]:
    """Read openings. Raises NotCanonical with the 0-based position of the first one refused."""
    opened: list[Opened] = []
    try:
        for opening in openings:
            opened.append(read_opening(opening))
    except NotCanonical as error:
        raise NotCanonical(str(error), position=len(opened)) from None
    return opened


def _read_part(data: bytes) -> Part:
    """Read one part alone. Raises NotCanonical."""
    part = canonical.decode(data)
    if not isinstance(part, dict) or not _TEXT_OR_INTEGER.issuperset(map(type, part.values())):
        raise NotCanonical("a part is an object that holds texts and integers only")
    salt = part.get("s")
    try:
        if type(salt) is str and len(salt) == 2 * SALT_BYTES and bytes.fromhex(salt).hex() == salt:
            return part
    except ValueError:
        pass
    raise NotCanonical("a part's salt is not 32 hexadecimal digits")


def split(opening: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Return the four parts' bytes. Raises NotCanonical when they are not in canonical form."""
    read_opening(opening)
    core, result, reference, holder = opening.split(TAB)
    return core, result, reference, holder


def commitment(opening: bytes) -> bytes:
    """Return the commitment to an opening. Raises NotCanonical."""
    return read_opening(opening)[0]


@dataclass(frozen=True)
class Leaf:
    """What a public leaf says."""

    commitment: bytes
    stream: str
    kind: str
    seq: int
    quantity: int
    acts_on: bytes | None = None


def _leaf(
    commitment: bytes, stream: bytes, kind: bytes, seq: int, quantity: int, acts_on: bytes
) -> bytes:
    """Write a leaf out; `acts_on` is empty or `"r":"...",`. Nothing in it needs an escape."""
    return b'{"c":"%b","i":"%b","k":"%b","n":%d,"q":%d,%b"v":1}' % (
        binascii.b2a_base64(commitment, newline=False),
        stream,
        kind,
        seq,
        quantity,
        acts_on,
    )


def leaf(
    *,
    commitment: bytes,
    stream: str,
    kind: str,
    seq: int,
    quantity: int,
    acts_on: bytes | None = None,
) -> bytes:
    """Return a leaf's canonical bytes; `quantity` is in 1/100 credit.

    `acts_on` is the leaf hash of the entry acted on. Raises NotCanonical for
    what no leaf can say.
    """
    if len(commitment) != HASH_BYTES or (acts_on is not None and len(acts_on) != HASH_BYTES):
        raise NotCanonical("a commitment and a leaf hash are 32 bytes")
    if not 0 <= seq <= canonical.INTEGER_MAX or abs(quantity) > canonical.INTEGER_MAX:
        raise NotCanonical("an integer of more than 53 bits")
    try:
        names = check_stream(stream).encode(), check_kind(kind).encode()
    except NameMalformed as error:
        raise NotCanonical(str(error)) from None
    r = b"" if acts_on is None else b'"r":"%b",' % binascii.b2a_base64(acts_on, newline=False)
    return _leaf(commitment, *names, seq, quantity, r)


def _hash(text: object) -> bytes:
    try:
        data = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (binascii.Error, ValueError):
        data = b""
    if len(data) != HASH_BYTES or base64.b64encode(data).decode() != text:
        raise NotCanonical("not the base64 of 32 bytes")
    return data


def parse_leaf(data: bytes) -> Leaf:
    """Read a leaf's canonical bytes. Raises NotCanonical."""
    try:
        value = orjson.loads(data)
        if orjson.dumps(value, option=_OPTION) != data:
            raise NotCanonical("a leaf is not in canonical form")
    except (orjson.JSONDecodeError, orjson.JSONEncodeError) as error:
        raise NotCanonical(f"a leaf is malformed: {error}") from None
    if not isinstance(value, dict) or value.keys() - {"r"} != _LEAF_MEMBERS:
        raise NotCanonical("a leaf's members are not those of version 1")
    seq, quantity, version = value["n"], value["q"], value["v"]
    if not (type(seq) is type(quantity) is type(version) is int and seq >= 0):
        raise NotCanonical("a leaf's numbers are not integers")
    if version != VERSION:
        raise NotCanonical("a leaf of another version")
    try:
        stream, kind = check_stream(value["i"]), check_kind(value["k"])
    except NameMalformed as error:
        raise NotCanonical(str(error)) from None
    return Leaf(
        commitment=_hash(value["c"]),
        stream=stream,
        kind=kind,
        seq=seq,
        quantity=quantity,
        acts_on=_hash(value["r"]) if "r" in value else None,
    )


def number(stream: str, first: int, opened: Sequence[Opened]) -> Leaves:
    """Write the leaves of openings that were read, numbered from `first` on, and hash them.

    Kind and quantity are the core part's "k" and "q"; the entry acted on is the
    reference part's "leaf". Raises NotCanonical with the 0-based position of the
    first opening refused.
    """
    try:
        name = check_stream(stream).encode()
    except NameMalformed as error:
        raise NotCanonical(str(error)) from None
    if not 0 <= first <= canonical.INTEGER_MAX - len(opened):
        raise NotCanonical("an integer of more than 53 bits")
    leaves: Leaves = []
    kinds: dict[object, bytes] = {}
    seq = first
    try:
        for commitment, core, _, reference, _ in opened:
            kind, quantity = core.get("k"), core.get("q")
            if type(quantity) is not int:
                raise NotCanonical("a core part has an integer quantity")
            coded = kinds.get(kind)
            if coded is None:
                coded = kinds[kind] = check_kind(kind).encode()
            target = reference.get("leaf")
            acts_on = b""
            if target is not None:
                _hash(target)
                acts_on = b'"r":"%b",' % target.encode()
            data = _leaf(commitment, name, coded, seq, quantity, acts_on)
            leaves.append((data, sha256(b"\0" + data).digest()))
            seq += 1
    except (NotCanonical, NameMalformed) as error:
        raise NotCanonical(str(error), position=seq - first) from None
    return leaves


@dataclass(frozen=True)
class Disclosure:
    """An opening of which some parts are shown and the others only named by their digests."""

    parts: tuple[bytes | None, ...]
    digests: tuple[bytes, ...]

    def commitment(self) -> bytes:
        """Return the commitment, from the shown parts' bytes and the others' digests."""
        return commit(
            [
                digest if part is None else part_digest(name, part)
                for name, part, digest in zip(PARTS, self.parts, self.digests, strict=True)
            ]
        )

    def part(self, name: str) -> Part | None:
        """Return a shown part's members, or None when it is not shown. Raises NotCanonical."""
        data = self.parts[PARTS.index(name)]
        return None if data is None else _read_part(data)

    def to_json(self) -> dict[str, dict[str, str]]:
        """Return the disclosure as JSON: for each part its text, or its digest in base64."""
        shown: dict[str, dict[str, str]] = {}
        for name, part, digest in zip(PARTS, self.parts, self.digests, strict=True):
            if part is None:
                shown[name] = {"digest": base64.b64encode(digest).decode()}
            else:
                shown[name] = {"text": part.decode()}
        return shown

    @classmethod
    def from_json(cls, value: object) -> Disclosure:
        """Read what `to_json` wrote. Raises NotCanonical."""
        if not isinstance(value, dict) or value.keys() != set(PARTS):
            raise NotCanonical("a disclosure names the four parts")
        parts: list[bytes | None] = []
        digests: list[bytes] = []
        for name in PARTS:
            member = value[name]
            if not isinstance(member, dict) or len(member) != 1:
                raise NotCanonical("a part is shown or named by its digest")
            text = member.get("text")
            if isinstance(text, str):
                try:
                    data = text.encode()
                except UnicodeEncodeError:
                    raise NotCanonical("a lone surrogate") from None
                _read_part(data)
                parts.append(data)
                digests.append(part_digest(name, data))
            else:
                parts.append(None)
                digests.append(_hash(member.get("digest")))
        return cls(tuple(parts), tuple(digests))


def disclose(opening: bytes, parts: Collection[str]) -> Disclosure:
    """Show the named parts of an opening; of the others only their digests.

    Raises NotCanonical, or KeyError for a name that is no part's.
    """
    unknown = set(parts) - set(PARTS)
    if unknown:
        raise KeyError(sorted(unknown)[0])
    pieces = split(opening)
    return Disclosure(
        tuple(piece if name in parts else None for name, piece in zip(PARTS, pieces, strict=True)),
        tuple(part_digest(name, piece) for name, piece in zip(PARTS, pieces, strict=True)),
    )
