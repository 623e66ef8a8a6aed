"""How the interpreter is set in the bank's long-running programs.

A submission of 10,000 rows makes some 100,000 objects that hold no cycle and die
with it. At Python's own thresholds looking through them for cycles takes a tenth
of the time that recording takes; at these it is not to be seen, and cycles, which
requests leave behind a few at a time, are still found.

A thread that comes back from the database waits until the one that computes lets
it in, at Python's own setting for 5 ms: longer than its transaction takes.
"""

from __future__ import annotations

import gc
import sys
from typing import Final

YOUNG: Final = 50_000
MIDDLE: Final = 20
OLD: Final = 50
SWITCH_SECONDS: Final = 0.0002


def tune() -> None:
    """Look for cycles rarely, leave out what is loaded by now, and let waiting threads in soon."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
    sys.setswitchinterval(SWITCH_SECONDS)
