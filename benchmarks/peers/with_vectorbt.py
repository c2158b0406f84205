"""vectorbt with either of its engines: kernels, and the crossover with and without `stats()`."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import vectorbt as vbt
from vectorbt.generic import dispatch
from work import (
    BAR_SECONDS,
    CASH,
    FAST,
    FASTS,
    FEE,
    SHOWN_ROWS,
    SLOW,
    SLOWS,
    WINDOW,
    Inputs,
    Outputs,
    Work,
)  # fmt: skip

PER_BAR = pd.Timedelta(seconds=BAR_SECONDS)
SAME_FORMULA = {
    "Total Return [%]": "total_return_pct",
    "Benchmark Return [%]": "benchmark_return_pct",
    "Total Fees Paid": "fees_paid",
    "Max Drawdown [%]": "max_drawdown_pct",
    "Total Closed Trades": "trades",
    "Total Open Trades": "open_trades",
    "Win Rate [%]": "win_rate_pct",
    "Best Trade [%]": "best_trade_pct",
    "Worst Trade [%]": "worst_trade_pct",
    "Profit Factor": "profit_factor",
    "Expectancy": "expectancy",
    "Sharpe Ratio": "sharpe",
    "Calmar Ratio": "calmar",
    "Omega Ratio": "omega",
}


def zscore(inputs: Inputs) -> Work:
    close = inputs["close"]

    def run() -> np.ndarray:
        mean = dispatch.rolling_mean_1d(close, WINDOW, engine="rust")
        z = np.subtract(close, mean, out=mean)
        return np.divide(z, dispatch.rolling_std_1d(close, WINDOW, engine="rust"), out=z)

    return Work(run)


def rolling_max(inputs: Inputs) -> Work:
    close = inputs["close"]
    return Work(lambda: dispatch.rolling_max_1d(close, WINDOW, engine="rust"))


def _portfolio(opens: pd.Series, closes: pd.Series, engine: str) -> vbt.Portfolio:
    """The quickest of its ways that were tried: raw means, level signals shifted by a bar, `from_signals`."""
    values = closes.to_numpy()
    over = np.zeros(values.size, dtype=bool)
    quick = dispatch.rolling_mean_1d(values, FAST, engine=engine)
    steady = dispatch.rolling_mean_1d(values, SLOW, engine=engine)
    np.greater(quick[:-1], steady[:-1], out=over[1:])
    return vbt.Portfolio.from_signals(
        closes, over, ~over, price=opens, size=1.0, fees=FEE, init_cash=CASH, freq=PER_BAR, engine=engine
    )


def _read_fills(portfolio: vbt.Portfolio) -> Outputs:
    orders = portfolio.orders.records
    return {
        "bar": orders["idx"].to_numpy(float),
        "side": np.where(orders["side"] == 0, 1.0, -1.0),
        "price": orders["price"].to_numpy(),
        "fee": orders["fees"].to_numpy(),
        "final_equity": np.array([portfolio.final_value()]),
    }


def _read_stats(product: tuple[vbt.Portfolio, Any]) -> Outputs:
    portfolio, stats = product
    n = len(portfolio.close)
    found = {name: float(stats[theirs]) for theirs, name in SAME_FORMULA.items()}
    found["max_drawdown_bars"] = stats["Max Drawdown Duration"] / PER_BAR
    # Its downside deviation divides by the number of bars, barstep's by one less.
    found["sortino"] = stats["Sortino Ratio"] * np.sqrt((n - 1) / n)
    return {**_read_fills(portfolio), **{name: np.array([value]) for name, value in found.items()}}


def backtest(engine: str, with_stats: bool, inputs: Inputs) -> Work:
    vbt.settings["engine"] = engine
    index = pd.date_range("2020-01-01", periods=inputs["close"].size, freq=PER_BAR)
    opens, closes = pd.Series(inputs["open"], index), pd.Series(inputs["close"], index)
    if not with_stats:
        return Work(lambda: _portfolio(opens, closes, engine), _read_fills)

    def run() -> tuple[vbt.Portfolio, Any]:
        portfolio = _portfolio(opens, closes, engine)
        return portfolio, portfolio.stats()

    return Work(run, _read_stats)


def _read_sweep(portfolio: vbt.Portfolio) -> Outputs:
    orders = portfolio.orders.records
    columns = orders["col"].to_numpy()
    shown = pd.concat([orders[columns == row] for row in SHOWN_ROWS])
    return {
        "bar": shown["idx"].to_numpy(float),
        "side": np.where(shown["side"] == 0, 1.0, -1.0),
        "price": shown["price"].to_numpy(),
        "fee": shown["fees"].to_numpy(),
        "final_equity": portfolio.final_value().to_numpy(),
        "fills": np.bincount(columns, minlength=len(FASTS) * len(SLOWS)).astype(float),
        "fees_paid": np.bincount(columns, weights=orders["fees"].to_numpy(), minlength=len(FASTS) * len(SLOWS)),
    }


def sweep(engine: str, inputs: Inputs) -> Work:
    """Every pair of windows as a column; each window's means are computed once."""
    vbt.settings["engine"] = engine
    index = pd.date_range("2020-01-01", periods=inputs["close"].size, freq=PER_BAR)
    opens, closes = pd.Series(inputs["open"], index), pd.Series(inputs["close"], index)

    def run() -> vbt.Portfolio:
        values = closes.to_numpy()
        quick = [dispatch.rolling_mean_1d(values, window, engine=engine) for window in FASTS]
        steady = [dispatch.rolling_mean_1d(values, window, engine=engine) for window in SLOWS]
        over = np.zeros((values.size, len(FASTS) * len(SLOWS)), dtype=bool)
        for f, fast in enumerate(quick):
            for s, slow in enumerate(steady):
                np.greater(fast[:-1], slow[:-1], out=over[1:, f * len(SLOWS) + s])
        made = vbt.Portfolio.from_signals(
            closes, over, ~over, price=opens, size=1.0, fees=FEE, init_cash=CASH, freq=PER_BAR, engine=engine
        )
        made.final_value()
        return made

    return Work(run, _read_sweep)


def _read_portfolio(portfolio: vbt.Portfolio) -> Outputs:
    orders = portfolio.orders.records.sort_values(["idx", "col"])
    return {
        "bar": orders["idx"].to_numpy(float),
        "instrument": orders["col"].to_numpy(float),
        "quantity": np.where(orders["side"] == 0, 1.0, -1.0) * orders["size"].to_numpy(),
        "price": orders["price"].to_numpy(),
        "fee": orders["fees"].to_numpy(),
        "equity": portfolio.value().to_numpy(),
    }


def portfolio(with_equity: bool, inputs: Inputs) -> Work:
    """Weights of the bar before, at the open, by the value at the opens; sales first."""
    opens, closes = pd.DataFrame(inputs["open"]), pd.DataFrame(inputs["close"])
    sizes = pd.DataFrame(inputs["weights"]).shift(1)

    def run() -> vbt.Portfolio:
        made = vbt.Portfolio.from_orders(
            closes, size=sizes, size_type="targetpercent", price=opens, val_price=opens, group_by=True,
            cash_sharing=True, call_seq="auto", fees=FEE, init_cash=100_000.0, freq=PER_BAR,
        )  # fmt: skip
        if with_equity:
            made.value()
        return made

    return Work(run, _read_portfolio)


WORK = {
    "sweep rust": partial(sweep, "rust"),
    "portfolio": partial(portfolio, False),
    "portfolio_equity": partial(portfolio, True),
    "zscore": zscore,
    "rolling_max": rolling_max,
    **{
        f"backtest{suffix} {engine}": partial(backtest, engine, bool(suffix))
        for engine in ("numba", "rust")
        for suffix in ("", "_stats")
    },
}
