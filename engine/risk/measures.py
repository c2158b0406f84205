"""What is measured of one run, from an instant on: losses, drawdown, and what was held against equity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...kernels import account
from ..bars import MICROSECONDS, Floats, Integers
from ..scheduler.result import SchedulerResult

DAY_US = 86_400 * MICROSECONDS


@dataclass(frozen=True, kw_only=True)
class Measures:
    """One run from an instant on. Everything is in percent but leverage, which is a multiple of equity.

    Attributes:
        loss_pct: What was lost from that instant to the end, of the equity of then; below 0 it was earned.
        max_drawdown_pct: Deepest fall below the highest mark since the run began, as the engine measures it.
        day_losses_pct: float64[day, 2], days (UTC) in the window: lost at the day's end, and at its worst mark, of the
            last mark before the day.
        positions_pct: float64[bar]: the greatest position in one instrument, long and short sizes added up.
        leverage: float64[bar]: sizes of all positions over equity.
        growth: float64[bar]: equity over that at the instant.
        gross_pct: What was held at the instant, by size.
        net_pct: Likewise, short against long.
    """

    loss_pct: float
    max_drawdown_pct: float
    day_losses_pct: Floats
    positions_pct: Floats
    leverage: Floats
    growth: Floats
    gross_pct: float
    net_pct: float


def measure(result: SchedulerResult, from_us: int) -> Measures:
    """Measure a run from the first bar on that opens at an instant or later."""
    held, equity = holdings(result), result.equity_values
    first = int(np.searchsorted(result.panel.ts_us, from_us))
    marks = np.append(result.execution.capital, equity)  # mark k is the one before bar k
    falls = 100.0 * (1.0 - marks / np.maximum.accumulate(marks))
    begun = float(marks[first])
    before = min(max(first - 1, 0), max(len(equity) - 1, 0))
    return Measures(
        loss_pct=_lost(begun, float(equity[-1])),
        max_drawdown_pct=float(falls[first:].max()),
        day_losses_pct=_day_losses(result.panel.column_closes_us(first, len(equity)), marks[first:]),
        positions_pct=100.0 * held.positions[:, first:].max(axis=0),
        leverage=held.positions[:, first:].sum(axis=0),
        growth=equity[first:] / begun if begun > 0.0 else np.zeros(len(equity) - first),
        gross_pct=100.0 * float(held.positions[:, before].sum()) if first else 0.0,
        net_pct=100.0 * float(held.net[before]) if first else 0.0,
    )


@dataclass(frozen=True, kw_only=True)
class Holdings:
    """What is held at each close, as shares of equity; infinite where there is something held and no equity.

    Attributes:
        positions: float64[instrument, bar]: sizes of the positions of all schedules, of pairs both legs'.
        net: float64[bar]: all positions, short against long.
    """

    positions: Floats
    net: Floats


def holdings(result: SchedulerResult) -> Holdings:
    """Add up what a run held.

    A fill's leg is schedule × legs + leg, as `PortfolioResult.fill_table` says.
    """
    fills, panel, setup = result.fill_table, result.panel, result.setup
    legs, bars = len(panel.names), len(panel)
    sizes, net, cells = np.zeros((legs, bars)), np.zeros(bars), fills[account.FILL_LEG].astype(np.int64)
    for cell in np.unique(cells).tolist():
        own = cells == cell
        units = np.zeros(bars)
        np.add.at(units, fills[account.FILL_BAR, own].astype(np.int64), fills[account.FILL_LOTS, own])
        value = np.cumsum(units) * panel.closes(cell % legs)
        sizes[cell % legs] += np.abs(value)
        net += value
    for i, other in enumerate(setup.others.tolist()):
        if other >= 0:
            sizes[i] += sizes[other]
    equity = result.equity_values
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.where(equity > 0.0, sizes[: len(setup.instruments)] / equity, np.inf)
        return Holdings(
            positions=np.where(sizes[: len(setup.instruments)] > 0.0, shares, 0.0),
            net=np.where(equity > 0.0, net / equity, np.sign(net)),
        )


def _day_losses(closes_us: Integers, marks: Floats) -> Floats:
    """float64[day, 2]. marks: float64[bar + 1], one before the first bar.

    A bar that closes at midnight belongs to the day that ends there.
    """
    days = (closes_us - 1) // DAY_US
    begins = np.flatnonzero(np.diff(days, prepend=days[:1] - 1))
    opening, ends = marks[begins], np.append(begins[1:], closes_us.size)
    closing, worst = marks[ends], np.minimum.reduceat(marks[1:], begins) if begins.size else marks[:0]
    return 100.0 * (1.0 - np.stack([closing, worst], axis=1) / np.where(opening > 0.0, opening, np.nan)[:, None])


def _lost(begun: float, ended: float) -> float:
    return 100.0 * (1.0 - ended / begun) if begun > 0.0 else 0.0
