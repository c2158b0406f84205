"""The stub venue without sockets, threads or a clock: a simulated world can drive it as a server does."""

from __future__ import annotations

import numpy as np

from ...engine.bars import MICROSECONDS, Bars
from ...errors import DataError
from ...kernels.account import HEDGED, LOT
from ...kernels.venue import VENUE_RULES
from ..channel.messages import VERSION, Hello, HistoryRequest, Refusal
from .account import not_plain
from .exact_run import ExactRun
from .exact_session import ExactSession
from .legs import Legs
from .ledger import RunLedger
from .manner import Manner
from .market import Market
from .paced_run import PacedRun
from .paced_session import PacedSession
from .session import Session


class StubVenue:
    """A venue over recorded bars.

    Attributes:
        market: What is recorded.
        manner: How it behaves.
        runs: By its id each run that ever connected.
    """

    def __init__(self, market: Market, manner: Manner) -> None:
        self.market, self.manner = market, manner
        self.runs: dict[str, ExactRun | PacedRun] = {}
        self._sessions: dict[str, Session] = {}

    @property
    def ledgers(self) -> list[RunLedger]:
        """Orders and reports of all runs."""
        return [run.ledger for run in self.runs.values()]

    def connect(self, hello: Hello, now_us: int) -> Session | Refusal:
        """A session for a loop, or why there is none. The run's session that is open is over.

        now_us: Time on the clock, which need not be the wall's.
        """
        refusal = _refusal(hello, exact=self.manner.exact)
        if refusal is not None:
            return refusal
        try:
            run = self.runs.get(hello.run) or self._open_run(hello, now_us)
        except DataError as error:
            return Refusal(code="leg", message=str(error))
        if isinstance(run, Refusal):
            return run
        if hello.reports > len(run.ledger.reports):
            text = f"run {hello.run} has {hello.reports} reports; this venue has made {len(run.ledger.reports)} of it."
            return Refusal(code="unknown_run", message=text)
        self.runs[hello.run] = run
        before = self._sessions.get(hello.run)
        if before is not None and not before.is_over:
            before.refuse("superseded", "the run has connected again.")
        session = _session(run, hello, self.manner, now_us)
        self._sessions[hello.run] = session
        return session

    def is_done(self, now_us: int) -> bool:
        """Whether runs have come, and all of them have gone through the recorded bars."""
        return bool(self.runs) and all(run.is_finished(now_us) for run in self.runs.values())

    def history(self, request: HistoryRequest) -> Bars:
        """Closed bars of a leg.

        Raises:
            DataError: The leg is not recorded.
        """
        bars = self.market.bars(request.leg.venue, request.leg.symbol, request.interval_seconds)
        end_us = request.to_us if self.manner.end_us is None else min(request.to_us, self.manner.end_us)
        first = int(np.searchsorted(bars.ts_us, request.from_us))
        stop = int(np.searchsorted(bars.closes_us, end_us, "right"))
        return bars.part(first, max(first, stop))

    def _open_run(self, hello: Hello, now_us: int) -> ExactRun | PacedRun | Refusal:
        manner = self.manner
        legs = Legs([self.market.bars(leg.venue, leg.symbol, hello.interval_seconds) for leg in hello.legs])
        if not any(len(own) for own in legs.bars):
            return Refusal(code="leg", message="there are no bars of any leg in this interval.")
        start_us = manner.start_us
        if start_us is None:
            start_us = legs.first_us + manner.history_bars * legs.interval_us
        end_us = legs.last_us if manner.end_us is None else min(legs.last_us, manner.end_us)
        if start_us >= end_us:
            text = f"the venue would begin at {start_us} and its bars end at {end_us}: ask it for less history."
            return Refusal(code="leg", message=text)
        step_us = legs.interval_us if manner.step_seconds is None else manner.step_seconds * MICROSECONDS
        instants = legs.instants(start_us, end_us, step_us)
        if manner.exact:
            return ExactRun(hello, legs, instants)
        return PacedRun(hello, legs, instants, manner, now_us)


def _session(run: ExactRun | PacedRun, hello: Hello, manner: Manner, now_us: int) -> Session:
    if isinstance(run, ExactRun):
        return ExactSession(run, hello, manner, now_us)
    return PacedSession(run, hello, manner, now_us)


def _refusal(hello: Hello, *, exact: bool) -> Refusal | None:
    """Why a loop cannot be served, as far as its own words tell; None where it can."""
    if hello.version != VERSION:
        return Refusal(code="version", message=f"version {hello.version} of the protocol; this venue speaks {VERSION}.")
    book, legs = hello.book, hello.legs
    schedules = range(len(book.schedules))
    if not legs or hello.interval_seconds < 1 or not 0 < book.instruments <= len(legs):
        return Refusal(code="book", message="legs, instruments and an interval of a second or more are needed.")
    if not schedules or sorted(book.order) != list(schedules) or any(leg.pair >= len(legs) for leg in legs):
        return Refusal(code="book", message="the order must name each schedule once, and a pair must be a leg.")
    if len(book.rules) != len(schedules) or any(len(row) != VENUE_RULES for row in book.rules):
        return Refusal(code="book", message=f"each schedule has {VENUE_RULES} rules.")
    rules = np.array(book.rules)
    if (rules[:, LOT] != rules[0, LOT]).any() or not rules[0, LOT] > 0.0:
        return Refusal(code="book", message="the lot must be the same for all schedules, and above 0.")
    if (rules[:, HEDGED] != 0.0).any() and not any(leg.pair >= 0 for leg in legs):
        return Refusal(code="book", message="a schedule trades pairs and no leg has a second one.")
    more = not_plain(rules) if exact else []
    if more:
        text = f"{', '.join(more)}: an exact venue knows market orders that fill in full at the next open."
        return Refusal(code="rules", message=text)
    return None
