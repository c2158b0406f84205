"""One loop's stream: what the loop says is taken, what the exchange shows is told, in one thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ...errors import FeedError
from ..adapter_log import AdapterLog
from ..channel.messages import VERSION as PROTOCOL
from ..channel.messages import (
    Complete,
    FromVenue,
    Goodbye,
    Heartbeat,
    Hello,
    Orders,
    Welcome,
)
from ..clock import Clock
from ..live.backing_off import BackOff
from .bars import BarWatch
from .exchange import DeclinedError, Exchange, Market, NotAuthorizedError, ThrottledError, UnansweredError
from .ledger import Ledger
from .loop_link import LoopLink
from .orders import OrderDesk

HEARTBEAT_US = 1_000_000
_FIRST_WAIT_US, _LONGEST_WAIT_US = 500_000, 60_000_000
_LISTENS_US = 50_000
"""For a message of the loop, where there is nothing else to do."""


class Session:
    """Serves a loop that was welcomed.

    Args:
        link: To the loop.
        hello: What it said first.
        exchange: Where bars come from and orders go.
        ledger: Of its run; it is the caller's to close.
        markets: By leg, those that this exchange trades.
        clock: When it is time for the next question.
        generator: Where the jitter of waits comes from.
        log: The adapter's log.
        measure: Measures the exchange's time where that is due.
    """

    def __init__(
        self,
        link: LoopLink,
        hello: Hello,
        *,
        exchange: Exchange,
        ledger: Ledger,
        markets: Mapping[int, Market],
        clock: Clock,
        generator: np.random.Generator,
        log: AdapterLog,
        measure: Callable[[], bool],
    ) -> None:
        self._link, self._hello, self._exchange, self._ledger = link, hello, exchange, ledger
        self._clock, self._log, self._measure = clock, log, measure
        self._markets = markets
        interval_us = hello.interval_seconds * 1_000_000
        self._now_us = (hello.done_us if hello.done_us >= 0 else exchange.earliest_us()) // interval_us * interval_us
        self._watch = BarWatch(
            {leg: market.name for leg, market in markets.items()},
            interval_us=interval_us,
            done_us=self._now_us,
            most=exchange.most_candles,
            log=log,
        )
        # Orders may be there that the ledger does not know, where it is younger than the run or older than the loop.
        lacks = hello.reports > ledger.last_number or (hello.done_us >= 0 and not ledger.standings)
        self._lost_until_us = hello.done_us if lacks else -1
        ledger.begin_numbers_after(hello.reports)
        self._desk = OrderDesk(
            exchange=exchange,
            ledger=ledger,
            markets=markets,
            book=hello.book,
            interval_us=interval_us,
            clock=clock,
            back_off=self._new_back_off(generator),
            price_of=self._watch.last_price,
            log=log,
        )
        self._back_off = self._new_back_off(generator)
        self._rests_until_us = 0
        self._told = sum(report.number <= hello.reports for report in ledger.reports)
        self._spoke_us: int | None = None
        self._has_left = False

    def _welcome(self) -> Welcome:
        """The answer to `Hello`, after a first look at what became of the run's orders."""
        self._desk.reconcile()
        return Welcome(
            version=PROTOCOL,
            venue=self._exchange.name,
            now_us=self._now_us,
            exact=False,
            orders=[standing.order.order_id for standing in self._ledger.unended()],
            known=[one for one in self._hello.waiting if one in self._ledger.standings],
            clock_us=self._exchange.earliest_us(),
        )

    def run(self, should_stop: Callable[[], bool]) -> None:
        """Serve until the loop leaves, the stream ends, or it is to stop.

        A new run is told first that the instant where the exchange stands is complete.

        Raises:
            FeedError: The stream has ended, or the loop says what it may not.
            JournalError: The ledger cannot be written.
        """
        self.begin()
        while not should_stop() and not self._has_left:
            self.step()

    def begin(self) -> None:
        """Welcome the loop."""
        self._send(self._welcome())
        if self._hello.done_us < 0:
            self._send(Complete(at_us=self._now_us))

    def step(self) -> None:
        """Take what the loop says, do what is due, tell what is new."""
        is_busy = self._look()
        self._desk.work()
        self._tell()
        self._listen(0 if is_busy else _LISTENS_US)

    def _listen(self, timeout_us: int) -> None:
        while not self._has_left:
            message = self._link.receive(timeout_us)
            timeout_us = 0
            if message is None:
                return
            if isinstance(message, Orders):
                self._desk.take(message, lost_until_us=self._lost_until_us)
                self._desk.work()
            elif isinstance(message, Goodbye):
                self._has_left = True
            else:
                raise FeedError("a second hello: a stream is one loop's.")

    def _look(self) -> bool:
        """Make at most one request for the exchange's time or bars; whether one was made."""
        if self._clock.monotonic_us() < self._rests_until_us:
            return False
        try:
            return self._measure() or self._ask_for_bars()
        except ThrottledError as pause:
            self._rest(pause.wait_us, str(pause))
        except (UnansweredError, DeclinedError, NotAuthorizedError) as trouble:
            self._rest(self._back_off.next_us(), str(trouble))
        return False

    def _ask_for_bars(self) -> bool:
        asked_us = self._exchange.earliest_us()
        leg = self._watch.due(asked_us)
        if leg is None:
            return False
        from_us, limit = self._watch.question(leg, asked_us)
        found = self._exchange.candles(
            self._markets[leg].name,
            interval_seconds=self._hello.interval_seconds,
            from_us=from_us,
            limit=limit,
        )
        self._back_off.succeeded()
        self._watch.take(leg, found, limit=limit, asked_us=asked_us)
        return True

    @staticmethod
    def _new_back_off(generator: np.random.Generator) -> BackOff:
        return BackOff(generator, first_us=_FIRST_WAIT_US, most_us=_LONGEST_WAIT_US)

    def _rest(self, wait_us: int, why: str) -> None:
        self._rests_until_us = self._clock.monotonic_us() + wait_us
        self._log.write("bars_wait", why=why, wait_seconds=wait_us / 1e6)

    def _tell(self) -> None:
        while self._told < len(self._ledger.reports):
            self._send(self._ledger.reports[self._told])
            self._told += 1
        for message in self._watch.messages():
            self._send(message)
        # It speaks of the exchange, not of this process: silent as long as the exchange does not answer.
        now_us = self._clock.monotonic_us()
        is_silent = self._spoke_us is None or now_us - self._spoke_us >= HEARTBEAT_US
        if is_silent and now_us >= self._rests_until_us:
            self._send(Heartbeat(at_us=self._exchange.earliest_us()))

    def _send(self, message: FromVenue) -> None:
        self._link.send(message)
        self._spoke_us = self._clock.monotonic_us()
