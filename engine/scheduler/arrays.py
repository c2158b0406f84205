"""The arrays that the scheduler's kernels work on, as they are before the first instant."""

from __future__ import annotations

import math
from zlib import crc32

import numpy as np

from ...config.governor import Governor
from ...kernels import portfolio, venue
from ...kernels.scheduler import layout, telemetry
from ..bars import MICROSECONDS, Floats, Integers
from ..strategy import SECONDS_PER_DAY
from .setup import SchedulerSetup
from .wishes import Measure

WINDOW_RUNS = 96
"""Due times in the window of a schedule's telemetry."""

NEVER_US = np.iinfo(np.int64).max

_ACTIONS = {"scale": layout.ON_SCALE, "limit": layout.ON_LIMIT, "halt": layout.ON_HALT}


class SchedulerArrays:
    """State of account, instruments, profiles, schedules and cells, and the rules that hold for them.

    What each array holds stands in `kernels.scheduler.layout`.
    """

    def __init__(self, setup: SchedulerSetup, measures: tuple[Measure, ...], *, records: bool) -> None:
        """records: whether a policy reads telemetry."""
        schedules, legs = setup.rules.shape[:2]
        instruments = len(setup.instruments)
        cells = (schedules, instruments)
        self.order = setup.order
        self.others: Integers = setup.others
        self.rules = np.ascontiguousarray(setup.rules[:, 0])
        watched: Integers = np.zeros((schedules, 1), dtype=np.int64)
        portfolio.fill_watched(self.rules[:, None], watched)
        self.watched: Integers = watched[:, 0].copy()
        self.profile_names = sorted({one.risk_profile for one in setup.resolved})
        self.profiles = _profiles(setup, self.profile_names)
        self.governor = _governor(None if "governor" in setup.without else setup.scheduler.portfolio_governor)
        self.account = np.zeros(layout.ACCOUNT)
        capital = setup.execution.capital
        for slot in (layout.BALANCE, layout.EQUITY, layout.PEAK, layout.GOVERNED_PEAK, layout.DAY_EQUITY):
            self.account[slot] = capital
        self.account[layout.DAY] = math.floor(setup.start_us / (SECONDS_PER_DAY * MICROSECONDS))
        self.account[layout.SCALE], self.account[layout.REFRESHED_AT] = 1.0, -np.inf
        self.account[layout.COLUMN] = -1.0
        self.instruments = np.zeros((layout.INSTRUMENT, legs))
        self.instruments[layout.MARK] = np.nan
        self.instruments[layout.LOT_OF], self.instruments[layout.LEVERAGE_OF] = (
            setup.execution.lot,
            setup.execution.leverage,
        )
        self.seen: Integers = np.zeros(instruments, dtype=np.int64)
        self.tallies = np.zeros((len(self.profile_names), 2, instruments))
        self.warm_from = _warm_from(setup, instruments)
        self.schedules = _schedules(setup, self.profile_names, self.warm_from)
        self.cells = np.zeros((*cells, 2, layout.CELL))
        self.cells[..., portfolio.TRIED] = -1.0  # an order of the start fills at the open of the first bar
        self.said = np.zeros((layout.SAID, *cells))
        self.upcoming: Integers = np.zeros(cells, dtype=np.int64)
        self.unit_lots = np.zeros((2, instruments, schedules))
        stretch = telemetry.MEANS + 3 * len(measures)
        self.runs = np.zeros((WINDOW_RUNS, schedules, telemetry.VALUES + len(measures)))
        self.rests = np.zeros((WINDOW_RUNS + 1, schedules, stretch))
        self.since = np.zeros((schedules, stretch + telemetry.SINCE))
        self.stretch = np.zeros(stretch)
        self.rows: Integers = np.full(cells, -1, dtype=np.int64)
        names = [(measure.name, measure.of_size) for measure in measures]
        self.confidence_measure = names.index(("confidence", False)) if ("confidence", False) in names else -1
        self.outcome: Integers = np.zeros(instruments, dtype=np.int64)
        self.hand, self.unit_hand = np.zeros((2, schedules * instruments))
        self.control = np.zeros((layout.CONTROL, schedules))
        self.desk = np.zeros(layout.DESK)
        self.desk[[layout.DRIFT_US, layout.ORDER_DELAY_US]] = setup.drift_seconds * MICROSECONDS
        self.desk[layout.INTERVAL_US] = setup.panel.interval_seconds * MICROSECONDS
        has_limits = (self.rules[:, venue.LIMIT_OFFSET] > 0.0).any()
        self.desk[layout.WATCHES] = float(self.watched.any() or has_limits)
        self.desk[layout.RECORDS] = float(records)


def _profiles(setup: SchedulerSetup, names: list[str]) -> Floats:
    table = np.full((len(names), layout.PROFILE_ROWS), np.inf)
    for row, name in zip(table, names, strict=True):
        profile = setup.profiles[name]
        for slot, value, scale in (
            (layout.MAX_POSITION, profile.max_position_pct, 0.01),
            (layout.MAX_LEVERAGE, profile.max_leverage, 1.0),
            (layout.MAX_FALL, profile.max_drawdown_pct, 0.01),
            (layout.DAY_BUDGET, profile.daily_risk_budget_pct, 0.01),
        ):
            row[slot] = np.inf if value is None else value * scale
        row[layout.IS_REDUCING], row[layout.SPENT_ON] = 0.0, -1.0
    return table


def _governor(governor: Governor | None) -> Floats:
    row = np.full(layout.GOVERNOR_ROWS, np.inf)
    row[layout.GOVERNOR_ACTION] = layout.NO_GOVERNOR
    if governor is None:
        return row
    row[layout.GOVERNOR_ACTION] = _ACTIONS[governor.on_breach]
    for slot, value, scale in (
        (layout.GOVERNOR_FALL, governor.max_drawdown_pct, 0.01),
        (layout.GOVERNOR_EXPOSURE, governor.max_gross_exposure, 1.0),
        (layout.GOVERNOR_TURNOVER, governor.max_turnover_per_day, 1.0),
        (layout.GOVERNOR_LIMIT, governor.signal_limit, 1.0),
    ):
        row[slot] = np.inf if value is None else value * scale
    return row


def _warm_from(setup: SchedulerSetup, instruments: int) -> Integers:
    """int64[schedule, instrument]: when `warmup_bars` of the schedule's interval have closed there.

    One time each is read: `closes_us` would be computed, and kept, for all bars of every instrument.
    """
    warm = np.full((len(setup.resolved), instruments), NEVER_US, dtype=np.int64)
    for s, one in enumerate(setup.resolved):
        seconds = int(one.schedule.interval)
        for name in one.instruments:
            i = setup.instruments.index(name)
            bars, needed = setup.schedule_bars[seconds][i], one.schedule.warmup_bars
            if needed == 0:
                warm[s, i] = 0
            elif needed <= len(bars):
                warm[s, i] = bars.ts_us[needed - 1] + seconds * MICROSECONDS
    return warm


def _schedules(setup: SchedulerSetup, profiles: list[str], warm_from: Integers) -> Floats:
    table = np.zeros((layout.SCHEDULE, len(setup.resolved)))
    groups: dict[tuple[str, str], int] = {}
    for s, one in enumerate(setup.resolved):
        cadence_us = round(one.schedule.cadence_seconds * MICROSECONDS)
        profile, strategy = setup.profiles[one.risk_profile], one.strategy
        table[layout.NEXT_DUE, s] = -(-setup.start_us // cadence_us) * cadence_us
        table[layout.CADENCE, s] = cadence_us
        table[layout.RUN, s] = -(-setup.start_us // cadence_us) - 1
        # By its name, so that other schedules change nothing: were the blocks of all begun at one instant, that one
        # would take three times as long.
        table[layout.BLOCKS_FROM, s] = crc32(one.name.encode()) % WINDOW_RUNS
        table[layout.MAX_DRIFT, s] = one.schedule.max_drift_seconds * MICROSECONDS
        table[layout.PROFILE, s] = profiles.index(one.risk_profile)
        table[layout.GROUP, s] = groups.setdefault((one.risk_profile, strategy.name), len(groups))
        table[layout.CEILING, s] = profile.strategy_allocations.get(strategy.name, np.inf)
        table[layout.HEDGES, s] = float(strategy.engine.needs_secondary)
        table[layout.TARGET_VOLATILITY, s] = strategy.parameters.get("target_volatility", np.nan)
        year_seconds = setup.execution.year_days * SECONDS_PER_DAY
        table[layout.RUNS_ROOT, s] = math.sqrt(year_seconds / one.schedule.cadence_seconds)
    table[layout.WARM_AT] = warm_from.min(axis=1)
    table[[layout.FACTOR, layout.DIVISOR]] = np.nan
    table[[layout.UNIT_CASH, layout.UNIT_EQUITY]] = setup.execution.capital
    return table
