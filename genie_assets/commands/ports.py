"""Ports of this machine."""

import errno
import socket

from genie_assets.commands.places import reason

LOOPBACK = "127.0.0.1"


def why_not(port: int) -> str | None:
    """Why we cannot listen at a port on loopback, such as "is taken by another process"; None if we can."""
    with socket.socket() as probe:
        # Connections of before, which only wait to be forgotten, are in nobody's way.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as problem:
            taken = problem.errno == errno.EADDRINUSE
            return "is taken by another process" if taken else f"cannot be used ({reason(problem)})"
    return None
