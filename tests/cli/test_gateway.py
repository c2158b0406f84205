"""`barstep gateway`: what it wants to be told, what --check shows, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from barstep.cli.app import main

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "replay" / "gateway"))

from barstep.replay.channel.client import ChannelClient
from barstep.replay.channel.messages import Welcome
from barstep.replay.clock import SystemClock
from barstep.replay.live.link import VenueLink
from exchange_stub import KEY, MINUTE_MS, SECRET, ExchangeStub
from gateway_making import hello

TOKEN = "a-token-of-the-loop"  # noqa: S105 - a test's


@pytest.fixture
def stub() -> Iterator[ExchangeStub]:
    """An exchange whose clock is two minutes behind this machine's."""
    clock = SystemClock()
    made = ExchangeStub(lambda: clock.now_us() // 1_000 - 120_000)
    now_ms = made.now_ms() // MINUTE_MS * MINUTE_MS
    for number in range(-5, 3):
        made.bar("BTCUSDT", now_ms + number * MINUTE_MS, 50_000, 50_010, 49_990, 50_005, 1)
    yield made
    made.close()


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["barstep", "gateway", *words])
    return main()


def with_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BARSTEP_EXCHANGE_KEY", KEY)
    monkeypatch.setenv("BARSTEP_EXCHANGE_SECRET", SECRET)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "say which: --sandbox"),
        (("--sandbox", "--live"), 2, "say which: --sandbox"),
        (("--sandbox",), 4, "BARSTEP_EXCHANGE_KEY"),
        (("--sandbox", "--check", "--base-url", "http://exchange.example"), 2, "an address on this machine"),
        (("--sandbox", "--check", "--base-url", "ftp://127.0.0.1"), 2, "an address on this machine"),
    ],
)
def test_what_it_wants_to_be_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: int, said: str
) -> None:
    """Real money is never the default, and signed requests go to no other machine."""
    monkeypatch.delenv("BARSTEP_EXCHANGE_KEY", raising=False)
    monkeypatch.delenv("BARSTEP_EXCHANGE_SECRET", raising=False)
    assert run(monkeypatch, "--exchange", "binance", *words) == code
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "--address is missing"),
        (("--address", "grpc+tls://127.0.0.1:8815"), 2, "--mtls-bundle"),
        (("--address", "grpc://10.0.0.1:8815"), 2, "certificates"),
        (("--address", "grpc://127.0.0.1:8815"), 4, "BARSTEP_ADAPTER_TOKEN"),
        (("--address", "grpc+tls://127.0.0.1:8815", "--mtls-bundle", "none-there"), 3, "none-there"),
    ],
)
def test_where_it_listens_is_to_be_safe(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    words: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    """An address, certificates where it is not this machine's, and a token are wanted before anything is asked."""
    monkeypatch.chdir(tmp_path)
    with_key(monkeypatch)
    monkeypatch.delenv("BARSTEP_ADAPTER_TOKEN", raising=False)
    assert run(monkeypatch, "--exchange", "binance", "--sandbox", *words) == code
    assert said in capsys.readouterr().err


def test_check_shows_the_exchange(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], stub: ExchangeStub
) -> None:
    """Time, market data and balances; nothing is traded, and no secret is shown."""
    with_key(monkeypatch)
    words = ("--exchange", "binance", "--sandbox", "--check", "--base-url", stub.url)
    assert run(monkeypatch, *words, "--market", "BTCUSDT", "--market", "ETHUSDT", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert 119_000 < document["wall_clock_ahead_ms"] < 121_000
    first, second = document["markets"]
    assert (first["market"], first["step"], first["tick"], first["minimum_notional"]) == (
        "BTCUSDT",
        "0.00001",
        "0.01",
        "10.0",
    )
    assert first["close"] == 50_005
    assert second["close"] is None
    assert {held["coin"]: held["free"] for held in document["balances"]} == {"BTC": "2.5", "USDT": "100000.0"}
    assert run(monkeypatch, *words) == 0
    shown = capsys.readouterr().out
    assert "ms ahead" in shown
    assert "USDT" in shown
    assert KEY not in shown
    assert SECRET not in shown
    assert stub.orders == []


def test_check_without_a_key_shows_what_is_public(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], stub: ExchangeStub
) -> None:
    """Balances are left out, and it says so; an unknown market is named with the near one."""
    monkeypatch.delenv("BARSTEP_EXCHANGE_KEY", raising=False)
    monkeypatch.delenv("BARSTEP_EXCHANGE_SECRET", raising=False)
    words = ("--exchange", "binance", "--sandbox", "--check", "--base-url", stub.url)
    assert run(monkeypatch, *words) == 0
    assert "no key was given" in capsys.readouterr().out
    assert "account" not in stub.requests
    assert run(monkeypatch, *words, "--market", "BTCUSDC") == 2
    assert "Did you mean 'BTCUSDT'" in capsys.readouterr().err


def test_a_key_that_is_not_taken_is_known_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], stub: ExchangeStub, tmp_path: Path
) -> None:
    """Before a loop connects, with the exchange's own words."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BARSTEP_EXCHANGE_KEY", "wrong-key")
    monkeypatch.setenv("BARSTEP_EXCHANGE_SECRET", SECRET)
    monkeypatch.setenv("BARSTEP_ADAPTER_TOKEN", TOKEN)
    words = ("--exchange", "binance", "--sandbox", "--address", "grpc://127.0.0.1:9", "--base-url", stub.url)
    assert run(monkeypatch, *words) == 4
    error = capsys.readouterr().err
    assert "-2015" in error
    assert "wrong-key" not in error


@pytest.mark.parametrize("hangs", [False, True])
def test_sigterm_ends_it_in_order(stub: ExchangeStub, tmp_path: Path, hangs: bool) -> None:
    """With a loop connected, also while the exchange does not answer: exit 0 before 5 seconds are over."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = {
        **os.environ,
        "BARSTEP_EXCHANGE_KEY": KEY,
        "BARSTEP_EXCHANGE_SECRET": SECRET,
        "BARSTEP_ADAPTER_TOKEN": TOKEN,
    }
    words = ["--exchange", "binance", "--sandbox", "--address", f"grpc://127.0.0.1:{port}", "--base-url", stub.url]
    process = subprocess.Popen(
        [sys.executable, "-m", "barstep", "gateway", *words],
        cwd=tmp_path,
        env=environ,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        assert "listening" in process.stderr.readline()
        client = ChannelClient(f"grpc://127.0.0.1:{port}", TOKEN, clock=SystemClock())
        link = VenueLink(client.open("session"), SystemClock())
        link.send(hello())
        assert isinstance(link.receive(10_000_000), Welcome)
        if hangs:
            for endpoint in ("klines", "time"):
                stub.fail(endpoint, *["hang"] * 9)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
        rest = process.stderr.read()
        assert "stopped" in rest
        assert "Traceback" not in rest
        client.close()
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
    log = (tmp_path / "logs" / "adapters" / "binance.log").read_text()
    assert '"hello"' in log
    assert KEY not in log + rest
    assert (tmp_path / "var" / "gateway" / "binance-sandbox").stat().st_mode & 0o777 == 0o700
