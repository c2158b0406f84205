"""Who can read metrics over HTTP, and that nobody holds the endpoint up."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import pytest
from barstep.errors import AuthorizationError, DataError, JournalError, UnreachableError, UsageError
from barstep.ops.scrape import scrape
from barstep.replay.authorization import write_token
from barstep.replay.clock import SimulatedClock, SystemClock
from barstep.replay.metrics.collector import MetricsCollector
from barstep.replay.metrics.endpoint import MOST_CONNECTIONS, Exposure, shown
from barstep.replay.metrics.sweep import SweepMetrics
from bundle_making import made

CLOCK = SystemClock()
TOKEN = "5" * 64


@pytest.fixture
def metrics() -> MetricsCollector:
    """What shows a sweep of ten rows, four of which are done."""
    clock, collector = SimulatedClock(), MetricsCollector()
    sweep = SweepMetrics("fade", clock)
    sweep.rows(2, 10)
    clock.sleep_us(500_000)
    sweep.rows(4, 10)
    collector.add(sweep)
    return collector


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    """A private file that holds the token."""
    path = tmp_path / "tokens" / "scraper.token"
    write_token(path, TOKEN)
    return path


def get(url: str, **headers: str) -> tuple[int, str, str]:
    """Status, content type and body."""
    try:
        with build_opener(ProxyHandler({})).open(Request(url, headers=headers), timeout=20.0) as answer:  # noqa: S310
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except HTTPError as error:
        return error.code, error.headers["Content-Type"], ""


def test_it_shows_what_was_published_last(metrics: MetricsCollector) -> None:
    """As text, and as OpenMetrics to those who ask; at one path, and no longer than it is wanted."""
    with shown(metrics, Exposure(port=0), CLOCK) as url:
        assert url.startswith("http://127.0.0.1:")
        status, kind, body = get(url)
        assert (status, kind.split(";")[0]) == (200, "text/plain")
        lines = body.splitlines()
        assert 'barstep_sweep_rows_done{sweep="fade"} 4.0' in lines
        assert 'barstep_sweep_rows_per_second{sweep="fade"} 4.0' in lines
        assert any(line.startswith('barstep_build_info{kernels="') for line in lines)
        asked = {"Accept": "application/openmetrics-text; version=1.0.0"}
        status, kind, body = get(url, **asked)
        assert kind.startswith("application/openmetrics-text") and body.endswith("# EOF\n")
        assert get(url.replace("/metrics", "/secrets"))[0] == 404
    with pytest.raises(UnreachableError, match="does not answer"):
        scrape(url, CLOCK, folder=Path("secrets/mtls"))


def test_a_token_is_asked_for(metrics: MetricsCollector, token_file: Path, tmp_path: Path) -> None:
    """Without it, or with another one, nothing is shown."""
    other = tmp_path / "tokens" / "other.token"
    write_token(other, "6" * 64)
    with shown(metrics, Exposure(port=0, token_file=token_file), CLOCK) as url:
        assert get(url)[0] == 401
        assert get(url, Authorization=f"Basic {TOKEN}")[0] == 401
        assert get(url, Authorization="Bearer ")[0] == 401
        assert get(url, Authorization=f"Bearer {TOKEN}")[0] == 200
        assert "barstep_sweep_rows" in scrape(url, CLOCK, token_file=token_file, folder=tmp_path)
        with pytest.raises(AuthorizationError, match="asks for a bearer token"):
            scrape(url, CLOCK, token_file=other, folder=tmp_path)


def test_certificates_are_shown_by_both_ends(metrics: MetricsCollector, tmp_path: Path) -> None:
    """A client of the bundle reads; one without a certificate, or of another bundle, does not."""
    now_us = CLOCK.now_us()
    made(tmp_path, "core-oem", now_us=now_us)
    made(tmp_path, "other", now_us=now_us)
    with shown(metrics, Exposure(port=0, bundle="core-oem", folder=tmp_path), CLOCK) as address:
        url = address.replace("127.0.0.1", "localhost")
        assert url.startswith("https://")
        assert "barstep_sweep_rows" in scrape(url, CLOCK, bundle="core-oem", folder=tmp_path)
        for bundle in (None, "other"):
            with pytest.raises(UnreachableError):
                scrape(url, CLOCK, bundle=bundle, folder=tmp_path)
        trusting = ssl.create_default_context(cafile=str(tmp_path / "core-oem" / "ca.pem"))
        port = int(url.rsplit(":", 1)[1].split("/")[0])
        answer = b""
        with (
            suppress(ssl.SSLError, ConnectionError),  # TLS 1.3 tells of the missing certificate at the first read
            socket.create_connection(("localhost", port), timeout=20.0) as plain,
            trusting.wrap_socket(plain, server_hostname="localhost") as wrapped,
        ):
            wrapped.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            answer = wrapped.recv(100)
        assert answer == b""


@pytest.fixture
def mute(metrics: MetricsCollector) -> Iterator[str]:
    """An endpoint to which as many clients as it takes are connected, and say nothing."""
    with shown(metrics, Exposure(port=0), CLOCK) as url:
        port = int(url.rsplit(":", 1)[1].split("/")[0])
        clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(MOST_CONNECTIONS - 1)]
        yield url
        for client in clients:
            client.close()


def test_clients_that_say_nothing_keep_nobody_out(mute: str) -> None:
    """The others are answered, and the endpoint ends at once."""
    assert get(mute)[0] == 200


def test_what_cannot_be_shown_is_refused(metrics: MetricsCollector, tmp_path: Path, token_file: Path) -> None:
    """In one line each, before anything runs."""
    with shown(metrics, Exposure(port=0), CLOCK) as url:
        port = int(url.rsplit(":", 1)[1].split("/")[0])
        with pytest.raises(UsageError, match=f"--metrics-port {port}: is taken by another process"):
            _open(metrics, Exposure(port=port))
    with pytest.raises(UsageError, match=r"'0\.0\.0\.0': others than this machine can read there; add"):
        _open(metrics, Exposure(port=0, address="0.0.0.0"))  # noqa: S104
    with pytest.raises(UsageError, match="--metrics-address"):
        _open(metrics, Exposure(port=0, address="no.such.host.invalid", token_file=token_file))
    with pytest.raises(DataError, match="no such bundle"):
        _open(metrics, Exposure(port=0, bundle="none", folder=tmp_path))
    readable = tmp_path / "token"
    readable.write_text(TOKEN)
    readable.chmod(0o644)
    with pytest.raises(JournalError, match="others may get at it"):
        _open(metrics, Exposure(port=0, token_file=readable))


def _open(metrics: MetricsCollector, exposure: Exposure) -> None:
    with shown(metrics, exposure, CLOCK):
        raise AssertionError("it was shown")


def test_a_token_does_not_leave_the_machine_in_the_clear(token_file: Path) -> None:
    """Whoever asks another machine over http is refused before anything is sent; so is what is no URL."""
    with pytest.raises(UsageError, match="unless it goes over https"):
        scrape("http://metrics.example/metrics", CLOCK, token_file=token_file, folder=token_file.parent)
    with pytest.raises(UsageError, match="is none; allowed is"):
        scrape("file:///etc/passwd", CLOCK, folder=token_file.parent)
