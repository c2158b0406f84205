"""What the gateway offers on the channel: a stream for a loop, and the bars of the past."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa

from ...errors import FeedError, UsageError, nearest
from ..adapter_log import AdapterLog
from ..channel.messages import Hello, HistoryRequest, Refusal
from ..channel.service import MARKET_READ, ORDERS_WRITE, Caller, Stream
from ..clock import Clock
from .ccxt_exchange import CcxtExchange
from .exchange import Market
from .greeting import markets_of, note_differences
from .history import SCHEMA, pages
from .ledger import Ledger
from .loop_link import LoopLink
from .session import Session

_HELLO_US = 10_000_000
_HANDOVER_SECONDS = 10.0
"""That a new stream of a run waits for its old one to notice that it is over."""


class GatewayService:
    """Stands between loops and an exchange.

    A run has one stream; where it opens another one, the old one ends. Several runs share the exchange's limits.

    Args:
        exchange: Opened.
        clock: The time.
        folder: Where ledgers are kept, private.
        log: The adapter's log.
        generator: Where the jitter of waits comes from.
    """

    streams: Mapping[str, str] = {"session": ORDERS_WRITE}
    fetches: Mapping[str, str] = {"history": MARKET_READ}

    def __init__(
        self, exchange: CcxtExchange, clock: Clock, *, folder: Path, log: AdapterLog, generator: np.random.Generator
    ) -> None:
        self._exchange, self._clock, self._folder, self._log = exchange, clock, folder, log
        self._generator = generator
        self._is_stopping = threading.Event()
        self._guard = threading.Lock()
        self._over: dict[str, threading.Event] = {}
        self._held: dict[str, threading.Lock] = {}

    def stop(self) -> None:
        """End all streams within a request's time."""
        self._is_stopping.set()

    def serve(self, name: str, caller: Caller, stream: Stream) -> None:  # noqa: ARG002 - there is one stream
        """Serve a loop.

        Raises:
            FeedError: The stream has ended, or the loop says what it may not.
            JournalError: The ledger cannot be read or written.
            HeldError: Another gateway serves this run.
        """
        link = LoopLink(stream, self._clock)
        hello = _hello(link)
        markets = markets_of(hello, self._exchange)
        self._log.write("hello", token=caller.token_id, run=hello.run, done_us=hello.done_us, reports=hello.reports)
        if isinstance(markets, Refusal):
            self._refuse(link, markets)
            return
        over, held = self._take_over(hello.run)
        if not held.acquire(timeout=_HANDOVER_SECONDS):
            self._refuse(link, Refusal(code="busy", message=f"the last stream of run {hello.run} has not ended yet."))
            return
        try:
            self._serve(link, hello, markets, over)
        finally:
            held.release()
            self._log.write("end", run=hello.run)

    def fetch(
        self,
        name: str,  # noqa: ARG002 - there is one fetch
        caller: Caller,  # noqa: ARG002 - whoever may read may read all of it
        ticket: bytes,
    ) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        """Closed bars of the past.

        Raises:
            UsageError: The ticket names a market or an interval that the exchange does not have.
            FeedError: The exchange does not answer.
        """
        try:
            request = msgspec.json.decode(ticket, type=HistoryRequest)
        except msgspec.DecodeError as error:
            raise UsageError(f"the ticket of history is none: {error}.") from None
        if request.leg.venue != self._exchange.name:
            return SCHEMA, iter(())  # as in a session: bars of another venue's legs come from elsewhere
        if self._exchange.market(request.leg.symbol) is None:
            near = nearest(request.leg.symbol, self._exchange.market_names())
            raise UsageError(f"{self._exchange.name} has no market {request.leg.symbol!r}.{near}")
        if request.interval_seconds not in self._exchange.intervals:
            raise UsageError(f"{self._exchange.name} has no bars of {request.interval_seconds} s.")
        return SCHEMA, pages(self._exchange, request, self._clock, self._is_stopping.is_set)

    def _serve(self, link: LoopLink, hello: Hello, markets: dict[int, Market], over: threading.Event) -> None:
        ledger = Ledger(self._folder / f"{hello.run}.jsonl")
        try:
            moved = _moved_leg(ledger, markets)
            if moved:
                self._refuse(link, Refusal(code="leg", message=moved))
                return
            note_differences(hello, markets, self._log)
            session = Session(
                link,
                hello,
                exchange=self._exchange,
                ledger=ledger,
                markets=markets,
                clock=self._clock,
                generator=self._generator,
                log=self._log,
                measure=self._exchange.measure_if_due,
            )
            session.run(self._until(over))
            if over.is_set():
                self._refuse(link, Refusal(code="superseded", message="the run has connected again."))
        finally:
            ledger.close()

    def _take_over(self, run: str) -> tuple[threading.Event, threading.Lock]:
        """End the run's old stream, and what says that this one is over."""
        with self._guard:
            if run in self._over:
                self._over[run].set()
            self._over[run] = threading.Event()
            return self._over[run], self._held.setdefault(run, threading.Lock())

    def _until(self, over: threading.Event) -> Callable[[], bool]:
        return lambda: over.is_set() or self._is_stopping.is_set()

    def _refuse(self, link: LoopLink, refusal: Refusal) -> None:
        self._log.write("refusal", code=refusal.code, message=refusal.message)
        link.send(refusal)


def _hello(link: LoopLink) -> Hello:
    message = link.receive(_HELLO_US)
    if message is None:
        raise FeedError(f"the loop has not said hello within {_HELLO_US // 1_000_000} s.")
    if not isinstance(message, Hello):
        raise FeedError("the first message of a loop is its hello.")
    return message


def _moved_leg(ledger: Ledger, markets: Mapping[int, Market]) -> str:
    """Why the legs are not those of the run's open orders; empty where they are."""
    for standing in ledger.unended():
        leg, market = standing.order.leg, markets.get(standing.order.leg)
        if standing.market and (market is None or market.name != standing.market):
            return f"leg {leg} was {standing.market} when order {standing.order.order_id} was taken."
    return ""
