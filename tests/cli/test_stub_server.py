"""`barstep stub-server` as it is typed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from barstep.engine.execution import Execution
from barstep.replay.channel.client import ChannelClient
from barstep.replay.channel.frames import Incoming, Outgoing
from barstep.replay.channel.messages import (
    VERSION,
    Book,
    Complete,
    Hello,
    Leg,
    Order,
    Orders,
    Refusal,
    encode,
    read_from_venue,
)
from barstep.replay.clock import SystemClock

Run = Callable[..., Any]
LOCAL = ("--address", "grpc://127.0.0.1:0")
HOUR_US = 3_600_000_000


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder of one's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BARSTEP_ADAPTER_TOKEN", raising=False)
    return tmp_path


@contextmanager
def serving(*words: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command in a process of its own, and the address that it says."""
    given = [sys.executable, "-m", "barstep", "stub-server", *LOCAL, *map(str, words)]
    with subprocess.Popen(given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            ready = process.stdout.readline()
            yield process, json.loads(ready)["address"] if ready.startswith("{") else ready.split()[-1]
        finally:
            process.kill()


def trade(address: str, token: str) -> list[str]:
    """Go through all instants with an order at each; the codes of what the venue refused."""
    client = ChannelClient(address, token, clock=SystemClock())
    stream, outgoing, incoming = client.open("session"), Outgoing(), Incoming()
    rules = Execution().rules(hedged=False, interval_seconds=3600, funded=False).tolist()
    book = Book(capital=1e6, schedules=["s"], order=[0], instruments=1, rules=[rules])
    legs = [Leg(name="BTC", venue="binance", symbol="BTCUSDT")]
    said = Hello(version=VERSION, run="0" * 32, interval_seconds=3600, legs=legs, book=book)
    stream.send(outgoing.wrap(encode(said)))
    while True:
        frame = stream.receive(20_000_000)
        assert frame is not None
        for message in map(read_from_venue, incoming.take(frame)):
            if isinstance(message, Refusal):
                client.close()
                return [message.code]
            if isinstance(message, Complete):
                at_us = message.at_us
                order = Order(
                    order_id=f"o{at_us}", tag="1.0", schedule=0, leg=0, lots=1_000, decided=at_us // HOUR_US - 1,
                    sent_us=at_us,
                )  # fmt: skip
                stream.send(outgoing.wrap(encode(Orders(at_us=at_us, orders=[order]))))


def test_the_plan_is_printed_and_nothing_is_served(barstep: Run, place: Path) -> None:
    """What would be served, as text and as JSON."""
    words = (
        "stub-server",
        "--dataset",
        "embedded",
        "--print-runtime-plan",
        "--fault",
        "drop:0.01",
        "--start",
        "2023-02-01",
    )
    text = barstep(*words)
    assert text.code == 0
    assert "kraken   SOLUSDT  1h        17544  2023-01-01" in text.out and "drop:0.01" in text.out
    document = json.loads(barstep(*words, "--speed", "60x", "--latency", "250ms", "--partial", "0.3", "--json").out)
    assert (document["mode"], document["speed"], document["latency_us"], document["partial"]) == (
        "paced", 60.0, 250_000, 0.3,
    )  # fmt: skip
    assert document["start"] == "2023-02-01T00:00:00.000000Z" and document["faults"] == ["drop:0.01"]
    assert len(document["legs"]) == 7
    assert document["legs"][0] | {"path": ""} == {
        "venue": "binance", "symbol": "BTCUSDT", "interval": "1m", "bars": 44_640,
        "first": "2024-01-01T00:00:00.000000Z", "last": "2024-02-01T00:00:00.000000Z", "path": "",
    }  # fmt: skip
    assert list(place.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("--dataset", "nowhere"), 3, "no such folder"),
        (("--dataset", "embedded", "--speed", "fast"), 2, "such as 60x, or full"),
        (("--dataset", "embedded", "--paced"), 2, "needs a speed"),
        (("--dataset", "embedded", "--reject", "0.1"), 2, "are for a paced venue"),
        (("--dataset", "embedded", "--fault", "dorp:0.1"), 2, "Did you mean 'drop'"),
        (("--dataset", "embedded", "--latency", "soon"), 2, "--latency: 'soon' is no duration"),
        (("--dataset", "embedded", "--step", "10ms"), 2, "allowed are whole seconds"),
        (("--dataset", "embedded", "--start", "noon"), 2, "--start 'noon' is no time"),
        (("--dataset", "embedded", "--address", "grpc://10.0.0.1:8815"), 2, "127.0.0.1"),
        (("--dataset", "embedded", "--address", "grpc+tls://10.0.0.1:8815"), 2, "goes with --mtls-bundle"),
        (("--dataset", "embedded", "--address", "grpc+tls://127.0.0.1:1", "--mtls-bundle", "none"), 3, "none"),
        (("--dataset", "embedded", "--token-file", "none.token"), 3, "none.token"),
    ],
)
def test_what_is_refused(barstep: Run, place: Path, words: tuple[str, ...], code: int, text: str) -> None:
    """One line, and the exit code of its kind; nothing is left behind."""
    ran = barstep("stub-server", *words)
    assert (ran.code, ran.out) == (code, "")
    assert text in ran.err and len(ran.err.splitlines()) == 1
    assert not (place / "secrets").exists()


def test_it_serves_once_and_closes_its_books(place: Path) -> None:
    """Every order has one end; the ledger's file has a line for each."""
    words = (
        "--dataset",
        "embedded",
        "--start",
        "2023-02-01",
        "--end",
        "2023-02-03",
        "--once",
        "--ledger",
        "out/ledger.jsonl",
    )
    with serving(*words) as (process, address):
        token = (place / "secrets/tokens/venue.token").read_text().strip()
        assert trade(address, token) == ["ended"]
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out.splitlines() == [
        "orders: 49 of 1 runs (48 filled, 1 open)",
        "fills: 48",
        "orders that came again: 0, and were taken once",
        "orders traded twice: 0; ordered twice: 0",
    ]
    assert err.splitlines() == ["made for the demonstration: secrets/tokens/venue.token"]
    entries = [json.loads(line) for line in (place / "out/ledger.jsonl").read_text().splitlines()]
    assert len(entries) == 49 and entries[0]["reports"][0]["fills"][0]["lots"] == 1_000
    events = [json.loads(line)["event"] for line in (place / "logs/adapters/stub.log").read_text().splitlines()]
    assert events[0] == "connected"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_it_in_order(place: Path, number: int, code: int) -> None:
    """With the ledger's summary, though a stream is open."""
    token = place / "a/loop.token"
    token.parent.mkdir(mode=0o700)
    token.touch(mode=0o600)
    token.write_text("a-secret-of-the-loop\n")
    with serving("--dataset", "embedded", "--token-file", token, "--json") as (process, address):
        client = ChannelClient(address, "a-secret-of-the-loop", clock=SystemClock())
        client.open("session")
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
        client.close()
    assert (process.returncode, err) == (code, "")
    assert json.loads(out)["ledger"]["orders"] == 0
    assert not (place / "secrets").exists()
