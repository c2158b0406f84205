"""Names of the configuration, for the shell's completion; where it cannot be read there are none."""

# ruff: noqa: PLC0415 - imported when a command runs, see `cli.app`

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from ...errors import BarstepError

if TYPE_CHECKING:
    from pathlib import Path

    from ...config.core import CoreConfig
    from ...config.schedulers import Scheduler


def environments(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names and aliases of environments."""
    config = _config(ctx)
    known = {} if config is None else config.environments
    return _begun(incomplete, [*known, *(alias for one in known.values() for alias in one.aliases)])


def schedulers(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of schedulers."""
    config = _config(ctx)
    return _begun(incomplete, [] if config is None else config.runtime.multi_strategy_schedulers)


def schedules(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of the schedules of the scheduler that is meant."""
    return _begun(incomplete, [name for one in _meant(ctx) for name in one.schedules])


def strategies(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of the strategies that they run."""
    return _begun(incomplete, [schedule.strategy for one in _meant(ctx) for schedule in one.schedules.values()])


def tags(ctx: typer.Context, incomplete: str) -> list[str]:
    """Tags of these strategies."""
    config = _config(ctx)
    if config is None:
        return []
    used = [schedule.strategy for one in _meant(ctx) for schedule in one.schedules.values()]
    return _begun(incomplete, [tag for name in used for tag in config.strategy(name).tags])


def limits(ctx: typer.Context, incomplete: str) -> list[str]:
    """Pairs of a strategy and a profile."""
    config = _config(ctx)
    profiles = [] if config is None else config.risk_profiles
    return _begun(incomplete, [f"{name}:{profile}" for name in strategies(ctx, "") for profile in profiles])


def _begun(incomplete: str, known: object) -> list[str]:
    return sorted({name for name in known if name.startswith(incomplete)})  # type: ignore[attr-defined]


def _meant(ctx: typer.Context) -> list[Scheduler]:
    """The scheduler of the words that stand there already, else that of the environment."""
    from ...config.environments import choose_environment

    config = _config(ctx)
    if config is None:
        return []
    name = ctx.params.get("scheduler")
    if name is None:
        try:
            chosen, _ = choose_environment(config.environments, ctx.params.get("environment") or "demo")
        except BarstepError:
            return list(config.runtime.multi_strategy_schedulers.values())
        name = config.environments[chosen].scheduler
    found = config.runtime.multi_strategy_schedulers.get(name)
    return [] if found is None else [found]


def _config(ctx: typer.Context) -> CoreConfig | None:
    from ...config.reading import default_path, read_config

    given: Path | None = ctx.params.get("config")
    try:
        return read_config(given or default_path()).config
    except BarstepError:
        return None
