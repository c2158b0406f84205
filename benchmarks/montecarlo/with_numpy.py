"""The same bootstraps by whole arrays: a matrix of places for some paths at a time, then cumulative products."""

from __future__ import annotations

import numpy as np

RESULTS = ("final_equity", "mean", "deviation", "max_drawdown", "longest_drawdown")


def stationary_places(rng: np.random.Generator, n: int, paths: int, length: int) -> np.ndarray:
    """Places of paths of circular blocks of geometric length: a coin at each step says whether a new one begins."""
    begins = rng.random((paths, n)) < 1.0 / length
    begins[:, 0] = True
    starts = rng.integers(0, n, (paths, n))
    steps = np.arange(n)
    begun = np.maximum.accumulate(np.where(begins, steps, 0), axis=1)
    return (np.take_along_axis(starts, begun, axis=1) + steps - begun) % n


def block_places(rng: np.random.Generator, n: int, paths: int, length: int) -> np.ndarray:
    """Places of paths of circular blocks of one length."""
    starts = rng.integers(0, n, (paths, -(-n // length), 1))
    return ((starts + np.arange(length)) % n).reshape(paths, -1)[:, :n]


def shuffled_places(rng: np.random.Generator, n: int, paths: int, _length: int) -> np.ndarray:
    """Places of paths that take each return once."""
    return rng.permuted(np.broadcast_to(np.arange(n), (paths, n)), axis=1)


PLACES = {"stationary": stationary_places, "block": block_places, "shuffled_trades": shuffled_places}


def paths_of(
    method: str, returns: np.ndarray, paths: int, length: int, marks: np.ndarray, at_once: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Results, float64[path, RESULTS], and quantiles of growth, float64[5, mark]."""
    rng, n = np.random.default_rng(seed), returns.size
    found, curves = np.empty((paths, len(RESULTS))), np.empty((paths, marks.size))
    for first in range(0, paths, at_once):
        rows = slice(first, min(first + at_once, paths))
        drawn = returns[PLACES[method](rng, n, rows.stop - first, length)]
        growth = np.cumprod(1.0 + drawn, axis=1)
        peak = np.maximum(np.maximum.accumulate(growth, axis=1), 1.0)
        at_peak = np.maximum.accumulate(np.where(growth >= peak, np.arange(n), -1), axis=1)
        found[rows, 0] = growth[:, -1]
        found[rows, 1] = drawn.mean(axis=1)
        found[rows, 2] = drawn.std(axis=1, ddof=1)
        found[rows, 3] = 1.0 - (growth / peak).min(axis=1)
        found[rows, 4] = (np.arange(n) - at_peak).max(axis=1)
        curves[rows] = growth[:, marks - 1]
    return found, np.quantile(curves, (0.05, 0.25, 0.5, 0.75, 0.95), axis=0)
