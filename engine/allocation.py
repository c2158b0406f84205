"""Strategies with shares of one account: their wishes on the bars of a panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import UsageError
from ..kernels.columns import TARGET
from .bars import Floats, Integers
from .catalog import StrategyCatalog
from .panel import Panel
from .simulation import EngineRun
from .strategy import StrategyEngine


@dataclass(frozen=True, kw_only=True)
class Allocation:
    """A strategy with its share of the portfolio's equity.

    Attributes:
        strategy: An engine, or its name in the catalog.
        weight: Share of the portfolio's equity that a wish of 1 stands for.
        instruments: Names of the instruments it trades; None: all.
        parameters: The engine's parameters.
        options: Fields of `Execution` that differ for this strategy, such as its stops.
        name: What it is called in results; by default the engine's name.
        tag: A word of your own to add up results by.
    """

    strategy: str | StrategyEngine
    weight: float = 1.0
    instruments: Sequence[str] | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    tag: str = ""

    @property
    def label(self) -> str:
        """What it is called in results."""
        return self.name or (self.strategy if isinstance(self.strategy, str) else self.strategy.name)


def check_allocations(allocations: Sequence[Allocation]) -> None:
    """Raise UsageError where there is none, one is something else or has a weight under 0, or two have one name."""
    if not allocations:
        raise UsageError("the plan is empty; give weights, or at least one Allocation")
    for allocation in allocations:
        if not isinstance(allocation, Allocation):
            raise UsageError(f"the plan holds a {type(allocation).__name__}; give weights as an array, or Allocations")
        if not 0.0 <= allocation.weight < np.inf:
            raise UsageError(f"{allocation.label}: weight is {allocation.weight}; allowed is 0 or more")
    names = [a.label for a in allocations]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"two allocations are named {name!r}; give them names that differ")


class Strategies:
    """Wishes of engines, each times its share."""

    watches_every_bar = True
    rebalances = are_orders = has_limits = False

    def __init__(
        self, panel: Panel, allocations: Sequence[Allocation], catalog: StrategyCatalog, year_days: float, chunk: int
    ) -> None:
        self.due_bars = np.arange(len(panel))
        self._year_days, self._chunk = year_days, chunk
        self._panel, self._weights = panel, [a.weight for a in allocations]
        self._runs = [self._runs_of(a, catalog) for a in allocations]
        self._last = np.zeros((len(allocations), len(panel.names)))

    def _runs_of(self, allocation: Allocation, catalog: StrategyCatalog) -> list[_Ahead | None]:
        engine = catalog[allocation.strategy] if isinstance(allocation.strategy, str) else allocation.strategy
        if engine.needs_secondary:
            raise UsageError(f"{engine.name} trades two venues; a portfolio's strategies trade one each")
        parameters = engine.read_parameters(allocation.parameters)
        names = self._panel.names if allocation.instruments is None else allocation.instruments
        chosen = {self._panel.place_of(name) for name in names}
        return [
            _Ahead(EngineRun(engine, parameters, bars, bars.values, self._year_days), self._chunk)
            if i in chosen
            else None
            for i, bars in enumerate(self._panel.instruments)
        ]

    def fill(self, columns: Integers, out: Floats, _limits: Floats) -> None:
        """Write the wishes of the bars at `columns` to out[schedule, instrument, 0:n]; exposures over 1 are scaled."""
        bars = [self._panel.own_bars(i, columns) for i in range(len(self._panel.names))]
        for s, runs in enumerate(self._runs):
            wishes = out[s, :, : columns.size]
            wishes[:] = np.nan
            for row, run, (present, place) in zip(wishes, runs, bars, strict=True):
                if run is not None:
                    row[present] = run.at(place)
            total = np.abs(self._standing(s, wishes)).sum(axis=0)
            wishes *= self._weights[s] / np.maximum(total, 1.0)

    @property
    def warm_up_bars(self) -> int:
        """Bars at which an engine has seen too few to wish for anything, added up over all of them."""
        return sum(run.warm_up_bars for runs in self._runs for run in runs if run is not None)

    def _standing(self, s: int, wishes: Floats) -> Floats:
        """A schedule's wishes, and where an instrument has no bar its last one: it stands until there is another."""
        said = ~np.isnan(wishes)
        if not said.all():
            place = np.maximum.accumulate(np.where(said, np.arange(1, wishes.shape[1] + 1), 0), axis=1)
            wishes = np.take_along_axis(np.concatenate((self._last[s][:, None], wishes), axis=1), place, axis=1)
        self._last[s] = wishes[:, -1]
        return wishes


class _Ahead:
    """An engine's wishes, made in pieces as time goes on."""

    def __init__(self, run: EngineRun, chunk: int) -> None:
        self.warm_up_bars = run.warm_up_bars
        self._pieces = run.outputs(chunk, with_telemetry=False)
        self._start, self._stop, self._wishes = 0, 0, np.empty(0)

    def at(self, place: Integers) -> Floats:
        """The wishes of the bars at `place`, which rise, also from call to call."""
        found = np.empty(place.size)
        done = 0
        while done < place.size:
            if place[done] >= self._stop:
                self._start, self._stop, rows = next(self._pieces)
                self._wishes = rows[TARGET].copy()
            until = int(np.searchsorted(place, self._stop))
            found[done:until] = self._wishes[place[done:until] - self._start]
            done = until
        return found
