"""Paths of a Monte Carlo beside numpy's: steps a second, and the ratio of the same round.

First the distributions of both are compared (two-sample Kolmogorov and Smirnov, at one in a thousand for each metric);
where they differ nothing is timed and the exit code is 1. `python benchmarks/montecarlo/run.py --rounds 9`.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import sys
import time  # noqa: TID251 - a benchmark times things

import barstep as bs
import numpy as np
from barstep.data.presets import EMBEDDED_FOLDER
from with_numpy import RESULTS, paths_of

CASES = (("stationary", 2), ("stationary", 20), ("stationary", 200), ("block", 20), ("shuffled_trades", 1))
_BATCHES = (4, 16, 64)


def main() -> int:
    """Check, time in turns and print; 1 where the distributions differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--paths", type=int, default=500)
    parser.add_argument("--checked", type=int, default=3000, help="paths whose distributions are compared")
    options = parser.parse_args()
    result = bs.backtest(bs.load(EMBEDDED_FOLDER / "binance_BTCUSDT_1h.parquet"), "mean_reversion", fee_bps=5)
    print(
        f"{'method':<17}{'block':>6}{'steps':>8}{'barstep/s':>12}{'2 threads':>12}{'numpy/s':>12}{'barstep/numpy':>15}"
    )
    for method, length in CASES:
        if not _agree(result, method, length, options.checked):
            return 1
        _print(result, method, length, options)
    print("load at the end:", ", ".join(f"{load:.1f}" for load in os.getloadavg()))
    return 0


def _run(result: bs.Result, method: str, length: int, paths: int, threads: int = 1) -> bs.MonteCarloResult:
    block = None if method.endswith("trades") else length
    return bs.montecarlo(result, paths=paths, method=method, block_bars=block, threads=threads)


def _agree(result: bs.Result, method: str, length: int, paths: int) -> bool:
    """Whether each metric is distributed alike; what does not differ between paths must be the same."""
    ours = _run(result, method, length, paths)
    theirs, _ = paths_of(method, ours.resampled.returns, paths, length, ours.marks, 16, seed=1)
    growth, mean, squares, deepest, longest = ours.path_results.T
    deviation = np.sqrt(squares / (ours.resampled.returns.size - 1))
    for name, left, right in zip(RESULTS, (growth, mean, deviation, 1.0 - deepest, longest), theirs.T, strict=True):
        if max(np.ptp(left), np.ptp(right)) <= 1e-9 * np.abs(left).max():
            alike = bool(np.allclose(left, right, rtol=1e-9))
        else:
            alike = _distance(left, right) < 1.95 * math.sqrt(2.0 / paths)
        if not alike:
            print(f"{method} {length}: {name} is distributed otherwise than numpy's", file=sys.stderr)
            return False
    return True


def _distance(left: np.ndarray, right: np.ndarray) -> float:
    """The greatest difference between two distribution functions."""
    ordered, values = (np.sort(left), np.sort(right)), np.concatenate((left, right))
    shares = [np.searchsorted(each, values, side="right") / each.size for each in ordered]
    return float(np.abs(shares[0] - shares[1]).max())


def _print(result: bs.Result, method: str, length: int, options: argparse.Namespace) -> None:
    first = _run(result, method, length, options.paths)
    returns, marks = first.resampled.returns, first.marks
    paths = options.paths * max(1, 5000 // returns.size)

    def of_numpy(at_once: int) -> float:
        return _seconds(lambda: paths_of(method, returns, paths, length, marks, at_once, seed=2))

    fastest = min(_BATCHES, key=of_numpy)
    rows = []
    for _ in range(options.rounds):
        one, two = (_seconds(lambda t=t: _run(result, method, length, paths, t)) for t in (1, 2))
        rows.append((one, two, of_numpy(fastest)))
    rates = [statistics.median(paths * returns.size / row[k] for row in rows) for k in range(3)]
    ratio = statistics.median(one / numpy for one, _, numpy in rows)
    told = "".join(f"{rate / 1e6:>10,.1f} M" for rate in rates)
    print(f"{method:<17}{length:>6}{returns.size:>8,}{told}{ratio:>15.3f}")


def _seconds(work: object) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
