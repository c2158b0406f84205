"""A scheduler whose bars are still coming: they are taken one by one, and a venue tells what became of orders."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...errors import UsageError
from ...kernels.columns import OPEN
from ...kernels.scheduler import layout
from ...kernels.scheduler.loop import CLOSING, NUMBER, OPENING, TIME, run_instants
from ...kernels.scheduler.reports import take_report
from ..bars import Floats
from ..growing import GrowingPanel
from .machine import SchedulerMachine
from .setup import SchedulerSetup


class LiveMachine(SchedulerMachine):
    """A machine that does one instant at a time, with all of its telemetry. What its tables had, a journal has.

    Attributes:
        history: The bars that have come.
    """

    def __init__(self, setup: SchedulerSetup) -> None:
        """setup: one whose history grows; see `set_up_live`."""
        if not isinstance(setup.history, GrowingPanel):
            raise UsageError("a live run needs a history that grows")
        super().__init__(setup, observed=True)
        self.history = setup.history
        self.arrays.desk[layout.FILLS_ARE_TOLD] = 1.0
        self.tables.keeps = False
        self._set_timeline(np.zeros((3, 1), dtype=np.int64))
        self._opened = -1

    def take_columns(self, start: int, stop: int) -> None:
        """Lay out the bars `start` to `stop`, and what the engines want at them; none: only what stands before them."""
        if self.wishes.asks_outside:
            self.wishes.fill_outside(self.history.column_closes_us(start, stop), self._close_before(start))
        self._take_columns(start, stop)

    @property
    def awaits_opens(self) -> bool:
        """Whether orders are on hand. Nothing else happens at opens: levels are not watched, see `set_up_live`."""
        account = self.arrays.account
        return bool(account[layout.ON_HAND] or account[layout.ON_UNIT_HAND])

    def do_instant(self, now: int, closing: int = -1, opening: int = -1) -> None:
        """Do one instant.

        closing, opening: columns of the bars that close and that open then; -1: none.
        """
        self._set_instant(now, closing, opening)
        while run_instants(self._book.pages, 0, 1) == 0:
            self._attend(0)

    def settle(self, now: int) -> None:
        """Nothing falls on what comes next: what listeners are told then is no bar and no run."""
        self._set_instant(now, -1, -1)
        self.arrays.account[layout.DUE] = 0.0

    def _set_instant(self, now: int, closing: int, opening: int) -> None:
        instant = self.timeline
        instant[TIME, 0], instant[CLOSING, 0], instant[OPENING, 0] = now, closing, opening

    def open_column(self, ts_us: int, opens: Mapping[int, float]) -> int:
        """Lay out the opens of the bars that follow those taken, by leg; returns their column."""
        taken, prices = self.taken, self._prices
        column = 1 + len(taken)
        if self._opened == taken.stop:  # no bar has come since: what opened then has not traded
            prices[:, OPEN, column] = np.nan
        for leg, price in opens.items():
            prices[leg, OPEN, column] = price
        self._opened = taken.stop
        self._columns[NUMBER, column] = ts_us // self.interval_us
        return column

    def take_report(self, s: int, i: int, told: Floats, left: int, flags: int) -> None:
        """Take over what a venue tells of an order of schedule `s` for instrument `i`; see `kernels.scheduler.reports`.

        What was traded is booked in the bar after those taken.
        """
        arrays, tables = self.arrays, self.tables
        take_report(
            s, i, told, float(left), flags, self.taken.stop - self.bars.start, arrays.rules, arrays.others,
            arrays.order, arrays.account, arrays.instruments, arrays.tallies, arrays.schedules, arrays.cells,
            arrays.said, arrays.upcoming, arrays.hand, tables.fills,
        )  # fmt: skip
