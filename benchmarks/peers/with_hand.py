"""The floor of the backtest: one hand-written loop with two sliding sums, one fill at the next open, and cash."""

from __future__ import annotations

import numba  # noqa: TID251 - a peer, compiled with none of barstep's options
import numpy as np
from work import CASH, FAST, FEE, SLOW, Inputs, Outputs, Work


@numba.njit
def crossover(opens, closes, fast, slow, fee, cash, fills):
    """Final equity and the number of fills; fills: float64[4, any]: bar, side, price, fee."""
    quick = steady = held = wish = 0.0
    count = 0
    for k in range(closes.size):
        if wish != held:
            side = wish - held
            paid = opens[k] * fee
            cash -= side * opens[k] + paid
            fills[0, count], fills[1, count], fills[2, count], fills[3, count] = k, side, opens[k], paid
            count += 1
            held = wish
        quick += closes[k]
        steady += closes[k]
        if k >= slow:
            steady -= closes[k - slow]
        if k >= fast:
            quick -= closes[k - fast]
        if k >= slow - 1:
            wish = 1.0 if quick / fast > steady / slow else 0.0
    return cash + held * closes[-1], count


def backtest(inputs: Inputs) -> Work:
    opens, closes = inputs["open"], inputs["close"]
    fills = np.empty((4, closes.size // 10))

    def read(product: tuple[float, int]) -> Outputs:
        equity, count = product
        bar, side, price, fee = fills[:, :count]
        return {"bar": bar, "side": side, "price": price, "fee": fee, "final_equity": np.array([equity])}

    return Work(lambda: crossover(opens, closes, FAST, SLOW, FEE, CASH, fills), read)


WORK = {"backtest": backtest}
