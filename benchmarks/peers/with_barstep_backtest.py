"""barstep's public backtest of a crossover: the call alone, with the metrics of vectorbt's `stats()`, with all."""

from __future__ import annotations

from collections.abc import Iterable

import barstep as bs
import numpy as np
from barstep.engine.metrics import DESCRIPTIONS
from barstep.kernels import account
from work import BAR_SECONDS, CASH, FAST, FEE, SLOW, Inputs, Outputs, Work

OF_STATS = (
    "total_return_pct",
    "benchmark_return_pct",
    "fees_paid",
    "max_drawdown_pct",
    "max_drawdown_bars",
    "trades",
    "open_trades",
    "win_rate_pct",
    "best_trade_pct",
    "worst_trade_pct",
    "average_trade_pct",
    "average_trade_bars",
    "profit_factor",
    "expectancy",
    "exposure_pct",
    "sharpe",
    "calmar",
    "omega",
    "sortino",
)


def make_bars(inputs: Inputs, seconds: int = BAR_SECONDS, close: str = "close") -> bs.Bars:
    """Bars of `inputs` with the times and segments that a first call would find out."""
    times = np.arange(inputs["close"].size, dtype=np.int64) * (seconds * 1_000_000)
    columns = [inputs[name] for name in ("open", "high", "low")]
    bars = bs.Bars.from_arrays(times, *columns, inputs[close], interval_seconds=seconds)
    assert bars.segment_starts.size == 1
    return bars


def _run(bars: bs.Bars) -> bs.Result:
    return bs.backtest(bars, "sma_crossover", fast_ma=FAST, slow_ma=SLOW, units=1, fee_bps=FEE * 1e4, capital=CASH)


def _read_fills(result: bs.Result) -> Outputs:
    f = result.fill_table
    pairs = f[account.FILL_FEE][: f.shape[1] // 2 * 2].reshape(-1, 2)
    return {
        "bar": f[account.FILL_BAR],
        "side": np.sign(f[account.FILL_LOTS]),
        "price": f[account.FILL_PRICE],
        "fee": f[account.FILL_FEE],
        "fee_of_trade": pairs.sum(axis=1),
        "final_equity": np.array([result.final_equity]),
    }


def backtest(inputs: Inputs) -> Work:
    bars = make_bars(inputs)
    return Work(lambda: _run(bars), _read_fills)


def _with_metrics(inputs: Inputs, names: Iterable[str]) -> Work:
    bars = make_bars(inputs)

    def run() -> tuple[bs.Result, dict[str, float]]:
        result = _run(bars)
        return result, {name: result.metrics[name] for name in names}

    def read(product: tuple[bs.Result, dict[str, float]]) -> Outputs:
        result, metrics = product
        return {**_read_fills(result), **{name: np.array([value]) for name, value in metrics.items()}}

    return Work(run, read)


WORK = {
    "backtest": backtest,
    "backtest_stats": lambda inputs: _with_metrics(inputs, OF_STATS),
    "backtest_all": lambda inputs: _with_metrics(inputs, DESCRIPTIONS),
}
