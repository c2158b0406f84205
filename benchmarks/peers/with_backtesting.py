"""backtesting.py. It always computes its statistics; the wish is one indicator, so that `next` does the least."""

from __future__ import annotations

import numpy as np
import pandas as pd
from backtesting import Backtest, Strategy
from work import BAR_SECONDS, CASH, FAST, FEE, SLOW, Inputs, Outputs, Work


def _fast_over_slow(close: np.ndarray) -> np.ndarray:
    prices = pd.Series(np.asarray(close))
    return (prices.rolling(FAST).mean() > prices.rolling(SLOW).mean()).to_numpy(float)


class Crossover(Strategy):
    """One unit while the fast mean is over the slow one."""

    def init(self) -> None:
        self.wish = self.I(_fast_over_slow, self.data.Close)

    def next(self) -> None:
        if self.wish[-1]:
            if not self.position:
                self.buy(size=1)
        elif self.position:
            self.position.close()


def backtest(inputs: Inputs) -> Work:
    times = pd.date_range("2020-01-01", periods=inputs["close"].size, freq=pd.Timedelta(seconds=BAR_SECONDS))
    frame = pd.DataFrame({name.title(): inputs[name] for name in ("open", "high", "low", "close")}, times)
    test = Backtest(frame, Crossover, cash=CASH, commission=FEE, trade_on_close=False, finalize_trades=False)
    return Work(test.run, _read_fills)


def _read_fills(stats: pd.Series) -> Outputs:
    closed = stats["_trades"].sort_values("EntryBar")
    still_open = stats["_strategy"].trades
    entries = np.append(closed["EntryBar"], [trade.entry_bar for trade in still_open])
    prices = np.append(closed["EntryPrice"], [trade.entry_price for trade in still_open])
    bars = np.concatenate((entries, closed["ExitBar"]))
    order = np.argsort(bars, kind="stable")
    return {
        "bar": bars[order].astype(float),
        "side": np.repeat((1.0, -1.0), (entries.size, len(closed)))[order],
        "price": np.concatenate((prices, closed["ExitPrice"]))[order],
        "fee_of_trade": closed["Commission"].to_numpy(float),
        "final_equity": np.array([stats["Equity Final [$]"]]),
    }


WORK = {"backtest": backtest}
