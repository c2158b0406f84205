"""What only the engines can tell of a configuration: is every engine, parameter, strategy and metric known."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from ..config.core import CoreConfig
from ..config.policies import FixedWeight, MetricWeighted, Policy
from ..config.problems import Path, Problem
from ..config.references import dangling, policies_in
from ..config.schedulers import Scheduler
from ..config.trading import traded_instruments, where
from ..errors import AuthorizationError, nearest, unknown_name
from .catalog import StrategyCatalog
from .guard import CapabilityGuard
from .metric_names import metric_names
from .strategy import Parameter, StrategyEngine, Value


def check(config: CoreConfig, catalog: StrategyCatalog, guard: CapabilityGuard) -> list[Problem]:
    """What is wrong with a configuration where engines are concerned; problems are not located."""
    known = {*config.catalog(), *catalog.by_name}
    return [
        *_engines(config, catalog),
        *_references(config, known),
        *_bounded_metrics(config, metric_names(catalog)),
        *_policies(config, catalog),
        *_unused_limits(config, known),
        *_unused_strategies(config, catalog),
        *_unheld_instruments(config),
        *_instruments(config, catalog),
        *_capabilities(config, catalog, guard),
    ]


def _engines(config: CoreConfig, catalog: StrategyCatalog) -> Iterator[Problem]:
    engines = catalog.by_name
    for name, (section, strategy) in config.catalog().items():
        yield from dangling((section, name, "engine"), "strategy engine", strategy.engine, engines)
        if strategy.engine in engines:
            path = (section, name, "parameters")
            yield from _parameters(engines[strategy.engine], strategy.parameters, path)


def _parameters(engine: StrategyEngine, given: Mapping[str, Value], path: Path) -> Iterator[Problem]:
    known = engine.own
    wrong = False
    for name, value in given.items():
        text = _wrong_value(known[name], value) if name in known else None
        if name not in known:
            text = unknown_name(f"parameter of {engine.name}", name, known)
        if text is not None:
            wrong = True
            yield Problem(path=(*path, name), text=text)
    if not wrong:
        broken = engine.rule({name: given.get(name, parameter.default) for name, parameter in known.items()})
        if broken:
            yield Problem(path=path, text=f"{broken}.")


def _wrong_value(parameter: Parameter, value: Value) -> str | None:
    """What is wrong with a value, None where nothing is; stricter than the command line, where all is text."""
    kinds: dict[str, tuple[type, ...]] = {"int": (int,), "float": (int, float), "bool": (bool,), "text": (str,)}
    whole = " whole" if parameter.kind == "int" else ""
    allowed = parameter.allowed if parameter.kind in {"bool", "text"} else f"a{whole} number, {parameter.allowed}"
    right = type(value) in kinds[parameter.kind]
    if right and (isinstance(value, str) or parameter.minimum <= value <= parameter.maximum):
        return None
    return f"is {value!r}; allowed is {allowed} ({parameter.text})."


def _references(config: CoreConfig, known: Collection[str]) -> Iterator[Problem]:
    for name, profile in config.risk_profiles.items():
        for strategy in profile.strategy_allocations:
            yield from dangling(("risk_profiles", name, "strategy_allocations", strategy), "strategy", strategy, known)
    for path, scheduler in _schedulers(config):
        for name, schedule in scheduler.schedules.items():
            yield from dangling((*path, "schedules", name, "strategy"), "strategy", schedule.strategy, known)
        for key in ("signal_limits", "initial_signal_limits"):
            for strategy in getattr(scheduler, key):
                yield from dangling((*path, key, strategy), "strategy", strategy, known)


def _policies(config: CoreConfig, catalog: StrategyCatalog) -> Iterator[Problem]:
    for path, scheduler in _schedulers(config):
        policy, place = scheduler.capital_policy, (*path, "capital_policy")
        yield from check_policy(policy, place, config, scheduler, catalog)


def check_policy(
    policy: Policy, path: Path, config: CoreConfig, scheduler: Scheduler, catalog: StrategyCatalog
) -> Iterator[Problem]:
    """Metrics that nobody measures and weights of what is not there, in a policy of a scheduler; not located."""
    names = {*scheduler.schedules, *config.catalog(), *catalog.by_name, *config.risk_profiles}
    metrics = metric_names(catalog)
    for place, inner in policies_in(policy, path):
        if isinstance(inner, FixedWeight):
            yield from _fixed_weights(inner, (*place, "weights"), names, config.risk_profiles)
        elif isinstance(inner, MetricWeighted):
            for metric in inner.metrics:
                yield from _metric((*place, "metrics", metric), metric, metrics)


def _fixed_weights(
    policy: FixedWeight, path: Path, names: Collection[str], profiles: Collection[str]
) -> Iterator[Problem]:
    for name, weight in policy.weights.items():
        yield from dangling((*path, name), "schedule, strategy or risk profile", name, names)
        for profile in weight if isinstance(weight, dict) else ():
            yield from dangling((*path, name, profile), "risk profile", profile, profiles)


def _bounded_metrics(config: CoreConfig, known: Collection[str]) -> Iterator[Problem]:
    for name, profile in config.risk_profiles.items():
        for metric in profile.telemetry_bounds:
            yield from _metric(("risk_profiles", name, "telemetry_bounds", metric), metric, known)


def _metric(path: Path, metric: str, known: Collection[str]) -> Iterator[Problem]:
    if metric not in known:
        text = f"unknown metric {metric!r}.{nearest(metric, known)} Measures and diagnostics of engines are allowed."
        yield Problem(path=path, text=text)


def _unused_limits(config: CoreConfig, known: Collection[str]) -> Iterator[Problem]:
    for path, scheduler in _schedulers(config):
        used = {schedule.strategy for schedule in scheduler.schedules.values()}
        for key in ("signal_limits", "initial_signal_limits"):
            for strategy in getattr(scheduler, key):
                if strategy in known and strategy not in used:
                    text = f"limits {strategy!r}, which no schedule of {path[-1]} runs; it has no effect."
                    yield Problem(path=(*path, key, strategy), text=text, severity="warning")


def _unused_strategies(config: CoreConfig, engines: StrategyCatalog) -> Iterator[Problem]:
    """Strategies that were probably meant where a schedule runs an engine under its own name, with its defaults."""
    catalog = config.catalog()
    run = {schedule.strategy for _, scheduler in _schedulers(config) for schedule in scheduler.schedules.values()}
    own_names = [engine.name for engine in engines if engine.name in run and engine.name not in catalog]
    for name, (section, _) in catalog.items():
        advice = nearest(name, own_names)
        if name not in run and advice:
            text = f"no schedule runs {name!r}; one runs an engine of nearly that name, with its defaults.{advice}"
            yield Problem(path=(section, name), text=text, severity="warning")


def _unheld_instruments(config: CoreConfig) -> Iterator[Problem]:
    """Instruments that no profile may trade."""
    buckets = [profile.instrument_buckets for profile in config.risk_profiles.values()]
    held = {instrument for one in buckets for members in one.values() for instrument in members}
    if not all(buckets):
        return  # a profile without buckets trades them all
    for name, universe in config.instrument_universes.items():
        for instrument in universe.instruments:
            if instrument not in held:
                text = (
                    f"{instrument!r} is in no bucket of any risk profile: nothing trades it.{nearest(instrument, held)}"
                )
                path = ("instrument_universes", name, "instruments", instrument)
                yield Problem(path=path, text=text, severity="warning")


def _instruments(config: CoreConfig, catalog: StrategyCatalog) -> Iterator[Problem]:
    """Schedules that have nothing to trade, or no second venue, where an environment runs their scheduler."""
    engines = catalog.by_name
    for name, environment in config.environments.items():
        for path, scheduler in _schedulers(config):
            if path[-1] != environment.scheduler:
                continue
            for schedule_name, schedule in scheduler.schedules.items():
                strategy = config.strategy(schedule.strategy)
                engine = engines.get(strategy.engine)
                profile, universe = where(environment, schedule, strategy.risk_profile)
                known = profile in config.risk_profiles and universe in config.instrument_universes
                if engine is not None and known:
                    place = (*path, "schedules", schedule_name)
                    for text in _untradable(config, engine, profile, universe):
                        yield Problem(path=place, text=f"{text} (in environment {name!r}).")


def _untradable(config: CoreConfig, engine: StrategyEngine, profile: str, universe: str) -> Iterator[str]:
    """Why an engine cannot trade the instruments that a profile leaves it of a universe."""
    instruments = traded_instruments(config, profile, universe)
    if not instruments:
        yield f"has nothing to trade: no bucket of {profile!r} holds an instrument of {universe!r}"
    members = config.instrument_universes[universe].instruments
    lacking = [instrument for instrument in instruments if members[instrument].secondary is None]
    if engine.needs_secondary and lacking:
        yield f"needs a second venue; {universe!r} gives no 'secondary' for {', '.join(lacking)}"


def _capabilities(config: CoreConfig, catalog: StrategyCatalog, guard: CapabilityGuard) -> Iterator[Problem]:
    """Strategies that a schedule runs and the licence does not grant."""
    engines = catalog.by_name
    for path, scheduler in _schedulers(config):
        for name, schedule in scheduler.schedules.items():
            strategy = config.strategy(schedule.strategy)
            engine = engines.get(strategy.engine)
            if engine is None:
                continue  # told of already
            try:
                guard.require_strategy(schedule.strategy, strategy.capability or engine.capability)
            except AuthorizationError as error:
                yield Problem(path=(*path, "schedules", name, "strategy"), text=str(error))


def _schedulers(config: CoreConfig) -> Iterator[tuple[Path, Scheduler]]:
    for name, scheduler in config.runtime.multi_strategy_schedulers.items():
        yield ("runtime", "multi_strategy_schedulers", name), scheduler
