"""What a schedule did over its last runs, kept so that a run costs the same whatever the window.

A window is two halves that meet at a run whose number is a multiple of the window: what was since then, which each run
is added to, and what is left of the block before, made once at the meeting from its end backwards (van Herk 1992,
Pattern Recognition Letters 13, for extrema; it serves everything that can be joined). Nothing is ever subtracted: a NaN
leaves with its run, and windows of different histories agree bit for bit.
"""

import numpy as np

from .._jit import kernel

RUNS, SIGNALS, RETURNS, RETURN_MEAN, RETURN_SQUARES, PEAK, TROUGH, DEPTH, LATEST = range(9)
"""A stretch of runs: how many; signals accepted; returns of the unit account: how many, their mean, sum of squares
about it; the unit account's highest and lowest equity, deepest fall from a peak as a share, last equity."""
MEANS = 9
"""From here on three slots for each measure: how many runs gave a number, their sum, the last one."""
COUNT, SUM, LAST = range(3)

SIGNALS_OF, VOLATILITY, VOLATILITY_VS_TARGET, MAX_DRAWDOWN, DRAWDOWN, PRESSURE, MEAN_OF, LAST_OF, STATED = range(9)
"""Kinds of metrics: accepted signals; annual volatility; percent off the engine's target; deepest and present fall in
percent; the latter over the profile's limit; mean, and last value, of a measure; a stated number."""


@kernel
def forget(stretch):
    """A stretch without runs."""
    for slot in range(stretch.shape[0]):
        stretch[slot] = 0.0


@kernel
def one_run(signals, equity, before, values, stretch):
    """A stretch of one run; `before` is the unit account's equity at the run before (0: there is none)."""
    stretch[RUNS], stretch[SIGNALS] = 1.0, signals
    growth = equity / before - 1.0 if before > 0.0 else np.nan
    known = growth == growth
    stretch[RETURNS], stretch[RETURN_MEAN], stretch[RETURN_SQUARES] = (1.0, growth, 0.0) if known else (0.0, 0.0, 0.0)
    stretch[PEAK] = stretch[TROUGH] = stretch[LATEST] = equity
    stretch[DEPTH] = 0.0
    for m in range(values.shape[0]):
        at, value = MEANS + 3 * m, values[m]
        known = value == value
        stretch[at + COUNT], stretch[at + SUM], stretch[at + LAST] = (
            (1.0, value, value) if known else (0.0, 0.0, np.nan)
        )


@kernel
def run_held_back(measures, confidence, stretch):
    """A stretch of one run that was suspended: no signals, confidence 0 where it is measured, and nothing else."""
    forget(stretch)
    stretch[RUNS] = 1.0
    for m in range(measures):
        at = MEANS + 3 * m
        stretch[at + LAST] = np.nan
        if m == confidence:
            stretch[at + COUNT], stretch[at + LAST] = 1.0, 0.0


@kernel
def join(earlier, later, out):
    """The stretch of two that follow each other; `out` may be either. Means and squares by Chan, Golub and LeVeque."""
    if later[RUNS] == 0.0 or earlier[RUNS] == 0.0:
        kept = earlier if later[RUNS] == 0.0 else later
        for slot in range(out.shape[0]):
            out[slot] = kept[slot]
        return
    n, m = earlier[RETURNS], later[RETURNS]
    if n + m > 0.0:
        distance, part = later[RETURN_MEAN] - earlier[RETURN_MEAN], m / (n + m)
        squares = earlier[RETURN_SQUARES] + later[RETURN_SQUARES] + distance * distance * n * part
        out[RETURN_MEAN] = earlier[RETURN_MEAN] + distance * part
        out[RETURN_SQUARES], out[RETURNS] = squares, n + m
    else:
        out[RETURN_MEAN] = out[RETURN_SQUARES] = out[RETURNS] = 0.0
    _join_falls(earlier, later, out)
    out[SIGNALS] = earlier[SIGNALS] + later[SIGNALS]
    for at in range(MEANS, out.shape[0], 3):
        last = later[at + LAST] if later[at + LAST] == later[at + LAST] else earlier[at + LAST]
        out[at + COUNT] = earlier[at + COUNT] + later[at + COUNT]
        out[at + SUM] = earlier[at + SUM] + later[at + SUM]
        out[at + LAST] = last
    out[RUNS] = earlier[RUNS] + later[RUNS]


@kernel
def _join_falls(earlier, later, out):
    """Peaks, troughs and falls; a stretch in which nothing was marked has a peak of 0."""
    if later[PEAK] == 0.0 or earlier[PEAK] == 0.0:
        kept = earlier if later[PEAK] == 0.0 else later
        for slot in (PEAK, TROUGH, DEPTH, LATEST):
            out[slot] = kept[slot]
        return
    fall = 1.0 - later[TROUGH] / earlier[PEAK]
    depth = max(earlier[DEPTH], later[DEPTH], fall)
    peak, trough = max(earlier[PEAK], later[PEAK]), min(earlier[TROUGH], later[TROUGH])
    out[PEAK], out[TROUGH], out[DEPTH], out[LATEST] = peak, trough, depth, later[LATEST]


@kernel
def add_run(number, run, runs, rests, since):
    """Add the run of this number, over 0, to a window.

    run: float64[stretch]; runs: float64[window, stretch], this block's runs by number mod window; rests: float64[window
    + 1, stretch], what is left of the block before from each place on; since: float64[stretch + 1], the runs of this
    block together, and the number of the last run. All zeros before the first run.
    """
    window, size = runs.shape[0], run.shape[0]
    blocks = number // window - int(since[size]) // window
    if blocks > 0 and since[size] > 0.0:
        for at in range(window - 1, -1, -1):
            if blocks == 1:
                join(runs[at], rests[at + 1], rests[at])
            else:
                forget(rests[at])
        for at in range(window):
            forget(runs[at])
        forget(since[:size])
    place = number % window
    for slot in range(size):
        runs[place, slot] = run[slot]
    join(since[:size], run, since[:size])
    since[size] = number


@kernel
def window_of(rests, since, out):
    """The stretch of all runs in a window that ends with the last run; arrays as in `add_run`."""
    size, window = out.shape[0], rests.shape[0] - 1
    join(rests[int(since[size]) % window + 1], since[:size], out)  # of the block before, what the last run left in


@kernel
def metric(kind, measure, stretch, runs_root, target_volatility, greatest_fall, stated):
    """A metric of a stretch; NaN where nothing was measured."""
    if kind == STATED:
        return stated
    if kind == MEAN_OF or kind == LAST_OF:
        at = MEANS + 3 * measure
        value = stretch[at + LAST] if kind == LAST_OF else stretch[at + SUM] / stretch[at + COUNT]
        return value if stretch[at + COUNT] > 0.0 else np.nan
    if kind == SIGNALS_OF:
        return stretch[SIGNALS] if stretch[RUNS] > 0.0 else np.nan
    if kind == VOLATILITY or kind == VOLATILITY_VS_TARGET:
        return _volatility(kind, stretch, runs_root, target_volatility)
    return _fall(kind, stretch, greatest_fall)


@kernel
def _volatility(kind, stretch, runs_root, target_volatility):
    """Annual volatility of the returns (n - 1), or by how many percent it is off the target."""
    if stretch[RETURNS] < 2.0:
        return np.nan
    volatility = np.sqrt(stretch[RETURN_SQUARES] / (stretch[RETURNS] - 1.0)) * runs_root
    return volatility if kind == VOLATILITY else 100.0 * (volatility / target_volatility - 1.0)


@kernel
def _fall(kind, stretch, greatest_fall):
    """Deepest or present fall in percent, or the present one over the greatest that is allowed."""
    if stretch[PEAK] == 0.0:
        return np.nan
    if kind == MAX_DRAWDOWN:
        return 100.0 * stretch[DEPTH]
    fall = 1.0 - stretch[LATEST] / stretch[PEAK]
    return 100.0 * fall if kind == DRAWDOWN else min(fall / greatest_fall, 1.0)
