"""The floor of the backtest: one hand-written loop with two sliding sums, one fill at the next open, and cash."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numba  # noqa: TID251 - a peer, compiled with none of barstep's options
import numpy as np
from work import CASH, FAST, FASTS, FEE, SHOWN_ROWS, SLOW, SLOWS, Inputs, Outputs, Work


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


@numba.njit(nogil=True)
def means(closes, windows, out):
    """Rolling means by a running sum, float64[window, bar]."""
    for w, window in enumerate(windows):
        total = 0.0
        for k in range(closes.size):
            total += closes[k]
            if k >= window:
                total -= closes[k - window]
            out[w, k] = total / window if k >= window - 1 else np.nan


@numba.njit(nogil=True)
def crossovers(opens, closes, quick, steady, start, stop, fee, cash, found, fills):
    """Final equity, number of fills and fees of pairs start..stop; fills: float64[4, any], those of the last pair."""
    for pair in range(start, stop):
        fast, slow = quick[pair // steady.shape[0]], steady[pair % steady.shape[0]]
        money, held, wish, paid, count = cash, 0.0, 0.0, 0.0, 0
        for k in range(closes.size):
            if wish != held:
                side = wish - held
                fee_now = opens[k] * fee
                money -= side * opens[k] + fee_now
                paid += fee_now
                fills[0, count], fills[1, count], fills[2, count], fills[3, count] = k, side, opens[k], fee_now
                count += 1
                held = wish
            wish = 1.0 if fast[k] > slow[k] else 0.0
        found[0, pair], found[1, pair], found[2, pair] = money + held * closes[-1], count, paid


def sweep(inputs: Inputs, threads: int) -> Work:
    opens, closes = inputs["open"], inputs["close"]
    pairs = len(FASTS) * len(SLOWS)
    found, quick, steady = (
        np.empty((3, pairs)),
        np.empty((len(FASTS), closes.size)),
        np.empty((len(SLOWS), closes.size)),
    )

    def part(place: int) -> None:
        start, stop = pairs * place // threads, pairs * (place + 1) // threads
        crossovers(opens, closes, quick, steady, start, stop, FEE, CASH, found, np.empty((4, closes.size)))

    def run() -> None:
        means(closes, np.array(FASTS), quick)
        means(closes, np.array(SLOWS), steady)
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(part, range(threads)))

    def read(_: None) -> Outputs:
        tables = []
        for row in SHOWN_ROWS:
            fills = np.empty((4, closes.size))
            crossovers(opens, closes, quick, steady, row, row + 1, FEE, CASH, found, fills)
            tables.append(fills[:, : int(found[1, row])])
        shown = dict(zip(("bar", "side", "price", "fee"), np.concatenate(tables, axis=1), strict=True))
        return shown | dict(zip(("final_equity", "fills", "fees_paid"), found, strict=True))

    return Work(run, read)


WORK = {
    "backtest": backtest,
    "sweep": lambda inputs: sweep(inputs, 1),
    "sweep 2 threads": lambda inputs: sweep(inputs, 2),
}
