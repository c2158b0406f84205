"""Which numbers a capital policy reads, and where the kernels that keep telemetry have them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ...config.policies import Written
from ...kernels.scheduler import telemetry
from ...kernels.scheduler.capital import fill_metrics
from ..bars import Floats, Integers
from ..policy_program import PolicyProgram, compile_policy
from .arrays import SchedulerArrays
from .setup import SchedulerSetup
from .wishes import Measure

_PREFIXES = ("avg_abs_", "avg_", "last_")
_OF_UNIT_ACCOUNT = {
    "signals": telemetry.SIGNALS_OF,
    "realized_volatility": telemetry.VOLATILITY,
    "realized_vs_target_vol_pct": telemetry.VOLATILITY_VS_TARGET,
    "max_drawdown_pct": telemetry.MAX_DRAWDOWN,
    "pnl_drawdown_pct": telemetry.DRAWDOWN,
    "drawdown_pressure": telemetry.PRESSURE,
}
"""Measures of a schedule as a whole: one number for a window, by whatever prefix it is asked for."""


def measures_of(policies: Iterable[Written], diagnostics: Iterable[str]) -> tuple[Measure, ...]:
    """What must be averaged over instruments so that any of these policies finds what it reads."""
    known = {"confidence", *diagnostics}
    found = set()
    for policy in policies:
        for metric in compile_policy(policy, ()).metrics:
            prefix, name = _split(metric)
            if name in known and name not in _OF_UNIT_ACCOUNT:
                found.add(Measure(name, prefix == "avg_abs_"))
    return tuple(sorted(found))


def every_measure(diagnostics: Iterable[str]) -> tuple[Measure, ...]:
    """Everything that some policy could ask for, with and without the sign."""
    names = sorted({"confidence", *diagnostics} - set(_OF_UNIT_ACCOUNT))
    return tuple(sorted(Measure(name, of_size) for name in names for of_size in (False, True)))


def reads_telemetry(policy: Written) -> bool:
    """Whether a policy asks for any metric."""
    return bool(compile_policy(policy, ()).metrics)


class Sources:
    """Where the metrics of a policy come from.

    Attributes:
        rows: int64[metric, 3], see `kernels.scheduler.capital`.
        stated: float64[metric], of those that nothing measures: 0 or NaN.
    """

    def __init__(self, program: PolicyProgram, measures: tuple[Measure, ...], stated: Mapping[str, float]) -> None:
        rows, values = [], []
        for metric, register in program.metrics.items():
            kind, measure = _source(metric, measures)
            rows.append((register, kind, measure))
            values.append(stated.get(_split(metric)[1], np.nan) if kind == telemetry.STATED else np.nan)
        self.rows: Integers = np.array(rows, dtype=np.int64).reshape(len(rows), 3)
        self.stated: Floats = np.array(values, dtype=np.float64)


def stated_metrics(setup: SchedulerSetup) -> dict[str, float]:
    """What nothing measures where time is that of events: a model says it."""
    return {"drift_seconds": setup.drift_seconds, "latency_ms": 0.0}


def read_metrics(
    names: Sequence[str], measures: tuple[Measure, ...], arrays: SchedulerArrays, stated: Mapping[str, float]
) -> Floats:
    """float64[metric, schedule]: metrics over the window that ends with each schedule's last run, as policies see them.

    Args:
        names: The metrics.
        measures: What the machine averages.
        arrays: The machine's; it must have kept telemetry.
        stated: What nothing measures, without its prefix.
    """
    sources = [_source(name, measures) for name in names]
    rows: Integers = np.array([(m, *source) for m, source in enumerate(sources)], dtype=np.int64).reshape(-1, 3)
    values = np.array([stated.get(_split(name)[1], np.nan) for name in names], dtype=np.float64)
    table = np.full((len(names), arrays.schedules.shape[1]), np.nan)
    fill_metrics(rows, values, arrays.profiles, arrays.schedules, arrays.rests, arrays.since, arrays.stretch, table)
    return table


def _source(metric: str, measures: tuple[Measure, ...]) -> tuple[int, int]:
    prefix, name = _split(metric)
    if name in _OF_UNIT_ACCOUNT:
        return _OF_UNIT_ACCOUNT[name], 0
    measure = Measure(name, prefix == "avg_abs_")
    if measure not in measures:
        return telemetry.STATED, 0
    return telemetry.MEAN_OF if prefix.startswith("avg_") else telemetry.LAST_OF, measures.index(measure)


def _split(metric: str) -> tuple[str, str]:
    """A metric's prefix and its name."""
    prefix = next((each for each in _PREFIXES if metric.startswith(each)), "")
    return prefix, metric.removeprefix(prefix)


def raw_register(program: PolicyProgram) -> int:
    """The register of the weights before they are smoothed, where the policy smooths; else of its weights."""
    root: Any = program.root
    return int(root.inside["base"].weights if "base" in root.inside else root.weights)
