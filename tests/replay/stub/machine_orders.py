"""A backtest's machine, stepped so that its orders are seen before its fills: the reference of an exact venue."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from barstep.engine.bars import Floats
from barstep.engine.scheduler.commands import CommandQueue, Given
from barstep.engine.scheduler.machine import SchedulerMachine
from barstep.engine.scheduler.setup import SchedulerSetup
from barstep.engine.scheduler.state import due_expiries
from barstep.kernels.account import DECIDED, FILL_FEE, FILL_LEG, FILL_LOTS, FILL_PRICE, FILL_REFERENCE, PENDING
from barstep.kernels.scheduler import layout
from barstep.kernels.scheduler.loop import CLOSING, OPENING, TIME
from barstep.replay.channel.messages import VERSION, Book, Hello, Leg, Order, Orders

PLAIN = {
    "stop_loss_pct": 0.0, "take_profit_pct": 0.0, "trailing_stop_pct": 0.0, "borrow_pct": 0.0, "min_notional": 0.0,
    "max_volume_share": None, "limit_offset_bps": 0.0,
}  # fmt: skip
RUN = "0123456789abcdef" * 2


def hello_of(setup: SchedulerSetup, **more: int) -> Hello:
    """What a loop over a setup says first."""
    places = [leg if leg >= 0 else -1 for leg in setup.others.tolist()]
    legs = [
        Leg(name=name, venue=own.venue, symbol=own.symbol, pair=pair)
        for name, own, pair in zip(setup.panel.names, setup.history.instruments, places, strict=True)
    ]
    book = Book(
        capital=setup.execution.capital, schedules=list(setup.schedules), order=setup.order.tolist(),
        instruments=len(setup.instruments), rules=setup.rules[:, 0].tolist(),
    )  # fmt: skip
    seconds = setup.panel.interval_seconds
    return Hello(version=VERSION, run=RUN, interval_seconds=seconds, legs=legs, book=book, **more)


@dataclass(frozen=True)
class Row:
    """A fill as the backtest's table has it."""

    leg: int
    units: float
    price: float
    fee: float
    reference: float


class SteppedMachine:
    """A machine over all of its bars, whose opens are instants of their own."""

    def __init__(self, setup: SchedulerSetup) -> None:
        self.setup = setup
        self.machine = SchedulerMachine(setup)
        self._commands = CommandQueue(Given(command=one) for one in setup.commands)
        self._steps = self._step()
        self._next = next(self._steps)
        self._cells: Floats = self.machine.arrays.cells[..., layout.REAL, :]
        self._seen = self._cells[..., [PENDING, layout.SENT_AT]].copy()
        self._open: dict[tuple[int, int], str] = {}
        self._count = 0

    @property
    def cash(self) -> float:
        return float(self.machine.arrays.account[layout.BALANCE])

    def orders(self, at_us: int) -> Orders:
        """What is ordered and cancelled by an instant, its open not yet done."""
        while self._next is not None and (self._next[0] < at_us or (self._next[0] == at_us and not self._next[1])):
            self._go_on()
        orders, cancels = [], []
        for s, i in np.ndindex(*self._cells.shape[:2]):
            cell = self._cells[s, i]
            before, now = self._seen[s, i], cell[[PENDING, layout.SENT_AT]]
            if (before != now).any():
                known = self._open.pop((s, i), "")
                if now[0] != 0.0:
                    orders.append(self._order(s, i, cell, known))
                elif known:
                    cancels.append(known)
        self._see()
        return Orders(at_us=at_us, orders=orders, cancels=cancels)

    def open(self, at_us: int) -> list[Row]:
        """The fills at an instant's opens."""
        if self._next is None or self._next != (at_us, True):
            return []
        fills, account = self.machine.tables.fills, self.machine.arrays.account
        first = int(account[layout.WRITTEN])
        self._go_on()
        rows, legs = fills[:, first : int(account[layout.WRITTEN])].T, len(self.setup.panel.names)
        self._open = {key: one for key, one in self._open.items() if self._cells[key][PENDING] != 0.0}
        self._see()
        return [
            Row(int(one[FILL_LEG]) % legs, one[FILL_LOTS], one[FILL_PRICE], one[FILL_FEE], one[FILL_REFERENCE])
            for one in rows
        ]

    def _see(self) -> None:
        self._seen = self._cells[..., [PENDING, layout.SENT_AT]].copy()

    def _order(self, s: int, i: int, cell: Floats, replaces: str) -> Order:
        self._count += 1
        order_id = self._open[s, i] = f"order-{self._count}"
        drift_us, never = int(self.machine.arrays.desk[layout.DRIFT_US]), bool(cell[DECIDED] == np.inf)
        return Order(
            order_id=order_id, tag=f"{self._count}.0", schedule=s, leg=i, lots=int(cell[PENDING]),
            pair=bool(self.machine.arrays.schedules[layout.HEDGES, s]), decided=0 if never else int(cell[DECIDED]),
            sent_us=int(cell[layout.SENT_AT]) + drift_us, replaces=replaces, never_ages=never,
        )  # fmt: skip

    def _go_on(self) -> None:
        self._next = next(self._steps, None)

    def _step(self):
        """Tell of each row of the timeline, then do it."""
        machine, bars, block = self.machine, self.machine.bars, self.setup.block_bars
        machine.warm_up()
        for start in range(bars.start, bars.stop, block):
            machine.take_bars(start, min(start + block, bars.stop))
            machine._set_timeline(_split(machine.timeline))
            at = 0
            while at < machine.timeline.shape[1]:
                now, opens = int(machine.timeline[TIME, at]), bool(machine.timeline[OPENING, at] >= 0)
                yield now, opens
                for given in self._commands.take(now):
                    machine.event(given.command, now)
                for expired in due_expiries(machine.state, now):
                    machine.event(expired, now)
                machine.next_event(self._commands.next_us())
                stop = at + 1
                while at < stop:
                    at = machine.run(at, stop)


def _split(timeline: np.ndarray) -> np.ndarray:
    """The open of an instant as a row of its own, after what else falls on it."""
    rows = []
    for column in timeline.T:
        rows.append((column[TIME], column[CLOSING], -1))
        if column[OPENING] >= 0:
            rows.append((column[TIME], -1, column[OPENING]))
    return np.ascontiguousarray(np.array(rows, dtype=np.int64).T)
