"""Why the signer refuses a request, and why it stops.

Each has a stable `code` and `facts`. A request refused is answered and the
process goes on; a `SignerStops` ends the process with its exit code, since a
checkpoint signed on doubtful ground cannot be taken back.
"""

from __future__ import annotations

from typing import ClassVar, Final

EXIT_USAGE: Final = 2
EXIT_KEYS: Final = 3
EXIT_HISTORY: Final = 4
EXIT_ROWS: Final = 5
EXIT_ANOTHER: Final = 6


class RequestRefused(Exception):
    """The signer does not do what a request asks; `code` says why, `detail` says it in words."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


class SignerStops(Exception):
    """The signer must not go on. `exit_code` tells a supervisor apart what restarting can heal."""

    code: ClassVar[str] = "signer-stops"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts


class KeysUnusable(SignerStops):
    """Keys are missing where the log already exists, or cannot be unsealed."""

    code: ClassVar[str] = "keys-unusable"
    exit_code: ClassVar[int] = EXIT_KEYS


class BehindAnchor(SignerStops):
    """The database holds fewer leaves than were signed: an older copy of it was restored."""

    code: ClassVar[str] = "behind-anchor"
    exit_code: ClassVar[int] = EXIT_HISTORY


class RootDiffers(SignerStops):
    """The database holds another history than the one signed, at a size that was signed."""

    code: ClassVar[str] = "root-differs"
    exit_code: ClassVar[int] = EXIT_HISTORY


class MemoryLost(SignerStops):
    """Checkpoints were published that this signer's state and anchor do not know of."""

    code: ClassVar[str] = "memory-lost"
    exit_code: ClassVar[int] = EXIT_HISTORY


class CheckpointsDiffer(SignerStops):
    """The stored checkpoints are not the chain of those that were published."""

    code: ClassVar[str] = "checkpoints-differ"
    exit_code: ClassVar[int] = EXIT_HISTORY


class RowsDiffer(SignerStops):
    """The stored rows, tiles and head do not give one and the same tree."""

    code: ClassVar[str] = "rows-differ"
    exit_code: ClassVar[int] = EXIT_ROWS


class Unguarded(SignerStops):
    """Triggers, constraints or rights that guard the ledger are not in place."""

    code: ClassVar[str] = "unguarded"
    exit_code: ClassVar[int] = EXIT_ROWS


class AnotherSigner(SignerStops):
    """Another signer is at work on the same state, the same anchor or the same database."""

    code: ClassVar[str] = "another-signer"
    exit_code: ClassVar[int] = EXIT_ANOTHER
