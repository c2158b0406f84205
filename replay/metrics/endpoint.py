"""Shows metrics over HTTP: on this machine, or to those who show a certificate or a token.

prometheus_client answers; this is what stands around it. A handshake, and a client that says nothing, keep a thread of
their own and never the one that takes connections.
"""

from __future__ import annotations

import errno
import socket
import ssl
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import HTTPServer
from pathlib import Path
from threading import BoundedSemaphore, Thread
from typing import Any, TypeAlias
from wsgiref.simple_server import WSGIRequestHandler

from prometheus_client import make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

from ...errors import UsageError
from ..authorization import digest_of, matching, read_token
from ..certificate_files import BundleFolder
from ..certificates import load_identity
from ..channel.addresses import is_loopback
from ..clock import Clock
from .collector import MetricsCollector

PATH = "/metrics"
MOST_CONNECTIONS = 16
"""At once; more are closed."""

_TIMEOUT_SECONDS = 10.0
"""Of a client that does not go on."""
_POLL_SECONDS = 0.05
"""Between two looks at whether to end."""

_App: TypeAlias = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True, kw_only=True)
class Exposure:
    """Where metrics are shown, and to whom.

    Attributes:
        port: The port; 0: one that is free.
        address: The address that is listened at.
        bundle: A bundle of certificates in `folder`: clients show theirs; None: nobody shows any.
        folder: The folder of bundles.
        token_file: A private file with the token that is asked for; None: none is.
    """

    port: int
    address: str = "127.0.0.1"
    bundle: str | None = None
    folder: Path = Path("secrets/mtls")
    token_file: Path | None = None


@contextmanager
def shown(metrics: MetricsCollector, exposure: Exposure, clock: Clock) -> Iterator[str]:
    """Show metrics while the context is open; gives the URL.

    Raises:
        UsageError: The address is not on this machine and nothing is asked of clients, or it cannot be listened there.
        DataError, JournalError: A certificate, a key or the token is not there, or not what it should be.
    """
    if not is_loopback(exposure.address) and exposure.bundle is None and exposure.token_file is None:
        raise UsageError(
            f"--metrics-address {exposure.address!r}: others than this machine can read there; add "
            "--metrics-mtls-bundle NAME or --metrics-token-file FILE."
        )
    app: _App = make_wsgi_app(metrics.registry())
    if exposure.token_file is not None:
        app = _asking_for(digest_of(read_token(exposure.token_file)), app)
    context = None if exposure.bundle is None else _tls(exposure.folder, exposure.bundle, clock)
    server = _listen(exposure, context)
    server.set_app(_at_path(app))
    thread = Thread(target=server.serve_forever, args=(_POLL_SECONDS,), name="metrics", daemon=True)
    thread.start()
    try:
        host = f"[{exposure.address}]" if ":" in exposure.address else exposure.address
        yield f"{'http' if context is None else 'https'}://{host}:{server.server_port}{PATH}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _listen(exposure: Exposure, context: ssl.SSLContext | None) -> _Server:
    try:
        return _Server(exposure.address, exposure.port, context)
    except socket.gaierror:
        raise UsageError(f"--metrics-address {exposure.address!r}: is no address of this machine.") from None
    except OSError as error:
        where = f"--metrics-port {exposure.port}"
        if error.errno == errno.EADDRINUSE:
            raise UsageError(f"{where}: is taken by another process; give another one, or 0 for any.") from None
        if error.errno == errno.EACCES:
            raise UsageError(f"{where}: may not be listened at; ports from 1024 on may.") from None
        raise UsageError(f"--metrics-address {exposure.address!r}, {where}: {error.strerror}.") from None


def _tls(folder: Path, bundle: str, clock: Clock) -> ssl.SSLContext:
    """The server's end of a bundle; a client without a certificate of its authority is turned away."""
    identity = load_identity(folder, bundle, "server", now_us=clock.now_us())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=identity.authority.decode("ascii"))
    with tempfile.NamedTemporaryFile(suffix=".pem") as chain:  # certificates only: the key is read where it lies
        chain.write(identity.certificate)
        chain.flush()
        context.load_cert_chain(chain.name, BundleFolder(folder, bundle).key_path("server"))
    return context


def _asking_for(digest: bytes, app: _App) -> _App:
    """The same for those who present a token, which is compared in constant time."""

    def asked(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        kind, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        if kind.lower() != "bearer" or not matching(token.strip(), [(True, digest)]):
            start_response("401 Unauthorized", [("WWW-Authenticate", "Bearer"), ("Content-Type", "text/plain")])
            return [b"a bearer token is needed\n"]
        return app(environ, start_response)

    return asked


def _at_path(app: _App) -> _App:
    """The same at one path; the library answers at every path."""

    def asked(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("PATH_INFO") not in (PATH, "/"):
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [f"metrics are at {PATH}\n".encode("ascii")]
        return app(environ, start_response)

    return asked


class _Handler(WSGIRequestHandler):
    """Answers a request, and logs nothing."""

    timeout = _TIMEOUT_SECONDS

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the library's
        """Log nothing."""


class _Server(ThreadingWSGIServer):
    """A thread a connection, up to so many."""

    request_queue_size = MOST_CONNECTIONS

    def __init__(self, address: str, port: int, context: ssl.SSLContext | None) -> None:
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._context, self._room = context, BoundedSemaphore(MOST_CONNECTIONS)
        super().__init__((address, port), _Handler)

    def server_bind(self) -> None:
        """Bind without asking a name server for this machine's name, which may take seconds."""
        super(HTTPServer, self).server_bind()
        host, self.server_port = self.server_address[:2]
        self.server_name = str(host)
        self.setup_environ()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread, or close the connection where there are too many."""
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, and make room."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Shake hands first, where certificates are shown."""
        request.settimeout(_TIMEOUT_SECONDS)
        if self._context is None:
            super().finish_request(request, client_address)
            return
        with self._context.wrap_socket(request, server_side=True) as wrapped:
            super().finish_request(wrapped, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that lets go, or shows no certificate that is good, is no fault of ours."""
