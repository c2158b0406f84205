"""Which parameter sets are run: all of a grid, or some drawn at random or evenly spread."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import numpy as np
import polars as pl

from ...errors import UsageError, unknown_name
from .axes import Axis

SAMPLINGS = ("grid", "random", "sobol", "latin_hypercube")
MOST_SETS = 50_000_000


def draw_sets(
    axes: tuple[Axis, ...], sampling: str, count: int | None, seed: int, fixed: Mapping[str, Any]
) -> pl.DataFrame:
    """One row a parameter set, one column an axis; sets that are the same are there once.

    Sobol' points are scrambled (Owen 1998, ACM TOMACS 8(1)); Latin hypercube: McKay, Beckman and Conover 1979,
    Technometrics 21(2). The grid has the last axis change first.

    Args:
        axes: What is varied.
        sampling: One of SAMPLINGS.
        count: How many are drawn; None for the grid, which has all.
        seed: Of what is drawn.
        fixed: Values of axes where their conditions do not hold.

    Raises:
        UsageError: An unknown sampling, no count or one too many, a seed under 0, a span in a grid.
    """
    if sampling not in SAMPLINGS:
        raise UsageError(unknown_name("sampling", sampling, SAMPLINGS))
    columns = _grid(axes, count) if sampling == "grid" else _drawn(axes, sampling, count, seed)
    table = pl.DataFrame({name: pl.Series(name, values, strict=False) for name, values in columns.items()})
    for axis in _in_order(axes):
        holds = pl.all_horizontal(pl.col(name) == value for name, value in axis.conditions.items())
        varied = pl.when(holds).then(pl.col(axis.name)).otherwise(pl.lit(fixed[axis.name]))
        table = table.with_columns(varied.alias(axis.name))
    return table.unique(maintain_order=True)


def _in_order(axes: tuple[Axis, ...]) -> Iterator[Axis]:
    """Those that vary by others, each after those that it varies by."""
    left = [axis for axis in axes if axis.conditions]
    while left:
        waiting = {axis.name for axis in left}
        free = [axis for axis in left if waiting.isdisjoint(axis.conditions)]
        if not free:
            raise UsageError(f"{', '.join(sorted(waiting))} vary by each other; one of them must vary by itself")
        yield from free
        left = [axis for axis in left if axis not in free]


def _grid(axes: tuple[Axis, ...], count: int | None) -> dict[str, Any]:
    if count is not None:
        raise UsageError(f"a grid has all of its sets; leave {count} out, or draw with another sampling")
    for axis in axes:
        if axis.span is not None:
            raise UsageError(f"{axis.name} is a span; a grid wants a list of values (or draw: random, sobol)")
    sizes = [len(axis.values) for axis in axes]
    total = math.prod(sizes)
    if total > MOST_SETS:
        raise UsageError(f"the grid has {total:,} sets; at most {MOST_SETS:,} can be run. Draw some of them instead.")
    columns, repeat = {}, total
    for axis, size in zip(axes, sizes, strict=True):
        repeat //= size
        places = np.arange(total) // repeat % size
        columns[axis.name] = pl.Series(axis.values, strict=False).gather(places)
    return columns


def _drawn(axes: tuple[Axis, ...], sampling: str, count: int | None, seed: int) -> dict[str, Any]:
    if count is None or not 1 <= count <= MOST_SETS:
        found = "not given" if count is None else f"{count:,}"
        raise UsageError(f"{sampling} draws a number of sets, which is {found}; allowed is 1 to {MOST_SETS:,}")
    if seed < 0:
        raise UsageError(f"seed is {seed}; allowed is 0 and more")
    shares = _shares(sampling, count, len(axes), seed)
    return {axis.name: axis.drawn(shares[:, k]) for k, axis in enumerate(axes)}


def _shares(sampling: str, count: int, dimensions: int, seed: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """float64[set, axis], in [0, 1)."""
    if sampling == "random":
        return np.random.default_rng(seed).random((count, dimensions))
    try:
        qmc = import_module("scipy.stats.qmc")
    except ImportError:
        raise UsageError(f"{sampling} is drawn by scipy, which is missing: pip install 'barstep[sweep]'") from None
    if sampling == "latin_hypercube":
        return np.asarray(qmc.LatinHypercube(dimensions, seed=seed).random(count))
    powers = math.ceil(math.log2(count)) if count > 1 else 0  # Sobol' points are even in powers of two
    return np.asarray(qmc.Sobol(dimensions, scramble=True, seed=seed).random_base2(powers))[:count]
