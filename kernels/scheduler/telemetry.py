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
LAST_RUN, PLACE, LEFT = range(3)
"""`since`, after a stretch: number of the last run; its place in its block, from 1 on (0: there was none yet); the row
of what the block before leaves."""
SINCE = 3

COUNTS, SIGNALS_IN, EQUITY_AT, GROWTH, VALUES = range(5)
"""`runs`: 1 where the run counts; signals accepted in it; the unit account's equity (0: not marked); its growth since
the run before (NaN: not known); from here on the measures."""

SIGNALS_OF, VOLATILITY, VOLATILITY_VS_TARGET, MAX_DRAWDOWN, DRAWDOWN, PRESSURE, MEAN_OF, LAST_OF, STATED = range(9)
"""Kinds of metrics: accepted signals; annual volatility; percent off the engine's target; deepest and present fall in
percent; the latter over the profile's limit; mean, and last value, of a measure; a stated number."""


@kernel
def forget(stretch):
    """A stretch without runs."""
    for slot in range(stretch.shape[0]):
        stretch[slot] = 0.0


@kernel
def one_run(run, stretch):
    """A stretch of one run, from its row of `runs`."""
    signals, equity, growth = run[SIGNALS_IN], run[EQUITY_AT], run[GROWTH]
    known = growth == growth
    stretch[RUNS], stretch[SIGNALS] = run[COUNTS], signals
    stretch[RETURNS], stretch[RETURN_MEAN], stretch[RETURN_SQUARES] = (1.0, growth, 0.0) if known else (0.0, 0.0, 0.0)
    stretch[PEAK] = stretch[TROUGH] = stretch[LATEST] = equity
    stretch[DEPTH] = 0.0
    for m in range(run.shape[0] - VALUES):
        at, value = MEANS + 3 * m, run[VALUES + m]
        known = value == value
        stretch[at + COUNT], stretch[at + SUM] = (1.0, value) if known else (0.0, 0.0)
        stretch[at + LAST] = value


@kernel(inlined=True)
def join(earlier, later, out):
    """The stretch of two that follow each other; `out` may be either."""
    if later[RUNS] == 0.0 or earlier[RUNS] == 0.0:
        kept = earlier if later[RUNS] == 0.0 else later
        for slot in range(out.shape[0]):
            out[slot] = kept[slot]
        return
    _join_returns(earlier, later, out)
    _join_falls(earlier, later, out)
    for at in range(MEANS, out.shape[0], 3):
        _join_measure(at, earlier, later, out)
    _join_counts(earlier, later, out)


@kernel
def _join_counts(earlier, later, out):
    """How many runs and signals."""
    out[SIGNALS] = earlier[SIGNALS] + later[SIGNALS]
    out[RUNS] = earlier[RUNS] + later[RUNS]


@kernel
def _join_returns(earlier, later, out):
    """Mean and squares of the returns, by Chan, Golub and LeVeque."""
    n, m = earlier[RETURNS], later[RETURNS]
    if n + m > 0.0:
        distance, part = later[RETURN_MEAN] - earlier[RETURN_MEAN], m / (n + m)
        squares = earlier[RETURN_SQUARES] + later[RETURN_SQUARES] + distance * distance * n * part
        out[RETURN_MEAN] = earlier[RETURN_MEAN] + distance * part
        out[RETURN_SQUARES], out[RETURNS] = squares, n + m
    else:
        out[RETURN_MEAN] = out[RETURN_SQUARES] = out[RETURNS] = 0.0


@kernel
def _join_measure(at, earlier, later, out):
    """The three slots of a measure that begin at `at`."""
    last = later[at + LAST] if later[at + COUNT] > 0.0 else earlier[at + LAST]
    out[at + COUNT] = earlier[at + COUNT] + later[at + COUNT]
    out[at + SUM] = earlier[at + SUM] + later[at + SUM]
    out[at + LAST] = last


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
def turn_block(s, first, runs, rests, since, stretch, follows):
    """Begin a new block of runs, and keep what the block before leaves where it is the one before this.

    first: the row of a block's first run; runs: float64[window, schedule, ·], by number mod window; rests:
    float64[window + 1, schedule, stretch], what is left of the block before from each row on, nothing in the last;
    since: float64[schedule, stretch + SINCE], the runs of this block together, then LAST_RUN to LEFT, all zeros before
    the first run. stretch: scratch. Schedules stand inside, since most are due together.
    """
    window, after = runs.shape[0], runs.shape[0]
    for at in range(window - 1, -1, -1):
        row = (first + at) % window
        if follows:
            one_run(runs[row, s], stretch)
            join(stretch, rests[after, s], rests[row, s])
        else:
            forget(rests[row, s])
        runs[row, s, COUNTS] = 0.0
        after = row
    forget(since[s, : stretch.shape[0]])


@kernel(inlined=True)
def row_of_run(number, first, s, runs, rests, since, stretch):
    """The row of `runs` for the run of this number, over 0; a new block is begun where it is the first of one.

    first: the row of a block's first run. Schedules that are due together, and whose blocks begin at different rows,
    have one block made at a time.
    """
    window, size = runs.shape[0], stretch.shape[0]
    last, before = int(since[s, size + LAST_RUN]), int(since[s, size + PLACE])
    place = before + number - last
    if before == 0 or place > window:
        place = (number - first) % window + 1
        if before != 0:
            follows = (number - first) // window - (last - first) // window == 1
            turn_block(s, first, runs, rests, since, stretch, follows)
    following = first + place if first + place < window else first + place - window
    since[s, size + LAST_RUN], since[s, size + PLACE] = number, place
    since[s, size + LEFT] = following if place < window else window
    return following - 1 if following > 0 else window - 1


@kernel(inlined=True)
def add_run(run, stretch):
    """Add a run, a row of `runs`, to the runs of its block."""
    growth, equity = run[GROWTH], run[EQUITY_AT]
    stretch[RUNS] += run[COUNTS]
    stretch[SIGNALS] += run[SIGNALS_IN]
    if growth == growth:  # Welford 1962, Technometrics 4(3)
        stretch[RETURNS] += 1.0
        distance = growth - stretch[RETURN_MEAN]
        stretch[RETURN_MEAN] += distance / stretch[RETURNS]
        stretch[RETURN_SQUARES] += distance * (growth - stretch[RETURN_MEAN])
    if equity > stretch[PEAK]:
        stretch[TROUGH] = equity if stretch[PEAK] == 0.0 else stretch[TROUGH]
        stretch[PEAK] = stretch[LATEST] = equity
    elif equity > 0.0:
        stretch[TROUGH], stretch[LATEST] = min(stretch[TROUGH], equity), equity
        stretch[DEPTH] = max(stretch[DEPTH], 1.0 - equity / stretch[PEAK])
    for m in range(run.shape[0] - VALUES):
        at, value = MEANS + 3 * m, run[VALUES + m]
        if value == value:
            stretch[at + COUNT] += 1.0
            stretch[at + SUM] += value
            stretch[at + LAST] = value


@kernel(inlined=True)
def metric(kind, measure, s, rests, since, stretch, runs_root, target_volatility, greatest_fall, stated):
    """A metric of all runs in the window that ends with a schedule's last run; NaN where nothing was measured.

    rests, since: as in `turn_block`; stretch: scratch. What the block before leaves in the window and what was since
    then are joined only as far as the metric reads them: it is asked for all schedules at every refresh of weights.
    """
    if kind == STATED:
        return stated
    size = stretch.shape[0]
    earlier, later = rests[int(since[s, size + LEFT]), s], since[s, :size]
    if later[RUNS] == 0.0 or earlier[RUNS] == 0.0:
        read = earlier if later[RUNS] == 0.0 else later
        return _metric_of(kind, measure, read, runs_root, target_volatility, greatest_fall)
    if kind == MEAN_OF or kind == LAST_OF:
        _join_measure(MEANS + 3 * measure, earlier, later, stretch)
    elif kind == SIGNALS_OF:
        _join_counts(earlier, later, stretch)
    elif kind == VOLATILITY or kind == VOLATILITY_VS_TARGET:
        _join_returns(earlier, later, stretch)
    else:
        _join_falls(earlier, later, stretch)
    return _metric_of(kind, measure, stretch, runs_root, target_volatility, greatest_fall)


@kernel
def _metric_of(kind, measure, stretch, runs_root, target_volatility, greatest_fall):
    """A metric of a stretch."""
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
