"""The wire between the signer and its clients: framed canonical JSON over a Unix socket.

A frame is the length of its payload as 4 bytes, most significant first, and the
payload: one canonical JSON object. A request has a member `do`; an answer has
`ok`, and when it is false, `code` and `detail`. Bytes travel as base64 text.
"""

from __future__ import annotations

import base64
import binascii
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from creditbank.proofs import canonical
from creditbank.signer.errors import RequestRefused

HEADER_BYTES: Final = 4
REQUEST_MAX: Final = 64 * 1024
"""What any request may hold, except a signed body (trust list, status), which lists the bank."""
FRAME_MAX: Final = 32 * 1024 * 1024
SIGNED_JSON_TAG: Final = b"llcb/signed-json/v1\0"
POSSESSION_TAG: Final = b"llcb/possession/v1\0"

_READ: Final = 64 * 1024
_PATH_MAX: Final = 100
"""Less than the 108 bytes that the kernel has for a socket's path (unix(7))."""


class ConnectionLost(Exception):
    """The other side closed the connection within a frame, or sent what is no frame."""


class Frames:
    """Frames over one connected socket. Not for use by two threads at once."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._buffer = bytearray()

    def send(self, payload: bytes) -> None:
        """Send one frame."""
        self._socket.sendall(len(payload).to_bytes(HEADER_BYTES, "big") + payload)

    def receive(self) -> bytes | None:
        """Return the next frame's payload, or None when the other side closed before it.

        Raises ConnectionLost, and TimeoutError as the socket is set.
        """
        if not self._fill(HEADER_BYTES, at_start=not self._buffer):
            return None
        length = int.from_bytes(self._buffer[:HEADER_BYTES], "big")
        if length > FRAME_MAX:
            raise ConnectionLost(f"a frame of {length} bytes")
        self._fill(HEADER_BYTES + length, at_start=False)
        payload = bytes(self._buffer[HEADER_BYTES : HEADER_BYTES + length])
        del self._buffer[: HEADER_BYTES + length]
        return payload

    def _fill(self, wanted: int, *, at_start: bool) -> bool:
        while len(self._buffer) < wanted:
            data = self._socket.recv(max(_READ, min(wanted - len(self._buffer), 1 << 20)))
            if not data:
                if at_start and not self._buffer:
                    return False
                raise ConnectionLost("closed within a frame")
            self._buffer += data
        return True


def b64(data: bytes) -> str:
    """Return bytes as base64 text, the form in which they travel."""
    return base64.b64encode(data).decode("ascii")


class Members:
    """The members of one request, each taken exactly once; what is left over is refused."""

    def __init__(self, members: Mapping[str, canonical.Json]) -> None:
        self._left = dict(members)

    def _take(self, name: str) -> canonical.Json:
        if name not in self._left:
            raise RequestRefused("malformed", f"no member {name!r}")
        return self._left.pop(name)

    def text(self, name: str, *, longest: int) -> str:
        """Take a text of 1 to `longest` characters."""
        value = self._take(name)
        if not isinstance(value, str) or not 1 <= len(value) <= longest:
            raise RequestRefused("malformed", f"{name}: a text of 1 to {longest} characters")
        return value

    def integer(self, name: str, *, least: int, most: int, code: str = "malformed") -> int:
        """Take a whole number in a range; outside it, the refusal has the given code."""
        value = self._take(name)
        if type(value) is not int:
            raise RequestRefused("malformed", f"{name}: a whole number")
        if not least <= value <= most:
            raise RequestRefused(code, f"{name}: {least} to {most}")
        return value

    def data(self, name: str, *, least: int, most: int) -> bytes:
        """Take bytes, given as base64 text in its one canonical form."""
        value = self._take(name)
        try:
            data = base64.b64decode(value, validate=True) if isinstance(value, str) else None
        except (binascii.Error, ValueError):
            data = None
        if data is None or b64(data) != value or not least <= len(data) <= most:
            wanted = f"{least}" if least == most else f"{least} to {most}"
            raise RequestRefused("malformed", f"{name}: {wanted} bytes as base64")
        return data

    def end(self) -> None:
        """Refuse members that nobody took: what is not understood is not signed."""
        if self._left:
            raise RequestRefused("malformed", f"unknown member {min(self._left)!r}")


@contextmanager
def socket_address(path: Path) -> Iterator[str]:
    """Give an address for a socket's path, also when the path is longer than the kernel takes.

    A long path is reached through its folder's descriptor (`/proc/self/fd`).
    """
    text = str(path)
    if len(os.fsencode(text)) <= _PATH_MAX:
        yield text
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
