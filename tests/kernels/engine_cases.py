"""The rows of the table of cases that are strategy engines. To add one, add an `_engine` to the list.

Its state machine stands in `engine_references` under the engine's name.
"""

from __future__ import annotations

from collections.abc import Collection

import engine_references
import numpy as np
from barstep.engine import builtin
from barstep.engine.strategy import StrategyEngine
from barstep.kernels.columns import ANNUAL_SCALE
from contract import Case, assert_same_bits
from inputs import FIRST_NUMBER, INTERVAL_SECONDS, SQUARES_UNDERFLOW, Columns, Floats, as_bars
from numpy.typing import NDArray


def _begin(carry: Floats) -> None:
    carry[0] = FIRST_NUMBER


def _engine(
    engine: StrategyEngine,
    reach: int,
    skip: Collection[str] = (),
    variant: str = "",
    **given: float,
) -> Case:
    """One engine with these parameters, against its state machine.

    An error counts by the size of a row's own numbers and 1, and more where the close is far smaller than it was: a
    mean that slides keeps the last bits of the greatest price until its next anchor.
    """
    parameters = engine.read_parameters(given)
    packed = engine.pack(parameters, INTERVAL_SECONDS, 365.0)
    tell = getattr(engine_references, engine.name)

    def run(columns: Columns, carry: Floats, out: Floats, start: int, stop: int) -> None:
        bars = as_bars(columns)
        before = bars.copy()
        engine.kernel(bars, packed, carry, out, start, stop, start)
        assert_same_bits(bars, before, "the bars were written to")

    def reference(columns: Columns) -> NDArray[np.longdouble]:
        return np.array(tell(columns, parameters, packed[ANNUAL_SCALE]), dtype=np.longdouble)

    def scale(columns: Columns) -> NDArray[np.floating]:
        sizes = np.abs(columns.close[np.isfinite(columns.close) & (columns.close != 0.0)])
        spread = sizes.max() / sizes.min() if sizes.size else 1.0
        return spread * (1.0 + np.abs(np.nan_to_num(reference(columns), posinf=0.0, neginf=0.0)))

    return Case(
        name=f"{engine.name} {variant}".strip(),
        run=run,
        reference=reference,
        reach=reach,
        carry=engine.carry_size,
        begin=_begin,
        rows=engine.rows,
        tolerance=1e-12,
        scale=scale,
        skip=SQUARES_UNDERFLOW | frozenset(skip),
    )


TREND = {"fast_ma": 3, "slow_ma": 8, "breakout_lookback": 4, "momentum_window": 5, "atr_window": 6}
NEVER_NEGATIVE = {"alternating_signs", "zeros"}
"""A level or a strength is a share of the price, which has no meaning where the price is 0 or changes its sign."""
TIED_MEANS = {"two_levels", "tiny_spread"}
"""Both means are the same number but for their last bits, which decide the side."""
ENGINES = [
    _engine(builtin.MEAN_REVERSION, 9, lookback=9, entry_zscore=1.234, exit_zscore=0.321, volatility_cap=100.0),
    _engine(
        builtin.MEAN_REVERSION,
        5,
        variant="brief, picky, long only",
        lookback=5,
        entry_zscore=0.777,
        exit_zscore=0.111,
        max_holding_period=2,
        volatility_cap=0.9,
        min_volume_usd=200.0,
        allow_short=False,
    ),
    _engine(
        builtin.MEAN_REVERSION,
        12,
        variant="brief, both ways",
        lookback=12,
        entry_zscore=0.567,
        exit_zscore=0.456,
        max_holding_period=3,
        volatility_cap=50.0,
    ),
    _engine(builtin.CROSS_EXCHANGE_ARBITRAGE, 7, spread_entry=0.00123, spread_exit=0.00021, volatility_window=7),
    _engine(
        builtin.CROSS_EXCHANGE_ARBITRAGE,
        3,
        variant="brief, long only",
        spread_entry=0.00123,
        spread_exit=0.00021,
        max_open_seconds=2.0 * INTERVAL_SECONDS,
        volatility_window=3,
        allow_short=False,
    ),
    _engine(
        builtin.CROSS_EXCHANGE_ARBITRAGE,
        3,
        variant="brief, both ways",
        spread_entry=0.00045,
        spread_exit=0.00012,
        max_open_seconds=1.5 * INTERVAL_SECONDS,
        volatility_window=3,
    ),
    _engine(builtin.SMA_CROSSOVER, 8, skip=TIED_MEANS | NEVER_NEGATIVE, fast_ma=3, slow_ma=8),
    _engine(
        builtin.SMA_CROSSOVER,
        11,
        skip=TIED_MEANS | NEVER_NEGATIVE,
        variant="both ways",
        fast_ma=1,
        slow_ma=11,
        allow_short=True,
    ),
    _engine(builtin.VOLATILITY_TARGET, 6, lookback=6, target_volatility=0.6, rebalance_threshold=0.0517),
    _engine(
        builtin.VOLATILITY_TARGET,
        9,
        variant="both ways",
        lookback=9,
        target_volatility=0.9,
        min_allocation=0.15,
        max_allocation=1.5,
        rebalance_threshold=0.1117,
        floor_volatility=0.3,
        allow_short=True,
    ),
    _engine(
        builtin.VOLATILITY_TARGET,
        3,
        variant="flips within the threshold",
        lookback=3,
        target_volatility=0.6,
        max_allocation=1.5,
        rebalance_threshold=0.8117,
        allow_short=True,
    ),
    _engine(builtin.GRID_TRADING, 6, skip=NEVER_NEGATIVE, anchor_window=6, grid_spacing=0.00417, grid_size=5),
    _engine(
        builtin.GRID_TRADING,
        4,
        skip=NEVER_NEGATIVE,
        variant="long only",
        anchor_window=4,
        grid_spacing=0.0117,
        grid_size=3,
        rebalance_threshold=0.0171,
        max_inventory=2.5,
        allow_short=False,
    ),
    _engine(builtin.DAILY_TREND_MOMENTUM, 8, skip=TIED_MEANS | NEVER_NEGATIVE, **TREND),
    _engine(
        builtin.DAILY_TREND_MOMENTUM,
        8,
        skip=TIED_MEANS | NEVER_NEGATIVE,
        variant="both ways, tight stop",
        atr_multiplier=0.777,
        min_trend_strength=0.0003,
        min_momentum=0.0,
        allow_short=True,
        **TREND,
    ),
]
