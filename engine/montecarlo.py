"""Monte Carlo of a result: its bars or trades in other orders, and what might have come of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..errors import UsageError, unknown_name
from ..kernels import bootstrap
from .bars import Floats, Integers
from .block_length import optimal_block_length
from .montecarlo_result import QUANTILES, MonteCarloResult, quantiles_of
from .outcome import Outcome
from .resampled import Resampled, bars_of, trades_of
from .strategy import bars_per_year
from .threads import count_threads

Method = Literal["stationary", "block", "moving_block", "trades", "shuffled_trades"]
Progress = Callable[[int, int], None]
"""Is told how many paths are done, and how many there are."""

METHODS = ("stationary", "block", "moving_block", "trades", "shuffled_trades")
OF_TRADES = ("trades", "shuffled_trades")

_MOST_PATHS = 10_000_000
_STEPS_AT_ONCE = 2_000_000
"""Steps of the paths that a thread takes at a time: some milliseconds, after which it can be stopped."""

_ROW = 512
"""Steps that are put in a row before they are taken in; they stay in the first-level cache."""

_MARKS = 256
_FEWEST_MARKS = 32
_NOTED = 2**23
"""Values of equity that are kept for the bands, 64 MiB; only above 262,144 paths there are more."""

_LEAST_CHANCE = 2.0**-60
"""A uniform is a multiple of 2^-53, so that chances under it make no difference."""


def montecarlo(
    result: Outcome | str | Path,
    *,
    paths: int = 10_000,
    method: Method = "stationary",
    block_bars: float | None = None,
    seed: int = 0,
    threads: int | None = None,
    ruin_drawdown_pct: float = 50.0,
    progress: Progress | None = None,
) -> MonteCarloResult:
    """Resample a result, and say how its equity, return, risk and drawdown are distributed over the paths.

    A path has as many bars, or trades, as the result. Its bits depend on the result, the method, the block length, the
    seed and its number alone: not on the number of paths or threads. The bands need 64 MiB
    at most, above 262,144 paths 256 bytes a path; what each path came to needs 96 bytes.

    Args:
        result: A result, or the folder that one was saved to.
        paths: How many paths, 1 to 10,000,000.
        method: `stationary`: blocks of bars whose lengths are geometric (Politis and Romano 1994); `block`: of one
            length, circular (Politis and Romano 1992); `moving_block`: likewise, none across the end (Künsch 1989);
            `trades`: trades with replacement; `shuffled_trades`: each trade once, in another order.
        block_bars: Length of a block in bars, the mean one of `stationary`; by default it is chosen by the
            autocorrelation of the returns (`engine.block_length`), rounded up.
        seed: What the draws are made from, 0 to 2^63 - 1.
        threads: How many paths are made at a time; by default one for each core that this process may use.
        ruin_drawdown_pct: The drawdown whose chance of being exceeded is told.
        progress: Is told how many paths are done, and how many there are.

    Raises:
        UsageError: An argument is out of range, or there is nothing to resample.
        DataError: The folder holds no result that can be read, or equity is no number.
    """
    _whole("paths", paths, 1, _MOST_PATHS)
    _whole("seed", seed, 0, 2**63 - 1)
    used = count_threads(threads)
    if method not in METHODS:
        raise UsageError(unknown_name("method", method, METHODS))
    if not 0.0 < ruin_drawdown_pct <= 100.0:
        raise UsageError(f"ruin_drawdown_pct is {ruin_drawdown_pct}; allowed is above 0 to 100")
    resampled = _resampled(result, method)
    size = resampled.returns.size
    if not size:
        raise UsageError(f"the result has no {resampled.unit}s, so there is nothing to resample")
    block = _block_bars(resampled, method, block_bars)
    work = _Work(resampled=resampled, method=method, block_bars=block, seed=seed, marks=_marks(size, paths))
    curves, found = np.empty((paths, work.marks.size)), np.empty((paths, bootstrap.PATH_RESULTS))
    _run(work, curves, found, used, progress)
    curve, own = work.observed()
    return MonteCarloResult(
        origin=result if isinstance(result, Outcome) else Path(result),
        resampled=resampled,
        method=method,
        block_bars=block,
        seed=seed,
        ruin_drawdown_pct=ruin_drawdown_pct,
        path_results=found,
        observed_results=own,
        marks=work.marks,
        band_growth=_bands(curves),
        observed_growth=curve,
    )


@dataclass(frozen=True, kw_only=True)
class _Work:
    """All that the paths have in common."""

    resampled: Resampled
    method: str
    block_bars: float | None
    seed: int
    marks: Integers

    def fill(self, first: int, curves: Floats, found: Floats) -> None:
        """Paths from number `first` on: growth at the marks, and what each came to, as the kernels write it."""
        returns, centre, carry = self.resampled.returns, self.resampled.centre, np.empty(bootstrap.PATH_CARRY)
        drawn, row = np.empty((bootstrap.DRAWN_ROWS, bootstrap.BLOCKS_AT_ONCE)), np.empty(_ROW)
        if self.method == "shuffled_trades":
            order = np.empty(returns.size, dtype=np.int64)
            bootstrap.shuffled_paths(
                returns, self.seed, first, centre, self.marks, carry, drawn, row, order, curves, found
            )
        else:
            blocks = self._blocks(returns.size)
            bootstrap.block_paths(
                returns, *blocks, self.seed, first, centre, self.marks, carry, drawn, row, curves, found
            )

    def _blocks(self, size: int) -> tuple[int, float, Floats]:
        """How many returns a block may begin with, its length, and where lengths differ the chances of longer ones."""
        length = self.block_bars or 1.0  # trades are drawn one by one
        starts = size - int(length) + 1 if self.method == "moving_block" else size
        return starts, length, survivals(length) if self.method == "stationary" else np.empty(0)

    def observed(self) -> tuple[Floats, Floats]:
        """The same of the returns in their own order."""
        returns, centre = self.resampled.returns, self.resampled.centre
        carry, curve, found = (
            np.empty(bootstrap.PATH_CARRY),
            np.empty(self.marks.size),
            np.empty(bootstrap.PATH_RESULTS),
        )
        bootstrap.start_path(carry)
        for place, (start, stop) in enumerate(zip(np.append(0, self.marks[:-1]), self.marks, strict=True)):
            bootstrap.take_steps(returns[start:stop], centre, carry)
            curve[place] = carry[bootstrap.GROWTH]
        bootstrap.finish_path(returns.size, centre, carry, found)
        return curve, found


def survivals(mean_length: float) -> Floats:
    """float64[k]: the chance that a geometric block of this mean goes on 2^(k-1), …, 4, 2, 1 times in a row."""
    chances = []
    chance = 1.0 - 1.0 / mean_length
    while chance > _LEAST_CHANCE:
        chances.append(chance)
        chance *= chance
    return np.array(chances[::-1])


def _whole(name: str, value: Any, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not least <= value <= most:
        raise UsageError(f"{name} is {value!r}; allowed is a whole number from {least:,} to {most:,}")


def _resampled(result: Outcome | str | Path, method: str) -> Resampled:
    if isinstance(result, Outcome):
        equity, trades, capital = result.equity, result.trades, result.execution.capital
        year = bars_per_year(result.bars.interval_seconds, result.execution.year_days)
    else:
        from ..report.reading import read_sheet, result_folder  # noqa: PLC0415 - a call up: a result as files

        sheet = read_sheet(result_folder(Path(result)))
        equity, trades, capital = sheet.equity, sheet.trades, sheet.document["execution"]["capital"]
        year = sheet.document["bars_per_year"]
    if method in OF_TRADES:
        return trades_of(trades, capital, equity.height, year)
    return bars_of(equity, capital, year)


def _block_bars(resampled: Resampled, method: str, asked: float | None) -> float | None:
    """The length of a block in bars: the one asked for, or the one that the returns ask for; None of trades."""
    size = resampled.returns.size
    if method in OF_TRADES:
        if asked is not None:
            raise UsageError(f"block_bars is {asked!r}, but {method} resamples trades one by one; leave it out")
        return None
    if asked is None:
        best = optimal_block_length(resampled.returns)
        return float(min(math.ceil(best.stationary if method == "stationary" else best.circular), size))
    is_number = isinstance(asked, int | float | np.number) and not isinstance(asked, bool)
    if not (is_number and 1.0 <= asked <= size):
        raise UsageError(f"block_bars is {asked!r}; allowed is 1 to {size:,}, the bars of the result")
    if method != "stationary" and not float(asked).is_integer():
        raise UsageError(f"block_bars is {asked!r}; blocks of one length are whole bars (method {method})")
    return float(asked)


def _marks(size: int, paths: int) -> Integers:
    """Numbers of steps after which equity is noted, the last one among them."""
    count = min(size, max(_FEWEST_MARKS, min(_MARKS, _NOTED // paths)))
    return np.unique(np.linspace(0.0, size, count + 1)[1:].astype(np.int64))


def _run(work: _Work, curves: Floats, found: Floats, threads: int, progress: Progress | None) -> None:
    """Fill the rows of both, some paths at a time; each thread has rows of its own."""
    paths, at_once = found.shape[0], max(1, _STEPS_AT_ONCE // work.resampled.returns.size)
    starts = range(0, paths, at_once)
    with _pool(min(threads, len(starts))) as pool:
        jobs = {}
        for first in starts:
            rows = slice(first, min(first + at_once, paths))
            jobs[pool.submit(work.fill, first, curves[rows], found[rows])] = rows.stop - rows.start
        done = 0
        for job in as_completed(jobs):
            job.result()
            done += jobs[job]
            if progress is not None:
                progress(done, paths)


@contextmanager
def _pool(threads: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that begin nothing more once something was raised, an interrupt above all."""
    with ThreadPoolExecutor(threads) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _bands(curves: Floats) -> Floats:
    """float64[quantile, mark]: of the paths' growth at each mark."""
    found = np.empty((len(QUANTILES), curves.shape[1]))
    for mark in range(curves.shape[1]):
        found[:, mark] = quantiles_of(curves[:, mark])
    return found
