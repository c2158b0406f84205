"""The sweep of a scheduler on its way to another process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from ..config.core import CoreConfig
from ..engine.bars import Bars
from ..engine.feeds import FeedSources
from ..engine.given_bars import BarsByName, GivenBars
from ..engine.provenance import software
from ..engine.scheduler.backtest import set_up_scheduler
from ..engine.sweep.kinds import Runner
from ..engine.sweep.scheduler_plan import SchedulerSweepPlan
from ..engine.sweep.scheduler_rows import SchedulerRowRunner
from .bars_data import BarsData, bars_data, first_returns
from .sweep_recipe import as_bytes, digest_of

_PRIMARY, _SECONDARY, _FALLBACK = "primary", "secondary", "fallback"

Legs = Mapping[str, Mapping[str, Bars]]
"""By feed and instrument the bars."""

LegsData = Mapping[str, Mapping[str, BarsData]]
"""The same as they travel."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SchedulerRecipe:
    """The plan of a scheduler's sweep.

    Attributes:
        key: As of `Recipe`; likewise `software`.
        config: The configuration without changes.
        scheduler: The scheduler's name.
        sets: The table of sets, as an Arrow stream.
        policies: The policies by label.
        given: What is not varied.
        metrics: What is measured.
        base_interval_seconds: Length of the bars of feeds; None where the caller gave bars that have no fallbacks.
    """

    key: str
    software: Mapping[str, str]
    config: CoreConfig
    scheduler: str
    sets: bytes
    policies: Mapping[str, Any]
    given: Mapping[str, Any]
    metrics: tuple[str, ...]
    base_interval_seconds: int | None

    def runner(self, data: LegsData) -> Runner:
        """As of `Recipe`; all instruments of a scheduler are one."""
        legs = {feed: {name: one.bars() for name, one in held.items()} for feed, held in data.items()}
        bars = _given_of(legs, self.base_interval_seconds)
        plan = SchedulerSweepPlan(
            base=set_up_scheduler(self.config, self.scheduler, bars=bars, **self.given), config=self.config,
            bars=bars, sets=pl.read_ipc_stream(self.sets), policies=self.policies, given=self.given,
            metrics=self.metrics, asked={},
        )  # fmt: skip
        return SchedulerRowRunner(plan)


class PackedScheduler:
    """A scheduler's sweep, taken apart; see `Packing`."""

    def __init__(self, plan: SchedulerSweepPlan) -> None:
        self._plan, self._legs = plan, _legs_of(plan.bars)
        self.bars = [bars for held in self._legs.values() for bars in held.values()]
        here, commands = software(), plan.base.commands  # a file of them may not be there for others
        sources = plan.bars if isinstance(plan.bars, FeedSources) else None
        self.recipe = SchedulerRecipe(
            key=digest_of(plan.digest, here, commands, first_returns(self.bars)), software=here, config=plan.config,
            scheduler=plan.base.name, sets=as_bytes(plan.sets), policies=dict(plan.policies),
            given={**plan.given, "commands": commands}, metrics=plan.metrics,
            base_interval_seconds=None if sources is None else sources.base_interval_seconds,
        )  # fmt: skip

    def data(self, instrument: int, in_folder: Mapping[str, str]) -> LegsData:  # noqa: ARG002 - all are one
        """All bars."""
        return {
            feed: {name: bars_data(bars, in_folder) for name, bars in held.items()} for feed, held in self._legs.items()
        }

    def cells(self, instrument: int) -> int:  # noqa: ARG002 - all are one
        """Bars of a row, of each schedule and instrument."""
        return self._plan.cells_of_a_row


def _legs_of(given: GivenBars) -> Legs:
    if isinstance(given, FeedSources):
        return {_PRIMARY: given.primary, _SECONDARY: given.secondary, _FALLBACK: given.fallback}
    pairs = {name: bars for name, bars in given.items() if isinstance(bars, tuple)}
    alone = {name: bars for name, bars in given.items() if isinstance(bars, Bars)}
    return {
        _PRIMARY: {**{name: first for name, (first, _) in pairs.items()}, **alone},
        _SECONDARY: {name: second for name, (_, second) in pairs.items()},
    }


def _given_of(legs: Legs, base_interval_seconds: int | None) -> GivenBars:
    if base_interval_seconds is not None:
        return FeedSources(base_interval_seconds=base_interval_seconds, **legs)
    second = legs[_SECONDARY]
    by_name: BarsByName = {
        name: (bars, second[name]) if name in second else bars for name, bars in legs[_PRIMARY].items()
    }
    return by_name
