"""How a running scheduler stands, for people who watch it."""

from __future__ import annotations

from collections import Counter

from ..engine.bars import MICROSECONDS
from ..engine.reasons import DECISIONS
from ..engine.scheduler.machine import SchedulerMachine
from ..engine.scheduler.state import Expired
from ..engine.scheduler.transitions import Event, GovernorHalted
from ..kernels.scheduler import layout
from .journal.record import at_text
from .news import News


class Monitor:
    """Hears of what a scheduler does and keeps what is shown of it.

    Attributes:
        headings: Of the columns of `rows`.
        events: Commands and what has ended, a line each.
    """

    headings = ("schedule", "last run", "weight", "accepted", "dropped", "mostly because", "held back")

    def __init__(self, machine: SchedulerMachine) -> None:
        self.events: list[str] = []
        self._machine = machine
        self._now_us = machine.setup.start_us
        self._accepted: Counter[int] = Counter()
        self._dropped: dict[int, Counter[int]] = {}
        self._news = News(machine)

    def event(self, now_us: int, event: Event, by: str) -> None:
        """Keep a line of it."""
        if isinstance(event, Expired):
            text = f"ended: {' '.join(event.key)}"
        elif isinstance(event, GovernorHalted):
            text = f"the governor halts: {event.reason}"
        else:
            fields = {name: getattr(event, name) for name in event.__struct_fields__ if name != "at"}
            told = ", ".join(f"{name}={value}" for name, value in fields.items() if value not in (None, "", False))
            text = f"{event.__struct_config__.tag}{f' ({told})' if told else ''} by {by}"
        self.events.append(f"{at_text(now_us)} {text}")

    def instant(self, now_us: int, _place: int) -> None:
        """Count its signals."""
        self._now_us = now_us
        cells = self._machine.arrays.upcoming.shape[1]
        for row in self._news.rows().decisions:
            s = int(row[layout.DECIDED_CELL]) // cells
            if row[layout.IS_ACCEPTED]:
                self._accepted[s] += 1
            else:
                self._dropped.setdefault(s, Counter())[int(row[layout.DECIDED_REASON])] += 1

    @property
    def heading(self) -> str:
        """Where the run is, in one line."""
        machine, account = self._machine, self._machine.arrays.account
        equity, peak = float(account[layout.EQUITY]), float(account[layout.PEAK])
        dropped = sum(sum(each.values()) for each in self._dropped.values())
        done = machine.setup.panel.ts_us.searchsorted(self._now_us - machine.interval_us, side="right")
        return (
            f"{at_text(self._now_us)[:16]}Z {machine.setup.name}: {done:,} of {len(machine.bars):,} bars, "
            f"{machine.state.mode.name}, equity {equity:,.2f} ({(equity / peak - 1.0) * 100.0:.2f} % from its peak), "
            f"{self._accepted.total():,} signals accepted, {dropped:,} dropped"
        )

    def rows(self) -> list[tuple[str, ...]]:
        """A row a schedule, in declared order."""
        return [self._row(s) for s in self._machine.arrays.order.tolist()]

    def _row(self, s: int) -> tuple[str, ...]:
        machine = self._machine
        schedules, one = machine.arrays.schedules, machine.setup.resolved[s]
        last_us = int(schedules[layout.RUN, s] * schedules[layout.CADENCE, s])
        dropped = self._dropped.get(s, Counter())
        mostly = DECISIONS[dropped.most_common(1)[0][0]] if dropped else ""
        return (
            one.name,
            at_text(last_us)[5:16].replace("T", " ") if last_us >= machine.setup.start_us else "–",
            f"{schedules[layout.WEIGHT, s]:.3f}",
            f"{self._accepted[s]:,}",
            f"{dropped.total():,}",
            mostly,
            self._held_back(s),
        )

    def _held_back(self, s: int) -> str:
        """Why a schedule does nothing, and until when."""
        state, traits = self._machine.state, self._machine.setup.resolved[s].traits
        for strategy in state.disabled:
            if strategy.concerns(traits):
                return f"disabled: {strategy.reason}" if strategy.reason else "disabled"
        for entry in state.suspensions:
            if entry.concerns(traits):
                left = "" if entry.expires_at_us is None else f", {_duration(entry.expires_at_us - self._now_us)} left"
                return f"{entry.reason or 'suspended'} ({entry.source}{left})"
        return ""


def _duration(us: int) -> str:
    minutes, seconds = divmod(max(us, 0) // MICROSECONDS, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"
