"""A sweep of whole schedulers: values of the configuration are varied, its capital policy among them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl

from ...config.changing import changed
from ...config.core import CoreConfig
from ...config.digest import content_sha384
from ...config.policy_reading import read_policy
from ...errors import UsageError
from ..bars import Integers
from ..configured import catalog_of, choose_scheduler, resolve_strategy
from ..engine_file import source_bytes
from ..execution import Execution
from ..feeds import read_sources
from ..given_bars import GivenBars
from ..inputs import plain
from ..outcome import describe_bars
from ..scheduler.backtest import set_up_scheduler
from ..scheduler.result import SchedulerResult
from ..scheduler.setup import SchedulerSetup
from ..scheduler.simulation import simulate
from ..strategy import Parameter
from .axes import Axis, read_axes
from .plan import DEFAULT_METRICS
from .sampling import draw_sets
from .sets import read_metrics

POLICY = "capital_policy"


@dataclass(frozen=True, kw_only=True, eq=False)
class SchedulerSweepPlan:
    """Sets of values for one scheduler, all of them checked. A row is a set.

    Attributes:
        base: The scheduler with the values of the first set.
        config: The configuration without changes.
        bars: What all rows are run on.
        sets: One row a set, one column an axis; a policy is told by its label.
        policies: The policies by label.
        given: What is not varied: options of `set_up_scheduler`.
        metrics: Names of what is measured.
        asked: How the sets were asked for.
        left_out: Always 0: a value that is not allowed is refused.
    """

    base: SchedulerSetup
    config: CoreConfig
    bars: GivenBars
    sets: pl.DataFrame
    policies: Mapping[str, Any]
    given: Mapping[str, Any]
    metrics: tuple[str, ...]
    asked: Mapping[str, Any]
    slices: int = 0
    left_out: int = 0

    @property
    def strategy(self) -> str:
        """The scheduler's name."""
        return self.base.name

    @property
    def count(self) -> int:
        """How many rows there are."""
        return self.sets.height

    @property
    def cells(self) -> int:
        """Bars of all rows together: those of each schedule and instrument."""
        return self.cells_of(0, self.count)

    def cells_of(self, start: int, stop: int) -> int:
        """Bars of rows start..stop."""
        return (stop - start) * self.cells_of_a_row

    @property
    def cells_of_a_row(self) -> int:
        """Bars of each schedule and instrument."""
        return len(self.base.panel) * sum(len(one.instruments) for one in self.base.resolved)

    def set_up(self, row: int) -> SchedulerSetup:
        """The scheduler of a row."""
        varied = self.sets.row(row, named=True)
        options = {name: value for name, value in varied.items() if name in Execution.__dataclass_fields__}
        paths = {name: value for name, value in varied.items() if name not in options}
        config = _with_values(self.config, self.base.name, paths, self.policies)
        return set_up_scheduler(config, self.base.name, bars=self.bars, **{**self.given, **options})

    def result_of(self, row: int) -> SchedulerResult:
        """The backtest of a row."""
        return simulate(self.set_up(row))

    def labels(self, rows: Integers) -> dict[str, pl.Series]:
        """What names rows beside their values."""
        return {"scheduler": pl.Series([self.strategy] * rows.size, dtype=pl.String)}

    def provenance_of(self, rows: Integers) -> dict[str, pl.Series]:
        """What each row is made from."""
        return {"config_sha384": pl.Series([content_sha384(self.config)] * rows.size, dtype=pl.Categorical)}

    def describe(self) -> dict[str, Any]:
        """The plan as plain values."""
        return {
            "kind": "sweep",
            "strategy": self.strategy,
            "fixed": {name: _told(value) for name, value in self.given.items()},
            **self.asked,
            "policies": {label: msgspec.to_builtins(policy) for label, policy in self.policies.items()},
            "sets": self.sets.height,
            "left_out": self.left_out,
            "rows": self.count,
            "metrics": list(self.metrics),
            "slices": self.slices,
            "data": [describe_bars(bars) for bars in self.base.history.instruments],
            "sweep_sha384": self.digest,
        }

    @cached_property
    def digest(self) -> str:
        """SHA-384 of what the rows depend on but for the software."""
        found = hashlib.sha384(content_sha384(self.config).encode())
        for bars in self.base.history.instruments:
            found.update(bars.content_digest.encode())
        for instrument, rates in sorted(self.base.rates.items()):
            found.update(f"{instrument}".encode() + rates.tobytes())
        for one in self.base.resolved:
            found.update(source_bytes(one.strategy.engine))
        found.update(msgspec.json.encode(self.base.commands))
        policies = {label: msgspec.to_builtins(policy) for label, policy in self.policies.items()}
        given = {name: _told(value) for name, value in self.given.items() if name not in ("commands", "funding")}
        found.update(json.dumps([policies, given, self.metrics, self.base.name], sort_keys=True).encode())
        found.update(self.sets.write_json().encode())
        return found.hexdigest()


def plan_scheduler_sweep(
    config: CoreConfig | str | Path,
    scheduler: str | None,
    axes: Mapping[str, Any],
    *,
    environment: str = "demo",
    bars: GivenBars | None = None,
    sampling: str = "grid",
    sets: int | None = None,
    seed: int = 0,
    metrics: Iterable[str] = DEFAULT_METRICS,
    **given: Any,
) -> SchedulerSweepPlan:
    """Check everything that a sweep of a scheduler will run.

    Args:
        config: A configuration, or its file.
        scheduler: A scheduler of it; None: the environment's.
        axes: By name what it is varied over. A name is `capital_policy`; a key of the scheduler, dots between steps
            (`allocation_rebalance_seconds`, `schedules.trend_schedule.cadence_seconds`); a strategy's parameter
            (`mean_reversion.lookback`); a path from the top of the configuration; or a field of `Execution`. Policies
            are names or mappings.
        environment: Its bars, capital, and what schedules leave open.
        bars: As for `backtest_scheduler`; None: the environment's recorded bars, read once.
        sampling: `grid`, `random`, `sobol` or `latin_hypercube`.
        sets: How many sets are drawn; None for a grid.
        seed: Of what is drawn.
        metrics: Names from `engine.metrics.DESCRIPTIONS`.
        **given: What `set_up_scheduler` takes beside: start, end, commands, without, drift_seconds, funding, options.

    Raises:
        ConfigError: The configuration or a value is refused.
        UsageError: A name or value is refused.
    """
    measured = read_metrics(metrics, with_tail=True)
    chosen = choose_scheduler(config, environment, scheduler)
    reading = _Reading(chosen.core, chosen.name)
    read = read_axes(axes, reading.value, reading.is_whole)
    for axis in read:
        if axis.name in given:
            raise UsageError(f"{axis.name} is varied and given as {given[axis.name]!r}; leave one out")
    elsewhere = {axis.name: reading.present(axis.name) for axis in read if axis.conditions}
    table = draw_sets(read, sampling, sets, seed, elsewhere)
    asked = {"environment": environment, **given}
    sources = read_sources(chosen.core, chosen.environment, chosen.resolved) if bars is None else bars
    plan = SchedulerSweepPlan(
        base=set_up_scheduler(chosen.core, chosen.name, bars=sources, **asked),
        config=chosen.core,
        bars=sources,
        sets=table,
        policies={name: policy for name, policy in reading.policies.items() if name in _policies_of(table)},
        given=asked,
        metrics=measured,
        asked={"axes": {axis.name: axis.describe() for axis in read}, "sampling": sampling, "seed": seed},
    )
    for row in _rows_to_try(read, table):
        plan.set_up(row)  # what an engine refuses is told before a long run
    return plan


def _policies_of(table: pl.DataFrame) -> set[str]:
    return set(table[POLICY]) if POLICY in table.columns else set()


class _Reading:
    """What values may stand where in a configuration."""

    def __init__(self, config: CoreConfig, scheduler: str) -> None:
        self._config, self._scheduler, self._catalog = config, scheduler, catalog_of(config)
        self.policies: dict[str, Any] = {}

    def value(self, name: str, value: Any) -> Any:
        """The value as it stands in the table: a policy by its label."""
        if isinstance(value, np.generic):
            value = value.item()
        if name == POLICY:
            policy = read_policy(value)
            label = policy.label or _name_of(policy)
            if self.policies.setdefault(label, policy) != policy:
                raise UsageError(f"{POLICY}: two policies are called {label!r}; give one of them another label")
            return label
        if name in Execution.__dataclass_fields__:
            return getattr(Execution(**{name: value}), name)
        _with_values(self._config, self._scheduler, {name: value}, {})
        parameter, _ = self._parameter(name)
        return value if parameter is None else parameter.read(value, name.partition(".")[0])

    def is_whole(self, name: str) -> bool:
        """Whether it takes whole numbers: an engine's parameter that does, or a key where there is one now."""
        parameter, present = self._parameter(name)
        if parameter is not None:
            return parameter.kind == "int"
        present = self.present(name)
        return isinstance(present, int) and not isinstance(present, bool)

    def present(self, name: str) -> Any:
        """What stands there now, or is the default of an engine's parameter; None where nothing does."""
        if name in Execution.__dataclass_fields__:
            return Execution.__dataclass_fields__[name].default
        parameter, value = self._parameter(name)
        if parameter is not None:
            return value
        inside: Any = msgspec.to_builtins(self._config)
        for step in _path(self._config, self._scheduler, name):
            inside = inside.get(step) if isinstance(inside, dict) else None
        if name == POLICY:
            return self.value(POLICY, inside)
        return inside

    def _parameter(self, name: str) -> tuple[Parameter | None, Any]:
        """The parameter of a strategy's engine that is named, and its value now; None where it is another key."""
        path = _path(self._config, self._scheduler, name)
        if len(path) != 4 or path[2] != "parameters" or path[1] not in self._config.catalog():
            return None, None
        strategy = resolve_strategy(self._config, path[1], self._catalog)
        return strategy.engine.own.get(path[3]), strategy.parameters.get(path[3])


def _with_values(
    config: CoreConfig, scheduler: str, values: Mapping[str, Any], policies: Mapping[str, Any]
) -> CoreConfig:
    plain_policies = {label: msgspec.to_builtins(policy) for label, policy in policies.items()}
    written = {name: plain_policies[value] if name == POLICY else value for name, value in values.items()}
    return changed(config, {_path(config, scheduler, name): value for name, value in written.items()})


def _path(config: CoreConfig, scheduler: str, name: str) -> tuple[str, ...]:
    """Where a name stands in the configuration."""
    steps = tuple(name.split("."))
    if len(steps) == 2 and steps[0] in config.catalog():
        section, _ = config.catalog()[steps[0]]
        return (section, steps[0], "parameters", steps[1])
    if steps[0] in CoreConfig.__struct_fields__:
        return steps
    return ("runtime", "multi_strategy_schedulers", scheduler, *steps)


def _name_of(policy: Any) -> str:
    name: str = msgspec.to_builtins(policy)["name"]
    return name


def _told(value: Any) -> Any:
    return plain(value) if isinstance(value, str | int | float | list | tuple | dict | None) else str(value)


def _rows_to_try(axes: Iterable[Axis], table: pl.DataFrame) -> list[int]:
    """Rows that together have each value of a list, and the ends of what was drawn from a span."""
    rows = set()
    for axis in axes:
        column = table[axis.name]
        values = axis.values or (column.min(), column.max())
        rows |= {place for value in values if (place := (column == value).arg_max()) is not None}
    return sorted(rows)
