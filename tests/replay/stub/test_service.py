"""The stub venue over Flight: sessions, history, its ledger, and what its log says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from barstep.errors import AuthorizationError, FeedError, UsageError
from barstep.replay.adapter_log import AdapterLog
from barstep.replay.channel.client import ChannelClient
from barstep.replay.channel.frames import Incoming, Outgoing
from barstep.replay.channel.messages import (
    Begun,
    FromLoop,
    FromVenue,
    HistoryRequest,
    Leg,
    Report,
    encode,
    read_from_venue,
)
from barstep.replay.channel.server import ChannelServer
from barstep.replay.channel.tokens import TokenEntry, TokenTable
from barstep.replay.clock import SystemClock
from barstep.replay.stub.faults import parse_faults
from barstep.replay.stub.service import MARKET_READ, SCOPES, StubService
from venue_making import bars_of, hello, instant, order, orders, venue_of

SECRET, READER = "a-secret-of-the-loop", "a-secret-of-a-reader"
SECOND_US = 1_000_000


@contextmanager
def served(log: Path | None = None, *faults: str) -> Iterator[tuple[StubService, ChannelServer]]:
    """A venue on this machine."""
    clock = SystemClock()
    service = StubService(venue_of(bars_of(count=15)), parse_faults(faults), clock, AdapterLog(log, clock))
    tokens = [TokenEntry.of_secret("loop", SECRET, SCOPES), TokenEntry.of_secret("reader", READER, [MARKET_READ])]
    server = ChannelServer(service, tokens=TokenTable(tokens), clock=clock)
    try:
        yield service, server
    finally:
        assert server.close()


class Talk:
    """A loop's stream."""

    def __init__(self, client: ChannelClient) -> None:
        self._stream = client.open("session")
        self._outgoing, self._incoming = Outgoing(), Incoming()
        self._waiting: list[FromVenue] = []

    def say(self, message: FromLoop) -> None:
        self._stream.send(self._outgoing.wrap(encode(message)))

    def next(self) -> FromVenue:
        while not self._waiting:
            frame = self._stream.receive(10 * SECOND_US)
            assert frame is not None
            self._waiting += map(read_from_venue, self._incoming.take(frame))
        return self._waiting.pop(0)

    def until(self, kind: type) -> list[FromVenue]:
        said = [self.next()]
        while not isinstance(said[-1], kind):
            said.append(self.next())
        return said


def client_of(server: ChannelServer, secret: str = SECRET) -> ChannelClient:
    return ChannelClient(server.address, secret, clock=SystemClock())


def test_a_session_trades(tmp_path: Path) -> None:
    """Bars, orders and fills go over the wire; the ledger and the log have what happened."""
    log = tmp_path / "logs/stub.log"
    with served(log) as (service, server):
        client = client_of(server)
        talk = Talk(client)
        talk.say(hello())
        talk.say(orders(instant(10), order("a", instant(10))))
        (report,) = [one for one in talk.until(Begun) if isinstance(one, Report)]
        assert (report.status, report.fills[0].reference) == ("filled", 110.0)
        (entry,) = map(json.loads, client.fetch("ledger", b"")["entry"].to_pylist())
        assert (entry["order_id"], entry["status"]) == ("a", "filled")
        assert service.open_streams == 1 and not service.is_done()
        client.close()
    events = [json.loads(line) for line in log.read_text().splitlines()]
    assert [one["event"] for one in events] == ["connected", "dropped"]
    assert {"connection": 1, "token": "loop"}.items() <= events[0].items()
    assert service.open_streams == 0


def test_a_loop_that_comes_back_is_told_what_it_missed() -> None:
    """Over a second stream, of the same run."""
    with served() as (_, server):
        client = client_of(server)
        talk = Talk(client)
        talk.say(hello())
        talk.say(orders(instant(10), order("a", instant(10))))
        talk.until(Begun)
        again = Talk(client)
        again.say(hello(done_us=instant(10)))
        assert [one.number for one in again.until(Begun) if isinstance(one, Report)] == [1]
        with pytest.raises(FeedError):
            talk.until(int)
        client.close()


def test_a_fault_ends_a_stream(tmp_path: Path) -> None:
    """The loop sees that the stream has ended, and the log why."""
    log = tmp_path / "stub.log"
    with served(log, "disconnect:1m") as (_, server):
        talk = Talk(client_of(server))
        talk.say(hello())
        talk.say(orders(instant(10)))
        with pytest.raises(FeedError, match="ended"):
            talk.until(int)
    closed = json.loads(log.read_text().splitlines()[-1])
    assert (closed["event"], closed["why"], closed["run"]) == ("closed", "a fault", hello().run)


def test_history_is_what_is_closed() -> None:
    """As a normalised dataset has it; what is not recorded is refused, and so is another ticket."""
    with served() as (_, server):
        client = client_of(server, READER)
        request = HistoryRequest(
            leg=Leg(name="x", venue="v", symbol="BTC"), interval_seconds=60, from_us=instant(3), to_us=instant(6)
        )
        table = client.fetch("history", msgspec.json.encode(request))
        assert table.column_names == ["timestamp", "open", "high", "low", "close", "volume"]
        assert table["open"].to_pylist() == [103.0, 104.0, 105.0]
        assert str(table.schema.field("timestamp").type) == "timestamp[us, tz=UTC]"
        assert len(client.fetch("history", msgspec.json.encode(msgspec.structs.replace(request, to_us=0)))) == 0
        for other, text in (({"interval_seconds": 0}, "allowed is 1 or more"), ({"interval_seconds": 90}, "v BTC 90s")):
            with pytest.raises(Exception, match=text):
                client.fetch("history", msgspec.json.encode(msgspec.structs.replace(request, **other)))
        with pytest.raises(UsageError, match="the ticket of a history is none"):
            client.fetch("history", b"{}")
        client.close()


def test_who_may_only_read_cannot_trade() -> None:
    """A session needs another scope than history."""
    with served() as (_, server):
        client = client_of(server, READER)
        assert len(client.fetch("ledger", b"")) == 0
        with pytest.raises(AuthorizationError):
            Talk(client).next()
        client.close()
