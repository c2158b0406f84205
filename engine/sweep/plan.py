"""What a sweep runs: parameter sets of one engine over one or more instruments, checked before anything runs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import polars as pl

from ...errors import UsageError
from ..backtest import refuse_execution, set_up_backtest
from ..bars import Bars, Integers
from ..catalog import DEFAULT_STRATEGY_CATALOG, StrategyCatalog
from ..engine_file import source_bytes
from ..execution import Execution
from ..inputs import plain
from ..outcome import describe_bars
from ..result import Result
from ..simulation import Setup, simulate
from ..strategy import StrategyEngine, Value
from .axes import read_axes
from .sampling import draw_sets
from .sets import Reading, consistent, different, read_metrics, refuse_short

DEFAULT_METRICS = (
    "total_return_pct", "annual_return_pct", "annual_volatility_pct", "sharpe", "sortino", "calmar", "max_drawdown_pct",
    "trades", "win_rate_pct", "profit_factor", "exposure_pct", "turnover", "fees_paid",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class SweepPlan:
    """Parameter sets over instruments, all of them checked. A row is an instrument with a set, instruments outermost.

    Attributes:
        engine: The strategy engine.
        setups: By instrument the backtest of the first set: bars, second venue, funding.
        sets: One row a parameter set, one column an axis.
        fixed: What is not varied: parameters of the engine and options of `Execution`.
        metrics: Names of what is measured.
        slices: Equal parts of the history whose returns are told by count, mean and squares; 0: none.
        left_out: Sets that were left out, since their parameters contradict each other.
        asked: How the sets were asked for: axes, sampling, seed.
    """

    engine: StrategyEngine
    setups: tuple[Setup, ...]
    sets: pl.DataFrame
    fixed: Mapping[str, Value]
    metrics: tuple[str, ...]
    slices: int
    left_out: int
    asked: Mapping[str, Any]

    @property
    def strategy(self) -> str:
        """The engine's name."""
        return self.engine.name

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self.setups) * self.sets.height

    @property
    def cells(self) -> int:
        """Bars of all rows together."""
        return self.cells_of(0, self.count)

    def cells_of(self, start: int, stop: int) -> int:
        """Bars of rows start..stop."""
        height = self.sets.height
        return sum(
            len(setup.bars) * max(min(stop, (k + 1) * height) - max(start, k * height), 0)
            for k, setup in enumerate(self.setups)
        )

    def options(self, place: int) -> dict[str, Any]:
        """All parameters and options of a set, as `backtest` takes them."""
        return {**self.fixed, **self.sets.row(place, named=True)}

    def setup_of(self, row: int) -> Setup:
        """The backtest of a row."""
        instrument, place = divmod(row, self.sets.height)
        base = self.setups[instrument]
        made = set_up_backtest(base.bars, self.engine, secondary=base.secondary, **self.options(place))
        return replace(made, funding=base.funding)

    def result_of(self, row: int) -> Result:
        """The backtest of a row."""
        return simulate(self.setup_of(row))

    def labels(self, rows: Integers) -> dict[str, pl.Series]:
        """What names rows beside their parameters: the instrument."""
        bars, places = [setup.bars for setup in self.setups], rows // self.sets.height
        return {
            "symbol": pl.Series([one.symbol for one in bars], dtype=pl.String).gather(places),
            "venue": pl.Series([one.venue for one in bars], dtype=pl.String).gather(places),
        }

    def provenance_of(self, rows: Integers) -> dict[str, pl.Series]:
        """What each row is made from: the digest of its bars."""
        digests = [setup.bars.content_digest for setup in self.setups]
        return {"data_sha384": pl.Series(digests, dtype=pl.Categorical).gather(rows // self.sets.height)}

    @cached_property
    def own(self) -> frozenset[str]:
        """Names of the engine's parameters."""
        return frozenset(parameter.name for parameter in self.engine.parameters)

    @cached_property
    def executions(self) -> tuple[tuple[Execution, ...], Integers]:
        """The different executions of all sets, and int64[set]: which is whose."""
        names = [name for name in self.sets.columns if name not in self.own]
        if "max_notional" in self.own and "max_notional" in self.sets.columns:
            names.append("max_notional")
        return different(self.sets, names, self._execution)

    def _execution(self, varied: dict[str, Any]) -> Execution:
        return replace(self.setups[0].execution, **varied)

    def describe(self) -> dict[str, Any]:
        """The plan as plain values."""
        return {
            "kind": "sweep",
            "strategy": self.strategy,
            "fixed": plain(self.fixed),
            **self.asked,
            "sets": self.sets.height,
            "left_out": self.left_out,
            "rows": self.count,
            "metrics": list(self.metrics),
            "slices": self.slices,
            "data": [describe_bars(setup.bars) for setup in self.setups],
            "sweep_sha384": self.digest,
        }

    @cached_property
    def digest(self) -> str:
        """SHA-384 of what the rows depend on but for the software: bars, engine, sets, fixed values, metrics."""
        found = hashlib.sha384(source_bytes(self.engine))
        for setup in self.setups:
            for bars in filter(None, (setup.bars, setup.secondary)):
                found.update(bars.content_digest.encode())
            found.update(b"" if setup.funding is None else setup.funding.tobytes())
        described = (self.engine.name, sorted(self.fixed.items()), self.metrics, self.slices, self.sets.schema)
        found.update(repr(described).encode())
        for column in self.sets.iter_columns():
            is_number = column.dtype.is_numeric() and not column.null_count()
            found.update(column.to_numpy().tobytes() if is_number else repr(column.to_list()).encode())
        return found.hexdigest()


def plan_sweep(
    bars: Bars | Sequence[Bars],
    strategy: str | StrategyEngine,
    axes: Mapping[str, Any],
    *,
    sampling: str = "grid",
    sets: int | None = None,
    seed: int = 0,
    metrics: Iterable[str] = DEFAULT_METRICS,
    slices: int = 0,
    secondary: Bars | Sequence[Bars] | None = None,
    funding: pl.DataFrame | Sequence[pl.DataFrame | None] | None = None,
    catalog: StrategyCatalog = DEFAULT_STRATEGY_CATALOG,
    **options: Any,
) -> SweepPlan:
    """Check everything that a sweep will run.

    Args:
        bars: The history of an instrument, or of several.
        strategy: An engine, or its name.
        axes: By parameter of the engine or field of `Execution` what it is varied over: a list or a range of values, a
            `Span` to draw from, or a `When`.
        sampling: `grid`, `random`, `sobol` or `latin_hypercube`.
        sets: How many sets are drawn; None for a grid.
        seed: Of what is drawn.
        metrics: Names from `engine.metrics.DESCRIPTIONS`, but for those of the tail, which need all returns at once.
        slices: How many equal parts of the history have their returns told, for statistics of overfitting.
        secondary: The second venue's history of each instrument, for engines that trade two.
        funding: Of each instrument, as for `backtest`.
        catalog: Where names are looked up.
        **options: Parameters and options that are not varied.

    Raises:
        UsageError: A name or value is refused, no set is left, or a window is longer than the data.
    """
    engine = catalog[strategy] if isinstance(strategy, str) else strategy
    measured = read_metrics(metrics, with_tail=False)
    own = engine.own
    reading = Reading(engine, own)
    read = read_axes(axes, reading.value, reading.is_whole)
    elsewhere = {**reading.defaults}
    for axis in read:
        if axis.name in options:
            if not axis.conditions:
                raise UsageError(f"{axis.name} is varied and given as {options[axis.name]!r}; leave one out")
            elsewhere[axis.name] = reading.value(axis.name, options[axis.name])
    drawn = draw_sets(read, sampling, sets, seed, elsewhere)
    kept = consistent(engine, own, drawn, options)
    if slices < 0:
        raise UsageError(f"slices is {slices}; allowed is 0 and more")
    first = {**options, **kept.row(0, named=True)}
    setups = tuple(
        set_up_backtest(each, engine, secondary=other, funding=rates, **first)
        for each, other, rates in _instruments(bars, secondary, funding)
    )
    refuse_short(engine, own, kept, options, min(len(setup.bars) for setup in setups))
    plan = SweepPlan(
        engine=engine, setups=setups, sets=kept, fixed=options, metrics=measured, slices=slices,
        left_out=drawn.height - kept.height,
        asked={"axes": {axis.name: axis.describe() for axis in read}, "sampling": sampling, "seed": seed},
    )  # fmt: skip
    for setup in setups:
        hedged, funded = setup.pair is not None, setup.funding is not None
        for execution in plan.executions[0]:
            refuse_execution(engine, execution, setup.bars, hedged=hedged, funded=funded)
    return plan


def _instruments(bars: Any, secondary: Any, funding: Any) -> list[tuple[Bars, Bars | None, pl.DataFrame | None]]:
    listed = [bars] if isinstance(bars, Bars) else list(bars)
    if not listed:
        raise UsageError("a sweep needs the bars of at least one instrument")
    columns = []
    for what, given, kind in (("secondary", secondary, Bars), ("funding", funding, pl.DataFrame)):
        each = [given] * len(listed) if given is None else [given] if isinstance(given, kind) else list(given)
        if len(each) != len(listed):
            raise UsageError(f"{what}: {len(each)} given for {len(listed)} instruments; give one for each")
        columns.append(each)
    if len({one.interval_seconds for one in listed}) > 1:
        raise UsageError("the instruments have bars of different length; sweep them one by one, or resample them")
    return list(zip(listed, *columns, strict=True))
