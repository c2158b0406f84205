"""The stub venue without sockets, threads or a clock: a simulated world can drive it as a server does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...engine.bars import MICROSECONDS, Bars
from ...errors import DataError
from ..channel.messages import Hello, HistoryRequest, Leg, Refusal
from ..journal.record import at_text
from .exact_run import ExactRun
from .exact_session import ExactSession
from .greeting import refusal_of
from .ledger import RunLedger
from .legs import Legs
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
        run = refusal_of(hello, exact=self.manner.exact) or self._run(hello, now_us)
        if isinstance(run, Refusal):
            return run
        before = self._sessions.get(hello.run)
        if before is not None and not before.is_over:
            before.refuse("superseded", "the run has connected again.")
        session = self._sessions[hello.run] = _session(run, hello, self.manner, now_us)
        return session

    def ledger_entries(self) -> Iterator[dict[str, Any]]:
        """Every order of every run, in the order in which they came."""
        for ledger in self.ledgers:
            for entry in ledger.entries.values():
                yield entry.to_dict(ledger.run)

    def is_done(self, now_us: int) -> bool:
        """Whether runs have come, and all of them have gone through the recorded bars."""
        return bool(self.runs) and all(run.is_finished(now_us) for run in self.runs.values())

    def history(self, request: HistoryRequest) -> Bars:
        """Closed bars of a leg.

        Raises:
            DataError: The leg is not recorded.
        """
        bars = self._closed(request.leg, request.interval_seconds)
        first = int(np.searchsorted(bars.ts_us, request.from_us))
        stop = int(np.searchsorted(bars.closes_us, request.to_us, "right"))
        return bars.part(first, max(first, stop))

    def _closed(self, leg: Leg, interval_seconds: int) -> Bars:
        """The bars of a leg that are closed at the end."""
        bars, end_us = self.market.bars(leg.venue, leg.symbol, interval_seconds), self.manner.end_us
        return bars if end_us is None else bars.part(0, int(np.searchsorted(bars.closes_us, end_us, "right")))

    def _run(self, hello: Hello, now_us: int) -> ExactRun | PacedRun | Refusal:
        """The run of a loop, which may be new."""
        run = self.runs.get(hello.run)
        made = 0 if run is None else len(run.ledger.reports)
        if hello.reports > made:
            text = f"run {hello.run} has {hello.reports} reports; this venue has made {made} of it."
            return Refusal(code="unknown_run", message=text)
        if run is None:
            try:
                run = self.runs[hello.run] = self._open_run(hello, now_us)
            except DataError as error:
                return Refusal(code="leg", message=str(error))
        return run

    def _open_run(self, hello: Hello, now_us: int) -> ExactRun | PacedRun:
        manner = self.manner
        legs = Legs([self._closed(leg, hello.interval_seconds) for leg in hello.legs])
        if not any(map(len, legs.bars)):
            raise DataError("there is not one whole bar of any leg in this interval.")
        start_us = (
            legs.first_us + manner.history_bars * legs.interval_us if manner.start_us is None else manner.start_us
        )
        end_us = legs.last_us
        if start_us >= end_us:
            raise DataError(f"the venue would begin at {at_text(start_us)}, and its bars end at {at_text(end_us)}.")
        step_us = legs.interval_us if manner.step_seconds is None else manner.step_seconds * MICROSECONDS
        instants = legs.instants(start_us, end_us, step_us)
        if manner.exact:
            return ExactRun(hello, legs, instants)
        return PacedRun(hello, legs, instants, manner, now_us)


def _session(run: ExactRun | PacedRun, hello: Hello, manner: Manner, now_us: int) -> Session:
    if isinstance(run, ExactRun):
        return ExactSession(run, hello, manner, now_us)
    return PacedSession(run, hello, manner, now_us)
