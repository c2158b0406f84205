"""Engines that raise: the schedule is isolated, tried again later and later, and the others go on.

What failed comes from outside, like a command: it is in the journal as a suspension that `health` gave, and a session
that is done again holds the engine back where that says so, whether or not it would fail again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from weakref import proxy

import numpy as np

from ..config.commands import SuspendSchedule
from ..config.durations import instant_at
from ..engine.bars import MICROSECONDS
from ..engine.scheduler.commands import Given
from ..engine.scheduler.machine import SchedulerMachine
from ..engine.scheduler.state import HeldSuspension
from ..engine.scheduler.wishes import FAILURES, RETRY_US, BlockFailedError
from ..errors import in_one_line

BY_HEALTH = "health"
"""Who gives the suspension of a schedule whose engine failed."""

LONGEST_BACK_OFF_SECONDS = 86_400.0
_LONGEST_REASON = 300


class HealthWatch:
    """Looks after the engines of a machine, for an event loop that keeps it.

    The count of failures is part of the machine's state.
    """

    def __init__(self, machine: SchedulerMachine, told: Iterable[Given] = ()) -> None:
        """told: commands of a journal that is done again."""
        self._machine = machine
        self._health = machine.wishes.health
        self._now_us = machine.setup.start_us
        self._orders: list[Given] = []
        self._careful_until = machine.bars.start
        self._recorded = {
            (machine.setup.schedules.index(one.command.schedule), one.at_us)
            for one in told
            if one.by == BY_HEALTH and isinstance(one.command, SuspendSchedule)
        }
        # The machine is this one's, and not the other way round: a ring would keep both, and all of their arrays, until
        # Python looks for rings among what is old.
        machine.wishes.watch = proxy(self)

    def take_bars(self, start: int, stop: int) -> int:
        """Have the machine take the bars `start` to `stop`, or fewer; returns where it stopped.

        While something fails bars are taken one at a time, so that what is isolated, and when, does not depend on how
        many are taken at once.
        """
        machine = self._machine
        self._now_us = machine.begins_us(start)
        stop = self._cut(start, stop)
        try:
            machine.take_bars(start, stop)
        except BlockFailedError:
            self._careful_until, stop = stop, start + 1
            machine.take_bars(start, stop)
        return stop

    def take_columns(self, start: int, stop: int, now_us: int) -> Sequence[Given]:
        """Have the machine lay out the bar that closes now, or none: see `SchedulerMachine.take_columns`.

        Returns:
            Suspensions of the schedules that failed at it.
        """
        self._now_us = now_us
        self._machine.take_columns(start, stop)
        return self.orders() if self._orders else ()

    def _cut(self, start: int, stop: int) -> int:
        recorded = [moment for _, moment in self._recorded]
        if start < self._careful_until or self._health[FAILURES].any() or self._now_us in recorded:
            return start + 1
        closes = self._machine.setup.history.ts_us[start:stop] + self._machine.interval_us
        later = [moment for moment in recorded if moment > self._now_us]
        return min([stop, *(start + max(int(np.searchsorted(closes, moment)), 1) for moment in later)])

    def orders(self) -> Sequence[Given]:
        """Suspensions of the schedules that failed in the block."""
        orders, self._orders = self._orders, []
        return orders

    def may_try(self, schedule: int) -> bool:
        """Whether its time has come, and it is not known to have failed here."""
        if (schedule, self._now_us) in self._recorded:
            self._count(schedule)
            return False
        return self._now_us >= int(self._health[RETRY_US, schedule])

    def failed(self, schedule: int, error: Exception) -> None:
        """Have it suspended until it is tried again; one that is suspended for longer stays so."""
        reason = f"engine failed: {in_one_line(error)}"[:_LONGEST_REASON]
        name, held = self._machine.setup.schedules[schedule], self._held(schedule)
        until_us: int | None = self._count(schedule)
        if held is not None:
            reason = f"{reason} (suspended before: {held.reason or 'no reason'})"
            end_us = held.expires_at_us
            until_us = None if end_us is None or until_us is None else max(until_us, end_us)
        command = SuspendSchedule(
            at=instant_at(self._now_us),
            schedule=name,
            reason=reason,
            until=None if until_us is None else instant_at(until_us),
        )
        self._orders.append(Given(command=command, by=BY_HEALTH))

    def succeeded(self, schedule: int) -> None:
        """It is as good as one that never failed."""
        self._health[FAILURES, schedule] = self._health[RETRY_US, schedule] = 0

    def _count(self, schedule: int) -> int:
        """One failure more in a row; returns when it is tried again, where a bar may close."""
        interval_us, scheduler = self._machine.interval_us, self._machine.setup.scheduler
        self._health[FAILURES, schedule] += 1
        doubled = scheduler.health_check_interval * 2.0 ** min(int(self._health[FAILURES, schedule]) - 1, 40)
        seconds = min(doubled, max(LONGEST_BACK_OFF_SECONDS, scheduler.health_check_interval))
        retry_us = -(-(self._now_us + round(seconds * MICROSECONDS)) // interval_us) * interval_us
        self._health[RETRY_US, schedule] = retry_us
        return retry_us

    def _held(self, schedule: int) -> HeldSuspension | None:
        name = self._machine.setup.schedules[schedule]
        found = (one for one in self._machine.state.suspensions if (one.source, one.name) == ("schedule", name))
        return next((one for one in found if one.expires_at_us is None or one.expires_at_us > self._now_us), None)
