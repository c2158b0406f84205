"""Addresses of servers."""

from __future__ import annotations

import pytest
from barstep.errors import UsageError
from barstep.replay.channel.addresses import Address, is_loopback, parse_address


@pytest.mark.parametrize(
    ("text", "host", "is_tls"),
    [
        ("grpc://127.0.0.1:7001", "127.0.0.1", False),
        ("grpc://localhost:7001", "localhost", False),
        ("grpc://[::1]:7001", "::1", False),
        ("grpc+tls://venue.example:7001", "venue.example", True),
        ("grpc+tls://10.1.2.3:7001", "10.1.2.3", True),
    ],
)
def test_an_address_is_read_and_written_the_same(text: str, host: str, is_tls: bool) -> None:
    """Scheme, host and port are told apart, and make the text again."""
    address = parse_address(text)
    assert address == Address(host=host, port=7001, is_tls=is_tls)
    assert str(address) == text


@pytest.mark.parametrize(
    "text",
    ["", "127.0.0.1:7001", "http://127.0.0.1:7001", "grpc://127.0.0.1", "grpc://:7001", "grpc://127.0.0.1:0",
     "grpc://127.0.0.1:x", "grpc://127.0.0.1:99999", "grpc://a@127.0.0.1:7001", "grpc://127.0.0.1:7001/x",
     "grpc+tls://[::1:7001", "grpc+tcp://127.0.0.1:7001"],
)  # fmt: skip
def test_what_is_no_address_is_refused_with_what_is_allowed(text: str) -> None:
    """The text stands in the error, and both forms that are allowed."""
    with pytest.raises(UsageError, match=r"is none; allowed is grpc://127\.0\.0\.1:PORT .* grpc\+tls://HOST:PORT"):
        parse_address(text)


@pytest.mark.parametrize("host", ["10.1.2.3", "0.0.0.0", "venue.example", "127.0.0.1.example"])  # noqa: S104
def test_nothing_leaves_this_machine_without_tls(host: str) -> None:
    """An address of another machine, or of all of them, needs certificates."""
    assert not is_loopback(host)
    with pytest.raises(UsageError, match="is not on this machine, where certificates are needed"):
        parse_address(f"grpc://{host}:7001")
