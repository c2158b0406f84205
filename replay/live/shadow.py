"""Shadow parity: while a run lives, its day is computed again beside it, in slices between two messages.

What is found is counted, written to the journal, and by configuration switches a strategy off. The loop's own thread
does that; a slice ends after `SLICE_US`. What cannot be divided (a machine is set up) is done in a thread that touches
nothing of the loop's.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import numpy as np

from ...config.commands import DisableStrategy
from ...config.durations import instant_at
from ...config.schedulers import ShadowParity
from ...engine.bars import MICROSECONDS
from ...errors import in_one_line
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
"""How long one slice keeps the loop, and the one instant that it ends with."""

Look = Generator[Future[Any] | None, None, ShadowDay | None]

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
        self._look: Look | None = None
        self._awaited: Future[Any] | None = None
        self._aside = ThreadPoolExecutor(max_workers=1, thread_name_prefix="shadow")
        self._failure = ""
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
        while self._look is not None and not self._is_waiting() and self._clock.monotonic_us() < until_us:
            self._step(self._look)

    def look(self) -> None:
        """Look at the day so far, at once."""
        self._look = self._steps()
        while self._look is not None:
            if self._awaited is not None:
                wait([self._awaited])
            self._step(self._look)

    def _is_waiting(self) -> bool:
        return self._awaited is not None and not self._awaited.done()

    def _step(self, look: Look) -> None:
        """Do one piece; what is wrong with the shadow itself does not stop the loop."""
        try:
            self._awaited = next(look)
        except StopIteration as over:
            self._look = self._awaited = None
            if over.value is not None:
                self._take(over.value)
        except Exception as error:
            self._look = self._awaited = None
            self._tell_failure(in_one_line(error))

    def _after(self, now_us: int) -> int:
        return (now_us // self._every_us + 1) * self._every_us

    def _steps(self) -> Look:
        """One look, a piece at a time; None where a segment was sealed meanwhile."""
        session, reader = self._session, TailReader()
        segment, day_us = session.journal.segment_seq, session.loop.now_us // _DAY_US * _DAY_US
        for _ in read_tail_before(self._files, self._disk, day_us, reader):
            yield None
        if session.journal.segment_seq != segment:
            self._next_us = session.loop.now_us
            return None
        tail = reader.tail()
        yield None
        closes = [one for one in tail.records if one.startswith(b'"kind":"bars"')]
        until_us = at_us(time_of(closes[-1], "bars")) if closes else tail.now_us or session.machine.setup.start_us
        session.past.flush()
        recorded = self._aside.submit(session.past.read)
        yield recorded
        bars = [one.part(0, int(np.searchsorted(one.closes_us, until_us, side="right"))) for one in recorded.result()]
        yield None
        day = ShadowDay(
            session.plan,
            tail,
            bars,
            start_us=session.machine.setup.start_us,
            day_us=day_us,
            options=session.options,
            run=session.journal.log_id,
            aside=self._aside,
        )
        yield from day.steps()
        return day

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
        self._write(
            found.told(), "disabled" if halts else "acknowledged", found.schedule, strategies, found.live, found.shadow
        )
        for strategy in strategies if halts else ():
            at = instant_at(session.loop.moment_us())
            session.give(DisableStrategy(at=at, strategy=strategy, reason=found.told()), BY_SHADOW)

    def _tell_failure(self, why: str) -> None:
        """Write down that a look could not be finished; the same reason once."""
        if why != self._failure:
            self._failure = why
            self._write(f"the shadow could not look at the day: {why}", "acknowledged", "", [], None, None)

    def _write(
        self,
        message: str,
        status: str,
        schedule: str,
        strategies: Sequence[str],
        live: Mapping[str, Any] | None,
        shadow: Mapping[str, Any] | None,
    ) -> None:
        self._session.journal.append_record(
            {
                "kind": "incident",
                "at": at_text(self._session.loop.now_us),
                "category": "incident",
                "message": message,
                "status": status,
                "by": BY_SHADOW,
                "schedule": schedule,
                "strategies": strategies,
                "live": live,
                "shadow": shadow,
            }
        )
        self._session.commit()

    def _strategies(self, found: Difference) -> list[str]:
        """The strategy of the schedule that a difference is in; where it is in none, all of the run's."""
        resolved = self._session.machine.setup.resolved
        own = [one.strategy.name for one in resolved if one.name == found.schedule]
        return own or sorted({one.strategy.name for one in resolved})


def shadow_of(session: LiveSession, files: JournalFiles, clock: Clock, disk: Disk = REAL_DISK) -> Shadow | None:
    """A run's shadow; None where none is configured."""
    wanted = session.machine.setup.scheduler.shadow_parity
    return None if wanted is None else Shadow(session, wanted, files, clock, disk)
