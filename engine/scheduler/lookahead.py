"""Look-ahead in a whole scheduler: decisions, weights, fills and equity up to an instant, whatever comes after it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ...config.core import CoreConfig
from ...errors import UsageError
from ...kernels import venue
from ..bars import MICROSECONDS, Integers
from ..configured import load_core_config
from ..cuts import cut_places
from ..given_bars import BarsByName
from ..lookahead import Audit, LookaheadReport, Progress, Retell
from ..tracks import Track, columns_of
from .backtest import backtest_scheduler
from .result import SchedulerResult
from .setup import SchedulerSetup

_BY_VOLUME = [venue.VOLUME_SLIPPAGE, venue.IMPACT, venue.MAX_VOLUME_SHARE]
_LEAST_BARS = 2


def audit_scheduler_lookahead(
    config: CoreConfig | str | Path,
    scheduler: str | None = None,
    *,
    cuts: int = 6,
    seed: int | np.random.Generator = 0,
    progress: Progress | None = None,
    **asked: Any,
) -> LookaheadReport:
    """Change the future of a scheduler's backtest, and find what moved of all that is known up to there.

    Compared are decisions, weights of capital, fills, equity, profits, interventions and what governs them. Fills at
    the market are settled by their bar's open: they must stay where only what follows that open is another.

    Args:
        config: A configuration, or its file.
        scheduler: A scheduler of it; None: the environment's.
        cuts: From how many instants on the future is changed; each costs a backtest for each kind of change.
        seed: What the instants and the other futures are drawn by, or a generator.
        progress: Called with the cuts that are done and all of them.
        **asked: Further arguments of `backtest_scheduler`.

    Raises:
        UsageError: A name is unknown, a value is out of range, or there are too few bars.
        ConfigError: The configuration or the commands are refused.
        DataError: Bars are not there or not fit to trade on.
        AuthorizationError: The licence does not grant a strategy.
    """
    if cuts < 1:
        raise UsageError(f"cuts is {cuts}; allowed is 1 or more")
    core = config if isinstance(config, CoreConfig) else load_core_config(config)
    rng = np.random.default_rng(seed)
    setup = backtest_scheduler(core, scheduler, **asked).setup
    if len(setup.panel) <= _LEAST_BARS:
        raise UsageError(f"{setup.panel!r} has too few bars; there is no future to change")

    def run(retell: Retell) -> list[Track]:
        given = {name: _each(pair, retell) for name, pair in bars_of(setup).items()}
        return _tracks(backtest_scheduler(core, scheduler, **{**asked, "bars": given}))

    longest = max(setup.history.instruments, key=len)
    audit = Audit(f"{setup.name} in {setup.environment}", run, longest, progress)
    first = int(np.searchsorted(longest.ts_us, setup.start_us)) + _LEAST_BARS
    audit.run(cut_places(longest, audit.recorded, cuts, first, rng), rng)
    return audit.report()


def bars_of(setup: SchedulerSetup) -> BarsByName:
    """The bars that a scheduler ran on, as they are given to run it again: of a pair, those of both venues."""
    legs = setup.history.instruments
    return {
        name: (legs[i], legs[other]) if (other := int(setup.others[i])) >= 0 else legs[i]
        for i, name in enumerate(setup.instruments)
    }


def _each(bars: Any, retell: Retell) -> Any:
    return tuple(map(retell, bars)) if isinstance(bars, tuple) else retell(bars)


def _tracks(result: SchedulerResult) -> list[Track]:
    """What is known when."""
    interval_us = result.panel.interval_seconds * MICROSECONDS
    fills, rules = result.fills, result.setup.rules
    tracks = [
        _track("decisions", result.decisions, "due_time"),
        _track("capital weights", result.capital_weights, "time"),
        _track("raw capital weights", result.raw_capital_weights, "time"),
        _track("fills", fills, "time", interval_us),
        _track("equity", result.equity, "timestamp", interval_us),
        _track("profits", result.equity_by("schedule"), "timestamp", interval_us),
        _track("interventions", result.interventions.drop("end"), "begin"),
        _track("governance", result.governance, "time"),
    ]
    if not (rules[..., _BY_VOLUME] > 0.0).any():
        tracks.append(_track("fills at the open", fills.filter(kind="market"), "time", at_open=True))
    return tracks


def _track(name: str, table: pl.DataFrame, time: str, later_us: int = 0, *, at_open: bool = False) -> Track:
    """A table whose rows are known at the time in one of its columns, or somewhat later."""
    ordered = table.sort(time, maintain_order=True)
    known_us: Integers = ordered[time].to_physical().to_numpy() + later_us
    return Track(name=name, known_us=known_us, columns=columns_of(ordered), at_open=at_open)
