"""The account of a run at an exact venue: the kernels that fill a backtest's orders, over arrays of the venue's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ...engine.bars import MICROSECONDS, Floats, Integers
from ...engine.execution import Execution
from ...engine.panel import PRICES
from ...kernels import venue
from ...kernels.account import (
    ABANDONED,
    DECIDED,
    FILL_COLUMNS,
    FILL_FEE,
    FILL_LEG,
    FILL_PRICE,
    FILL_REFERENCE,
    HEDGED,
    LOT,
    LOTS,
    MAX_AGE_BARS,
    PENDING,
    UNAFFORDABLE,
)
from ...kernels.columns import OPEN
from ...kernels.portfolio import TRIED
from ...kernels.scheduler import layout
from ...kernels.scheduler.fills import ROWS_OF_A_CELL, fill_real
from ..channel.messages import Book, Fill, Leg, Order, Status

_NOT_PLAIN = {
    venue.VOLUME_SLIPPAGE: "volume_slippage_bps", venue.IMPACT: "impact_bps",
    venue.MAX_VOLUME_SHARE: "max_volume_share", venue.CARRY_REST: "carry_rest", venue.TICK: "tick",
    venue.MIN_NOTIONAL: "min_notional", venue.LIMIT_OFFSET: "limit_offset_bps",
    venue.STOP_DISTANCE: "stop_loss_pct", venue.TAKE_PROFIT_DISTANCE: "take_profit_pct",
    venue.TRAIL_DISTANCE: "trailing_stop_pct", venue.LEVERAGE: "leverage",
    venue.MAINTENANCE: "maintenance_margin_pct", venue.BORROW_RATE: "borrow_pct", venue.FUNDED: "funding",
}  # fmt: skip


class Outcome(NamedTuple):
    """What an order came to at an open.

    Attributes:
        order: Which one.
        status: `filled`, `rejected` or `abandoned`.
        fills: What was traded.
        reason: Why it was cut, rejected or abandoned; else empty.
    """

    order: Order
    status: Status
    fills: list[Fill]
    reason: str


def not_plain(rules: Floats) -> list[str]:
    """Names of the rules that are more than market orders filled in full at the next open. rules: float64[·, RULES]."""
    plain = Execution().rules(hedged=False, interval_seconds=1, funded=False)
    return [name for slot, name in _NOT_PLAIN.items() if (rules[:, slot] != plain[slot]).any()]


class Account:
    """Cash and positions of a run."""

    def __init__(self, book: Book, legs: Sequence[Leg], interval_seconds: int) -> None:
        schedules, instruments = len(book.schedules), book.instruments
        cells = (schedules, instruments)
        self._interval_us = interval_seconds * MICROSECONDS
        self._rules = np.array(book.rules, dtype=np.float64)
        self._order: Integers = np.array(book.order, dtype=np.int64)
        self._rank = {s: rank for rank, s in enumerate(book.order)}
        self._others: Integers = np.array([leg.pair for leg in legs], dtype=np.int64)
        self._account = np.zeros(layout.ACCOUNT)
        self._account[layout.BALANCE] = book.capital
        self._desk = np.zeros(layout.DESK)
        self._desk[layout.INTERVAL_US] = self._interval_us
        self._instruments = np.zeros((layout.INSTRUMENT, len(legs)))
        self._instruments[layout.LOT_OF] = self._rules[0, LOT]
        self._instruments[layout.LEVERAGE_OF] = 1.0
        self._schedules = np.zeros((layout.SCHEDULE, schedules))
        self._schedules[layout.HEDGES] = self._rules[:, HEDGED]
        self._cells = np.zeros((*cells, 2, layout.CELL))
        self._cells[..., TRIED] = -1.0
        self._tallies = np.zeros((1, 2, instruments))
        self._said = np.zeros((layout.SAID, *cells))
        self._upcoming: Integers = np.zeros(cells, dtype=np.int64)
        self._hand = np.zeros(schedules * instruments)
        self._fills = np.zeros((FILL_COLUMNS, ROWS_OF_A_CELL * schedules * instruments))
        self._prices = np.full((len(legs), PRICES, 1), np.nan)
        self._number: Integers = np.zeros(1, dtype=np.int64)
        self._opened = 0
        self._waiting: dict[int, Order] = {}

    @property
    def cash(self) -> float:
        """What is left of the capital."""
        return float(self._account[layout.BALANCE])

    @property
    def is_waiting(self) -> bool:
        """Whether orders are on hand."""
        return bool(self._waiting)

    def refusal(self, order: Order) -> str:
        """Why an order is none that this account could have; empty where it is one."""
        schedules, instruments = self._upcoming.shape
        if not 0 <= order.schedule < schedules or not 0 <= order.leg < instruments or order.lots == 0:
            return "invalid"
        is_pair = bool(self._rules[order.schedule, HEDGED])
        if order.pair is not is_pair or (is_pair and self._others[order.leg] < 0):
            return "invalid"
        return "open_order" if self._key(order) in self._waiting else ""

    def put(self, order: Order) -> None:
        """Put an order on hand, which `refusal` has nothing against."""
        cell = self._cell(order)
        cell[PENDING], cell[layout.LISTED] = order.lots, 1.0
        cell[DECIDED] = np.inf if order.never_ages else order.decided
        cell[layout.SENT_AT] = order.sent_us
        self._waiting[self._key(order)] = order

    def take_back(self, order: Order) -> None:
        """Cancel an order that is on hand."""
        self._cell(order)[PENDING] = 0.0
        del self._waiting[self._key(order)]

    def open(self, now_us: int, opens: Floats, marks: Floats) -> list[Outcome]:
        """Fill what can be filled at the opens of an instant. opens, marks: float64[leg], NaN where there is none."""
        self._opened += 1
        self._prices[:, OPEN, 0], self._number[0] = opens, now_us // self._interval_us
        self._instruments[layout.MARK] = marks
        self._instruments[layout.OPENED_AT] = np.where(np.isnan(opens), marks, opens)
        keys = sorted(self._waiting)
        self._hand[: len(keys)] = keys
        self._account[layout.ON_HAND], self._account[layout.WRITTEN] = len(keys), 0.0
        before = {key: self._cell(order).copy() for key, order in self._waiting.items()}
        fill_real(
            now_us, 0, self._opened, int(self._number[0]), self._number, self._prices, self._desk, self._order,
            self._rules, self._others, self._account, self._instruments, self._tallies, self._schedules, self._cells,
            self._said, self._upcoming, self._hand, self._fills,
        )  # fmt: skip
        return self._outcomes(before)

    def _outcomes(self, before: Mapping[int, Floats]) -> list[Outcome]:
        """Orders that ended: those that came to nothing, then the others as they were filled."""
        rows = self._rows()
        outcomes = []
        for key in [*(key for key in before if key not in rows), *rows]:
            order = self._waiting[key]
            cell = self._cell(order)
            if cell[PENDING] == 0.0:
                del self._waiting[key]
                outcomes.append(self._outcome(order, before[key], cell, rows.get(key, range(0))))
        return outcomes

    def _rows(self) -> dict[int, range]:
        """By key the rows that were written, in their order; of a pair one a leg."""
        rows: dict[int, range] = {}
        legs, written = self._instruments.shape[1], int(self._account[layout.WRITTEN])
        keys = {order.schedule * legs + order.leg: key for key, order in self._waiting.items()}
        row = 0
        while row < written:
            key = keys[int(self._fills[FILL_LEG, row])]
            rows[key] = range(row, row + (2 if self._waiting[key].pair else 1))
            row = rows[key].stop
        return rows

    def _outcome(self, order: Order, before: Floats, cell: Floats, rows: range) -> Outcome:
        was_cut = cell[UNAFFORDABLE] > before[UNAFFORDABLE]
        if cell[ABANDONED] > before[ABANDONED]:
            is_old = self._number[0] - before[DECIDED] > self._rules[order.schedule, MAX_AGE_BARS]
            return Outcome(order, "abandoned", [], "age" if is_old else "no_price")
        if not rows:
            return Outcome(order, "rejected", [], "cash" if was_cut else "venue")
        lots = int(cell[LOTS] - before[LOTS])
        sides = ((order.leg, lots), (int(self._others[order.leg]), -lots))
        fills = [
            Fill(leg=leg, lots=side, price=price, fee=fee, reference=reference)
            for row, (leg, side) in zip(rows, sides, strict=False)
            for price, fee, reference in [self._fills[[FILL_PRICE, FILL_FEE, FILL_REFERENCE], row].tolist()]
        ]
        return Outcome(order, "filled", fills, "cash" if was_cut else "")

    def _key(self, order: Order) -> int:
        return self._rank[order.schedule] * len(self._upcoming[0]) + order.leg

    def _cell(self, order: Order) -> Floats:
        cell: Floats = self._cells[order.schedule, order.leg, layout.REAL]
        return cell


def compile_fills() -> None:
    """Have the kernels compiled, which the first fill would wait for else."""
    rules = Execution().rules(hedged=False, interval_seconds=60, funded=False).tolist()
    book = Book(capital=1.0, schedules=["any"], order=[0], instruments=1, rules=[rules])
    account = Account(book, [Leg(name="any", venue="any", symbol="any")], 60)
    account.put(Order(order_id="any", tag="", schedule=0, leg=0, lots=1, decided=0, sent_us=0))
    account.open(0, np.ones(1), np.ones(1))
