"""What a configuration becomes: strategies with their engines, schedules with their instruments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath

from ..config.command_reading import read_commands
from ..config.command_references import check_commands
from ..config.commands import AnyCommand, ReplaceCapitalPolicy, SetCapitalPolicy
from ..config.core import CoreConfig
from ..config.environments import Environment, choose_environment
from ..config.licence import active_licence
from ..config.problems import Path, Problem
from ..config.reading import ReadConfig, read_config
from ..config.schedulers import Schedule, Scheduler
from ..config.trading import traded_instruments, where
from ..errors import ConfigError, UsageError, unknown_name
from .builtin import BUILTIN_ENGINES
from .catalog import DEFAULT_STRATEGY_CATALOG, StrategyCatalog
from .configuration_checks import check, check_policy
from .guard import CapabilityGuard
from .policy_program import Traits
from .strategy import StrategyEngine, Value


@dataclass(frozen=True, kw_only=True)
class ResolvedStrategy:
    """A strategy with everything that it needs.

    Attributes:
        name: Its name in the catalog, or the engine's own.
        engine: The engine that it runs.
        parameters: All of the engine's, defaults included.
        risk_profile: Its own; None where it has none.
        tags: The first one is the primary tag.
        capability: What the licence must allow.
        rebalance_threshold: Least change of a wish that is a signal, and least move, as a share of the schedule's
            capital, that a change of weights makes an order for.
    """

    name: str
    engine: StrategyEngine
    parameters: Mapping[str, Value]
    risk_profile: str | None
    tags: tuple[str, ...]
    capability: str
    rebalance_threshold: float


@dataclass(frozen=True, kw_only=True)
class ResolvedSchedule:
    """A schedule in one environment.

    Attributes:
        name: Its name in the scheduler.
        schedule: As it is written.
        strategy: What it runs.
        risk_profile: The schedule's, else the strategy's, else the environment's.
        instrument_universe: The schedule's, else the environment's.
        instruments: Those of the universe that the profile's buckets hold; all where it has no buckets.
    """

    name: str
    schedule: Schedule
    strategy: ResolvedStrategy
    risk_profile: str
    instrument_universe: str
    instruments: tuple[str, ...]

    @property
    def traits(self) -> Traits:
        """What capital policies, suspensions and limits find it by."""
        return Traits(
            schedule=self.name,
            strategy=self.strategy.name,
            risk_profile=self.risk_profile,
            tags=self.strategy.tags,
        )


def load_core_config(path: str | FilePath) -> CoreConfig:
    """Read a configuration and hold it to everything that is known about it.

    Raises:
        ConfigError: It is refused; every error is told.
    """
    read = examine(path)
    if read.errors:
        raise ConfigError(read.errors)
    return read.config


def examine(path: str | FilePath) -> ReadConfig:
    """Read a configuration with all errors and warnings, those that only the engines can tell included.

    Raises:
        ConfigError: There is no file that could be looked into.
        AuthorizationError: The licence in force is none.
    """
    read = read_config(FilePath(path))
    catalog, problems = _catalog(read.config)
    guard = CapabilityGuard(active_licence().capabilities)
    return read.with_problems([*problems, *check(read.config, catalog, guard)])


def load_commands(path: str | FilePath, config: CoreConfig, scheduler: str) -> tuple[AnyCommand, ...]:
    """The commands of a file to a scheduler of a configuration, by their instant; of one instant, as they stand.

    Raises:
        UsageError: There is no such scheduler.
        ConfigError: The file cannot be read, or is refused; every error is told.
    """
    commanded = _scheduler(config, scheduler)
    read = read_commands(FilePath(path))
    read = read.with_problems(_wrong_commands(read.places(), config, commanded))
    if read.errors:
        raise ConfigError(read.errors)
    return read.commands


def check_given_commands(given: Sequence[AnyCommand], config: CoreConfig, scheduler: str) -> tuple[AnyCommand, ...]:
    """Commands that a caller made, by their instant, held to the same as those of a file.

    Raises:
        UsageError: There is no such scheduler.
        ConfigError: A name dangles, or a policy is not allowed; every error is told.
    """
    places: list[tuple[Path, AnyCommand]] = [(("commands", k), one) for k, one in enumerate(given)]
    problems = list(_wrong_commands(places, config, _scheduler(config, scheduler)))
    if problems:
        raise ConfigError(problems)
    return tuple(sorted(given, key=lambda command: command.at))


def _scheduler(config: CoreConfig, name: str) -> Scheduler:
    schedulers = config.runtime.multi_strategy_schedulers
    if name not in schedulers:
        raise UsageError(unknown_name("scheduler", name, schedulers))
    return schedulers[name]


def _wrong_commands(
    places: Iterable[tuple[Path, AnyCommand]], config: CoreConfig, commanded: Scheduler
) -> Iterator[Problem]:
    catalog = catalog_of(config)
    for place, command in places:
        yield from check_commands([(place, command)], config, commanded)
        if isinstance(command, SetCapitalPolicy | ReplaceCapitalPolicy):
            yield from check_policy(command.policy, (*place, "policy"), config, commanded, catalog)


def catalog_of(config: CoreConfig) -> StrategyCatalog:
    """The built-in engines, the installed ones and those of the configuration's `engine_files`.

    Raises:
        ConfigError: One cannot be loaded, or two have one name.
    """
    catalog, problems = _catalog(config)
    if problems:
        raise ConfigError(problems)
    return catalog


def resolve_strategy(config: CoreConfig, name: str, catalog: StrategyCatalog) -> ResolvedStrategy:
    """The strategy of the configuration's catalog with this name, or the engine of this name with its defaults.

    Raises:
        UsageError: There is neither, or its parameters are not allowed.
    """
    known = {*config.catalog(), *catalog.by_name}
    if name not in known:
        raise UsageError(unknown_name("strategy", name, known))
    strategy = config.strategy(name)
    engine = catalog[strategy.engine]
    return ResolvedStrategy(
        name=name,
        engine=engine,
        parameters=engine.read_parameters(strategy.parameters),
        risk_profile=strategy.risk_profile,
        tags=tuple(strategy.tags),
        capability=strategy.capability or engine.capability,
        rebalance_threshold=strategy.rebalance_threshold,
    )


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A scheduler in an environment.

    Attributes:
        core: The configuration.
        environment: The environment's name.
        name: The scheduler's name.
        resolved: Its schedules in declared order.
    """

    core: CoreConfig
    environment: str
    name: str
    resolved: tuple[ResolvedSchedule, ...]

    @property
    def scheduler(self) -> Scheduler:
        """The scheduler as it is configured."""
        return self.core.runtime.multi_strategy_schedulers[self.name]


def choose_scheduler(config: CoreConfig | str | FilePath, environment: str, scheduler: str | None) -> Chosen:
    """A scheduler of an environment, whose strategies the licence grants.

    Args:
        config: A configuration, or its file.
        environment: A name, an alias or a type.
        scheduler: Its name; None: the environment's.

    Raises:
        ConfigError: The configuration is refused.
        UsageError: A name is unknown.
        AuthorizationError: The licence does not grant a strategy.
    """
    core = config if isinstance(config, CoreConfig) else load_core_config(config)
    chosen, _ = choose_environment(core.environments, environment)
    name = core.environments[chosen].scheduler if scheduler is None else scheduler
    schedulers = core.runtime.multi_strategy_schedulers
    if name not in schedulers:
        raise UsageError(unknown_name("scheduler", name, schedulers))
    resolved = resolve_schedules(core, core.environments[chosen], schedulers[name], catalog_of(core))
    guard = CapabilityGuard(active_licence().capabilities)
    for one in resolved:
        guard.require_strategy(one.strategy.name, one.strategy.capability)
    return Chosen(core=core, environment=chosen, name=name, resolved=tuple(resolved))


def resolve_schedules(
    config: CoreConfig, environment: Environment, scheduler: Scheduler, catalog: StrategyCatalog
) -> list[ResolvedSchedule]:
    """The schedules of a scheduler as they run in an environment, in declared order."""
    return [
        _resolve_schedule(config, environment, name, schedule, resolve_strategy(config, schedule.strategy, catalog))
        for name, schedule in scheduler.schedules.items()
    ]


def _resolve_schedule(
    config: CoreConfig, environment: Environment, name: str, schedule: Schedule, strategy: ResolvedStrategy
) -> ResolvedSchedule:
    profile, universe = where(environment, schedule, strategy.risk_profile)
    return ResolvedSchedule(
        name=name,
        schedule=schedule,
        strategy=strategy,
        risk_profile=profile,
        instrument_universe=universe,
        instruments=traded_instruments(config, profile, universe),
    )


def _catalog(config: CoreConfig) -> tuple[StrategyCatalog, list[Problem]]:
    """The catalog with as many engines as could be loaded, and what is wrong with the others."""
    catalog, problems = DEFAULT_STRATEGY_CATALOG, []
    try:
        list(catalog)
    except UsageError as error:
        problems.append(Problem(path=(), text=f"{error}."))
        catalog = StrategyCatalog(BUILTIN_ENGINES)
    for index, file in enumerate(config.engine_files):
        try:
            catalog = catalog.with_file(file)
        except UsageError as error:
            problems.append(Problem(path=("engine_files", index), text=f"{error}."))
    return catalog, problems
