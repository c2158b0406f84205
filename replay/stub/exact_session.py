"""Lock step: an instant's bars, the loop's orders, the fills at the opens; then the next instant."""

from __future__ import annotations

from math import inf, isnan

import numpy as np

from ..channel.messages import VERSION, Begun, Complete, Hello, Orders, Unfinished, Welcome
from .exact_run import ExactRun
from .manner import Manner
from .session import Session


class ExactSession(Session):
    """A loop at an exact venue; event time stands still while it is away."""

    run: ExactRun

    def __init__(self, run: ExactRun, hello: Hello, manner: Manner, now_us: int) -> None:
        super().__init__(run, hello.reports, manner.heartbeat_us, now_us)
        self._manner = manner
        begins_us = int(run.instants[0])
        self._at_us = max(hello.done_us, begins_us)
        self._anchor_us = (now_us, self._at_us)
        self._is_answered = self._is_begun = False
        self._asked_us = now_us
        run.open_before(self._at_us)
        self.say(
            Welcome(
                version=VERSION, venue=manner.name, now_us=self._at_us, exact=True,
                orders=run.ledger.open_ids(), known=run.ledger.known_of(hello.waiting), speed=0.0,
            )
        )  # fmt: skip
        if hello.done_us < begins_us:
            self.say(Complete(at_us=begins_us))
        elif run.opened_us() >= self._at_us:
            self._is_answered = True  # its orders came before the stream ended; what came of them may not have

    @property
    def event_us(self) -> int:
        """Where it stands."""
        return self._at_us

    def hear_orders(self, orders: Orders, now_us: int) -> None:  # noqa: ARG002 - event time goes with the loop
        """Take orders; those of the instant that is waited for let the bars open."""
        if orders.at_us > self._at_us:
            self.refuse("ahead", f"these are orders of {orders.at_us}; the venue stands at {self._at_us}.")
            return
        self.run.hear(orders, max(self.run.opened_us(), self._at_us))
        self._is_answered |= orders.at_us == self._at_us

    def advance(self, now_us: int) -> None:
        """Let the bars open once the orders are there, and say what has closed at the next instant."""
        if self._is_answered:
            self._is_answered = False
            self._open()
            self._is_begun = True
        if self._is_begun and not self._is_last() and now_us >= self._clock_us(self._next_instant_us()):
            self._is_begun, self._asked_us = False, now_us
            self._complete()
        if not self._is_begun and now_us - self._asked_us > self._manner.patience_us:
            self.refuse("unanswered", f"there were no orders for {self._at_us}, not even none; connect again.")

    def _open(self) -> None:
        at_us, legs = self._at_us, self.run.legs
        self.run.open_through(at_us)
        self.say_reports(at_us)
        for leg, price in enumerate(legs.opening(at_us).tolist()):
            if not isnan(price):
                self.say(Unfinished(leg=leg, ts_us=at_us, open=price, high=price, low=price, close=price, volume=0.0))
        self.say(Begun(at_us=at_us))
        if self._is_last() and self._manner.once:
            self.refuse("ended", "the recorded bars end here.")

    def _complete(self) -> None:
        following = self._next_instant_us()
        for bar in self.run.legs.closed(self._at_us, following):
            self.say(bar)
        self._at_us = following
        self.say(Complete(at_us=following))

    def _place(self) -> int:
        return int(np.searchsorted(self.run.instants, self._at_us, "right"))

    def _is_last(self) -> bool:
        return self._place() == self.run.instants.size

    def _next_instant_us(self) -> int:
        return int(self.run.instants[self._place()])

    def _clock_us(self, instant_us: int) -> int:
        began_us, from_us = self._anchor_us
        return began_us if self._manner.speed == inf else began_us + round((instant_us - from_us) / self._manner.speed)

    def following_us(self) -> int | None:
        """When the clock lets the next instant come; None where the loop's orders are waited for."""
        return self._clock_us(self._next_instant_us()) if self._is_begun and not self._is_last() else None
