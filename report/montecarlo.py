"""A Monte Carlo in words and numbers: the bands of equity over time, how the paths were made, and a table of all."""

from __future__ import annotations

import numpy as np

from ..engine.bars import Floats, Integers
from ..engine.montecarlo_result import QUANTILES, MonteCarloResult
from .tables import Table
from .texts import counted, label, metric, short

_METHODS = {
    "stationary": "stationary bootstrap, blocks of {} on average",
    "block": "circular block bootstrap, blocks of {}",
    "moving_block": "moving block bootstrap, blocks of {}",
    "trades": "trades drawn with replacement",
    "shuffled_trades": "each trade once, in another order",
}


def fan(found: MonteCarloResult, first_us: int) -> tuple[Integers, dict[str, Floats]]:
    """Times, int64[n] in microseconds, and the quantiles of equity by name, begun with the capital at `first_us`."""
    times = np.append(first_us, found.bands["timestamp"].to_physical().to_numpy())
    return times, {name: np.append(found.resampled.capital, found.bands[name].to_numpy()) for name in QUANTILES}


def method_words(found: MonteCarloResult) -> str:
    """How the paths were drawn."""
    length = found.block_bars or 0.0
    return _METHODS[found.method].format(counted(int(length), "bar") if length.is_integer() else f"{length:g} bars")


def words(found: MonteCarloResult) -> str:
    """How the paths were made, and how many of them lost money or much of it."""
    of_trades = found.resampled.unit == "trade"
    return (
        f"{counted(found.paths, 'path')} of {counted(found.resampled.returns.size, found.resampled.unit)}: "
        f"{method_words(found)}, seed {found.seed}. {short(found.probability_of_loss_pct)} % of the paths lost money; "
        f"{short(found.probability_of_ruin_pct)} % had a drawdown of more than {short(found.ruin_drawdown_pct)} %."
        f"{' Each trade of a path is drawn at the exit of the one of that number in the result.' if of_trades else ''}"
    )


def quantile_table(found: MonteCarloResult) -> Table:
    """One row a metric: that of the result, the mean and the quantiles over the paths."""
    headings = ("metric", "this result", "mean", *(f"{percent} %" for percent in QUANTILES.values()))
    rows = [[label(name), *(metric(name, value) for value in row.values())] for name, row in found.metrics.items()]
    return Table("Monte Carlo", headings, rows, texts=("metric",))
