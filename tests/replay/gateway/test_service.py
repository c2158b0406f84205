"""The gateway on the channel: a real server and a real client on this machine, and a real ccxt behind it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest
from barstep.errors import AuthorizationError, FeedError, UsageError
from barstep.replay.adapter_log import AdapterLog
from barstep.replay.channel.client import ChannelClient
from barstep.replay.channel.messages import (
    Bar,
    Begun,
    Complete,
    FromLoop,
    FromVenue,
    Goodbye,
    HistoryRequest,
    Leg,
    Orders,
    Refusal,
    Report,
    Welcome,
)
from barstep.replay.channel.server import ChannelServer
from barstep.replay.channel.service import MARKET_READ, ORDERS_WRITE
from barstep.replay.channel.tokens import TokenEntry, TokenTable
from barstep.replay.clock import SystemClock
from barstep.replay.gateway.ccxt_exchange import CcxtExchange
from barstep.replay.gateway.credentials import Credentials
from barstep.replay.gateway.service import GatewayService
from barstep.replay.gateway.venues import BINANCE
from barstep.replay.live.link import VenueLink
from exchange_stub import KEY, MINUTE_MS, SECRET, ExchangeStub
from gateway_making import hello, order

TOKEN, VIEWER = "a-token-of-the-loop", "a-token-that-may-only-look"


class Served:
    """An exchange whose clock is an hour ahead of this machine's, and a gateway of it at an address."""

    def __init__(self, folder: Path) -> None:
        self.clock = SystemClock()
        self.ahead_ms = 3_600_000
        self.stub = ExchangeStub(lambda: self.clock.now_us() // 1_000 + self.ahead_ms)
        self.now_ms = self.stub.now_ms() // MINUTE_MS * MINUTE_MS
        for number in range(-200, 2):
            self.stub.bar("BTCUSDT", self.now_ms + number * MINUTE_MS, 50_000, 50_010, 49_990, 50_000 + number, 1)
        self.exchange = CcxtExchange(
            BINANCE,
            self.clock,
            credentials=Credentials(key=KEY, secret=SECRET),
            sandbox=True,
            base_url=self.stub.url,
        )
        self.exchange.open()
        self.log = folder / "binance.log"
        self.service = GatewayService(
            self.exchange,
            self.clock,
            folder=folder / "ledgers",
            log=AdapterLog(self.log, self.clock),
            generator=np.random.default_rng(1),
        )
        entries = [
            TokenEntry.of_secret("loop", TOKEN, [MARKET_READ, ORDERS_WRITE]),
            TokenEntry.of_secret("viewer", VIEWER, [MARKET_READ]),
        ]
        self.server = ChannelServer(self.service, tokens=TokenTable(entries), clock=self.clock)

    def client(self, token: str = TOKEN) -> ChannelClient:
        return ChannelClient(self.server.address, token, clock=self.clock)

    def close(self) -> None:
        self.service.stop()
        assert self.server.close()
        self.stub.close()


@pytest.fixture
def served(private: Path) -> Iterator[Served]:
    """A gateway that listens."""
    made = Served(private)
    yield made
    made.close()


def say(stream: VenueLink, message: FromLoop) -> None:
    stream.send(message)


def hear(stream: VenueLink, kind: type, most: int = 600) -> list[FromVenue]:
    """Messages up to the first of a kind."""
    heard: list[FromVenue] = []
    for _ in range(most):
        received = stream.receive(10_000_000)
        assert received is not None, f"silence after {heard}"
        heard.append(received)
        if isinstance(heard[-1], kind):
            return heard
    raise AssertionError(f"no {kind.__name__} in {most} messages")


def test_bars_orders_and_reports_over_the_channel(served: Served) -> None:
    """A loop catches up on bars, trades, leaves, comes back, and hears again of what it has not had."""
    done_us = (served.now_ms - 5 * MINUTE_MS) * 1_000
    client = served.client()
    stream = VenueLink(client.open("session"), served.clock)
    say(stream, hello(done_us=done_us))
    (welcome,) = hear(stream, Welcome)
    assert isinstance(welcome, Welcome)
    assert (welcome.now_us, welcome.exact) == (done_us, False)
    heard: list[FromVenue] = []
    while not any(isinstance(one, Begun) and one.at_us == served.now_ms * 1_000 for one in heard):
        heard += hear(stream, Begun)
    assert [bar.ts_us // 1_000 - served.now_ms for bar in heard if isinstance(bar, Bar)] == [
        -MINUTE_MS * k for k in (5, 4, 3, 2, 1)
    ]
    assert sum(isinstance(one, Complete) for one in heard) == 5
    decided = served.now_ms // MINUTE_MS - 1
    served.stub.fail("POST order", "drop")
    first = order(1, decided=decided, sent_us=served.now_ms * 1_000)
    say(stream, Orders(at_us=served.now_ms * 1_000, orders=[first]))
    report = hear(stream, Report)[-1]
    assert isinstance(report, Report)
    assert (report.status, report.fills[0].lots) == ("filled", 1_000)
    say(stream, Goodbye())
    stream.close()
    again = VenueLink(client.open("session"), served.clock)
    say(again, hello(done_us=served.now_ms * 1_000, waiting=[first.order_id]))
    welcomed = hear(again, Welcome)[0]
    assert isinstance(welcomed, Welcome)
    assert welcomed.known == [first.order_id]
    assert hear(again, Report)[-1] == report
    say(again, Orders(at_us=served.now_ms * 1_000, orders=[first]))
    say(again, Goodbye())
    assert len(served.stub.orders) == 1
    client.close()


def test_a_second_stream_of_a_run_takes_over(served: Served) -> None:
    """The old one is told that it is superseded; the new one is welcomed."""
    client = served.client()
    old = VenueLink(client.open("session"), served.clock)
    say(old, hello())
    hear(old, Welcome)
    new = VenueLink(client.open("session"), served.clock)
    say(new, hello())
    hear(new, Welcome)
    refusal = hear(old, Refusal)[-1]
    assert isinstance(refusal, Refusal)
    assert refusal.code == "superseded"
    say(new, Goodbye())
    client.close()


def test_two_runs_side_by_side(served: Served) -> None:
    """Each has its own ledger and its own reports."""
    client = served.client()
    streams = []
    for run in ("a" * 32, "b" * 32):
        stream = VenueLink(client.open("session"), served.clock)
        say(stream, hello(run=run))
        hear(stream, Welcome)
        streams.append(stream)
    for number, stream in enumerate(streams, 1):
        one = order(number, decided=served.now_ms // MINUTE_MS - 1)
        say(stream, Orders(at_us=served.now_ms * 1_000, orders=[one]))
    for stream in streams:
        report = hear(stream, Report)[-1]
        assert isinstance(report, Report)
        assert (report.number, report.status) == (1, "filled")
        say(stream, Goodbye())
    assert len(served.stub.orders) == 2
    client.close()


def test_a_refused_hello_is_answered(served: Served) -> None:
    """By a message with a code, and in the log."""
    client = served.client()
    stream = VenueLink(client.open("session"), served.clock)
    say(stream, hello(version=9))
    refusal = hear(stream, Refusal)[-1]
    assert isinstance(refusal, Refusal)
    assert refusal.code == "version"
    client.close()
    assert '"refusal"' in served.log.read_text()


def test_history_is_fetched(served: Served) -> None:
    """Closed bars as a table; a market or a ticket that is none is refused."""
    client = served.client(VIEWER)
    leg = Leg(name="x", venue="binance", symbol="BTCUSDT")
    first_us = (served.now_ms - 100 * MINUTE_MS) * 1_000
    ticket = HistoryRequest(leg=leg, interval_seconds=60, from_us=first_us, to_us=2**62)
    found = client.fetch("history", msgspec.json.encode(ticket))
    assert found.num_rows in (100, 101), "a minute may have ended meanwhile"
    assert found.column_names == ["timestamp", "open", "high", "low", "close", "volume"]
    other = msgspec.structs.replace(ticket, leg=Leg(name="x", venue="binance", symbol="BTCUSDC"))
    with pytest.raises(UsageError, match="Did you mean 'BTCUSDT'"):
        client.fetch("history", msgspec.json.encode(other))
    with pytest.raises(UsageError, match="no bars of 7 s"):
        client.fetch("history", msgspec.json.encode(msgspec.structs.replace(ticket, interval_seconds=7)))
    with pytest.raises(UsageError, match="ticket"):
        client.fetch("history", b"{}")
    client.close()


def test_who_may_only_look_does_not_trade(served: Served) -> None:
    """The stream needs the scope of writing."""
    client = served.client(VIEWER)
    with pytest.raises(AuthorizationError, match=ORDERS_WRITE):
        client.open("session")
    client.close()


def test_stopping_ends_streams(served: Served) -> None:
    """Streams end when the gateway stops, and the loop hears of it."""
    client = served.client()
    stream = VenueLink(client.open("session"), served.clock)
    say(stream, hello())
    hear(stream, Welcome)
    served.service.stop()
    ended = threading.Event()
    with pytest.raises(FeedError):
        for _ in range(100):
            stream.receive(1_000_000)
    ended.set()
    client.close()


def test_no_secret_in_log_or_ledger(served: Served, private: Path) -> None:
    """After trading and failing, no file of the gateway holds key, secret or token."""
    client = served.client()
    stream = VenueLink(client.open("session"), served.clock)
    say(stream, hello())
    hear(stream, Welcome)
    served.stub.fail("POST order", (-2015, f"Invalid API-key {KEY}."))
    say(stream, Orders(at_us=0, orders=[order(1, decided=served.now_ms // MINUTE_MS - 1)]))
    report = hear(stream, Report)[-1]
    assert isinstance(report, Report)
    assert report.status == "rejected"
    assert KEY not in report.reason
    say(stream, Goodbye())
    client.close()
    for path in private.rglob("*"):
        if path.is_file():
            text = path.read_text()
            assert not any(secret in text for secret in (KEY, SECRET, TOKEN))
