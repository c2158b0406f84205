"""Shadow parity: while a run lives, its day is computed again beside it, in slices between two messages.

What is found is counted, written to the journal, and by configuration switches a strategy off. Only the loop's own
thread does any of it: a slice ends after `SLICE_US`, and a message that has come is never kept waiting for the next.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...config.commands import DisableStrategy
from ...config.durations import instant_at
from ...config.schedulers import ShadowParity
from ...engine.bars import MICROSECONDS
from ..clock import Clock
from ..journal.disk import REAL_DISK, Disk
from ..journal.files import JournalFiles
from ..journal.record import at_text, at_us, time_of
from .session import LiveSession
from .shadow_day import Difference, ShadowDay
from .tail import TailReader, read_tail_before

BY_SHADOW = "shadow"
"""Who switches a strategy off."""

SLICE_US = 2_000
"""How long the loop may be kept by one slice, but for what cannot be divided: one instant, or one machine set up."""

_DAY_US = 86_400 * MICROSECONDS


class Shadow:
    """Looks at a run's day, again and again.

    Attributes:
        looks: How many were finished.
        differences: How many differences were found, each counted once.
        equity_gap: How much more the live equity has grown today than that of orders which are filled as a backtest's.
        last: The difference that was found last; None: none was.
    """

    def __init__(
        self, session: LiveSession, wanted: ShadowParity, files: JournalFiles, clock: Clock, disk: Disk = REAL_DISK
    ) -> None:
        """A shadow of a run. wanted: how it is configured; files, disk: the run's journal."""
        self._session, self._wanted, self._files, self._clock, self._disk = session, wanted, files, clock, disk
        self._every_us = round(wanted.every * MICROSECONDS)
        self._next_us = self._after(session.loop.now_us)
        self._look: Iterator[None] | None = None
        self.looks = self.differences = 0
        self.equity_gap = 0.0
        self.last: Difference | None = None

    def slice(self) -> None:
        """Do a part of what is due, and write down what is found."""
        loop = self._session.loop
        if self._look is None:
            if not loop.has_begun or loop.is_stopped or loop.now_us < self._next_us:
                return
            self._look, self._next_us = self._steps(), self._after(loop.now_us)
        until_us = self._clock.monotonic_us() + SLICE_US
        while self._look is not None and self._clock.monotonic_us() < until_us:
            if next(self._look, _OVER) is _OVER:
                self._look = None

    def look(self) -> None:
        """Look at the day so far, at once."""
        for _ in self._steps():
            pass

    def _after(self, now_us: int) -> int:
        return (now_us // self._every_us + 1) * self._every_us

    def _steps(self) -> Iterator[None]:
        """One look, a piece at a time."""
        session, reader = self._session, TailReader()
        segment, day_us = session.journal.segment_seq, session.loop.now_us // _DAY_US * _DAY_US
        yield from read_tail_before(self._files, self._disk, day_us, reader)
        if session.journal.segment_seq != segment:
            return  # a segment was sealed meanwhile: the next look reads on
        tail = reader.tail()
        yield
        closes = [one for one in tail.records if one.startswith(b'"kind":"bars"')]
        until_us = at_us(time_of(closes[-1], "bars")) if closes else tail.now_us or session.machine.setup.start_us
        yield
        bars = [one.part(0, int(np.searchsorted(one.closes_us, until_us, side="right"))) for one in session.past.read()]
        yield
        day = ShadowDay(
            session.plan,
            tail,
            bars,
            start_us=session.machine.setup.start_us,
            day_us=day_us,
            options=session.options,
            run=session.journal.log_id,
        )
        yield from day.steps()
        self._take(day)

    def _take(self, day: ShadowDay) -> None:
        self.looks += 1
        if day.equity_gap is not None:
            self.equity_gap = day.equity_gap
        if day.difference is not None and day.difference != self.last:
            self.last = day.difference
            self.differences += 1
            self._tell(day.difference)

    def _tell(self, found: Difference) -> None:
        """Write a difference down, and switch off what it is in where that is wanted."""
        session, strategies = self._session, self._strategies(found)
        halts = self._wanted.on_difference == "halt"
        session.journal.append_record(
            {
                "kind": "incident",
                "at": at_text(session.loop.now_us),
                "category": "incident",
                "message": found.told(),
                "status": "disabled" if halts else "acknowledged",
                "by": BY_SHADOW,
                "schedule": found.schedule,
                "strategies": strategies,
                "live": found.live,
                "shadow": found.shadow,
            }
        )
        session.commit()
        for strategy in strategies if halts else ():
            at = instant_at(session.loop.moment_us())
            session.give(DisableStrategy(at=at, strategy=strategy, reason=found.told()), BY_SHADOW)

    def _strategies(self, found: Difference) -> list[str]:
        """The strategy of the schedule that a difference is in; where it is in none, all of the run's."""
        resolved = self._session.machine.setup.resolved
        own = [one.strategy.name for one in resolved if one.name == found.schedule]
        return own or sorted({one.strategy.name for one in resolved})


_OVER = object()


def shadow_of(session: LiveSession, files: JournalFiles, clock: Clock, disk: Disk = REAL_DISK) -> Shadow | None:
    """A run's shadow; None where none is configured."""
    wanted = session.machine.setup.scheduler.shadow_parity
    return None if wanted is None else Shadow(session, wanted, files, clock, disk)
