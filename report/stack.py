"""Weights over time as areas that stand on one another."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TypeVar

import numpy as np
import polars as pl

from ..engine.bars import Floats

Key = TypeVar("Key", bound=Hashable)

SHOWN = 8
"""Instruments with an area of their own: as many colours as people tell apart."""


def parts(weights: pl.DataFrame) -> dict[str, Floats]:
    """float64[bar] in percent of equity, by name: the largest by their mean size, then the rest together."""
    columns = {name: weights[name].to_numpy() * 100.0 for name in weights.columns[1:]}
    return largest(columns, {name: mean_size(column) for name, column in columns.items()})


def mean_size(values: Floats) -> float:
    """The mean of the sizes of numbers, where there are any."""
    return float(np.nanmean(np.abs(values))) if values.size else 0.0


def largest(columns: Mapping[str, Floats], sizes: Mapping[str, float]) -> dict[str, Floats]:
    """Those of the greatest sizes, which come first, then the rest added up."""
    ranked = sorted(columns, key=lambda name: -sizes[name])
    shown = {name: columns[name] for name in ranked[:SHOWN]}
    rest = ranked[SHOWN:]
    if rest:
        shown[f"{len(rest)} others"] = np.sum([columns[name] for name in rest], axis=0)
    return shown


def bases(heights: Mapping[Key, Floats]) -> dict[Key, Floats]:
    """Where each area begins, given by how far each reaches: long ones stand on long ones, short ones hang below."""
    found: dict[Key, Floats] = {}
    above = below = np.zeros(1)
    for name, height in heights.items():
        found[name] = np.where(height >= 0.0, above, below)
        above, below = above + np.maximum(height, 0.0), below + np.minimum(height, 0.0)
    return found
