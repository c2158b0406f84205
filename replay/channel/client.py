"""A client of the channel."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.flight as fl

from ...errors import AuthorizationError, BarstepError, FeedError, UnreachableError, UsageError
from ..clock import Clock
from .addresses import Address, parse_address
from .certificates import check_own, shown
from .client_stream import ClientStream
from .gate import BEARER, CERTIFICATE_HEADER, TOKEN_HEADER
from .identity import Identity
from .service import Stream
from .translation import ending_from
from .verbs import SEPARATOR

DEFAULT_TIMEOUT_US = 10_000_000
DEFAULT_FETCH_TIMEOUT_US = 60_000_000


class ChannelClient:
    """Opens streams of one server and fetches tables from it. Connects at the first call, and again after a loss.

    Args:
        address: `grpc://127.0.0.1:PORT` on this machine, or `grpc+tls://HOST:PORT`.
        token: What is presented.
        identity: What this side shows and trusts; it is needed with `grpc+tls`, and only there.
        clock: The time, for this side's certificate.
        timeout_us: How long the server may take to open a stream.
        fetch_timeout_us: How long it may take to answer a fetch.

    Raises:
        UsageError: The address is none, or does not go with the identity.
        AuthorizationError: This side's own certificate is one that nobody accepts, or the token cannot be sent.
    """

    def __init__(
        self,
        address: str,
        token: str,
        *,
        clock: Clock,
        identity: Identity | None = None,
        timeout_us: int = DEFAULT_TIMEOUT_US,
        fetch_timeout_us: int = DEFAULT_FETCH_TIMEOUT_US,
    ) -> None:
        self._address, self._identity, self._clock = parse_address(address), identity, clock
        self._timeout_us, self._fetch_timeout_us = timeout_us, fetch_timeout_us
        self._headers = _headers(token)
        if self._address.is_tls != (identity is not None):
            raise UsageError(_unfit(self._address))
        if identity is not None:
            check_own(identity, clock.now_us())
            self._headers.append((CERTIFICATE_HEADER.encode("ascii"), shown(identity).encode("ascii")))
        self._flight = fl.FlightClient(str(self._address), **_tls(identity))
        self._streams: list[ClientStream] = []

    def __repr__(self) -> str:
        return f"ChannelClient({str(self._address)!r})"

    def open(self, name: str) -> Stream:
        """A stream of the server.

        Raises:
            FeedError: The server cannot be reached, or did not open it in time.
            AuthorizationError: The token or the certificate does not allow it.
            BarstepError: The server refuses for another reason.
        """
        descriptor = fl.FlightDescriptor.for_command(name.encode("utf-8"))
        try:
            writer, reader = self._flight.do_exchange(descriptor, fl.FlightCallOptions(headers=self._headers))
            stream = ClientStream(writer, reader, open_timeout_us=self._timeout_us)
        except BarstepError as error:
            raise self._explained(error) from None
        except (pa.ArrowException, OSError) as error:
            raise self._explained(ending_from(error).error) from None
        self._streams = [*(one for one in self._streams if one.incoming.ending is None), stream]
        return stream

    def fetch(self, name: str, ticket: bytes) -> pa.Table:
        """The whole answer to a fetch.

        Raises:
            FeedError: The server cannot be reached, or did not answer in time.
            AuthorizationError: The token or the certificate does not allow it.
            BarstepError: The server refuses for another reason.
        """
        options = fl.FlightCallOptions(headers=self._headers, timeout=self._fetch_timeout_us / 1e6)
        wanted = fl.Ticket(name.encode("utf-8") + SEPARATOR + ticket)
        try:
            return self._flight.do_get(wanted, options).read_all()
        except (pa.ArrowException, OSError) as error:
            raise self._explained(ending_from(error).error) from None

    def close(self) -> None:
        """End every stream, and the connection."""
        for stream in self._streams:
            stream.close()
        self._flight.close()

    def _explained(self, error: BarstepError) -> BarstepError:
        """What is wrong with this side's own certificate, before the network is blamed; else the error."""
        if self._identity is not None:
            try:
                check_own(self._identity, self._clock.now_us())
            except AuthorizationError as own:
                return own
        return UnreachableError(f"{self._address}: {error}") if isinstance(error, FeedError) else error


def _headers(token: str) -> list[tuple[bytes, bytes]]:
    if not token or not token.isascii() or not token.isprintable() or token != token.strip():
        raise AuthorizationError("the token cannot be sent: allowed are printable ASCII signs, no blank at either end.")
    return [(TOKEN_HEADER.encode("ascii"), (BEARER + token).encode("ascii"))]


def _tls(identity: Identity | None) -> dict[str, bytes]:
    if identity is None:
        return {}
    return {
        "tls_root_certs": identity.authority,
        "cert_chain": identity.certificate,
        "private_key": identity.key,
    }


def _unfit(address: Address) -> str:
    if address.is_tls:
        return f"{address}: certificates are needed, and there are none."
    return f"{address}: is without TLS, and certificates are given; allowed with them is grpc+tls://HOST:PORT."
