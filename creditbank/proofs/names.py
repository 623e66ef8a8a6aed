"""The names that stand in leaves and manifests: streams and kinds.

Both are plain lower-case ASCII, so that they need no escapes in JSON, no blanks
in a signed note, and look the same to everyone.
"""

from __future__ import annotations

import re
from typing import Final

STREAM_NAME_MAX: Final = 128

_STREAM: Final = re.compile(r"[a-z0-9][a-z0-9._-]*(?:/[a-z0-9][a-z0-9._-]*)*")
_KIND: Final = re.compile(r"[a-z]+(?:-[a-z]+)*")


class NameMalformed(ValueError):
    """A text that can name no stream, or no kind."""


def check_stream(name: object) -> str:
    """Return the name if it can be a stream's: `edu.example/2026a`. Raises NameMalformed."""
    if type(name) is not str or len(name) > STREAM_NAME_MAX or not _STREAM.fullmatch(name):
        raise NameMalformed("a stream's name is lower-case ASCII parts between slashes")
    return name


def check_kind(name: object) -> str:
    """Return the name if it can be a kind's: `award-reverse`. Raises NameMalformed."""
    if type(name) is not str or len(name) > STREAM_NAME_MAX or not _KIND.fullmatch(name):
        raise NameMalformed("a kind's name is lower-case words between hyphens")
    return name
