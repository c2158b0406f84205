"""vectorbt's `from_signals`: signals of the bar before, filled at the open, with its own stops.

A change of the wish is one signal: signals that stand would enter again after a stop. It knows no limit orders. Its
records do not tell why a position was left.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import vectorbt as vbt
from rules import Rules
from trades import FEE, UNITS, Exit, History, Run, Setting, Trade

RULES = Rules(
    market_entry_bar=False,
    order_first=False,
    target_at_open=False,
    trail_counts_entry_bar=False,
    trail_inside_bar=False,
)


def run(history: History, setting: Setting) -> Run:
    index = pd.to_datetime(history.times_us, unit="us")
    opens, highs, lows, closes = (
        pd.Series(row, index) for row in (history.opens, history.highs, history.lows, history.closes)
    )
    wishes = np.concatenate(([0.0], history.wishes[:-1]))
    new = wishes != np.concatenate(([0.0], wishes[:-1]))
    stop, target, trail, _ = setting.shares()
    portfolio = vbt.Portfolio.from_signals(
        closes,
        new & (wishes == 1.0),
        new & (wishes == 0.0),
        new & (wishes == -1.0),
        new & (wishes == 0.0),
        price=opens,
        open=opens,
        high=highs,
        low=lows,
        size=UNITS,
        fees=FEE,
        init_cash=history.cash,
        upon_opposite_entry="reverse",
        sl_stop=stop or trail or np.nan,
        sl_trail=trail > 0.0,
        tp_stop=target or np.nan,
        stop_entry_price="fillprice",
        stop_exit_price="stopmarket",
        freq=pd.Timedelta(seconds=history.interval_seconds),
    )
    return Run([_trade(row) for row in portfolio.trades.records.to_dict("records")], float(portfolio.final_value()))


def _trade(row: dict[str, float]) -> Trade:
    left = Exit(int(row["exit_idx"]), row["exit_price"], None) if row["status"] == 1 else None
    return Trade(1.0 if row["direction"] == 0 else -1.0, int(row["entry_idx"]), row["entry_price"], left)
