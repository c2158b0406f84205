"""The table of metrics that capital policies are asked about, held to what it must be."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl

from ..errors import UsageError
from .bars import Floats
from .policy_program import Traits

_TEXTS = ("strategy", "risk_profile")


class MetricsTable:
    """A frame with a row per schedule, sorted by schedule.

    Attributes:
        schedules: Who they are.
        may_run: float64[schedule], 1.0 where a schedule may run.
    """

    def __init__(self, frame: pl.DataFrame) -> None:
        """Raises UsageError where a column is missing, is of another type, or a schedule stands there twice."""
        if "schedule" not in frame.columns:
            raise UsageError(f"the metrics have no column 'schedule'; they have {', '.join(frame.columns) or 'none'}")
        _refuse_types(frame)
        names = frame["schedule"]
        if names.null_count():
            raise UsageError(f"the metrics lack a schedule's name in row {names.is_null().arg_max()}")
        if names.n_unique() < len(names):
            raise UsageError(f"the metrics have the schedule {names.filter(names.is_duplicated())[0]!r} more than once")
        self._frame = frame.sort("schedule")
        self.schedules = _traits(self._frame)
        self.may_run: Floats = np.ones(len(names))
        if "may_run" in frame.columns:
            self.may_run = self._frame["may_run"].fill_null(value=False).cast(pl.Float64).to_numpy()

    def values(self, metric: str) -> Floats:
        """float64[schedule], NaN where the metric is missing."""
        if metric not in self._frame.columns:
            return np.full(len(self.schedules), np.nan)
        column = self._frame[metric]
        if not column.dtype.is_numeric() and column.dtype != pl.Null:
            raise UsageError(f"the metrics' column {metric!r} is {column.dtype}; it must be numbers")
        return column.cast(pl.Float64).fill_null(np.nan).to_numpy()


def _refuse_types(frame: pl.DataFrame) -> None:
    allowed = {"schedule": pl.String, "strategy": pl.String, "risk_profile": pl.String, "may_run": pl.Boolean}
    for name, kind in (allowed | {"tags": pl.List(pl.String)}).items():
        found = frame.schema.get(name, pl.Null())
        if found not in (kind, pl.Null(), pl.List(pl.Null()) if name == "tags" else kind):
            raise UsageError(f"the metrics' column {name!r} is {found}; it must be {kind}")


def _traits(frame: pl.DataFrame) -> tuple[Traits, ...]:
    texts = [_texts(frame, name) for name in _TEXTS]
    tags = frame["tags"].to_list() if "tags" in frame.columns else [None] * len(frame)
    return tuple(
        Traits(schedule=name, strategy=strategy, risk_profile=profile, tags=tuple(tag for tag in listed or () if tag))
        for name, strategy, profile, listed in zip(frame["schedule"].to_list(), *texts, tags, strict=True)
    )


def _texts(frame: pl.DataFrame, name: str) -> Iterable[str]:
    if name not in frame.columns:
        return [""] * len(frame)
    return [text or "" for text in frame[name].to_list()]
