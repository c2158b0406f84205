"""Asks a loop's endpoint for its metrics, as Prometheus does."""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener

from ..errors import AuthorizationError, DataError, UnreachableError, UsageError
from ..replay.authorization import read_token
from ..replay.certificate_files import BundleFolder
from ..replay.certificates import load_identity
from ..replay.channel.addresses import is_loopback
from ..replay.clock import Clock

_TIMEOUT_SECONDS = 10.0
_MOST_BYTES = 20_000_000
"""Of an answer."""


def scrape(url: str, clock: Clock, *, token_file: Path | None = None, bundle: str | None = None, folder: Path) -> str:
    """What an endpoint shows, as text.

    Args:
        url: `http://…` on this machine, or `https://…`.
        clock: What certificates are held against.
        token_file: A private file with the bearer token that is asked for.
        bundle: A bundle of certificates in `folder`, whose client's is shown.
        folder: The folder of bundles.

    Raises:
        UsageError: The URL is none that is allowed.
        AuthorizationError: The endpoint asks for another token.
        UnreachableError: It does not answer.
        DataError, JournalError: It answers something else; the token or a certificate is not what it should be.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UsageError(
            f"--url {url!r}: is none; allowed is http://127.0.0.1:PORT/metrics or https://HOST:PORT/metrics."
        )
    if parts.scheme == "http" and token_file is not None and not is_loopback(parts.hostname):
        raise UsageError(f"--url {url!r}: a token does not leave this machine unless it goes over https.")
    headers = {} if token_file is None else {"Authorization": f"Bearer {read_token(token_file)}"}
    context = ssl.create_default_context() if bundle is None else _tls(folder, bundle, clock)
    opener = build_opener(ProxyHandler({}), HTTPSHandler(context=context))
    try:
        with opener.open(Request(url, headers=headers), timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 - looked at
            data: bytes = answer.read(_MOST_BYTES)
    except HTTPError as error:
        if error.code == 401:
            raise AuthorizationError(f"{url}: asks for a bearer token; give --token-file FILE.") from None
        raise DataError(f"{url}: answers {error.code} {error.reason}.") from None
    except (URLError, OSError) as error:
        raise UnreachableError(f"{url}: does not answer: {getattr(error, 'reason', error)}.") from None
    return data.decode("utf-8", "replace")


def _tls(folder: Path, bundle: str, clock: Clock) -> ssl.SSLContext:
    """The client's end of a bundle."""
    identity = load_identity(folder, bundle, "client", now_us=clock.now_us())
    context = ssl.create_default_context(cadata=identity.authority.decode("ascii"))
    with tempfile.NamedTemporaryFile(suffix=".pem") as chain:
        chain.write(identity.certificate)
        chain.flush()
        context.load_cert_chain(chain.name, BundleFolder(folder, bundle).key_path("client"))
    return context
