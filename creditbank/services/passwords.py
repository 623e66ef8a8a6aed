"""The passwords of a service: generated once, kept in a file of ours of mode 0600."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

from creditbank.services.errors import FolderRefused


def held(path: Path, names: tuple[str, ...]) -> dict[str, str]:
    """Return a password for each name, generating those that the file lacks.

    128 bits each, in characters that need no quoting in a URL. Raises
    FolderRefused when the file holds anything else.
    """
    found: dict[str, str] = {}
    try:
        found = json.loads(path.read_text(encoding="ascii"))
        if not all(isinstance(value, str) for value in found.values()):
            raise ValueError
    except FileNotFoundError:
        pass
    except (ValueError, AttributeError):
        raise FolderRefused(f"{path} does not hold passwords") from None
    missing = {name: secrets.token_urlsafe(16) for name in names if name not in found}
    if missing:
        found |= missing
        write_private(path, json.dumps(found, indent=1) + "\n")
    return found


def write_private(path: Path, text: str) -> None:
    """Replace a file whole, readable by ourselves alone from its first moment."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
