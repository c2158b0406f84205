"""Event time of a live run: instants are done when the venue has said that all of their bars are there.

The kernels are those of every driver, called for one instant at a time. An instant has two halves here: everything up
to the orders, when the bars that close at it are complete; and the opens, when the venue has told them. What it reports
of orders comes between, or whenever it comes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from ...config.commands import AnyCommand, UseFeed
from ...engine.fallback import FeedChange
from ...engine.growing import Row
from ...engine.scheduler.commands import CommandQueue, Given
from ...engine.scheduler.live_machine import LiveMachine
from ...engine.scheduler.state import due_expiries
from ...engine.scheduler.transitions import Event
from ...errors import FeedError
from ...kernels.scheduler import layout
from ...kernels.scheduler.reports import IS_CURRENT, IS_CUT, IS_TOO_OLD, TOLD
from ..channel.messages import FINAL, Report
from ..event_loop import Drift, Listener, Timer, Writer, given_at_once
from ..health import HealthWatch
from ..undivided import Undivided
from .feeds import LiveFeeds
from .orders import OpenOrders, place_of
from .warming import Warming

OWN_WORD = 0
"""Number of a report that the loop makes itself, of an order that never went out."""


class LiveWriter(Writer, Protocol):
    """Who writes down what venues tell, too."""

    def opens(self, now_us: int, opens: Mapping[int, float]) -> None:
        """The venue told the first prices of the bars that open at an instant, by leg."""

    def feed_changed(self, change: FeedChange) -> None:
        """An instrument's bars come from another feed, from the instant on that comes next."""

    def reported(self, now_us: int, report: Report) -> None:
        """The venue told what became of an order."""


class LiveLoop:
    """Turns a scheduler's machine as a venue tells what happens.

    Attributes:
        machine: The scheduler.
        now_us: The instant up to which everything is done.
        opened_us: The last instant whose opens are done; -1: none.
        reports: How many reports were taken.
        orders: What is on order.
        feeds: Where bars come from.
        writer: Who writes it down; None: nobody.
        listeners: Who hears of what is done, once it is durable.
        drift: How late runs start; None: they are on time.
        timer: What times instants, up to where the journal has them; None: nothing does.
    """

    def __init__(
        self,
        machine: LiveMachine,
        run: str,
        feeds: LiveFeeds,
        commands: Sequence[Given] = (),
        *,
        now_us: int | None = None,
        opened_us: int = -1,
        reports: int = 0,
    ) -> None:
        """run: the id of the run's journal. feeds: where bars come from.

        commands: those of a journal that is done again.

        now_us, opened_us, reports: where a machine that was restored stands.
        """
        history = machine.history
        self.machine, self._history, self._run = machine, history, run
        self.now_us = machine.setup.start_us - 1 if now_us is None else now_us
        self.opened_us, self.reports, self.feeds = opened_us, reports, feeds
        self.writer: LiveWriter | None = None
        self.listeners: tuple[Listener, ...] = ()
        self.drift: Drift | None = None
        self.timer: Timer | None = None
        self._commands, self._health = CommandQueue(commands), HealthWatch(machine, commands)
        self._due_us = machine.arrays.schedules[layout.NEXT_DUE]
        self._max_drift = machine.arrays.schedules[layout.MAX_DRIFT].copy()
        self._undivided = Undivided("the live loop")
        self._cold, self._done_us = Warming(machine), -1
        history.complete(machine.setup.start_us if now_us is None else now_us)
        if now_us is None:
            machine.warm_up()
        last_us = (
            int(history.ts_us[history.count - 1]) + machine.interval_us if history.count else machine.setup.start_us
        )
        self._take(history.count, history.count, last_us)
        self.orders = OpenOrders(machine, run)

    @property
    def has_begun(self) -> bool:
        """Whether an instant is done."""
        return self.now_us >= self.machine.setup.start_us

    @property
    def is_stopped(self) -> bool:
        """Whether an error came in the middle of an instant: what is there is not whole, and nothing more is done."""
        return self._undivided.stopped_by is not None

    @property
    def is_settled(self) -> bool:
        """Whether nothing waits for the opens of the instant that is done: a command now comes after all of it."""
        return self.opened_us >= self.now_us or not self.machine.awaits_opens

    @property
    def next_bar(self) -> int:
        """Place in the history of the bar that is taken next."""
        return self._history.count

    def next_us(self) -> int:
        """The first instant after what is done at which anything can fall: close, due time, command or expiry."""
        interval_us = self.machine.interval_us
        return min(self._next_event(), (self.now_us // interval_us + 1) * interval_us)

    def moment_us(self, wanted_us: int = 0) -> int:
        """The instant of a command that is given at once: the one nearest to a wanted one before what comes next."""
        if not self.has_begun:
            return self.machine.setup.start_us
        return max(self.now_us + 1, min(wanted_us, self.next_us() - 1))

    def give_at_once(self, command: AnyCommand, by: str) -> None:
        """Apply a command now; its `at` is a `moment_us`.

        Raises:
            UsageError: Its instant is past, or something else comes before it.
        """
        given = given_at_once(self, command, by)
        with self._undivided:
            self._commands.put(given)
            if self.has_begun:
                self._do(given.at_us)
            else:
                self._take_events(given.at_us)

    def advance(self, now_us: int, rows: Mapping[int, Row]) -> None:
        """Do everything after what is done, up to an instant.

        Args:
            now_us: The instant; every bar that closes by then is there.
            rows: By leg the bars that close at it, those of fallbacks among them.

        Raises:
            FeedError: It is past.
            DataError: A bar is not fit to trade on; nothing was done.
        """
        if now_us <= self.now_us or not self.has_begun:
            raise FeedError(f"the instant {now_us} is past; what is done goes to {self.now_us}")
        with self._undivided:
            while (following := self._next_event()) < now_us:
                self._do(following)
            if rows and (chosen := self._choose(now_us, rows)):
                self._close(now_us, chosen)
            elif following == now_us:
                self._do(now_us)
            self.now_us = now_us

    def start(self) -> None:
        """Do the first instant, which no bar closes at."""
        with self._undivided:
            self._do(self.machine.setup.start_us)

    def begin(self, now_us: int, opens: Mapping[int, float]) -> None:
        """Do the opens of an instant.

        Args:
            now_us: The instant: bars that open at it are the next ones.
            opens: By leg the first price of its bar; legs without one have none yet.
        """
        if now_us <= self.opened_us:
            return
        with self._undivided:
            if self.writer is not None:
                self.writer.opens(now_us, opens)
            if now_us == self._done_us and not self.machine.awaits_opens:
                self.machine.settle(now_us)  # the instant is done, and nothing of it is left
            else:
                self.machine.do_instant(now_us, opening=self.machine.open_column(now_us, opens))
            self.opened_us = now_us
            self._write(self.now_us)

    def report(self, report: Report) -> None:
        """Take over what the venue tells of an order; what was told before is passed over.

        Raises:
            FeedError: A report is missing before it, or it is of no order of this run.
        """
        if 0 < report.number <= self.reports:
            return
        if report.number not in (OWN_WORD, self.reports + 1):
            raise FeedError(f"report {report.number} of the venue comes after {self.reports}; one is missing between.")
        s, i = place_of(self._run, report.order_id)
        with self._undivided:
            self.reports = max(self.reports, report.number)
            if self.writer is not None:
                self.writer.reported(self.now_us, report)
            self._take_report(s, i, report)
            self.machine.settle(self.now_us)
            self._write(self.now_us)
            self.machine.tables.make_room()  # no instant sees to it where reports alone come

    def _take_report(self, s: int, i: int, report: Report) -> None:
        is_current = self.orders.current(s, i) == report.order_id
        if report.status == "accepted" or not (report.fills or is_current):
            return
        machine = self.machine
        told = np.empty((len(report.fills), TOLD))
        for row, fill in zip(told, report.fills, strict=True):
            row[:] = fill.lots, fill.price, fill.fee, fill.reference
        flags = 0
        if is_current:
            flags = IS_CURRENT | IS_CUT * (report.reason == "cash") | IS_TOO_OLD * (report.status == "abandoned")
        machine.take_report(s, i, told, 0 if report.status in FINAL else report.left, flags)
        self.orders.forget_ended(s, i)

    def _next_event(self) -> int:
        """When something falls that no bar brings: a due time, a command, an expiry."""
        following = min(*self._due_us.tolist(), self._commands.next_us(), self.machine.state.next_expiry_us)
        return max(int(following), self.now_us + 1)

    def _choose(self, now_us: int, rows: Mapping[int, Row]) -> Mapping[int, Row]:
        """The bars of the feeds that are read."""
        if not self.feeds.has_fallbacks:
            return rows
        chosen, changes = self.feeds.choose(now_us, rows)
        if self.writer is not None:
            for change in changes:
                self.writer.feed_changed(change)
        return chosen

    def _close(self, now_us: int, rows: Mapping[int, Row]) -> None:
        if self.timer is not None:
            self.timer.start()
        ts_us = now_us - self.machine.interval_us
        if self.opened_us < ts_us:
            self.now_us = max(self.now_us, ts_us)  # as where the opens are told by themselves
            self.begin(ts_us, {leg: rows[leg][0] for leg in sorted(rows)})
        place = self._history.append(ts_us, rows)
        self._take(place, place + 1, now_us)
        self._do(now_us, closing=1)

    def _take(self, start: int, stop: int, now_us: int) -> None:
        if not self.machine.wishes.asks_outside:
            self.machine.take_columns(start, stop)
            return
        for given in self._health.take_columns(start, stop, now_us):
            self._commands.put(given)

    def _do(self, now_us: int, closing: int = -1) -> None:
        if self.timer is not None:
            self.timer.start()
        if closing < 0:
            self._history.complete(now_us)
        self._cold.see()
        if self._commands.next_us() <= now_us or self.machine.state.next_expiry_us <= now_us:
            self._take_events(now_us)
        drift = self.drift
        if drift is not None and self._due_us.min() > now_us:
            drift = None  # of an instant without a run nobody measures it
        if drift is not None:
            self._be_late(now_us, drift)
        self.machine.do_instant(now_us, closing)
        self.now_us = self._done_us = now_us
        self._write(now_us, self.listeners)
        if drift is not None:
            self._be_on_time()

    def _write(self, now_us: int, listeners: Sequence[Listener] = ()) -> None:
        """Write an instant down, and tell listeners once it is durable; fills are told by nobody but the journal."""
        if self.writer is not None:
            self.writer.instant(now_us, 0)
        if listeners:
            self.commit()
            for listener in listeners:
                listener.instant(now_us, 0)

    def commit(self) -> None:
        """Make what was written durable."""
        if self.writer is not None:
            self.writer.commit()

    def _take_events(self, now_us: int) -> None:
        for given in self._commands.take(now_us):
            self._apply(now_us, given.command, given.by)
        for expired in due_expiries(self.machine.state, now_us):
            self._apply(now_us, expired, "")

    def _apply(self, now_us: int, event: Event, by: str) -> None:
        self.machine.event(event, now_us)
        if isinstance(event, UseFeed):
            self.feeds.use(event)
        if self.writer is not None:
            self.writer.event(now_us, event, by)
        for listener in self.listeners:
            listener.event(now_us, event, by)

    def _be_late(self, now_us: int, drift: Drift) -> None:
        self.machine.arrays.desk[layout.DRIFT_US] = drift.drift_us(now_us)
        self.machine.arrays.schedules[layout.MAX_DRIFT, list(drift.excused(now_us))] = np.inf

    def _be_on_time(self) -> None:
        self.machine.arrays.desk[layout.DRIFT_US] = 0.0
        self.machine.arrays.schedules[layout.MAX_DRIFT] = self._max_drift
