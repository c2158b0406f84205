"""Parameter sets over some bars, for the tests of the sweep's kernel: all at once, and each by itself, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from barstep.engine.builtin import BUILTIN_ENGINES
from barstep.engine.strategy import StrategyEngine, Value
from barstep.kernels import account, metrics, sweep, tally, trades, venue
from barstep.kernels.columns import ANNUAL_SCALE, CLOSE, OPEN, SECONDARY_CLOSE, TARGET
from barstep.kernels.engines.by_indicators import INDICATORS, MOST_INDICATORS
from barstep.kernels.engines.by_number import NUMBERED
from barstep.kernels.indicators import INDICATOR_CARRY
from barstep.kernels.moments import NUMBER
from contract import POISON, bits
from inputs import INTERVAL_SECONDS, Floats, as_bars, walk
from numpy.typing import NDArray
from venues import rules_of

Integers = NDArray[np.int64]
ENGINES: dict[str, StrategyEngine] = {engine.name: engine for engine in BUILTIN_ENGINES}
CAPITAL = 1000.0
ALL = sweep.CURVE | sweep.FILL_TABLE | sweep.TRADE_TABLE
PARTS = {
    "account": slice(sweep.ACCOUNT, sweep.MARKING),
    "curve": slice(sweep.STATISTICS, sweep.FILL_SUMS),
    "fills": slice(sweep.FILL_SUMS, sweep.TRADE_SUMS),
    "trades": slice(sweep.TRADE_SUMS, sweep.TRIPS),
    "trips": slice(sweep.TRIPS, sweep.ENGINE),
}
"""Parts of a set's state that a single backtest has too."""
_SPARE = 2

VENUE_TERMS = {
    "fee": 0.001, "slippage": 0.0003, "lot": 0.01, "volume_slippage": 0.002, "max_volume_share": 0.3, "tick": 0.01,
    "min_notional": 5.0, "limit_offset": 0.002, "stop_distance": 0.03, "take_profit_distance": 0.04,
    "trail_distance": 0.05, "leverage": 3.0, "maintenance": 0.05, "liquidation_fee": 0.01, "borrow_rate": 0.1,
}  # fmt: skip
"""Every rule of a venue at once."""


@dataclass(frozen=True, kw_only=True)
class History:
    """Bars with the gaps before some of them, and what a second venue or a perpetual adds."""

    bars: Floats
    numbers: Integers
    marks: Floats
    other_opens: Floats
    funding: Floats = field(default_factory=lambda: np.empty(0))

    @property
    def gaps(self) -> Integers:
        return np.flatnonzero(np.diff(self.numbers) != 1) + 1

    def __len__(self) -> int:
        return self.numbers.size


@dataclass(frozen=True, kw_only=True)
class Set:
    """One parameter set with its rules."""

    parameters: dict[str, Value]
    rules: Floats
    plain: bool
    capital: float = CAPITAL


def history_of(n: int, gaps: Sequence[int] = (), seed: int = 3, *, hedged: bool = False) -> History:
    """A walk of `n` bars with some bars missing before each of `gaps`."""
    columns = walk(n, seed=seed, step=0.02)
    bars, rng = as_bars(columns), np.random.default_rng(seed)
    steps = np.ones(n, dtype=np.int64)
    for k, gap in enumerate(gaps):
        steps[gap] += 1 + 5 * (k % 3)
    closes, others = bars[CLOSE], bars[SECONDARY_CLOSE]
    opens = others * np.exp(0.001 * rng.standard_normal(n))
    opens[rng.random(n) < 0.05] = np.nan
    return History(
        bars=bars if hedged else bars[:6].copy(),
        numbers=1_000_003 + np.cumsum(steps),
        marks=closes - others if hedged else closes,
        other_opens=opens if hedged else bars[OPEN],
    )


def set_of(terms: dict[str, float] | None = None, **parameters: Value) -> Set:
    """A set whose orders fill in full at the next open, or by the terms of a venue."""
    usual = {"fee": 0.001, "slippage": 0.0003, "lot": 1e-6}
    return Set(parameters=parameters, rules=rules_of(**(usual if terms is None else terms)), plain=terms is None)


def hedged_set(**parameters: Value) -> Set:
    """A set for two venues."""
    one = set_of(**parameters)
    one.rules[account.HEDGED] = 1.0
    return one


def _packed(engine: StrategyEngine, one: Set) -> Floats:
    return engine.pack(engine.read_parameters(one.parameters), INTERVAL_SECONDS, 365.0, False)


def _reads(engine: StrategyEngine, params: Floats) -> list[tuple[int, int]]:
    """Kind and window of what a set reads; in the place of what it does not, its first one."""
    specs = INDICATORS[NUMBERED.index(engine.kernel)]
    found: list[tuple[int, int]] = []
    for kind, slot, *condition in specs:
        is_read = not condition or params[condition[0]] != 0.0
        found.append((kind, int(params[slot])) if is_read else found[0])
    return found


@dataclass(frozen=True)
class Swept:
    """What all sets came to: their state and the moments of their slices."""

    state: Floats
    slices: Floats

    def part(self, name: str) -> Floats:
        """A part of all sets' state; of the account, but for the fills of the last block."""
        found = self.state[:, PARTS[name]].copy()
        if name == "account":
            found[:, account.FILLS] = 0.0
        return found


def swept(
    engine: StrategyEngine,
    history: History,
    sets: Sequence[Set],
    *,
    cuts: Sequence[int] = (),
    slice_ends: Sequence[int] = (),
    reduced: int = ALL,
    seed: int = 0,
) -> Swept:
    """All sets by the kernel, in calls that end before each bar of `cuts`; indicators stand in any order."""
    params = np.stack([_packed(engine, one) for one in sets])
    reads = [_reads(engine, row) for row in params]
    ordered = sorted({each for row in reads for each in row})
    kinds = [ordered[place] for place in np.random.default_rng(seed).permutation(len(ordered))]
    places = np.zeros((len(sets), MOST_INDICATORS), dtype=np.int64)
    for s, row in enumerate(reads):
        places[s, : len(row)] = [kinds.index(each) for each in row]
    state = np.full((len(sets), sweep.ENGINE + engine.carry_size + _SPARE), POISON)
    sweep.start_sets(np.array([one.capital for one in sets]), state)
    state[:, -_SPARE:] = POISON
    slices = np.zeros((len(sets), len(slice_ends), 3))
    carries, stride = np.zeros((max(len(kinds), 1), INDICATOR_CARRY)), sweep.BLOCK_STRIDE
    for start, stop in pairwise([0, *sorted(cuts), len(history)]):
        sweep.sweep_sets(
            NUMBERED.index(engine.kernel), history.bars, history.numbers, history.gaps, history.funding, history.marks,
            history.other_opens, np.array(kinds, dtype=np.int64).reshape(-1, 2), float(params[0, ANNUAL_SCALE]),
            carries, params, np.stack([one.rules for one in sets]), np.array([int(one.plain) for one in sets]), places,
            state,
            np.array(slice_ends, dtype=np.int64), slices, reduced, np.full((max(len(kinds), 1), stride), POISON),
            np.full((engine.rows, stride), POISON), np.full((account.FILL_COLUMNS, sweep.BLOCK_FILLS), POISON),
            np.full((2, trades.TRADE_COLUMNS, sweep.BLOCK_FILLS), POISON), np.full(sweep.BLOCK, POISON),
            np.full(metrics.STATISTICS_SCRATCH, POISON), start, stop,
        )  # fmt: skip
    assert (bits(state[:, -_SPARE:]) == bits(POISON)).all(), "written beyond the engine's carry"
    return Swept(state[:, :-_SPARE], slices)


def _wishes(engine: StrategyEngine, history: History, one: Set) -> Floats:
    """What the engine itself wishes at each bar, called once between gaps."""
    params, carry = _packed(engine, one), engine.new_carry()
    out = np.full((engine.rows, len(history)), POISON)
    for start, stop in pairwise([0, *history.gaps.tolist(), len(history)]):
        carry[NUMBER] = history.numbers[start]
        engine.kernel(history.bars, params, carry, out, start, stop, start)
    return out[TARGET].copy()


@dataclass(frozen=True)
class Single:
    """One set by itself: its parts as in the sweep's state, its fills and its curve."""

    parts: dict[str, Floats]
    fills: Floats
    curve: Floats
    engine: Floats


def single(engine: StrategyEngine, history: History, one: Set) -> Single:
    """One set over the whole history: wishes, then all fills, then what they come to."""
    target, n = _wishes(engine, history, one), len(history)
    carry = np.zeros(venue.VENUE_CARRY)
    carry[account.CASH] = one.capital
    fills = np.full((account.FILL_COLUMNS, 4 * n + 8), POISON)
    opens, closes = history.bars[OPEN], history.bars[CLOSE]
    if one.plain:
        account.trade_targets(
            opens, closes, history.marks, history.other_opens, history.numbers, target, one.rules, carry, fills, 0, n
        )
    else:
        venue.trade_at_venue(history.bars, history.funding, history.numbers, target, one.rules, carry, fills, 0, n)
    fills = np.ascontiguousarray(fills[:, : int(carry[account.FILLS])])
    carry[account.FILLS] = 0.0
    curve, statistics = _curve(history, one, fills)
    summed, closed, trips = _sums(one, fills)
    parts = {"account": carry, "curve": statistics, "fills": summed, "trades": closed, "trips": trips}
    return Single(parts, fills, curve, target)


def _curve(history: History, one: Set, fills: Floats) -> tuple[Floats, Floats]:
    marking, curve = np.zeros(account.MARK_CARRY), np.full(len(history), POISON)
    marking[account.MARK_CASH] = one.capital
    account.mark_equity(fills, history.marks, one.rules[account.LOT], marking, curve, 0, len(history))
    statistics = np.full(metrics.STATISTICS_CARRY, POISON)
    metrics.start_statistics(one.capital, statistics)
    scratch = np.full(metrics.STATISTICS_SCRATCH, POISON)
    metrics.advance_statistics(curve, scratch, statistics)
    return curve, statistics


def _sums(one: Set, fills: Floats) -> tuple[Floats, Floats, Floats]:
    lot, penalty = one.rules[account.LOT], one.rules[venue.LIQUIDATION_FEE]
    summed, closed = np.zeros(tally.FILL_TALLY), np.full(tally.TRADE_TALLY, POISON)
    tally.tally_fills(fills, np.full(2, lot), np.full(2, penalty), summed)
    tally.start_trades(closed)
    tables, carries = [], np.zeros((2, trades.TRIP_CARRY))
    for leg in range(2):
        table = np.full((trades.TRADE_COLUMNS, fills.shape[1] + 1), POISON)
        # The second leg of an account that is not hedged has no fills, and is never looked at.
        count = trades.round_trips(fills, float(leg), lot, 0.0, 0.0, carries[leg], table)
        tables.append(table[:, :count])
    both = np.concatenate(tables, axis=1)
    both = both[:, both[trades.IS_OPEN] == 0.0]
    ordered = np.ascontiguousarray(both[:, np.argsort(both[trades.EXIT_BAR], kind="stable")])
    tally.tally_trades(ordered, ordered.shape[1], lot, closed)
    return summed, closed, carries.reshape(-1)


def funded(history: History, every: int = 8) -> History:
    """The same history as a perpetual's: a rate at each eighth bar, now paid and now received."""
    rates = np.zeros(len(history))
    rates[::every] = np.linspace(-1e-3, 2e-3, rates[::every].size)
    return replace(history, funding=rates)
