"""A gateway to the stub of an exchange, in one thread and with a clock that goes on only when it is told to."""

from __future__ import annotations

import json
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
from barstep.kernels.account import LOT, MAX_AGE_BARS
from barstep.kernels.venue import VENUE_RULES
from barstep.replay.adapter_log import AdapterLog
from barstep.replay.channel.frames import Incoming, Outgoing
from barstep.replay.channel.messages import (
    Book,
    FromLoop,
    FromVenue,
    Hello,
    Leg,
    Order,
    Orders,
    Refusal,
    Report,
    Welcome,
    encode,
    read_from_venue,
)
from barstep.replay.clock import SimulatedClock
from barstep.replay.gateway.ccxt_exchange import CcxtExchange
from barstep.replay.gateway.credentials import Credentials
from barstep.replay.gateway.greeting import markets_of
from barstep.replay.gateway.ledger import Ledger
from barstep.replay.gateway.loop_link import LoopLink
from barstep.replay.gateway.session import Session
from barstep.replay.gateway.venues import BINANCE
from exchange_stub import KEY, SECRET, ExchangeStub

MINUTE_US, SECOND_US = 60_000_000, 1_000_000
RUN = "0123456789abcdef" * 2
START_US = 28_000_000 * MINUTE_US
"""Where the exchange's clock begins: a full minute."""
WRONG_BY_US = 7 * MINUTE_US
"""What this machine's wall clock is wrong by, unless a test says otherwise."""


class MemoryStream:
    """A stream whose other end is the test."""

    def __init__(self) -> None:
        self._incoming = Incoming()
        self.sent: list[FromVenue] = []
        self.waiting: deque[bytes] = deque()

    def send(self, message: bytes) -> None:
        self.sent += map(read_from_venue, self._incoming.take(message))

    def receive(self, timeout_us: int | None = None) -> bytes | None:  # noqa: ARG002 - it never waits
        return self.waiting.popleft() if self.waiting else None

    def close(self) -> None:
        """Nothing to do."""


def rules(lot: float = 1e-5, max_age_bars: float = 3.0) -> list[float]:
    made = [0.0] * VENUE_RULES
    made[LOT], made[MAX_AGE_BARS] = lot, max_age_bars
    return made


def hello(*symbols: str, **changes: Any) -> Hello:
    legs = [Leg(name=symbol, venue="binance", symbol=symbol) for symbol in symbols or ("BTCUSDT",)]
    lot = changes.pop("lot", 1e-5)
    book = Book(capital=1e5, schedules=["a"], order=[0], instruments=len(legs), rules=[rules(lot)])
    members = {"version": 1, "run": RUN, "interval_seconds": 60, "legs": legs, "book": book, **changes}
    return Hello(**members)


def order(number: int = 1, lots: int = 1_000, **changes: Any) -> Order:
    """A market order; 1,000 lots are a hundredth of a coin."""
    members: dict[str, Any] = {
        "order_id": f"run.a.BTCUSDT.{number}",
        "tag": f"{number}.{number:016x}",
        "schedule": 0,
        "leg": 0,
        "lots": lots,
        "decided": START_US // MINUTE_US - 1,
        "sent_us": START_US,
    }
    return Order(**members | changes)


class World:
    """The stub, a gateway before it that can be killed and started again, and what the loop has heard.

    Attributes:
        clock: This machine's: its wall time is wrong.
        heard: Every message of every session.
        events: Of the adapter's log.
    """

    def __init__(self, folder: Path, *, wrong_by_us: int = WRONG_BY_US, timeout_seconds: float = 5.0) -> None:
        self.folder, self.timeout_seconds = folder, timeout_seconds
        self.clock = SimulatedClock(START_US + wrong_by_us)
        self.stub = ExchangeStub(lambda: (START_US + self.clock.elapsed_us) // 1_000)
        for symbol in ("BTCUSDT", "ETHUSDT"):
            self.stub.bar(symbol, START_US // 1_000 - 60_000, 50_000, 50_000, 50_000, 50_000, 1)
        self.heard: list[FromVenue] = []
        self.log_path = folder / "binance.log"
        self.session: Session | None = None
        self.ledger: Ledger | None = None
        self.exchange = self.new_exchange()

    def new_exchange(self) -> CcxtExchange:
        made = CcxtExchange(
            BINANCE,
            self.clock,
            credentials=Credentials(key=KEY, secret=SECRET),
            sandbox=True,
            base_url=self.stub.url,
            timeout_seconds=self.timeout_seconds,
        )
        made.open()
        return made

    def connect(self, greeting: Hello | None = None) -> FromVenue:
        """Start a gateway and say hello; its answer."""
        greeting = greeting or hello()
        self.stream = MemoryStream()
        markets = markets_of(greeting, self.exchange)
        if isinstance(markets, Refusal):
            return markets
        self.ledger = Ledger(self.folder / "ledgers" / f"{greeting.run}.jsonl")
        self.session = Session(
            LoopLink(self.stream, self.clock),
            greeting,
            exchange=self.exchange,
            ledger=self.ledger,
            markets=markets,
            clock=self.clock,
            generator=np.random.default_rng(7),
            log=AdapterLog(self.log_path, self.clock),
            measure=self.exchange.measure_if_due,
        )
        self.session.begin()
        self._hear()
        self._outgoing = Outgoing()
        return next(message for message in reversed(self.heard) if isinstance(message, Welcome))

    def restart(self, greeting: Hello | None = None) -> FromVenue:
        """Kill the gateway, which does nothing in order, and start another one."""
        if self.ledger is not None:
            self.ledger.close()
            self.ledger = None
        self.exchange = self.new_exchange()
        return self.connect(greeting)

    def say(self, message: FromLoop) -> None:
        self.stream.waiting.append(self._outgoing.wrap(encode(message)))

    def place(self, *orders: Order, cancels: tuple[str, ...] = ()) -> None:
        self.say(Orders(at_us=START_US, orders=list(orders), cancels=list(cancels)))
        self.steps(2)

    def steps(self, count: int) -> None:
        assert self.session is not None
        for _ in range(count):
            self.session.step()
        self._hear()

    def _hear(self) -> None:
        self.heard += self.stream.sent
        self.stream.sent.clear()

    def go_on(self, seconds: float, step_seconds: float = 0.25) -> None:
        """Let time pass, with a step of the session after each bit of it."""
        for _ in range(round(seconds / step_seconds)):
            self.clock.sleep_us(round(step_seconds * SECOND_US))
            self.steps(1)

    def told(self, kind: type) -> list[Any]:
        return [message for message in self.heard if isinstance(message, kind)]

    @property
    def reports(self) -> list[Report]:
        return self.told(Report)

    def log_text(self) -> str:
        return self.log_path.read_text() if self.log_path.exists() else ""

    def events(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.log_text().splitlines()]

    def close(self) -> None:
        if self.ledger is not None:
            self.ledger.close()
        self.stub.close()
