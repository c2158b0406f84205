"""A scheduler in event time: one instant after the other, and between them whatever comes from outside.

The same machine that a backtest turns in blocks is turned here instant by instant. What is decided is written down
before anybody hears of it: first the journal, then the listeners. Where nobody listens, a few instants are worked out
at a stretch, and then their groups of records are made durable, one after the other.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from ..config.commands import AnyCommand
from ..engine.bars import MICROSECONDS
from ..engine.scheduler.arrays import NEVER_US
from ..engine.scheduler.commands import CommandQueue, Given
from ..engine.scheduler.machine import SchedulerMachine
from ..engine.scheduler.setup import check_block_bars
from ..engine.scheduler.state import due_expiries
from ..engine.scheduler.transitions import Event
from ..errors import UsageError
from ..kernels.scheduler import layout
from ..kernels.scheduler.loop import TIME
from .undivided import Undivided


class Listener(Protocol):
    """What hears of everything, in order."""

    def event(self, now_us: int, event: Event, by: str) -> None:
        """A command was applied, or something has ended."""

    def instant(self, now_us: int, place: int) -> None:
        """All of an instant is done. place: its place in the machine's timeline."""

    def block(self, next_bar: int) -> None:
        """The bars that were taken are done. next_bar: place in the history of the one that comes next."""


class Writer(Listener, Protocol):
    """Who writes everything down, before anybody else hears of it: of each instant a group of records."""

    def commit(self) -> None:
        """Make the groups durable, one after the other."""


class Drift(Protocol):
    """How late runs start."""

    def drift_us(self, now_us: int) -> float:
        """Microseconds from a due time to the start of its runs, which is now."""

    def excused(self, now_us: int) -> Sequence[int]:
        """Places of the schedules that run however late it is."""


class Health(Protocol):
    """Who looks after engines that raise."""

    def take_bars(self, start: int, stop: int) -> int:
        """Have the machine take the bars `start` to `stop`, or fewer; returns where it stopped."""

    def orders(self) -> Sequence[Given]:
        """Commands that follow from what failed in the block; they apply with its first instant."""


class Timer(Protocol):
    """What times instants. A listener that is told of one knows that it is done."""

    def start(self) -> None:
        """What belongs to the next instant begins, or goes on."""

    def stop(self) -> None:
        """It is interrupted."""


class Moments(Protocol):
    """What a command can be given to at once."""

    now_us: int

    def moment_us(self, wanted_us: int = 0) -> int:
        """The instant of a command that is given at once: the one nearest to a wanted one."""


def given_at_once(loop: Moments, command: AnyCommand, by: str) -> Given:
    """A command that a loop is to apply now; its `at` is one of the loop's moments.

    Raises:
        UsageError: Its instant is past, or something else comes before it.
    """
    given = Given(command=command, by=by)
    if given.at_us != loop.moment_us(given.at_us):
        raise UsageError(
            f"a command at {given.at_us} cannot be applied at once; what is done goes to {loop.now_us} "
            "(microseconds since the epoch)"
        )
    return given


HELD_INSTANTS = 64
"""Instants whose groups of records wait for the disk together, at most.

A process that comes back from the disk finds its caches cold: what it works out between two waits takes twice as long
as what it works out at a stretch. More than these gain nothing, and these are soon written.
"""


class EventLoop:
    """Turns a scheduler's machine.

    Attributes:
        machine: The scheduler.
        now_us: The instant that was done last; before the first one, just before it.
        next_bar: Place in the history of the bar that is taken next.
        writer: Who writes down what is done; None: nobody.
        listeners: Who hears of what is done, once it is durable.
        drift: How late runs start; None: as late as the setup states.
        timer: What times instants, up to where the journal has them; None: nothing does.
        block_bars: Bars whose wishes are made at a time.
    """

    def __init__(
        self,
        machine: SchedulerMachine,
        commands: Sequence[Given] = (),
        listeners: Sequence[Listener] = (),
        *,
        writer: Writer | None = None,
        block_bars: int | None = None,
        next_bar: int | None = None,
        now_us: int | None = None,
        health: Health | None = None,
    ) -> None:
        """block_bars: bars whose wishes are made at a time, 1 or more; by default, and at most, those of the setup.

        next_bar, now_us: where a machine that was restored goes on, and the instant that it has done last.
        health: who looks after engines that raise; None: nobody, and the error is the caller's.
        """
        room = machine.setup.block_bars  # the machine's arrays hold so many
        self.block_bars = room if block_bars is None else min(block_bars, room)
        check_block_bars(self.block_bars)
        self.machine = machine
        self.next_bar = machine.bars.start if next_bar is None else next_bar
        self.now_us = machine.begins_us(self.next_bar) - 1 if now_us is None else now_us
        self.drift: Drift | None = None
        self.timer: Timer | None = None
        self._stated_us = machine.setup.drift_seconds * MICROSECONDS
        self._max_drift = machine.arrays.schedules[layout.MAX_DRIFT].copy()
        self._begun = self.next_bar > machine.bars.start
        self._commands = CommandQueue(commands)
        self._health = health
        self.writer, self.listeners = writer, tuple(listeners)
        self._times: list[int] = []
        self._at, self._event_us = 0, 0
        self._undivided = Undivided("the event loop")
        if next_bar is None:
            machine.warm_up()

    @property
    def has_begun(self) -> bool:
        """Whether an instant is done."""
        return self._begun

    @property
    def is_between_bars(self) -> bool:
        """Whether all instants of the bars that were taken are done: a checkpoint can be made."""
        return self._at == len(self._times) and not self.is_stopped

    @property
    def is_stopped(self) -> bool:
        """Whether an error came in the middle of an instant or a burst: nothing more is done.

        What is there is not whole, or the journal has not all of it.
        """
        return self._undivided.stopped_by is not None

    def give(self, command: AnyCommand, by: str) -> None:
        """Have a command applied at its instant, or at the next one where that is past."""
        self._commands.put(Given(command=command, by=by))
        self._look_ahead()

    def moment_us(self, wanted_us: int = 0) -> int:
        """The instant of a command that is given at once: the one nearest to a wanted one.

        It lies after what is done and before what comes next; where nothing is done yet it is the start.
        """
        if not self._begun:
            return self.now_us + 1
        later = max(self.machine.until_us, self.machine.begins_us(self.next_bar))
        following = self._times[self._at] if self._at < len(self._times) else later
        return max(self.now_us + 1, min(wanted_us, following - 1))

    def give_at_once(self, command: AnyCommand, by: str) -> None:
        """Apply a command now; its `at` is a `moment_us`.

        At the start its instant's other events are still to come. After the last bar, too, it changes the state.

        Raises:
            UsageError: Its instant is past, or something else comes before it.
        """
        given = given_at_once(self, command, by)
        with self._undivided:
            self._commands.put(given)
            if self._begun:
                self._look_ahead()
                self.step()
            else:
                self.apply_waiting()

    def apply_waiting(self) -> None:
        """Before anything is done: apply the commands of the start, whose other events are still to come."""
        with self._undivided:
            self._take_events(self.machine.setup.start_us)

    def next_us(self) -> int | None:
        """The instant that is done next; None at the end."""
        with self._undivided:
            if self._at == len(self._times) and not self._take_bars() and not self._take_afterthought():
                return None
            return self._times[self._at]

    def step(self) -> bool:
        """Do everything of the next instant; False where there is none.

        An error in the middle of it, also one of a listener, stops the loop for good: it is raised again by whatever
        would go on.
        """
        now = self.next_us()
        if now is None:
            return False
        with self._undivided:
            if self.timer is not None:
                self.timer.start()
            self._do(now)
        return True

    def advance(self) -> bool:
        """Do what comes next; False where there is nothing.

        It is one instant where somebody hears of it, measures it or makes it late, otherwise a burst of them.
        """
        is_watched = bool(self.listeners) or self.timer is not None or self.drift is not None
        return self.step() if is_watched else self.burst()

    def burst(self, *, single_steps: bool = False) -> bool:
        """Do all instants up to the next event or the end of the bars taken, unheard; False where there is none.

        Where they are written down, at most `HELD_INSTANTS`: all of them are worked out before the first is durable.

        single_steps: one call of the kernel for each, as where they are written down.
        """
        now = self.next_us()
        if now is None:
            return False
        with self._undivided:
            self._do_many(now, single_steps=single_steps)
        return True

    def _do_many(self, now: int, *, single_steps: bool) -> None:
        if now >= self._event_us:
            self._take_events(now)
        times, run, at, stop = self._times, self.machine.run, self._at, bisect_left(self._times, self._event_us)
        if self.writer is not None:
            self._write_many(self.writer, min(stop, at + HELD_INSTANTS))
            return
        while at < stop:
            at = run(at, at + 1 if single_steps else stop)
        self._at, self.now_us, self._begun = at, times[at - 1], True

    def _write_many(self, writer: Writer, stop: int) -> None:
        while self._at < stop:
            self._do_one()
        writer.commit()
        if self._at == len(self._times):
            writer.block(self.next_bar)

    def _do(self, now: int) -> None:
        place = self._at
        if now >= self._event_us:
            self._take_events(now)
        if self.drift is not None:
            self._be_late(now, self.drift)
        self._do_one()
        if self.writer is not None:
            self.writer.commit()
        for listener in self.listeners:
            listener.instant(now, place)
        if self.drift is not None:
            self._be_on_time()
        if self._at == len(self._times):
            for listener in self._everybody:
                listener.block(self.next_bar)

    def _do_one(self) -> None:
        """The next instant, also on paper."""
        place, run = self._at, self.machine.run
        while run(place, place + 1) == place:
            pass  # a table was full, or the governor halts: both are seen to
        self.now_us, self._at, self._begun = self._times[place], place + 1, True
        if self.writer is not None:
            self.writer.instant(self.now_us, place)

    @property
    def _everybody(self) -> Sequence[Listener]:
        """Who hears of everything, whoever writes it down first."""
        return self.listeners if self.writer is None else (self.writer, *self.listeners)

    def _take_bars(self) -> bool:
        machine, start = self.machine, self.next_bar
        if start >= machine.bars.stop:
            return False
        stop = min(start + self.block_bars, machine.bars.stop)
        if self.timer is not None:
            self.timer.start()
        if self._health is None:
            machine.take_bars(start, stop)
        else:
            stop = self._health.take_bars(start, stop)
            for given in self._health.orders():
                self._commands.put(given)
        self.next_bar, self._at = stop, 0
        self._look_ahead()
        if self.timer is not None:
            self.timer.stop()
        return True

    def _take_afterthought(self) -> bool:
        """After the last bar a command has an instant of its own, which nothing else falls on."""
        following = self._commands.next_us()
        if following == NEVER_US:
            return False
        self.machine.until_us = following + 1
        self._look_ahead()
        return True

    def _be_late(self, now: int, drift: Drift) -> None:
        """Runs that are due start late; of an instant without one nobody measures it."""
        desk, schedules = self.machine.arrays.desk, self.machine.arrays.schedules
        if bool((schedules[layout.NEXT_DUE] <= now).any()):
            desk[layout.DRIFT_US] = drift.drift_us(now)
            schedules[layout.MAX_DRIFT, list(drift.excused(now))] = np.inf

    def _be_on_time(self) -> None:
        """What holds between two instants does not depend on when the last one was done."""
        desk, schedules = self.machine.arrays.desk, self.machine.arrays.schedules
        desk[layout.DRIFT_US], schedules[layout.MAX_DRIFT] = self._stated_us, self._max_drift

    def _take_events(self, now: int) -> None:
        machine = self.machine
        for given in self._commands.take(now):
            self._apply(now, given.command, given.by)
        for expired in due_expiries(machine.state, now):
            self._apply(now, expired, "")
        self._look_ahead()

    def _apply(self, now: int, event: Event, by: str) -> None:
        self.machine.event(event, now)
        for listener in self._everybody:
            listener.event(now, event, by)

    def _look_ahead(self) -> None:
        """See when something happens next, and that it has an instant; instants that are done keep their places."""
        self._event_us = self.machine.next_event(max(self._commands.next_us(), self.now_us + 1))
        self._times = self.machine.timeline[TIME].tolist()
