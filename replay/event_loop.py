"""A scheduler in event time: one instant after the other, and between them whatever comes from outside.

The same machine that a backtest turns in blocks is turned here instant by instant. What is decided is written down
before anybody hears of it: first the journal, then the listeners.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Protocol

from ..config.commands import AnyCommand
from ..engine.scheduler_commands import CommandQueue, Given
from ..engine.scheduler_machine import SchedulerMachine
from ..engine.scheduler_state import due_expiries
from ..engine.scheduler_transitions import Event
from ..kernels.scheduler.loop import TIME


class Listener(Protocol):
    """What hears of everything, in order."""

    def event(self, now_us: int, event: Event, by: str) -> None:
        """A command was applied, or something has ended."""

    def instant(self, now_us: int, place: int) -> None:
        """All of an instant is done. place: its place in the machine's timeline."""

    def block(self, next_bar: int) -> None:
        """The bars that were taken are done. next_bar: place in the history of the one that comes next."""


class EventLoop:
    """Turns a scheduler's machine.

    Attributes:
        machine: The scheduler.
        now_us: The instant that was done last; before the first one, just before it.
        next_bar: Place in the history of the bar that is taken next.
        listeners: Who hears of what is done.
        block_bars: Bars whose wishes are made at a time.
    """

    def __init__(
        self,
        machine: SchedulerMachine,
        commands: Sequence[Given] = (),
        listeners: Sequence[Listener] = (),
        *,
        block_bars: int | None = None,
        next_bar: int | None = None,
    ) -> None:
        """block_bars: bars whose wishes are made at a time, by default those of the setup.

        next_bar: where a machine that was restored goes on.
        """
        self.machine = machine
        self.next_bar = machine.bars.start if next_bar is None else next_bar
        self.now_us = machine.begins_us(self.next_bar) - 1
        self._commands = CommandQueue(commands)
        self.listeners = tuple(listeners)
        self.block_bars = block_bars or machine.setup.block_bars
        self._times: list[int] = []
        self._at, self._event_us = 0, 0
        if next_bar is None:
            machine.warm_up()

    @property
    def is_between_bars(self) -> bool:
        """Whether all instants of the bars that were taken are done: a checkpoint can be made."""
        return self._at == len(self._times)

    def give(self, command: AnyCommand, by: str) -> None:
        """Have a command applied at its instant, or at the next one where that is past."""
        self._commands.put(Given(command=command, by=by))
        self._look_ahead()

    def next_us(self) -> int | None:
        """The instant that is done next; None at the end."""
        if self._at == len(self._times) and not self._take_bars():
            return None
        return self._times[self._at]

    def step(self) -> bool:
        """Do everything of the next instant; False where there is none."""
        now = self.next_us()
        if now is None:
            return False
        place = self._at
        if now >= self._event_us:
            self._take_events(now)
        while self.machine.run(place, place + 1) == place:
            pass  # a table was full, or the governor halts: both are seen to
        self.now_us, self._at = now, place + 1
        for listener in self.listeners:
            listener.instant(now, place)
        if self._at == len(self._times):
            for listener in self.listeners:
                listener.block(self.next_bar)
        return True

    def burst(self, *, single_steps: bool = False) -> bool:
        """Do all instants up to the next event or the end of the bars taken, unheard; False where there is none.

        single_steps: one call of the kernel for each.
        """
        now = self.next_us()
        if now is None:
            return False
        if now >= self._event_us:
            self._take_events(now)
        times, run, at, count, event_us = self._times, self.machine.run, self._at, len(self._times), self._event_us
        if single_steps:
            while at < count and times[at] < event_us:
                at = run(at, at + 1)
        else:
            stop = bisect_left(times, event_us)
            while at < stop:
                at = run(at, stop)
        self._at, self.now_us = at, times[at - 1]
        return True

    def _take_bars(self) -> bool:
        machine, start = self.machine, self.next_bar
        if start >= machine.bars.stop:
            return False
        self.next_bar = min(start + self.block_bars, machine.bars.stop)
        machine.take_bars(start, self.next_bar)
        self._at = 0
        self._look_ahead()
        return True

    def _take_events(self, now: int) -> None:
        machine = self.machine
        for given in self._commands.take(now):
            self._apply(now, given.command, given.by)
        for expired in due_expiries(machine.state, now):
            self._apply(now, expired, "")
        self._look_ahead()

    def _apply(self, now: int, event: Event, by: str) -> None:
        self.machine.event(event, now)
        for listener in self.listeners:
            listener.event(now, event, by)

    def _look_ahead(self) -> None:
        """See when something happens next, and that it has an instant; instants that are done keep their places."""
        self._event_us = self.machine.next_event(max(self._commands.next_us(), self.now_us + 1))
        self._times = self.machine.timeline[TIME].tolist()
