"""What differs between two documents, by JSON pointer (pure)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Change = Literal["added", "removed", "changed"]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One place in which two documents differ.

    `pointer` is an RFC 6901 pointer: into the newer document for what was added
    or changed, into the older one for what was removed. `before` and `after`
    are values of JSON; None where there is none, for no document holds a null.
    """

    change: Change
    pointer: str
    before: Any = None
    after: Any = None


def between(before: Any, after: Any) -> list[Difference]:
    """Return every difference between two values of JSON, in the order of the newer one.

    Lists are compared as sequences, so that an element put in at the front is
    one addition and not a change of all that follow.
    """
    return list(_between("", "", before, after))


def _between(old: str, new: str, before: Any, after: Any) -> Iterator[Difference]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name, value in after.items():
            if name in before:
                yield from _between(_below(old, name), _below(new, name), before[name], value)
            else:
                yield Difference(change="added", pointer=_below(new, name), after=value)
        for name, value in before.items():
            if name not in after:
                yield Difference(change="removed", pointer=_below(old, name), before=value)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _sequences(old, new, before, after)
    elif type(before) is not type(after) or before != after:
        yield Difference(change="changed", pointer=new, before=before, after=after)


def _sequences(
    old: str, new: str, before: Sequence[Any], after: Sequence[Any]
) -> Iterator[Difference]:
    """Walk two lists along what they have in common; between, pair what is left in order."""
    start = position = 0
    for there, here in [*_common(before, after), (len(before), len(after))]:
        gone, fresh = range(start, there), range(position, here)
        for i, j in zip(gone, fresh, strict=False):
            yield from _between(_below(old, i), _below(new, j), before[i], after[j])
        for j in fresh[len(gone) :]:
            yield Difference(change="added", pointer=_below(new, j), after=after[j])
        for i in gone[len(fresh) :]:
            yield Difference(change="removed", pointer=_below(old, i), before=before[i])
        start, position = there + 1, here + 1


def _common(before: Sequence[Any], after: Sequence[Any]) -> list[tuple[int, int]]:
    """Return the places of a longest common subsequence, as pairs in order."""
    # As text: in Python 1 equals True, in JSON it does not.
    left = [json.dumps(value, sort_keys=True) for value in before]
    right = [json.dumps(value, sort_keys=True) for value in after]
    lengths = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i in reversed(range(len(left))):
        for j in reversed(range(len(right))):
            lengths[i][j] = (
                lengths[i + 1][j + 1] + 1
                if left[i] == right[j]
                else max(lengths[i + 1][j], lengths[i][j + 1])
            )
    pairs, i, j = [], 0, 0
    while i < len(left) and j < len(right):
        if left[i] == right[j]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif lengths[i + 1][j] >= lengths[i][j + 1]:
            i += 1
        else:
            j += 1
    return pairs


def _below(pointer: str, step: str | int) -> str:
    return f"{pointer}/{str(step).replace('~', '~0').replace('/', '~1')}"
