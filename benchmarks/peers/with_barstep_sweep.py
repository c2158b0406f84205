"""barstep's public sweep of a crossover over 1,000 pairs of windows."""

from __future__ import annotations

import barstep as bs
import numpy as np
from barstep.engine.sweep.plan import DEFAULT_METRICS
from barstep.kernels import account
from with_barstep_backtest import make_bars
from work import CASH, FASTS, FEE, SHOWN_ROWS, SLOWS, Inputs, Outputs, Work

AXES = {"fast_ma": FASTS, "slow_ma": SLOWS}
OF_FILLS = ("total_return_pct", "trades", "open_trades", "fees_paid")


def _read(result: bs.SweepResult) -> Outputs:
    fills = np.concatenate([result.result(row).fill_table for row in SHOWN_ROWS], axis=1)
    table = result.table
    return {
        "bar": fills[account.FILL_BAR],
        "side": fills[account.FILL_LOTS] * 1e-8,
        "price": fills[account.FILL_PRICE],
        "fee": fills[account.FILL_FEE],
        "final_equity": (table["total_return_pct"].to_numpy() / 100.0 + 1.0) * CASH,
        "fills": 2.0 * table["trades"].to_numpy() + table["open_trades"].to_numpy(),
        "fees_paid": table["fees_paid"].to_numpy(),
    }


def _sweep(inputs: Inputs, threads: int, metrics: tuple[str, ...]) -> Work:
    bars = make_bars(inputs)
    asked = {"units": 1, "fee_bps": FEE * 1e4, "capital": CASH, "metrics": metrics, "threads": threads}
    return Work(lambda: bs.sweep(bars, "sma_crossover", AXES, **asked), _read)


WORK = {
    "sweep": lambda inputs: _sweep(inputs, 1, OF_FILLS),
    "sweep 2 threads": lambda inputs: _sweep(inputs, 2, OF_FILLS),
    "sweep all": lambda inputs: _sweep(inputs, 1, tuple(dict.fromkeys((*OF_FILLS, *DEFAULT_METRICS)))),
}
