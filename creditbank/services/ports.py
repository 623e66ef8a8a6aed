"""Ports of the loopback address."""

from __future__ import annotations

import errno
import socket

HOST = "127.0.0.1"


def free_port() -> int:
    """Return a port that is free now. Another process may take it before its use."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def is_taken(port: int) -> bool:
    """Tell whether something listens on a port of this machine's loopback, IPv4 or IPv6.

    A browser that opens `localhost` may try either address first.
    """
    for family, host in ((socket.AF_INET, HOST), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family) as probe:
                # As the server will: a port whose last connections are still
                # being forgotten (TIME_WAIT) is free.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return True
            if family == socket.AF_INET:
                raise
    return False
