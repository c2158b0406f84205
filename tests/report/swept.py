"""Sheets of sweeps made to measure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from barstep.engine.outcome import without_endless
from barstep.report.sweep.sheet import SweepSheet

METRICS = ("sharpe", "max_drawdown_pct", "profit_factor")


def sheet_with(
    sets: pl.DataFrame,
    axes: Mapping[str, Mapping[str, Any]],
    metrics: Mapping[str, Any],
    *,
    sampling: str = "grid",
    symbols: tuple[str, ...] = ("X",),
    venues: tuple[str, ...] = ("v",),
    by: str = "sharpe",
    **document: Any,
) -> SweepSheet:
    """A sheet of sets over instruments. metrics: by name float64[instrument · set]."""
    count = len(symbols)
    venue_of = venues * (count if len(venues) == 1 else 1)
    names = {
        "row": np.arange(count * sets.height),
        "symbol": np.repeat(symbols, sets.height),
        "venue": np.repeat(venue_of, sets.height),
    }
    table = (
        pl.DataFrame(names)
        .hstack(pl.concat([sets] * count))
        .with_columns(**{k: pl.Series(v) for k, v in metrics.items()})
    )
    software = dict.fromkeys(("barstep", "numba", "numpy", "kernels", "arithmetic"), "0")
    data = [
        {
            "venue": venue, "symbol": symbol, "interval_seconds": 3600, "bars": 100,
            "first": "2024-01-01T00:00:00.000000Z", "last": "2024-01-05T03:00:00.000000Z", "sha384": "ab" * 48,
        }
        for symbol, venue in zip(symbols, venue_of, strict=True)
    ]  # fmt: skip
    told = {
        "kind": "sweep", "strategy": "made", "fixed": {}, "axes": axes, "sampling": sampling, "seed": 7,
        "sets": sets.height, "left_out": 0, "rows": table.height, "metrics": list(metrics), "slices": 0, "data": data,
        "sweep_sha384": "cd" * 48, "provenance": software, **document,
    }  # fmt: skip
    return SweepSheet(document=json.loads(json.dumps(without_endless(told))), table=table, by=by)


def grid(**values: list[Any]) -> tuple[pl.DataFrame, dict[str, dict[str, Any]]]:
    """All combinations of values, the last axis changing first, and the axes as a sweep's document has them."""
    frames = [pl.DataFrame({name: listed}) for name, listed in values.items()]
    sets = frames[0]
    for frame in frames[1:]:
        sets = sets.join(frame, how="cross", maintain_order="left_right")
    return sets, {name: {"values": listed} for name, listed in values.items()}


def noise(count: int, seed: int = 0) -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
    """Random metrics of `count` rows."""
    rng = np.random.default_rng(seed)
    return {
        "sharpe": rng.normal(size=count),
        "max_drawdown_pct": rng.uniform(1.0, 60.0, count),
        "profit_factor": rng.uniform(0.5, 2.0, count),
    }


def gridded(symbols: tuple[str, ...] = ("X",), by: str = "sharpe", **values: list[Any]) -> SweepSheet:
    """A grid with random metrics."""
    sets, axes = grid(**values)
    return sheet_with(sets, axes, noise(sets.height * len(symbols)), symbols=symbols, by=by)


def drawn(count: int, symbols: tuple[str, ...] = ("X",)) -> SweepSheet:
    """Sets drawn from three spans: whole numbers, numbers, numbers by their logarithm."""
    rng = np.random.default_rng(count)
    sets = pl.DataFrame(
        {
            "lookback": rng.integers(24, 241, count),
            "entry": rng.uniform(1.0, 3.0, count),
            "stop": 0.5 * 20.0 ** rng.random(count),
        }
    )
    axes = {
        "lookback": {"low": 24, "high": 240, "log": False},
        "entry": {"low": 1.0, "high": 3.0, "log": False},
        "stop": {"low": 0.5, "high": 10.0, "log": True},
    }
    return sheet_with(sets, axes, noise(count * len(symbols)), sampling="random", symbols=symbols)
