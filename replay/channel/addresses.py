"""Where a server of the channel is: `grpc://host:port` on this machine, `grpc+tls://host:port` anywhere."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from ...errors import UsageError

PLAIN, TLS = "grpc", "grpc+tls"
LOCAL_NAME = "localhost"
_ALLOWED = f"allowed is {PLAIN}://127.0.0.1:PORT on this machine, or {TLS}://HOST:PORT"


@dataclass(frozen=True, kw_only=True)
class Address:
    """One server's address; as text it is what a client connects to.

    Attributes:
        host: A name or an IP address, an IPv6 one without brackets.
        port: Its port.
        is_tls: Whether both ends show certificates.
    """

    host: str
    port: int
    is_tls: bool

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{TLS if self.is_tls else PLAIN}://{host}:{self.port}"


def parse_address(text: str) -> Address:
    """The address that is written so.

    Raises:
        UsageError: It is none, or it has no TLS and is not on this machine.
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise UsageError(f"address {text!r} is none; {_ALLOWED}.") from None
    written = parts.path or parts.query or parts.fragment or "@" in parts.netloc
    if parts.scheme not in {PLAIN, TLS} or not host or not port or written:
        raise UsageError(f"address {text!r} is none; {_ALLOWED}.")
    address = Address(host=host, port=port, is_tls=parts.scheme == TLS)
    if not address.is_tls and not is_loopback(host):
        raise UsageError(f"address {text!r} is not on this machine, where certificates are needed; {_ALLOWED}.")
    return address


def is_loopback(host: str) -> bool:
    """Whether nothing that is sent there leaves this machine; of names only `localhost` is known to be so."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == LOCAL_NAME
