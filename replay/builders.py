"""Schedulers in event time from a configuration: environment chosen, bars read, journal opened."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from ..config.core import CoreConfig
from ..config.environments import choose_environment
from ..engine.configured import load_core_config
from ..engine.scheduler.backtest import set_up_scheduler
from ..errors import UsageError
from .clock import Clock, SystemClock
from .multi_strategy_scheduler import MultiStrategyScheduler
from .replaying import open_session
from .sinks import StrategySignalSink
from .telemetry import TelemetryEmitter

Configuration = CoreConfig | str | Path


def build_multi_strategy_runtime(
    config: Configuration,
    environment: str = "demo",
    scheduler: str | None = None,
    *,
    journal: str | Path | None = None,
    keys: str | Path | None = None,
    clock: Clock | None = None,
    sinks: Sequence[StrategySignalSink] = (),
    emitters: Sequence[TelemetryEmitter] = (),
    block_bars: int = 1,
    **asked: Any,
) -> MultiStrategyScheduler:
    """A scheduler of an environment with recorded bars, ready to run; close it when it is done with.

    Args:
        config: A configuration, or its file.
        environment: A name, an alias or a type.
        scheduler: A scheduler of the configuration; None: the environment's.
        journal: The folder of journals; None: nothing is written down. Where it holds this run's journal, the run goes
            on from its end.
        keys: The folder of the signing keys, by default `secrets/journal/<environment>`.
        clock: What commands and `run_by_clock` go by; None: commands go by event time.
        sinks: Who is told every signal.
        emitters: Who is told what every run measured.
        block_bars: Bars whose wishes are made at a time.
        **asked: Everything else that `set_up_scheduler` takes: bars, start, end, commands, without, ...

    Raises:
        ConfigError: The configuration or the commands are refused.
        UsageError: A name is unknown, a value out of range, there are no bars to trade on, or the environment has no
            recorded bars and none are given.
        DataError: Bars or keys are not there.
        AuthorizationError: The licence does not grant a strategy.
        HeldError: Another process writes this journal.
        JournalError: The journal is of another run, or is not what it should be.
    """
    core = config if isinstance(config, CoreConfig) else load_core_config(config)
    chosen, _ = choose_environment(core.environments, environment)
    if asked.get("bars") is None:
        _refuse_channel(core, chosen)
    setup = set_up_scheduler(core, scheduler, environment=chosen, **asked)
    session = open_session(setup, journal, keys, clock or SystemClock(), block_bars=block_bars, observed=True)
    return MultiStrategyScheduler(core, session, clock=clock, sinks=sinks, emitters=emitters)


def build_demo_multi_strategy_runtime(
    config: Configuration, environment: str | None = None, scheduler: str | None = None, **asked: Any
) -> MultiStrategyScheduler:
    """The same for a demo environment: the one that is named, else the offline one of that type."""
    return _build("demo", config, environment, scheduler, **asked)


def build_paper_multi_strategy_runtime(
    config: Configuration, environment: str | None = None, scheduler: str | None = None, **asked: Any
) -> MultiStrategyScheduler:
    """The same for a paper environment: the one that is named, else the one of that type that is not offline."""
    return _build("paper", config, environment, scheduler, **asked)


def build_live_multi_strategy_runtime(
    config: Configuration, environment: str | None = None, scheduler: str | None = None, **asked: Any
) -> MultiStrategyScheduler:
    """The same for a live environment: the one that is named, else the one of that type that is not offline."""
    return _build("live", config, environment, scheduler, **asked)


def _build(
    kind: Literal["demo", "paper", "live"],
    config: Configuration,
    environment: str | None,
    scheduler: str | None,
    **asked: Any,
) -> MultiStrategyScheduler:
    core = config if isinstance(config, CoreConfig) else load_core_config(config)
    chosen, _ = choose_environment(core.environments, environment or kind)
    found = core.environments[chosen].type
    if found != kind:
        raise UsageError(f"environment {chosen!r} is of type {found!r}; this builds one of type {kind!r}.")
    return build_multi_strategy_runtime(core, chosen, scheduler, **asked)


def _refuse_channel(core: CoreConfig, chosen: str) -> None:
    """Raise UsageError where an environment's bars come from a venue: there is no channel to one yet."""
    environment = core.environments[chosen]
    if environment.feed is None:
        raise UsageError(
            f"environment {chosen!r} (type {environment.type}) has no recorded bars: its bars come from "
            f"{environment.adapter_address or environment.venue}, and there is no live channel in this version. Give "
            "bars=..., set 'feed' to a folder of recorded bars, or choose an environment that has one."
        )
