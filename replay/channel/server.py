"""A server of the channel."""

from __future__ import annotations

from threading import Thread

import pyarrow as pa

from ...errors import UsageError, in_one_line
from ..clock import Clock
from .addresses import PLAIN, TLS, Address, is_loopback
from .answers import Answers
from .calls import OpenCalls
from .certificates import check_own
from .connections import cut_connections
from .gate import MIDDLEWARE, Gate, Guards
from .identity import Identity
from .queued_stream import DEFAULT_SEND_TIMEOUT_US
from .service import DEFAULT_MESSAGE_BYTES, Service
from .tokens import TokenTable
from .verbs import Verbs

DEFAULT_STREAM_AGE_SECONDS = 86_400.0
DEFAULT_MOST_CALLS = 32
DEFAULT_GRACE_US = 2_000_000
_CUT_SECONDS = 1.0
"""How long Flight takes at most to see that its connections are cut."""


class ChannelServer:
    """Serves from the moment it is made until it is closed.

    Args:
        service: What it offers.
        host: Where it listens; without an identity on this machine only.
        port: At which port; 0: one that is free.
        tokens: Who may call. It may be replaced while the server runs.
        identity: What it shows, and whom it trusts; with it every client shows a certificate.
        clock: The time.
        message_bytes: Most of one message.
        stream_age_seconds: After that a stream is ended, and is to be opened again.
        send_timeout_us: How long a reader may stall before it is dropped.
        most_calls: How many streams and fetches there may be at once. A stream costs three threads.

    Raises:
        UsageError: The address is not on this machine and there is no identity, or it cannot be listened at.
        AuthorizationError: The identity's certificate can be accepted by nobody.
    """

    def __init__(
        self,
        service: Service,
        *,
        tokens: TokenTable,
        clock: Clock,
        host: str = "127.0.0.1",
        port: int = 0,
        identity: Identity | None = None,
        message_bytes: int = DEFAULT_MESSAGE_BYTES,
        stream_age_seconds: float = DEFAULT_STREAM_AGE_SECONDS,
        send_timeout_us: int = DEFAULT_SEND_TIMEOUT_US,
        most_calls: int = DEFAULT_MOST_CALLS,
    ) -> None:
        if identity is None and not is_loopback(host):
            raise UsageError(
                f"host {host!r} is not on this machine, where certificates are needed; give a bundle of them."
            )
        if identity is not None:
            check_own(identity, clock.now_us())
        self._calls = OpenCalls(
            clock, most=most_calls, age_us=round(stream_age_seconds * 1e6), patience_us=send_timeout_us
        )
        answers = Answers()
        self._closing: Thread | None = None
        try:
            self._flight = Verbs(
                service,
                guards=Guards(tokens, identity, clock),
                calls=self._calls,
                answers=answers,
                clock=clock,
                message_bytes=message_bytes,
                send_timeout_us=send_timeout_us,
                **_listening(host, port, identity),
                middleware={MIDDLEWARE: Gate(tokens, clock, answers)},
            )
        except (pa.ArrowException, OSError) as error:
            raise UsageError(f"{host}:{port} cannot be listened at: {in_one_line(error)}") from None
        self._address = Address(host=host, port=self._flight.port, is_tls=identity is not None)
        self._calls.watch(self.port)

    @property
    def address(self) -> str:
        """What clients connect to."""
        return str(self._address)

    @property
    def port(self) -> int:
        """The port that it listens at."""
        return self._address.port

    def close(self, grace_us: int = DEFAULT_GRACE_US) -> bool:
        """End all streams, and stop; within a second more than the grace, whatever clients do.

        Args:
            grace_us: How long clients may take to let go before their connections are cut.

        Returns:
            Whether everything has ended. If not, some handler is stuck: the process leaves by `os._exit`, since the
            interpreter would wait for it.
        """
        self._calls.end_all()
        if self._closing is None:
            self._closing = Thread(target=self._flight.shutdown, name="barstep-channel-close", daemon=True)
            self._closing.start()
        self._closing.join(grace_us / 1e6)
        if self._closing.is_alive():
            cut_connections(self.port)
            self._closing.join(_CUT_SECONDS)
        return not self._closing.is_alive()


def _listening(host: str, port: int, identity: Identity | None) -> dict[str, object]:
    """Where Flight listens, and whom it lets connect: the one place where that is said."""
    address = f"[{host}]" if ":" in host else host
    if identity is None:
        return {"location": f"{PLAIN}://{address}:{port}"}
    return {
        "location": f"{TLS}://{address}:{port}",
        "tls_certificates": [(identity.certificate, identity.key)],
        "verify_client": True,  # roots alone let a client without a certificate in
        "root_certificates": identity.authority,
    }
