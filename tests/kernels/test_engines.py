"""Strategy engines: hand-computed runs, and what holds for all of them beside the contract."""

from __future__ import annotations

import math

import numpy as np
import pytest
from barstep.engine import builtin
from barstep.engine.strategy import StrategyEngine
from barstep.kernels.columns import (
    CONFIDENCE,
    DIAGNOSTICS,
    HIGH,
    LOW,
    OWN,
    PAIR_COLUMNS,
    RETURN,
    SECONDARY_CLOSE,
    TARGET,
    VOLATILITY,
    VOLUME,
)
from barstep.kernels.engines import fade
from contract import POISON, assert_same_bits, bits
from hypothesis import given
from hypothesis import strategies as st
from inputs import INTERVAL_SECONDS, Floats, as_bars, log_of_ratio, walk

pytestmark = pytest.mark.unit_kernel

every_engine = pytest.mark.parametrize("engine", builtin.BUILTIN_ENGINES, ids=lambda engine: engine.name)
WITH_TELEMETRY_ALONE = [
    builtin.SMA_CROSSOVER,
    builtin.DAILY_TREND_MOMENTUM,
    builtin.GRID_TRADING,
    builtin.CROSS_EXCHANGE_ARBITRAGE,
]
"""Engines whose wishes do not depend on volatility."""
BARS = as_bars(walk(1500))


def run(engine: StrategyEngine, bars: Floats, with_telemetry: bool = True, **given: float) -> Floats:
    """All rows of an engine over all bars, numbered from 0."""
    params = engine.pack(engine.read_parameters(given), INTERVAL_SECONDS, 365.0, with_telemetry)
    out = np.full((engine.rows, bars.shape[1]), POISON)
    engine.kernel(bars, params, engine.new_carry(), out, 0, bars.shape[1], 0)
    return out


def of_closes(*close: float, other: tuple[float, ...] = ()) -> Floats:
    """Bars that are a single price each, of volume 1; the second venue has the same closes unless others are given."""
    prices = np.array(close)
    bars = np.zeros((PAIR_COLUMNS, prices.size))
    bars[:] = prices
    bars[VOLUME], bars[RETURN] = 1.0, log_of_ratio(prices)
    bars[SECONDARY_CLOSE] = other or prices
    return bars


def test_arbitrage_by_hand() -> None:
    """The dearer venue is sold, bought back inside 10 bps, bought where cheaper; each exit tells what it brought."""
    other = (100.0,) * 7
    bars = of_closes(100.0, 102.0, 101.5, 100.0625, 99.0, 98.5, 101.25, other=other)
    engine = builtin.CROSS_EXCHANGE_ARBITRAGE
    got = run(engine, bars, spread_entry=0.0095, spread_exit=0.001)
    spread, capture, _ = got[DIAGNOSTICS:]
    assert got[TARGET].tolist() == [0.0, -1.0, -1.0, 0.0, 1.0, 1.0, -1.0]
    assert spread == pytest.approx([0.0, 200.0, 150.0, 6.25, -100.0, -150.0, 125.0], abs=1e-9)
    assert np.flatnonzero(~np.isnan(capture)).tolist() == [3, 6]
    assert capture[[3, 6]] == pytest.approx([193.75, 225.0], abs=1e-9)
    assert got[CONFIDENCE] == pytest.approx([0.0, 1.0, 14 / 18, 0.0, 0.5, 14 / 18, 115 / 180], abs=1e-9)


def test_an_arbitrage_that_takes_too_long_is_left() -> None:
    """After its time it is left with what it brought, and not entered again before the basis has been inside."""
    other = (100.0,) * 8
    bars = of_closes(100.0, 102.0, 102.0, 102.0, 102.0, 102.0, 100.5, 102.0, other=other)
    given = {"spread_entry": 0.01, "spread_exit": 0.001, "max_open_seconds": 2.0 * INTERVAL_SECONDS}
    got = run(builtin.CROSS_EXCHANGE_ARBITRAGE, bars, **given)
    assert got[TARGET].tolist() == [0.0, -1.0, -1.0, 0.0, 0.0, 0.0, 0.0, -1.0]
    assert got[DIAGNOSTICS + 1, 3] == 0.0


def test_mean_reversion_by_hand() -> None:
    """A fall is bought and a rise sold; each flip begins a holding period of its own."""
    # Of three values with two alike, the third is √2 deviations off; of a rise by even steps the last is √1.5.
    bars = of_closes(10.0, 10.0, 10.5, 10.5, 9.0, 9.0, 11.0, 11.0, 11.0, 9.0)
    given = {"lookback": 3, "entry_zscore": 1.3, "exit_zscore": 0.3, "max_holding_period": 3, "volatility_cap": 1000.0}
    got = run(builtin.MEAN_REVERSION, bars, **given)
    root = math.sqrt(0.5)
    expected = [np.nan, np.nan, 2 * root, root, -2 * root, -root, 2 * root, root, np.nan, -2 * root]
    assert got[DIAGNOSTICS] == pytest.approx(expected, nan_ok=True)
    # Not sold at bar 2: z had not been seen inside the entry before. Bought at 4, flipped at 6, flipped again at 9,
    # the third bar after, and not left at 7, the third after the first entry.
    assert got[TARGET].tolist() == [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, -1.0, -1.0, -1.0, 1.0]


def test_mean_reversion_is_left_when_its_time_is_up() -> None:
    """Held for two bars at most, with the price still off: left, and taken again only after it has been inside."""
    bars = of_closes(10.0, 10.0, 10.0, 10.1, 10.0, 9.0, 8.0, 7.0, 6.0, 6.0, 5.0)
    given = {"lookback": 4, "entry_zscore": 1.2, "exit_zscore": 0.1, "max_holding_period": 2, "volatility_cap": 1000.0}
    got = run(builtin.MEAN_REVERSION, bars, **given)
    z = got[DIAGNOSTICS]
    assert (z[5:9] <= -1.2).all()
    assert -1.2 < z[9] < 0.0
    assert got[TARGET, 4:].tolist() == [0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0]


def test_a_grid_by_hand() -> None:
    """A step is bought at each level under the anchor and sold at each over it; noise inside a cell trades nothing."""
    bars = of_closes(100.0, 100.0, 98.9, 98.2, 96.5, 97.5, 98.5, 100.5, 101.5, 90.0)
    given = {"grid_size": 4, "grid_spacing": 0.01, "rebalance_threshold": 0.5, "max_inventory": 2.0, "anchor_window": 2}
    got = run(builtin.GRID_TRADING, bars, **given)
    anchor, level, crossed = got[DIAGNOSTICS:]
    assert anchor.tolist() == [0.0] + [100.0] * 9
    assert level.tolist() == [0.0, 0.0, 1.0, 1.0, 3.0, 3.0, 2.0, 0.0, -1.0, 4.0]
    assert crossed.tolist() == [0.0, 0.0, 1.0, 0.0, 2.0, 0.0, 1.0, 2.0, 1.0, 5.0]
    assert got[TARGET].tolist() == (level * 0.5).tolist()
    assert got[CONFIDENCE].tolist() == (abs(level) / 4).tolist()


def test_a_grids_anchor_moves_with_the_mean() -> None:
    """Once the mean is off by more than the threshold it is the new anchor, and levels count from there."""
    bars = of_closes(100.0, 100.0, 104.0, 108.0, 108.0)
    given = {"grid_spacing": 0.1, "rebalance_threshold": 0.03, "anchor_window": 2}
    assert run(builtin.GRID_TRADING, bars, **given)[DIAGNOSTICS].tolist() == [0.0, 100.0, 100.0, 106.0, 106.0]


def test_a_volatility_target_by_hand() -> None:
    """Half the volatility wants twice the exposure; a change within the threshold moves nothing."""
    bars = of_closes(*[100.0] * 7)
    bars[RETURN] = [np.nan, 0.02, -0.02, 0.01, -0.01, 0.0101, -0.0101]
    root = math.sqrt(2.0) * math.sqrt(365 * 24)
    given = {"lookback": 2, "target_volatility": 0.01 * root, "rebalance_threshold": 0.02, "max_allocation": 2.0}
    got = run(builtin.VOLATILITY_TARGET, bars, **given)
    error, off = got[DIAGNOSTICS:]
    assert got[VOLATILITY] == pytest.approx(
        np.array([np.nan, np.nan, 2, 1.5, 1, 1.005, 1.01]) * 0.01 * root, nan_ok=True
    )
    assert got[TARGET] == pytest.approx([0.0, 0.0, 0.5, 2 / 3, 1.0, 1.0, 1.0])
    assert got[CONFIDENCE] == pytest.approx([0.0, 0.0, 0.25, 1 / 3, 0.5, 0.5 / 1.005, 0.5 / 1.01])
    assert error == pytest.approx([np.nan, np.nan, 0.0, 0.0, 0.0, 0.5, 1.0], nan_ok=True, abs=1e-9)
    assert off == pytest.approx([np.nan, np.nan, 100.0, 50.0, 0.0, 0.5, 1.0], nan_ok=True, abs=1e-9)


def test_a_crossover_by_hand() -> None:
    """Long while the fast mean is over the slow one; with shorts allowed, short while it is under."""
    bars = of_closes(10.0, 10.0, 10.0, 11.0, 11.0, 9.0, 8.0)
    got = run(builtin.SMA_CROSSOVER, bars, fast_ma=1, slow_ma=2)
    assert got[TARGET].tolist() == [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]
    assert got[DIAGNOSTICS + 1, 1:].tolist() == [10.0, 10.0, 10.5, 11.0, 10.0, 8.5]
    both = run(builtin.SMA_CROSSOVER, bars, fast_ma=1, slow_ma=2, allow_short=True)
    assert both[TARGET].tolist() == [0.0, 0.0, 0.0, 1.0, 0.0, -1.0, -1.0]
    assert both[CONFIDENCE, 1:] == pytest.approx([0.0, 0.0, 1.0, 0.0, 1.0, 1.0])


def test_a_trend_by_hand() -> None:
    """A close over the prior high in a rising trend is bought, and left two ranges under the best close."""
    bars = of_closes(10.0, 11.0, 12.0, 13.0, 14.0, 13.5, 12.0, 15.0)
    bars[HIGH] += 0.5
    bars[LOW] -= 0.5
    given = {
        "fast_ma": 1, "slow_ma": 3, "breakout_lookback": 2, "momentum_window": 2, "atr_window": 2,
        "atr_multiplier": 1.0, "min_trend_strength": 0.01, "min_momentum": 0.01,
    }  # fmt: skip
    got = run(builtin.DAILY_TREND_MOMENTUM, bars, **given)
    # Ranges are 1.5 a bar while it rises, then 1.0, 2.0 and 3.5.
    assert got[DIAGNOSTICS + 2, 2:].tolist() == [1.5, 1.5, 1.5, 1.25, 1.625, 2.5625]
    assert got[DIAGNOSTICS + 1, 2:] == pytest.approx([0.2, 2 / 11, 1 / 6, 1 / 26, -1 / 7, 1 / 9])
    # Bar 2 is over the high of 11.5 before it; at bar 5 the trend has turned; bar 7 is over 14.
    assert got[TARGET].tolist() == [0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0]


def test_a_trailing_stop_follows_the_best_close() -> None:
    """With the trend still up, a fall of more than the stop's distance from the best close ends the trade."""
    rise = [100.0 + k for k in range(20)]
    bars = of_closes(*rise, 118.6, 117.2, 116.9)
    bars[HIGH] += 0.5
    bars[LOW] -= 0.5
    given = {
        "fast_ma": 2, "slow_ma": 15, "breakout_lookback": 3, "momentum_window": 2, "atr_window": 3,
        "atr_multiplier": 1.1, "min_trend_strength": 0.001,
    }  # fmt: skip
    got = run(builtin.DAILY_TREND_MOMENTUM, bars, **given)
    assert (got[DIAGNOSTICS, 14:] > 0.01).all()
    assert got[TARGET, 14:].tolist() == [1.0] * 7 + [0.0, 0.0]


@every_engine
def test_rows_go_where_they_are_asked_for(engine: StrategyEngine) -> None:
    """A call's bars go to columns `at` and on of a table of its own, and to no others."""
    whole, params = run(engine, BARS), engine.pack(engine.read_parameters({}), INTERVAL_SECONDS, 365.0)
    carry, begin, at = engine.new_carry(), 1100, 5
    engine.kernel(BARS, params, carry, np.empty((engine.rows, begin)), 0, begin, 0)
    out = np.full((engine.rows, 300), POISON)
    engine.kernel(BARS, params, carry, out, begin, begin + 200, at)
    assert_same_bits(out[:, at : at + 200], whole[:, begin : begin + 200], "rows")
    assert (bits(np.delete(out, range(at, at + 200), axis=1)) == bits(POISON)).all()


@every_engine
def test_telemetry_that_nobody_asks_for_changes_no_wish(engine: StrategyEngine) -> None:
    """Where only the wishes are asked for they are the same bits."""
    full, spared = run(engine, BARS), run(engine, BARS, with_telemetry=False)
    assert_same_bits(spared[TARGET], full[TARGET], "without telemetry")


@pytest.mark.parametrize("engine", WITH_TELEMETRY_ALONE, ids=lambda engine: engine.name)
def test_telemetry_that_nobody_asks_for_is_not_computed(engine: StrategyEngine) -> None:
    """Confidence, and a volatility that no wish depends on, are left as they were but for use as scratch."""
    full, spared = run(engine, BARS), run(engine, BARS, with_telemetry=False)
    assert (bits(spared[VOLATILITY]) == bits(POISON)).all()
    assert (bits(spared[CONFIDENCE]) != bits(full[CONFIDENCE])).any()


@every_engine
def test_no_wish_before_the_history_is_long_enough(engine: StrategyEngine) -> None:
    """Until the windows are full the wish is 0, and at some bar after it is not."""
    needed = engine.history(engine.read_parameters({}))
    target = run(engine, BARS)[TARGET]
    assert (target[: needed - 1] == 0.0).all()
    assert (target[needed - 1 :] != 0.0).any()


@every_engine
def test_without_shorts_no_wish_is_negative(engine: StrategyEngine) -> None:
    """Where shorts are allowed there are some; where not, wishes are 0 or more."""
    assert (run(engine, BARS, allow_short=True)[TARGET] < 0.0).any()
    assert (run(engine, BARS, allow_short=False)[TARGET] >= 0.0).all()


@every_engine
def test_confidence_is_a_share(engine: StrategyEngine) -> None:
    """It lies between 0 and 1 at every bar, and is a number also where nothing else is."""
    unknown = np.full_like(BARS, np.nan)
    for bars in (BARS, unknown):
        confidence = run(engine, bars)[CONFIDENCE]
        assert ((confidence >= 0.0) & (confidence <= 1.0)).all()


TELLING = {
    "max_open_seconds": 3600.0, "volatility_cap": 0.5, "breakout_lookback": 5, "min_allocation": 0.5,
    "min_momentum": 0.1, "floor_volatility": 2.0,
}  # fmt: skip
"""Values that matter on the walk, where a small change of the default would not."""


@every_engine
def test_parameters_stand_where_the_kernel_reads_them(engine: StrategyEngine) -> None:
    """Each numeric parameter but the notional, which the account reads, changes some row when it changes."""
    numeric = [p for p in engine.parameters if p.kind != "text" and p.name != "max_notional"]
    assert engine.pack(engine.read_parameters({}), INTERVAL_SECONDS, 365.0).size == OWN + len(
        [p for p in engine.parameters if p.kind != "text"]
    )
    whole = run(engine, BARS)
    for parameter in numeric:
        value = TELLING.get(parameter.name, _another(parameter.default))
        changed = run(engine, BARS, **{parameter.name: value})
        assert (bits(changed) != bits(whole)).any(), parameter.name


def _another(value: object) -> float:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 3
    return float(value) * 0.4 if value else 500.0


excursions = st.one_of(st.floats(-4.0, 4.0), st.just(math.nan))


@given(excursion=excursions, side=st.sampled_from([-1.0, 0.0, 1.0]), armed=st.booleans(), may_enter=st.booleans())
def test_a_quiet_bar_changes_no_side(excursion: float, side: float, armed: bool, may_enter: bool) -> None:
    """What the short cut calls quiet, the state machine leaves as it is, but for being armed inside the threshold."""
    if fade.is_quiet(excursion, side, 1.5, 0.5):
        after = fade.advance_fade(excursion, side, float(armed), False, 1.5, 0.5, may_enter, True)
        assert after == (side, 1.0 if side == 0.0 else float(armed) if abs(excursion) >= 1.5 else 1.0)


@pytest.mark.parametrize(
    ("excursion", "side", "armed", "timed_out", "expected"),
    [
        (-2.0, 0.0, 1.0, False, (1.0, 1.0)),  # beyond the entry
        (2.0, 0.0, 1.0, False, (-1.0, 1.0)),
        (-1.5, 0.0, 1.0, False, (1.0, 1.0)),  # on it
        (-2.0, 0.0, 0.0, False, (0.0, 0.0)),  # not armed
        (-1.0, 0.0, 0.0, False, (0.0, 1.0)),  # armed inside
        (-0.6, 1.0, 0.0, False, (1.0, 1.0)),  # held
        (-0.5, 1.0, 0.0, False, (0.0, 1.0)),  # inside the exit
        (1.0, 1.0, 0.0, False, (0.0, 1.0)),  # on the other side
        (2.0, 1.0, 0.0, False, (-1.0, 1.0)),  # far on the other side
        (-2.0, 1.0, 1.0, True, (0.0, 0.0)),  # too long, still off
        (-1.0, 1.0, 1.0, True, (0.0, 1.0)),  # too long, inside the entry
        (math.nan, 1.0, 1.0, False, (1.0, 1.0)),
        (math.nan, 1.0, 1.0, True, (0.0, 0.0)),
        (math.nan, 0.0, 1.0, False, (0.0, 1.0)),
    ],
)
def test_fading_bar_by_bar(
    excursion: float, side: float, armed: float, timed_out: bool, expected: tuple[float, float]
) -> None:
    """Each turn of the state machine, with an entry at 1.5 and an exit at 0.5, is the one that is told."""
    assert fade.advance_fade(excursion, side, armed, timed_out, 1.5, 0.5, True, True) == expected


def test_fading_long_only_or_not_at_all() -> None:
    """Without shorts a rise is left alone; where no entry is allowed a fall is."""
    assert fade.advance_fade(2.0, 0.0, 1.0, False, 1.5, 0.5, True, False) == (0.0, 1.0)
    assert fade.advance_fade(2.0, 1.0, 1.0, False, 1.5, 0.5, True, False) == (0.0, 1.0)
    assert fade.advance_fade(-2.0, 0.0, 1.0, False, 1.5, 0.5, False, True) == (0.0, 1.0)
