"""barstep: the wishes as they are, whole lots, fixed units, and limits that never grow too old."""

from __future__ import annotations

from math import inf

import barstep as bs
import numpy as np
from trades import FEE, UNITS, Exit, History, Run, Setting, Trade

REASONS = {"market": "order", "stop": "stop", "trailing_stop": "stop", "take_profit": "target"}


def run(history: History, setting: Setting) -> Run:
    bars = bs.Bars.from_arrays(
        history.times_us,
        history.opens,
        history.highs,
        history.lows,
        history.closes,
        interval_seconds=history.interval_seconds,
    )
    result = bs.backtest(
        bars,
        history.wishes,
        capital=history.cash,
        units=UNITS,
        lot=1.0,
        fee_bps=FEE * 1e4,
        max_order_age_bars=inf,
        stop_loss_pct=setting.stop_pct,
        take_profit_pct=setting.target_pct,
        trailing_stop_pct=setting.trail_pct,
        limit_offset_bps=setting.limit_pct * 100.0,
    )
    table = result.trades
    entries, exits = (
        np.searchsorted(history.times_us, table[name].dt.timestamp("us").to_numpy())
        for name in ("entry_time", "exit_time")
    )
    trades = []
    for row, entry, leave in zip(table.to_dicts(), entries, exits, strict=True):
        exit_ = None if row["is_open"] else Exit(int(leave), row["exit_price"], REASONS[row["exit_reason"]])
        trades.append(Trade(1.0 if row["side"] == "long" else -1.0, int(entry), row["entry_price"], exit_))
    return Run(trades, result.final_equity)
