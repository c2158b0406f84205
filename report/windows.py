"""Which stretches of bars are shown as candles: the last ones, and those around the largest gains and losses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from ..engine.bars import Integers
from .sheet import Instrument
from .texts import counted, moment, signed

LENGTH = 300
"""Bars of a window: each candle is still some pixels wide."""

_LONGEST = 1_000
_EXTREMES = 3


@dataclass(frozen=True)
class Window:
    """Bars start..stop, and what they show."""

    label: str
    start: int
    stop: int


def windows(instrument: Instrument) -> list[Window]:
    """The last bars, then the windows of the trades that gained and lost most, no trade twice."""
    n = instrument.bars.height
    found = [Window(f"last {counted(min(n, LENGTH), 'bar')}", max(0, n - LENGTH), n)] if n else []
    trades = _placed(instrument).sort("profit", maintain_order=True)
    gains = trades.filter(pl.col("profit") > 0.0).tail(_EXTREMES).reverse()
    losses = trades.filter(pl.col("profit") < 0.0).head(_EXTREMES)
    for kind, table in (("gain", gains), ("loss", losses)):
        for place, trade in enumerate(table.iter_rows(named=True)):
            rank = ("largest", "second largest", "third largest")[place]
            since = moment(trade["entry_time"], instrument.interval_seconds)
            text = f"{rank} {kind}: {signed(trade['profit'])}, {trade['side']} from {since}"
            found.append(_around(trade["entry_bar"], trade["exit_bar"], n, text))
    return found


def _around(entry: int, leave: int, n: int, text: str) -> Window:
    """A trade with room on both sides; of a very long one its end."""
    room = max((LENGTH - (leave - entry)) // 2, LENGTH // 10)
    stop = min(n, leave + room)
    return Window(text, max(0, entry - room, stop - _LONGEST), stop)


def _placed(instrument: Instrument) -> pl.DataFrame:
    """The trades with the places of their bars."""
    trades = instrument.trades
    places = {
        f"{side}_bar": np.searchsorted(instrument.ts_us, trades[f"{side}_time"].to_physical().to_numpy())
        for side in ("entry", "exit")
    }
    return trades.with_columns(pl.Series(name, values, pl.Int64) for name, values in places.items())


def window_bars(instrument: Instrument) -> Integers:
    """Places of the bars in any window, rising."""
    inside = np.zeros(instrument.bars.height, dtype=bool)
    for window in windows(instrument):
        inside[window.start : window.stop] = True
    return np.flatnonzero(inside)
