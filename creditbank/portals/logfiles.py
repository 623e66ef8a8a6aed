"""The log for programs: checkpoint, key, tiles and entry bundles (C2SP tlog-tiles).

Exactly these paths, each in one spelling, without redirects: `checkpoint`,
`vkey`, `tile/<L>/<N>[.p/<W>]`, `tile/entries/<N>[.p/<W>]`, with N written
`x001/234`. Tiles never change once they exist, partial ones included, since
leaves are only ever added.
"""

from __future__ import annotations

import json
from typing import Final

from django.http import HttpRequest
from django.views.decorators.http import require_safe

from creditbank.ledger import kinds, queries
from creditbank.portals.publicfiles import OCTETS, TEXT, PublicFile, missing
from creditbank.proofs import commitments, tiles

CHECKPOINT_AGE: Final = 2
KEY_AGE: Final = 3600
GENESIS_INDEX: Final = 1


def log_vkey() -> str:
    """Return the log's verifier key as the bank's first entry states it. Raises UnknownEntry."""
    view = queries.entry(GENESIS_INDEX)
    if view.kind is not kinds.GENESIS:
        raise queries.UnknownEntry(index=GENESIS_INDEX, kind=view.kind.name)
    core = json.loads(commitments.split(view.opening())[0])
    return str(core["log_vkey"])


@require_safe
def checkpoint(request: HttpRequest) -> PublicFile:
    """Serve the newest signed checkpoint."""
    note = queries.log_state().checkpoint
    if not note:
        return missing("no checkpoint has been published yet")
    return PublicFile(note, content_type=TEXT, max_age=CHECKPOINT_AGE)


@require_safe
def vkey(request: HttpRequest) -> PublicFile:
    """Serve the log's verifier key in the one line of a signed note's key (vkey)."""
    try:
        line = log_vkey()
    except queries.UnknownEntry:
        return missing("the log has not begun yet")
    return PublicFile(f"{line}\n".encode(), content_type=TEXT, max_age=KEY_AGE)


@require_safe
def tile(request: HttpRequest, path: str) -> PublicFile:
    """Serve a tile or an entry bundle of the published log."""
    try:
        address = tiles.parse_tile_path(f"tile/{path}")
    except tiles.BadTilePath:
        return missing("no such tile: the path is not spelt as C2SP tlog-tiles does")
    try:
        if address.level is None:
            data = queries.bundle_data(address.n, address.width)
        else:
            data = queries.tile_data(address.level, address.n, address.width)
    except queries.CheckpointMissing:
        return missing("no such tile under the newest checkpoint")
    file = PublicFile(data, content_type=OCTETS, immutable=True)
    # Hashes do not compress; entries do, to about a third.
    return file.compressed(request) if address.level is None else file
