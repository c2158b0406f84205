"""Cuts connections of a server whose other side does not let go: Flight has no word for it.

A handler of Flight that waits for its client waits for ever, and it may not return while another thread still reads or
writes its stream. A cut connection ends both.
"""

from __future__ import annotations

import os
import re
import socket
from contextlib import suppress
from pathlib import Path

_OPEN_FILES = Path("/dev/fd")
_PEER = re.compile(r"ipv[46]:\[?([^\]%]*)[^\]]*\]?:(\d+)")


def cut_connections(port: int, peer: str | None = None) -> int:
    """Cut the connections to a port of this process; returns how many there were.

    Args:
        port: The port that a server of this process listens at.
        peer: Only that of this client, as gRPC writes it: `ipv4:127.0.0.1:5000` or `ipv6:[::1]:5000`.
    """
    wanted = None if peer is None else _address_of(peer)
    cut = 0
    for name in os.listdir(_OPEN_FILES):  # noqa: PTH208 - Path.iterdir would resolve what is being opened and closed
        with suppress(OSError), _socket_of(int(name)) as connection:
            ours, theirs = connection.getsockname(), connection.getpeername()
            if _is_internet(connection) and ours[1] == port and (wanted is None or _plain(theirs) == wanted):
                connection.shutdown(socket.SHUT_RDWR)
                cut += 1
    return cut


def _socket_of(descriptor: int) -> socket.socket:
    """A second handle to the socket, so that it cannot become another file in between."""
    copy = os.dup(descriptor)
    try:
        return socket.socket(fileno=copy)
    except OSError:
        os.close(copy)
        raise


def _is_internet(connection: socket.socket) -> bool:
    return connection.family in {socket.AF_INET, socket.AF_INET6}


def _plain(address: tuple[str, int]) -> tuple[str, int]:
    """Host and port; gRPC listens for IPv4 at sockets of IPv6, which write such a host in their own way."""
    return address[0].removeprefix("::ffff:"), address[1]


def _address_of(peer: str) -> tuple[str, int]:
    match = _PEER.fullmatch(peer.replace("%5B", "[").replace("%5D", "]"))
    return (match.group(1), int(match.group(2))) if match else ("", 0)
