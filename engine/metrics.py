"""What an equity curve and its trades come to, by name.

`r` is the return of a bar, `n` their number, `y` the bars in a year (stated in every result). A name ending in `_pct`
is in percent. Ratios whose denominator is 0 are NaN.

Each group of metrics is computed when one of its names is first asked for: the tail needs an order over all returns,
which costs more than the rest together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from ..kernels import metrics as kernel
from ..kernels import tally
from .bars import Floats, Integers
from .strategy import bars_per_year

if TYPE_CHECKING:
    from .portfolio_result import PortfolioResult
    from .result import Result

    Measured: TypeAlias = Result | PortfolioResult

DESCRIPTIONS: Mapping[str, str] = {
    "total_return_pct": "final over starting equity - 1",
    "annual_return_pct": "(final / starting equity)^(y / n) - 1, compounded",
    "annual_volatility_pct": "deviation of r (ddof 1) × √y",
    "sharpe": "mean r / deviation of r (ddof 1) × √y, no risk-free rate (Sharpe 1994, J. Portfolio Management 21)",
    "sortino": "mean r / √(Σ min(r, 0)² / (n - 1)) × √y (Sortino and van der Meer 1991)",
    "calmar": "annual return / greatest drawdown (Young 1991, Futures 20)",
    "omega": "Σ max(r, 0) / Σ max(-r, 0) (Keating and Shadwick 2002)",
    "max_drawdown_pct": "greatest fall of equity from its peak so far, as a positive number",
    "max_drawdown_bars": "most bars in a row that closed with equity under its peak so far",
    "benchmark_return_pct": "last close over first close - 1",
    "trades": "closed trades; each fill that lowers a position closes one, against the average entry",
    "open_trades": "trades still open at the end",
    "win_rate_pct": "closed trades with a profit after fees",
    "profit_factor": "profits / losses of closed trades, after fees",
    "expectancy": "mean profit of a closed trade after fees, in account currency",
    "average_trade_pct": "mean return of a closed trade on its entry value, after fees",
    "best_trade_pct": "best of them",
    "worst_trade_pct": "worst of them",
    "average_trade_bars": "mean bars from entry to exit of closed trades",
    "exposure_pct": "bars that closed with a position",
    "turnover": "traded value / mean equity",
    "fees_paid": "fees, in account currency",
    "value_at_risk_95_pct": "loss of a bar that 5 % of bars exceed: minus the 5th percentile of r (linear)",
    "conditional_value_at_risk_95_pct": "mean loss of the ⌊0.05 (n - 1)⌋ + 1 worst bars",
    "tail_ratio": "95th percentile of r / |5th percentile of r|",
}


_PIECE = 64 * kernel.STATISTICS_BLOCK
_SAMPLED_EVERY = 61
_FEWEST_SAMPLED = 100_000
_MARGIN = 0.01


class Metrics(Mapping[str, float]):
    """The metrics of a result, computed group by group as they are asked for."""

    def __init__(self, result: Measured, known: dict[str, float]) -> None:
        """known: those that were computed before; what is asked for is added."""
        self._result, self._known = result, known

    def __getitem__(self, name: str) -> float:
        if name not in self._known:
            if name not in DESCRIPTIONS:
                raise KeyError(name)
            self._known.update(_GROUPS[group_of(name)](self._result))
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(DESCRIPTIONS)

    def __len__(self) -> int:
        return len(DESCRIPTIONS)

    def __repr__(self) -> str:
        return repr(dict(self))


def _ratio(numerator: float, denominator: float) -> float:
    return float(numerator / denominator) if denominator else math.nan


def end_metrics(result: Measured) -> dict[str, float]:
    """What the last equity alone comes to."""
    n, execution = len(result.bars), result.execution
    year = bars_per_year(result.bars.interval_seconds, execution.year_days)
    return end_figures(execution.capital, result.final_equity, year, n, result.benchmark_growth if n else 1.0)


def end_figures(capital: float, final: float, year: float, n: int, benchmark_growth: float) -> dict[str, float]:
    """What the last equity alone comes to, after `n` bars; year: bars in a year."""
    return {
        "total_return_pct": (final / capital - 1.0) * 100.0,
        "annual_return_pct": _annual(capital, final, year, n) * 100.0,
        "benchmark_return_pct": (benchmark_growth - 1.0) * 100.0,
    }


def curve_metrics(result: Measured) -> dict[str, float]:
    """Risk and drawdown of the equity curve, in one pass over pieces of it that stay in the cache."""
    found = np.zeros(kernel.STATISTICS_CARRY)
    scratch = np.empty(kernel.STATISTICS_SCRATCH)
    capital, year_days = result.execution.capital, result.execution.year_days
    kernel.start_statistics(capital, found)
    for _, equity in result.equity_chunks(_PIECE):
        kernel.advance_statistics(equity, scratch, found)
    traded = float(result.fill_tally[tally.TRADED]) if len(result.bars) else 0.0
    year = bars_per_year(result.bars.interval_seconds, year_days)
    return curve_figures(found, capital, result.final_equity, year, traded)


def curve_figures(found: Floats, capital: float, final: float, year: float, traded_value: float) -> dict[str, float]:
    """What the statistics of a curve come to. found: float64[STATISTICS_CARRY]; year: bars in a year."""
    n = int(found[kernel.RETURNS])
    mean, root = found[kernel.MEAN], math.sqrt(year)
    deviation = math.sqrt(found[kernel.SQUARES] / (n - 1)) if n > 1 else math.nan
    downside = math.sqrt(found[kernel.DOWNSIDE_SQUARES] / (n - 1)) if n > 1 else math.nan
    deepest = 1.0 - float(found[kernel.DEEPEST])
    return {
        "annual_volatility_pct": deviation * root * 100.0,
        "sharpe": _ratio(mean * root, deviation),
        "sortino": _ratio(mean * root, downside),
        "calmar": _ratio(_annual(capital, final, year, n), deepest),
        "omega": _ratio(float(found[kernel.GAINS]), float(found[kernel.LOSSES])),
        "max_drawdown_pct": deepest * 100.0,
        "max_drawdown_bars": float(max(found[kernel.LONGEST], found[kernel.AGE])),
        "turnover": _ratio(traded_value, float(found[kernel.TOTAL]) / n) if n else 0.0,
    }


def _annual(capital: float, final: float, year: float, n: int) -> float:
    """Growth of a year - 1; -1 where all is lost, infinite where a few good minutes make a year past counting."""
    if not n:
        return 0.0
    try:
        return float(max(final / capital, 0.0) ** (year / n) - 1.0)
    except OverflowError:
        return math.inf


def trade_metrics(result: Measured) -> dict[str, float]:
    """What the closed trades came to."""
    table = np.ascontiguousarray(result.trade_table)
    found = np.zeros(tally.TRADE_TALLY)
    tally.start_trades(found)
    tally.tally_trades(table, table.shape[1], result.lot, found)
    return trade_figures(found, table.shape[1] - int(found[tally.CLOSED]))


def trade_figures(found: Floats, open_trades: int) -> dict[str, float]:
    """What closed trades come to that were added up. found: float64[TRADE_TALLY]."""
    count = float(found[tally.CLOSED])
    return {
        "trades": count,
        "open_trades": float(open_trades),
        "win_rate_pct": _ratio(float(found[tally.WON]), count) * 100.0,
        "profit_factor": _ratio(float(found[tally.GAINED]), float(found[tally.LOST])),
        "expectancy": _ratio(float(found[tally.EARNED]), count),
        "average_trade_pct": _ratio(float(found[tally.RETURNED_PCT]), count),
        "best_trade_pct": float(found[tally.BEST_PCT]) if count else math.nan,
        "worst_trade_pct": float(found[tally.WORST_PCT]) if count else math.nan,
        "average_trade_bars": _ratio(float(found[tally.BARS]), count),
    }


def activity_metrics(result: Measured) -> dict[str, float]:
    """How long something was held, and what trading cost."""
    return activity_figures(result.fill_tally, result.bars_held, len(result.bars))


def activity_figures(found: Floats, bars_held: float, n: int) -> dict[str, float]:
    """How long of `n` bars something was held, and what the fills cost. found: float64[FILL_TALLY]."""
    return {
        "exposure_pct": bars_held / n * 100.0 if n else 0.0,
        "fees_paid": float(found[tally.FEES] + found[tally.LIQUIDATION_COST]),
    }


def tail_metrics(result: Measured) -> dict[str, float]:
    """The ends of the distribution of bar returns."""
    n = len(result.bars)
    if n < 2:
        return dict.fromkeys(TAIL, math.nan)
    place = 0.05 * (n - 1)
    lows, highs = _tails(result, n, int(place) + 2)
    fifth, ninety_fifth = _between(lows, place), -_between(highs, place)
    return {
        "value_at_risk_95_pct": -fifth * 100.0,
        "conditional_value_at_risk_95_pct": -float(lows[: int(place) + 1].mean()) * 100.0,
        "tail_ratio": _ratio(ninety_fifth, abs(fifth)),
    }


def _between(ordered: Floats, place: float) -> float:
    """The value at a place, on the line between its two neighbours."""
    before = int(place)
    after = min(before + 1, ordered.size - 1)
    return float(ordered[before] + (ordered[after] - ordered[before]) * (place - before))


def _tails(result: Measured, n: int, count: int) -> tuple[Floats, Floats]:
    """The `count` lowest bar returns and minus the highest ones, the last two of each in their places.

    Bounds a little wider than the twentieths come from a sample. What lies beyond them is an eighth of all returns, so
    that an order over those costs little; many returns may be the bound itself, 0 above all.
    """
    if n >= _FEWEST_SAMPLED:
        low, high = np.quantile(_sampled_returns(result), (0.05 + _MARGIN, 0.95 - _MARGIN), method="nearest")
        lows, highs, counts = _beyond(result, float(low), float(high), n // 4 + _PIECE)
        if min(counts[kernel.BELOW] + counts[kernel.AT_LOW], counts[kernel.ABOVE] + counts[kernel.AT_HIGH]) >= count:
            return _ordered(lows, float(low), count), _ordered(highs, -float(high), count)
    lows, highs, _ = _beyond(result, math.inf, -math.inf, n + 2 * _PIECE)
    return _ordered(lows, math.inf, count), _ordered(highs, math.inf, count)


def _sampled_returns(result: Measured) -> Floats:
    pieces = []
    for _, equity in result.equity_chunks(_PIECE):
        before, after = equity[:-1:_SAMPLED_EVERY], equity[1::_SAMPLED_EVERY]
        pieces.append(after / np.where(before > 0.0, before, after) - 1.0)
    return np.concatenate(pieces)


def _beyond(result: Measured, low: float, high: float, capacity: int) -> tuple[Floats, Floats, Integers]:
    """Returns under `low`, minus those over `high`, and the counts; counts of 0 where there is no room for them."""
    lows, highs, counts = np.empty(capacity), np.empty(capacity), np.zeros(kernel.TAIL_COUNTS, dtype=np.int64)
    returns, before = np.empty(_PIECE), result.execution.capital
    for _, equity in result.equity_chunks(_PIECE):
        piece = returns[: equity.size]
        kernel.bar_returns(equity, before, piece)
        before = equity[-1]
        if not kernel.collect_tails(piece, low, high, lows, highs, counts):
            return lows, highs, np.zeros_like(counts)
    return lows[: counts[kernel.BELOW]], highs[: counts[kernel.ABOVE]], counts


def _ordered(beyond: Floats, bound: float, count: int) -> Floats:
    """The `count` lowest, the last two in their places: what is beyond the bound, and then the bound itself."""
    if beyond.size:
        beyond.partition((min(count, beyond.size) - 1, max(min(count, beyond.size) - 2, 0)))
    return np.concatenate((beyond[:count], np.full(max(count - beyond.size, 0), bound)))


TAIL = ("value_at_risk_95_pct", "conditional_value_at_risk_95_pct", "tail_ratio")
_END = ("total_return_pct", "annual_return_pct", "benchmark_return_pct")
_TRADES = (
    "trades", "open_trades", "win_rate_pct", "profit_factor", "expectancy", "average_trade_pct", "best_trade_pct",
    "worst_trade_pct", "average_trade_bars",
)  # fmt: skip
_ACTIVITY = ("exposure_pct", "fees_paid")
_GROUPS: dict[str, Callable[[Measured], dict[str, float]]] = {
    "end": end_metrics,
    "curve": curve_metrics,
    "trades": trade_metrics,
    "activity": activity_metrics,
    "tail": tail_metrics,
}
_GROUP_OF = {
    **dict.fromkeys(DESCRIPTIONS, "curve"),
    **dict.fromkeys(_END, "end"),
    **dict.fromkeys(_TRADES, "trades"),
    **dict.fromkeys(_ACTIVITY, "activity"),
    **dict.fromkeys(TAIL, "tail"),
}


_LESS_IS_BETTER = frozenset({
    "annual_volatility_pct", "max_drawdown_pct", "max_drawdown_bars", "turnover", "fees_paid", "value_at_risk_95_pct",
    "conditional_value_at_risk_95_pct",
})  # fmt: skip


def is_less_better(name: str) -> bool:
    """Whether the lowest value of a metric is the best one."""
    return name in _LESS_IS_BETTER


def group_of(name: str) -> str:
    """What a metric is computed from: the `end` of the curve, the `curve`, its `tail`, `trades` or `activity`."""
    return _GROUP_OF[name]
