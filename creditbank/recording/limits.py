"""How much one file may hold. Pure, so that the reading process needs nothing of Django."""

from __future__ import annotations

from typing import Final

FILE_BYTES_MAX: Final = 10 << 20
UNPACKED_BYTES_MAX: Final = 50 << 20
MEMBERS_MAX: Final = 100
RATIO_MAX: Final = 150
"""Unpacked bytes for each packed one. Sheets of like rows reach 40; a bomb reaches 1000."""
RATIO_FROM_BYTES: Final = 1 << 20
"""Below this much unpacked content the ratio says nothing."""
ROWS_MAX: Final = 5_000
"""Rows of an upload, and of one draft: a manifest holds 10,000 entries, and a retake makes two."""
COMMAND_ROWS_MAX: Final = 50_000
COLUMNS_MAX: Final = 60
CELL_CHARACTERS_MAX: Final = 1_000
ANSWER_BYTES_MAX: Final = 64 << 20
"""What the reading process may answer with."""

CPU_SECONDS: Final = 20
MEMORY_BYTES: Final = 1 << 30
WALL_SECONDS: Final = 60.0
