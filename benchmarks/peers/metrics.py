"""Hold barstep's metrics to empyrical's and quantstats' where they define the same thing.

Run it as `python benchmarks/peers/metrics.py`. Where a definition differs, the difference is named, and what is left of
it is compared.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import barstep as bs
import empyrical
import numpy as np
import pandas as pd
import quantstats
from barstep.data.presets import EMBEDDED_FOLDER
from barstep.engine.strategy import bars_per_year
from rich.console import Console
from rich.table import Table

TOLERANCE = 1e-9

Measure = Callable[[pd.Series, float], float]


@dataclass(frozen=True, kw_only=True)
class Row:
    """A metric, its scale here, and how the others call it; `differs` says why theirs is not held to ours."""

    name: str
    scale: float = 1.0
    empyrical: Measure | None = None
    quantstats: Measure | None = None
    differs: str = ""


STATS = quantstats.stats
ROWS = (
    Row(
        name="total_return_pct",
        scale=100.0,
        empyrical=lambda r, _: empyrical.cum_returns_final(r),
        quantstats=lambda r, _: STATS.comp(r),
    ),
    Row(
        name="annual_return_pct",
        scale=100.0,
        empyrical=lambda r, y: empyrical.annual_return(r, annualization=y),
        quantstats=lambda r, y: STATS.cagr(r, periods=y),
    ),
    Row(
        name="annual_volatility_pct",
        scale=100.0,
        empyrical=lambda r, y: empyrical.annual_volatility(r, annualization=y),
        quantstats=lambda r, y: STATS.volatility(r, periods=y),
    ),
    Row(
        name="sharpe",
        empyrical=lambda r, y: empyrical.sharpe_ratio(r, annualization=y),
        quantstats=lambda r, y: STATS.sharpe(r, periods=y),
    ),
    Row(
        name="sortino",
        empyrical=lambda r, y: empyrical.sortino_ratio(r, annualization=y) * np.sqrt((r.size - 1) / r.size),
        quantstats=lambda r, y: STATS.sortino(r, periods=y) * np.sqrt((r.size - 1) / r.size),
        differs="they divide by n, barstep by n - 1; the factor is taken out before comparing",
    ),
    Row(
        name="calmar",
        empyrical=lambda r, y: empyrical.calmar_ratio(r, annualization=y),
        quantstats=lambda r, y: STATS.calmar(r, periods=y),
    ),
    Row(
        name="omega",
        empyrical=lambda r, _: empyrical.omega_ratio(r),
        quantstats=lambda r, _: STATS.omega(r),
    ),
    Row(
        name="max_drawdown_pct",
        scale=-100.0,
        empyrical=lambda r, _: empyrical.max_drawdown(r),
        quantstats=lambda r, _: STATS.max_drawdown(r),
    ),
    Row(
        name="tail_ratio",
        empyrical=lambda r, _: empyrical.tail_ratio(r),
        quantstats=lambda r, _: STATS.tail_ratio(r),
    ),
    Row(
        name="value_at_risk_95_pct",
        scale=-100.0,
        empyrical=lambda r, _: empyrical.value_at_risk(r, 0.05),
        differs="quantstats fits a normal distribution; barstep and empyrical order the returns",
    ),
    Row(
        name="conditional_value_at_risk_95_pct",
        scale=-100.0,
        empyrical=lambda r, _: empyrical.conditional_value_at_risk(r, 0.05),
        differs="quantstats averages what is under its normal quantile",
    ),
)


def _returns(result: bs.Result) -> pd.Series:
    equity = np.append(result.execution.capital, result.equity_values)
    return pd.Series(equity[1:] / equity[:-1] - 1.0, index=pd.to_datetime(result.bars.ts_us, unit="us"))


def main() -> int:
    """Compare, print, and say whether all agree."""
    warnings.simplefilter("ignore")  # quantstats warns of pandas' future
    result = bs.backtest(bs.load(EMBEDDED_FOLDER / "binance_BTCUSDT_1h.parquet"), "mean_reversion")
    returns = _returns(result)
    year = bars_per_year(result.bars.interval_seconds, result.execution.year_days)
    table = Table("metric", "barstep", "empyrical", "quantstats", "", "difference in definition")
    agree = True
    for row in ROWS:
        ours, cells, same = result.metrics[row.name], [], True
        for measure in (row.empyrical, row.quantstats):
            theirs = measure(returns, year) * row.scale if measure else np.nan
            same = same and (measure is None or abs(theirs - ours) <= TOLERANCE * abs(ours))
            cells.append(f"{theirs:.10g}" if measure else "")
        agree = agree and same
        table.add_row(row.name, f"{ours:.10g}", *cells, "agrees" if same else "[red]differs[/]", row.differs)
    Console(width=None if sys.stdout.isatty() else 165).print(table)
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main())
