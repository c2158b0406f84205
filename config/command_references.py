"""What commands name must be there in the scheduler that they are given to.

Metrics and weights that a policy names are not seen here: `engine.configured` knows the engines.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .commands import AnyCommand, ReplaceCapitalPolicy, SetCapitalPolicy
from .core import CoreConfig
from .problems import Path, Problem
from .references import dangling, policy_references
from .schedulers import Scheduler


def check_commands(
    placed: Iterable[tuple[Path, AnyCommand]], config: CoreConfig, scheduler: Scheduler
) -> Iterator[Problem]:
    """Names that dangle; problems are not located yet.

    A strategy, a tag or an instrument must be that of one of the scheduler's schedules: a command for another one would
    do nothing.

    Args:
        placed: Commands, each with its path.
        config: Where the scheduler's strategies and profiles stand.
        scheduler: The scheduler that the commands are given to.
    """
    strategies = {schedule.strategy for schedule in scheduler.schedules.values()}
    known = {
        "schedule": ("schedule", scheduler.schedules),
        "tag": ("tag", {tag for name in strategies for tag in config.strategy(name).tags}),
        "strategy": ("strategy", strategies),
        "profile": ("risk profile", config.risk_profiles),
        "instrument": ("instrument", _instruments(config, scheduler)),
    }
    all_tags = {tag for _, strategy in config.catalog().values() for tag in strategy.tags}
    for path, command in placed:
        for field, (kind, names) in known.items():
            yield from dangling((*path, field), kind, getattr(command, field, None), names)
        if isinstance(command, SetCapitalPolicy | ReplaceCapitalPolicy):
            yield from policy_references(command.policy, (*path, "policy"), config.risk_profiles, all_tags)


def _instruments(config: CoreConfig, scheduler: Scheduler) -> set[str]:
    """What the universes of its schedules hold; where one names none, it may be any environment's."""
    named = {schedule.instrument_universe for schedule in scheduler.schedules.values()}
    if None in named:
        named |= {environment.instrument_universe for environment in config.environments.values()}
    universes = config.instrument_universes
    return {name for universe in named if universe in universes for name in universes[universe].instruments}
