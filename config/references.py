"""What must hold between the parts of a configuration: names that are referred to exist, sums and pairs are possible.

Whether an engine or a strategy is known is not seen here: `engine.configured` knows the engines.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping

from ..errors import unknown_name
from .commands import TimedCommand
from .core import CoreConfig
from .environments import Environment
from .limits import SignalLimit, SignalLimits, Suspension
from .policies import (
    Blended,
    DrawdownGuard,
    MetricWeighted,
    Policy,
    RiskProfileBudget,
    TagQuota,
)
from .problems import Path, Problem
from .risk import RiskProfile
from .schedulers import Scheduler
from .strategies import ENGINE_OF_SECTION
from .tokens import Token

LOOPBACK = ("localhost", "127.", "[::1]")


def check_references(config: CoreConfig) -> list[Problem]:
    """Everything that does not hold; problems are not located yet."""
    return [
        *_schedulers(config),
        *_profiles(config),
        *_strategies(config),
        *_environments(config),
    ]


def dangling(path: Path, kind: str, name: str | None, known: Collection[str]) -> Iterator[Problem]:
    """A problem where a name is given that nothing has; one that could not be read is empty, and was told of."""
    if name and name not in known:
        text = unknown_name(kind, name, known) if known else f"unknown {kind} {name!r}. None is defined."
        yield Problem(path=path, text=text)


def policies_in(policy: Policy | None, path: Path) -> Iterator[tuple[Path, Policy]]:
    """A policy and those nested in it, each with its path; what could not be read is left out."""
    if policy is None:
        return
    yield path, policy
    for name in ("base", "within_profile", "within_tag", "fallback"):
        yield from policies_in(getattr(policy, name, None), (*path, name))
    if isinstance(policy, Blended):
        for index, component in enumerate(policy.components):
            yield from policies_in(component.policy, (*path, "components", index, "policy"))


def _schedulers(config: CoreConfig) -> Iterator[Problem]:
    tags = {tag for _, strategy in config.catalog().values() for tag in strategy.tags}
    for name, scheduler in config.runtime.multi_strategy_schedulers.items():
        path: Path = ("runtime", "multi_strategy_schedulers", name)
        for schedule_name, schedule in scheduler.schedules.items():
            place = (*path, "schedules", schedule_name)
            yield from dangling((*place, "risk_profile"), "risk profile", schedule.risk_profile, config.risk_profiles)
            yield from dangling(
                (*place, "instrument_universe"),
                "instrument universe",
                schedule.instrument_universe,
                config.instrument_universes,
            )
        for key in ("signal_limits", "initial_signal_limits"):
            yield from _limits(getattr(scheduler, key), (*path, key), config.risk_profiles)
        for index, suspension in enumerate(scheduler.initial_suspensions):
            yield from _suspension(suspension, (*path, "initial_suspensions", index), scheduler, tags)
        yield from _tokens(scheduler.rbac_tokens, (*path, "rbac_tokens"))
        yield from _governor(scheduler, (*path, "portfolio_governor"))
        place = (*path, "capital_policy")
        yield from policy_references(scheduler.capital_policy, place, config.risk_profiles, tags)
        yield from policy_contradictions(scheduler.capital_policy, place)


def _limits(limits: SignalLimits, path: Path, profiles: Mapping[str, RiskProfile]) -> Iterator[Problem]:
    for strategy, by_profile in limits.items():
        for profile, limit in by_profile.items():
            yield from dangling((*path, strategy, profile), "risk profile", profile, profiles)
            if isinstance(limit, SignalLimit):
                yield from two_ends(limit, (*path, strategy, profile))


def two_ends(entry: SignalLimit | Suspension | TimedCommand, path: Path) -> Iterator[Problem]:
    """A problem where both words say when something ends."""
    if entry.until is not None and entry.duration_seconds is not None:
        yield Problem(path=path, text="has both 'until' and 'duration_seconds'; one of them says when it ends.")


def _suspension(entry: Suspension, path: Path, scheduler: Scheduler, tags: set[str]) -> Iterator[Problem]:
    if (entry.schedule is None) == (entry.tag is None):
        has = "neither" if entry.schedule is None else "both"
        yield Problem(path=path, text=f"has {has} of 'schedule' and 'tag'; exactly one says what is suspended.")
    yield from dangling((*path, "schedule"), "schedule", entry.schedule, scheduler.schedules)
    yield from dangling((*path, "tag"), "tag", entry.tag, tags)
    yield from two_ends(entry, path)


def _tokens(tokens: list[Token], path: Path) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, token in enumerate(tokens):
        if (token.env is None) == (token.sha384 is None):
            has = "neither" if token.env is None else "both"
            yield Problem(path=(*path, index), text=f"has {has} of 'env' and 'sha384'; exactly one says what it is.")
        if token.id in seen:
            yield Problem(path=(*path, index, "id"), text=f"is {token.id!r}, as another token's; ids must differ.")
        seen.add(token.id)


def _governor(scheduler: Scheduler, path: Path) -> Iterator[Problem]:
    governor = scheduler.portfolio_governor
    if governor is not None and governor.on_breach == "limit" and governor.signal_limit is None:
        yield Problem(path=(*path, "on_breach"), text="is 'limit', but there is no 'signal_limit' to limit to.")


def policy_references(
    policy: Policy, path: Path, profiles: Mapping[str, RiskProfile], tags: Collection[str]
) -> Iterator[Problem]:
    """Risk profiles and tags that a policy, or one nested in it, names and that there are not."""
    for place, inner in policies_in(policy, path):
        if isinstance(inner, RiskProfileBudget):
            for name in inner.profiles:
                yield from dangling((*place, "profiles", name), "risk profile", name, profiles)
        elif isinstance(inner, TagQuota):
            for name in inner.tags:
                yield from dangling((*place, "tags", name), "tag", name, tags)


def policy_contradictions(policy: Policy, path: Path) -> Iterator[Problem]:
    """Bounds of a policy, or of one nested in it, that leave no room between them."""
    for place, inner in policies_in(policy, path):
        yield from _contradictions(inner, place)


def _contradictions(policy: Policy, path: Path) -> Iterator[Problem]:
    if isinstance(policy, DrawdownGuard) and policy.warning_pct >= policy.panic_pct:
        text = f"is {policy.warning_pct:g}; it must be less than panic_pct, which is {policy.panic_pct:g}."
        yield Problem(path=(*path, "warning_pct"), text=text)
    elif isinstance(policy, MetricWeighted):
        for name, metric in policy.metrics.items():
            if metric.min is not None and metric.max is not None and metric.min > metric.max:
                text = f"is {metric.min:g}; it must not be over max, which is {metric.max:g}."
                yield Problem(path=(*path, "metrics", name, "min"), text=text)


def _profiles(config: CoreConfig) -> Iterator[Problem]:
    instruments = {name for universe in config.instrument_universes.values() for name in universe.instruments}
    for name, profile in config.risk_profiles.items():
        path: Path = ("risk_profiles", name)
        shares = profile.strategy_allocations
        total = math.fsum(shares.values())
        if total > 1.0 + 1e-9:
            parts = " + ".join(f"{strategy} {share:g}" for strategy, share in shares.items())
            text = f"sums to {total:.6g}; shares sum to 1 at most ({parts})."
            yield Problem(path=(*path, "strategy_allocations"), text=text)
        yield from _buckets(profile, (*path, "instrument_buckets"), instruments)


def _buckets(profile: RiskProfile, path: Path, instruments: set[str]) -> Iterator[Problem]:
    bucket_of: dict[str, str] = {}
    for bucket, members in profile.instrument_buckets.items():
        for index, instrument in enumerate(members):
            place = (*path, bucket, index)
            yield from dangling(place, "instrument", instrument, instruments)
            if instrument in bucket_of:
                text = (
                    f"is {instrument!r}, which is in {bucket_of[instrument]!r} already; an instrument has one bucket."
                )
                yield Problem(path=place, text=text)
            bucket_of.setdefault(instrument, bucket)


def _strategies(config: CoreConfig) -> Iterator[Problem]:
    catalog = config.catalog()
    for section in ("strategies", *ENGINE_OF_SECTION):
        for name, strategy in getattr(config, section).items():
            first = catalog[name][0]
            if first != section:
                text = f"stands in {first} already; a strategy's name is given once."
                yield Problem(path=(section, name), text=text)
            place = (section, name, "risk_profile")
            yield from dangling(place, "risk profile", strategy.risk_profile, config.risk_profiles)


def _environments(config: CoreConfig) -> Iterator[Problem]:
    owner = {name: name for name in config.environments}
    for name, environment in config.environments.items():
        path: Path = ("environments", name)
        profiles, universes = config.risk_profiles, config.instrument_universes
        schedulers = config.runtime.multi_strategy_schedulers
        yield from dangling((*path, "risk_profile"), "risk profile", environment.risk_profile, profiles)
        universe = environment.instrument_universe
        yield from dangling((*path, "instrument_universe"), "instrument universe", universe, universes)
        yield from dangling((*path, "scheduler"), "scheduler", environment.scheduler, schedulers)
        for index, alias in enumerate(environment.aliases):
            if alias in owner:
                text = f"is {alias!r}, a name of {owner[alias]!r} already; aliases and names must differ."
                yield Problem(path=(*path, "aliases", index), text=text)
            owner.setdefault(alias, name)
        yield from _connection(environment, path)


def _connection(environment: Environment, path: Path) -> Iterator[Problem]:
    if environment.offline:
        if environment.feed is None:
            text = "is offline and has no 'feed': a folder of recorded bars, or embedded."
            yield Problem(path=path, text=text)
        return
    address = environment.adapter_address
    if address is None:
        text = "is not offline and has no 'adapter_address' of a venue's gateway. Is 'offline: true' meant?"
        yield Problem(path=path, text=text)
    elif environment.mtls_bundle is None and not address.split("://")[-1].startswith(LOOPBACK):
        text = f"has no 'mtls_bundle', which {address!r} needs: it is not on this machine."
        yield Problem(path=path, text=text)
