"""The arrays of the scheduler's kernels as they are before the first instant, for tests to set what they are about."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from barstep.kernels import account
from barstep.kernels.book import PAGE
from barstep.kernels.scheduler import engines, layout, telemetry
from contract import POISON, bits
from inputs import Floats
from numpy.typing import NDArray
from venues import rules_of

Integers = NDArray[np.int64]

NAN, INF = float("nan"), float("inf")
HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
NO_PANEL: Integers = np.empty((0, PAGE), dtype=np.int64)
"""Prices are laid out already."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How many there are of each. Second legs of pairs come after the instruments that are traded."""

    schedules: int = 1
    instruments: int = 1
    second_legs: int = 0
    profiles: int = 1
    measures: int = 0
    window: int = 8


def laid_out(schedules: int) -> Integers:
    """Books of engines that nobody asks: what they want is laid out."""
    pages: Integers = np.zeros((schedules, len(engines.PAGES), PAGE), dtype=np.int64)
    pages[:, 0, 0], pages[:, engines.ENGINE, 0] = np.arange(schedules), engines.LAID_OUT
    return pages


class Scheduler:
    """State and rules of schedules over one account with 1000 in cash: no limits, no governor, all of them warm.

    Tables and scratch are full of `poison`. Policies have one register, MAY_RUN; `policy` sets another program.
    """

    def __init__(self, shape: Shape | None = None, *, poison: float = POISON, room: int = 40, **terms: float) -> None:
        self.shape = one = shape or Shape()
        cells, legs = (one.schedules, one.instruments), one.instruments + one.second_legs
        self.poison = poison
        self.order = np.arange(one.schedules)
        self.others: Integers = np.full(legs, -1)
        self.others[: one.second_legs] = np.arange(one.instruments, legs)
        self.rules = np.tile(rules_of(**terms), (one.schedules, 1))
        self.watched: Integers = np.zeros(one.schedules, dtype=np.int64)
        self.warm_from: Integers = np.zeros(cells, dtype=np.int64)
        self.profiles = np.full((one.profiles, layout.PROFILE_ROWS), INF)
        self.profiles[:, layout.IS_REDUCING], self.profiles[:, layout.SPENT_ON] = 0.0, -1.0
        self.governor = np.full(layout.GOVERNOR_ROWS, INF)
        self.governor[layout.GOVERNOR_ACTION] = layout.NO_GOVERNOR
        self.account = np.zeros(layout.ACCOUNT)
        for slot in (layout.BALANCE, layout.EQUITY, layout.PEAK, layout.GOVERNED_PEAK, layout.DAY_EQUITY):
            self.account[slot] = 1000.0
        self.account[layout.SIZING], self.account[layout.SCALE] = 1000.0, 1.0
        self.account[layout.REFRESHED_AT], self.account[layout.COLUMN] = -INF, -1.0
        self.instruments = np.zeros((layout.INSTRUMENT, legs))
        self.instruments[layout.MARK] = NAN
        self.instruments[layout.LOT_OF] = terms.get("lot", 1.0)
        self.instruments[layout.LEVERAGE_OF] = terms.get("leverage", 1.0)
        self.seen: Integers = np.zeros(one.instruments, dtype=np.int64)
        self.tallies = np.zeros((one.profiles, 2, one.instruments))
        self.schedules = np.zeros((layout.SCHEDULE, one.schedules))
        self.schedules[layout.CADENCE], self.schedules[layout.CEILING] = HOUR_US, INF
        self.schedules[layout.GROUP] = np.arange(one.schedules)
        self.schedules[layout.RUNS_ROOT], self.schedules[layout.TARGET_VOLATILITY] = 1.0, NAN
        self.schedules[[layout.FACTOR, layout.DIVISOR]] = NAN
        self.schedules[[layout.UNIT_CASH, layout.UNIT_EQUITY]] = 1000.0
        self.cells = np.zeros((*cells, 2, layout.CELL))
        self.said = np.zeros((layout.SAID, *cells))
        self.upcoming: Integers = np.zeros(cells, dtype=np.int64)
        self.unit_lots = np.zeros((2, one.instruments, one.schedules))
        stretch = telemetry.MEANS + 3 * one.measures
        self.runs = np.zeros((one.window, one.schedules, telemetry.VALUES + one.measures))
        self.rests = np.zeros((one.window + 1, one.schedules, stretch))
        self.since = np.zeros((one.schedules, stretch + telemetry.SINCE))
        self.rows: Integers = np.full(cells, -1)
        self.control = np.zeros((layout.CONTROL, one.schedules))
        self.control[layout.LIMIT] = INF
        self.desk = np.zeros(layout.DESK)
        self.desk[layout.INTERVAL_US], self.desk[layout.RECORDS] = HOUR_US, 1.0
        self.desk[layout.REBALANCE_US] = INF
        self._make_scratch(stretch, room)

    def _make_scratch(self, stretch: int, room: int) -> None:
        one, poison = self.shape, self.poison
        self.stretch = np.full(stretch, poison)
        self.outcome: Integers = np.full(one.instruments, 77)
        self.hand, self.unit_hand = np.full((2, one.schedules * one.instruments), poison)
        self.decisions = np.full((layout.DECISION, room), poison)
        self.refreshes = np.full((1 + 2 * one.schedules, room), poison)
        self.events = np.full((layout.EVENT, room), poison)
        self.fills = np.full((account.FILL_COLUMNS, room), poison)
        self.unit_fills = np.full((account.FILL_COLUMNS, 12), poison)

    def close_at(self, *closes: float) -> None:
        """The last closes, and opens, of all legs."""
        self.instruments[[layout.MARK, layout.WORTH, layout.OPENED_AT]] = closes

    def hold(self, s: int, i: int, lots: float, *, unit: bool = False) -> None:
        """Let a position be held that was paid for before; its entry price is the last close."""
        which = layout.UNIT if unit else layout.REAL
        hedges = self.schedules[layout.HEDGES, s] != 0.0
        cell = self.cells[s, i, which]
        if unit:
            self.unit_lots[int(hedges), i, s] += lots - cell[account.LOTS]
        else:
            net, gross = (layout.PAIR_NET, layout.PAIR_GROSS) if hedges else (layout.NET, layout.GROSS)
            self.instruments[net, i] += lots - cell[account.LOTS]
            self.instruments[gross, i] += abs(lots) - abs(cell[account.LOTS])
            wanted = abs(cell[account.LOTS] + cell[account.PENDING])
            self.tallies[int(self.schedules[layout.PROFILE, s]), int(hedges), i] += (
                abs(lots + cell[account.PENDING]) - wanted
            )
        cell[account.LOTS] = lots

    def table(self, name: str, slot: int) -> Floats:
        """The rows that were written to a table; beyond them it must be as it was."""
        whole, count = getattr(self, name), int(self.account[slot])
        assert (bits(whole[:, count:]) == bits(np.float64(self.poison))).all(), f"written beyond the {name}"
        return whole[:, :count]

    @property
    def decided(self) -> list[tuple[float, ...]]:
        """(cell, wish, reason, accepted) of every decision."""
        rows = [layout.DECIDED_CELL, layout.DECIDED_WISH, layout.DECIDED_REASON, layout.IS_ACCEPTED]
        return [tuple(map(float, row)) for row in self.table("decisions", layout.DECISIONS)[rows].T]

    @property
    def noted(self) -> list[tuple[float, ...]]:
        """(instant, kind, of whom, value, limit) of every event."""
        return [tuple(map(float, row)) for row in self.table("events", layout.EVENTS).T]

    @property
    def filled(self) -> list[tuple[float, ...]]:
        """(bar, leg, units, price, kind) of every fill."""
        rows = [account.FILL_BAR, account.FILL_LEG, account.FILL_LOTS, account.FILL_PRICE, account.FILL_KIND]
        return [tuple(map(float, row)) for row in self.table("fills", layout.WRITTEN)[rows].T]

    @property
    def on_hand(self) -> list[float]:
        """Keys of the cells with orders."""
        return [float(key) for key in self.hand[: int(self.account[layout.ON_HAND])]]

    @property
    def on_unit_hand(self) -> list[float]:
        """Keys of the unit accounts' cells with orders."""
        return [float(key) for key in self.unit_hand[: int(self.account[layout.ON_UNIT_HAND])]]
