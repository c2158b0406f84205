"""What is resampled of a result: returns of bars, and of trades by what they made of the money before them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import barstep as bs
import numpy as np
import polars as pl
import pytest
from barstep.engine.resampled import Resampled, bars_of, trades_of
from barstep.engine.strategy import bars_per_year
from making import walk_bars


def resampled(result: bs.Result | bs.PortfolioResult) -> tuple[Resampled, Resampled]:
    """Bars and trades of a result."""
    capital, year = result.execution.capital, bars_per_year(result.bars.interval_seconds, result.execution.year_days)
    return bars_of(result.equity, capital, year), trades_of(result.trades, capital, result.equity.height, year)


def single() -> bs.Result:
    return bs.backtest(walk_bars(600), "sma_crossover", fast_ma=5, slow_ma=20, fee_bps=4)


def shared() -> bs.PortfolioResult:
    walks = [walk_bars(500, seed) for seed in (1, 2)]
    named = [replace(walk, symbol=name) for walk, name in zip(walks, "XY", strict=True)]
    return bs.portfolio(named, [bs.Allocation(strategy="mean_reversion", weight=0.6)], fee_bps=3)


@pytest.mark.parametrize("make", [single, shared])
def test_both_compound_to_the_final_equity(make: Callable[[], bs.Result | bs.PortfolioResult]) -> None:
    """1 + return of all bars, or of all trades with open ones at the last close, times capital is what was left."""
    result = make()
    assert result.trades.height > 10
    for each in resampled(result):
        assert each.capital * math.prod(1.0 + each.returns) == pytest.approx(result.final_equity, rel=1e-11)
    bars, trades = resampled(result)
    assert (bars.returns.size, trades.returns.size) == (result.equity.height, result.trades.height)
    assert (bars.unit, trades.unit) == ("bar", "trade")
    assert trades.steps_per_year == pytest.approx(bars.steps_per_year * result.trades.height / result.equity.height)


def test_a_trade_returns_its_profit_over_what_was_there_before() -> None:
    """Of trades that made 50, -30 and 12 from 100: 50 %, -20 %, 10 %; nothing more once all is lost."""
    times = pl.Series("exit_time", np.array([1, 2, 3], dtype="datetime64[us]"))
    table = pl.DataFrame([times, pl.Series("profit", [50.0, -30.0, 12.0])])
    assert trades_of(table, 100.0, 30, 365.0).returns == pytest.approx([0.5, -0.2, 0.1])
    assert trades_of(table, 100.0, 30, 365.0).steps_per_year == 36.5
    lost = table.with_columns(profit=pl.Series([50.0, -150.0, 12.0]))
    assert trades_of(lost, 100.0, 30, 365.0).returns == pytest.approx([0.5, -1.0, 0.0])


def test_what_is_no_number_is_refused() -> None:
    """The row is named."""
    result = single()
    equity = result.equity["equity"].to_list()
    equity[7] = math.nan
    with pytest.raises(bs.DataError, match="row 7 of the result: equity is no finite number"):
        bars_of(result.equity.with_columns(equity=pl.Series(equity)), 1e5, 8760.0)


def test_the_centre_is_a_return() -> None:
    """So that sums of differences from it are exact where all returns are the same."""
    bars, _ = resampled(single())
    assert bars.centre in bars.returns
    assert (bars.returns < bars.centre).mean() == pytest.approx(0.5, abs=0.3)
