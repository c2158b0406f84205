"""Event time that goes with the clock: bars as they open, move and close, and reports as things happen to orders."""

from __future__ import annotations

import numpy as np

from ..channel.messages import VERSION, Begun, Complete, Hello, Orders, Unfinished, Welcome
from .manner import Manner
from .paced_run import PacedRun
from .session import Session


class PacedSession(Session):
    """A loop at a paced venue; who comes back is told at once what it has missed."""

    run: PacedRun

    def __init__(self, run: PacedRun, hello: Hello, manner: Manner, now_us: int) -> None:
        super().__init__(run, hello.reports, manner.heartbeat_us, now_us)
        self._manner = manner
        self._event_us = run.event_us(now_us)
        run.advance(self._event_us)
        first = int(run.instants[0])
        at_us = hello.done_us
        if at_us < first:
            at_us = int(run.instants[np.searchsorted(run.instants, self._event_us, "right") - 1])
        self._closed_us = at_us
        self._next = int(np.searchsorted(run.moments, at_us, "right"))
        self.say(
            Welcome(
                version=VERSION, venue=manner.name, now_us=at_us, exact=False,
                orders=run.ledger.open_ids(), known=run.ledger.known_of(hello.waiting),
                clock_us=self._event_us, speed=manner.speed,
            )
        )  # fmt: skip
        if hello.done_us < first:
            self.say(Complete(at_us=at_us))
        self.say_reports(at_us)
        self._begin(at_us)

    @property
    def event_us(self) -> int:
        """Where it stands."""
        return self._event_us

    def hear_orders(self, orders: Orders, now_us: int) -> None:
        """Take orders, at the event time of now."""
        at_us = self.run.event_us(now_us)
        self.run.advance(at_us)
        self.run.hear(orders, at_us)

    def advance(self, now_us: int) -> None:
        """Say what has happened up to now."""
        run = self.run
        self._event_us = run.event_us(now_us)
        run.advance(self._event_us)
        stop = int(np.searchsorted(run.moments, self._event_us, "right"))
        while self._next < stop and not self.is_full:
            self._say_moment(int(run.moments[self._next]))
            self._next += 1
        if self._next == stop:
            self.say_reports(self._event_us)
        if self._next == run.moments.size and self._manner.once and not self.is_over:
            self.refuse("ended", "the recorded bars end here.")

    def _say_moment(self, at_us: int) -> None:
        instants = self.run.instants
        place = int(np.searchsorted(instants, at_us))
        if instants[place] != at_us:
            self.say_reports(at_us)
            if at_us > self._event_us - self.run.legs.interval_us:  # older ones tell nothing that the bar does not
                self._say_unfinished(at_us, only_opening=False)
            return
        for bar in self.run.legs.closed(self._closed_us, at_us):
            self.say(bar)
        self._closed_us = at_us
        self.say(Complete(at_us=at_us))
        self.say_reports(at_us)
        self._begin(at_us)

    def _begin(self, at_us: int) -> None:
        self._say_unfinished(at_us, only_opening=True)
        self.say(Begun(at_us=at_us))

    def _say_unfinished(self, at_us: int, *, only_opening: bool) -> None:
        for leg in range(len(self.run.legs)):
            found = self.run.so_far(leg, at_us)
            if found is not None and (found[0] == at_us or not only_opening):
                ts_us, bar = found
                self.say(Unfinished(leg=leg, ts_us=ts_us, **bar._asdict()))

    def following_us(self) -> int | None:
        """When the clock lets the next moment come, or something happens to an order."""
        run = self.run
        next_us = [int(run.moments[self._next])] if self._next < run.moments.size else []
        action_us = run.action_us()
        if action_us is not None and action_us <= int(run.instants[-1]):
            next_us.append(action_us)
        return min((run.clock_us(at_us) for at_us in next_us), default=None)
