"""Connections that are cut."""

from __future__ import annotations

import socket

import pytest
from barstep.replay.channel.connections import cut_connections


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_only_the_connection_that_is_named_is_cut(host: str) -> None:
    """Its other side reads the end; the others go on until all are cut, and the listening socket goes on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    name = "ipv6:%5B::1%5D:{}" if host == "::1" else "ipv4:127.0.0.1:{}"
    with socket.socket(family) as listening:
        listening.bind((host, 0))
        listening.listen()
        port = listening.getsockname()[1]
        with socket.create_connection((host, port)) as first, socket.create_connection((host, port)) as second:
            accepted = [listening.accept()[0] for _ in range(2)]
            second.settimeout(0.05)
            assert cut_connections(port, name.format(first.getsockname()[1])) == 1
            assert first.recv(1) == b""
            with pytest.raises(TimeoutError):
                second.recv(1)
            assert cut_connections(port, "unix:/tmp/x") == 0
            assert cut_connections(port) == 2
            assert second.recv(1) == b""
            for one in accepted:
                one.close()
        with socket.create_connection((host, port)):
            listening.accept()[0].close()
