"""How the state of a scheduler changes: by commands, by what ends by itself, and by the governor.

Every change is a function of the state, an event and the instant alone, so that a restart, a replay and a backtest
that are given the same events have the same state. A command's duration counts from its own `at`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, TypeAlias

from ...config import commands
from ...config.durations import microseconds
from ...config.limits import SignalLimit, SignalLimits
from ...config.policies import Policy
from ...config.schedulers import Scheduler
from ..policy_diagnostics import label_of
from ..policy_program import Traits
from .effects import Effect, FlattenSchedules, Noted, PolicyChanged, RebalanceCapital, ResetPeak
from .state import (
    DisabledStrategy,
    Expired,
    Held,
    HeldLimit,
    HeldSuspension,
    Key,
    Mode,
    SchedulerState,
)

LAST_US = 253_402_300_799_999_999
"""The end of the year 9999: no instant is written that is later, so that what would end then never does."""

Step = tuple[SchedulerState, tuple[Effect, ...]]


@dataclass(frozen=True, kw_only=True)
class GovernorHalted:
    """An event: a limit of the portfolio is broken, and the governor is to halt.

    Attributes:
        reason: Which limit, and by how much.
    """

    reason: str


Event: TypeAlias = commands.AnyCommand | Expired | GovernorHalted


def initial_state(scheduler: Scheduler, schedules: Iterable[Traits], now_us: int) -> Step:
    """The state before the first run: limits and suspensions of the configuration hold.

    A duration counts from now. What has ended already is noted as expired and never holds.

    Args:
        scheduler: As it is written.
        schedules: What suspensions, limits and strategies find each schedule by, in declared order.
        now_us: The instant, in microseconds since the epoch, UTC.
    """
    policy, seconds = scheduler.capital_policy, scheduler.allocation_rebalance_seconds
    state = SchedulerState(
        schedules=tuple(schedules),
        mode=Mode(name="running", since_us=now_us),
        capital_policy=policy,
        allocation_rebalance_seconds=_recommended(policy) if seconds is None else seconds,
    )
    effects: tuple[Effect, ...] = ()
    for entry in _configured(scheduler, now_us):
        state, more = _begin(state, entry, now_us)
        effects += more
    return state, effects


def transition(state: SchedulerState, event: Event, now_us: int) -> Step:
    """The state after an event, and what follows from it.

    Args:
        state: The state before it.
        event: A command, an end that has come, or a halt by the governor.
        now_us: The instant, in microseconds since the epoch, UTC.
    """
    return TRANSITIONS[type(event)](state, event, now_us)


def ends_at(until: datetime | None, duration_seconds: float | None, start_us: int) -> int | None:
    """When something ends by itself, in microseconds since the epoch; None where it does not."""
    if until is not None:
        return microseconds(until)
    if duration_seconds is None:
        return None
    end_us = start_us + round(duration_seconds * 1e6)
    return end_us if end_us <= LAST_US else None


def _configured(scheduler: Scheduler, now_us: int) -> Iterator[Held]:
    yield from _limits("configuration", scheduler.signal_limits, now_us)
    yield from _limits("override", scheduler.initial_signal_limits, now_us)
    for one in scheduler.initial_suspensions:
        yield HeldSuspension(
            source="tag" if one.schedule is None else "schedule",
            name=one.schedule or one.tag or "",
            reason=one.reason,
            since_us=now_us,
            expires_at_us=ends_at(one.until, one.duration_seconds, now_us),
            flatten=one.flatten,
        )


def _limits(source: Literal["configuration", "override"], limits: SignalLimits, now_us: int) -> Iterator[HeldLimit]:
    for strategy, by_profile in limits.items():
        for profile, written in by_profile.items():
            limit = written if isinstance(written, SignalLimit) else SignalLimit(limit=written)
            yield HeldLimit(
                source=source,
                strategy=strategy,
                risk_profile=profile,
                limit=limit.limit,
                reason=limit.reason,
                since_us=now_us,
                expires_at_us=ends_at(limit.until, limit.duration_seconds, now_us),
            )


def _begin(state: SchedulerState, entry: Held, now_us: int) -> Step:
    """Take an entry in, in the place of one with its key; one that is past its end changes nothing."""
    if entry.expires_at_us is not None and entry.expires_at_us <= now_us:
        return state, (_noted("expired", entry),)
    held = state.held
    replaced = [_noted("replaced", held[entry.key])] if entry.key in held else []
    state = state.holding((held | {entry.key: entry}).values())
    return state, (*replaced, _noted("began", entry), *_flattened(state, entry))


def _end(state: SchedulerState, key: Key, change: Literal["ended", "expired"], reason: str = "") -> Step:
    held = state.held
    entry = held.pop(key, None)
    if entry is None:
        return state, (_nothing_held(key, reason),)
    return state.holding(held.values()), (_noted(change, entry, reason),)


def _flattened(state: SchedulerState, entry: Held) -> Iterator[FlattenSchedules]:
    if isinstance(entry, HeldLimit) or not entry.flatten:
        return
    schedules = tuple(schedule.schedule for schedule in state.schedules if entry.concerns(schedule))
    if schedules:
        yield FlattenSchedules(schedules=schedules)


def _noted(change: Literal["began", "ended", "replaced", "expired"], entry: Held, reason: str = "") -> Noted:
    noted = _nothing_held(entry.key, reason or entry.reason)
    value = float(entry.limit) if isinstance(entry, HeldLimit) else None
    return replace(noted, change=change, value=value, until_us=entry.expires_at_us)


def _nothing_held(key: Key, reason: str) -> Noted:
    """What is said of a key that nothing has."""
    kind, *names = key
    source = "operator" if kind == "disabled_strategy" else names.pop(0)
    return Noted(
        change="without_effect",
        kind=kind,  # type: ignore[arg-type]
        what=":".join(names),
        reason=reason,
        source=source,
    )


def _suspend(state: SchedulerState, command: commands.SuspendSchedule | commands.SuspendTag, now_us: int) -> Step:
    is_tag = isinstance(command, commands.SuspendTag)
    entry = HeldSuspension(
        source="tag" if is_tag else "schedule",
        name=command.tag if isinstance(command, commands.SuspendTag) else command.schedule,
        reason=command.reason,
        since_us=now_us,
        expires_at_us=_end_of(command),
        flatten=command.flatten,
    )
    return _begin(state, entry, now_us)


def _resume_schedule(state: SchedulerState, command: commands.ResumeSchedule, _now_us: int) -> Step:
    return _end(state, ("suspension", "schedule", command.schedule), "ended")


def _resume_tag(state: SchedulerState, command: commands.ResumeTag, _now_us: int) -> Step:
    return _end(state, ("suspension", "tag", command.tag), "ended")


def _set_limit(state: SchedulerState, command: commands.SetSignalLimit, now_us: int) -> Step:
    entry = HeldLimit(
        source="override",
        strategy=command.strategy,
        risk_profile=command.profile,
        limit=command.limit,
        reason=command.reason,
        since_us=now_us,
        expires_at_us=_end_of(command),
    )
    return _begin(state, entry, now_us)


def _clear_limit(state: SchedulerState, command: commands.ClearSignalLimit, _now_us: int) -> Step:
    return _end(state, ("signal_limit", "override", command.strategy, command.profile), "ended")


def _disable(state: SchedulerState, command: commands.DisableStrategy, now_us: int) -> Step:
    entry = DisabledStrategy(strategy=command.strategy, reason=command.reason, since_us=now_us, flatten=command.flatten)
    return _begin(state, entry, now_us)


def _enable(state: SchedulerState, command: commands.EnableStrategy, _now_us: int) -> Step:
    return _end(state, ("disabled_strategy", command.strategy), "ended", command.reason)


def _expire(state: SchedulerState, event: Expired, now_us: int) -> Step:
    """End what is past its end; what was ended or replaced since is left alone."""
    entry = state.held.get(event.key)
    if entry is None or entry.expires_at_us is None or entry.expires_at_us > now_us:
        return state, (_nothing_held(event.key, ""),)
    return _end(state, event.key, "expired")


def _rebalance(state: SchedulerState, _command: commands.RebalanceCapital, _now_us: int) -> Step:
    return state, (RebalanceCapital(),)


def _set_policy(state: SchedulerState, command: commands.SetCapitalPolicy, now_us: int) -> Step:
    state, effects = _replace_policy(state, command, now_us)
    return state, (*effects, RebalanceCapital()) if command.rebalance else effects


def _replace_policy(
    state: SchedulerState, command: commands.SetCapitalPolicy | commands.ReplaceCapitalPolicy, _now_us: int
) -> Step:
    policy = command.policy
    label = policy if isinstance(policy, str) else label_of(policy)
    changed = (Noted(change="changed", kind="capital_policy", what=label), PolicyChanged(policy=policy))
    state = replace(state, capital_policy=policy)
    if not command.apply_policy_interval:
        return state, changed
    state, interval = _take_interval(state, _recommended(policy))
    return state, (*changed, *interval)


def _set_interval(state: SchedulerState, command: commands.SetAllocationRebalanceSeconds, _now_us: int) -> Step:
    return _take_interval(state, command.seconds)


def _take_interval(state: SchedulerState, seconds: float | None) -> Step:
    """Another interval; a policy that recommends none leaves the one there is."""
    kind: Literal["allocation_rebalance_seconds"] = "allocation_rebalance_seconds"
    if seconds is None:
        return state, (Noted(change="without_effect", kind=kind, what=kind),)
    noted = Noted(change="changed", kind=kind, what=kind, value=seconds)
    return replace(state, allocation_rebalance_seconds=seconds), (noted,)


def _recommended(policy: Policy) -> float | None:
    return None if isinstance(policy, str) else policy.rebalance_seconds


def _halt(state: SchedulerState, command: commands.Halt, now_us: int) -> Step:
    return _enter(state, Mode(name="halted", reason=command.reason, source="operator", since_us=now_us))


def _reduce(state: SchedulerState, command: commands.Reduce, now_us: int) -> Step:
    return _enter(state, Mode(name="reducing", reason=command.reason, source="operator", since_us=now_us))


def _resume(state: SchedulerState, command: commands.Resume, now_us: int) -> Step:
    if state.mode.name == "running":
        return state, (Noted(change="without_effect", kind="mode", what="running", reason=command.reason),)
    return _enter(state, Mode(name="running", reason=command.reason, source="operator", since_us=now_us))


def _governor_halted(state: SchedulerState, event: GovernorHalted, now_us: int) -> Step:
    """Halt; while halted already, who halted first stays the one who did."""
    if state.mode.name == "halted":
        noted = Noted(change="without_effect", kind="mode", what="halted", reason=event.reason, source="governor")
        return state, (noted,)
    return _enter(state, Mode(name="halted", reason=event.reason, source="governor", since_us=now_us))


def _enter(state: SchedulerState, mode: Mode) -> Step:
    """Another mode. `running` is the absence of the two others: it neither begins nor ends."""
    left, effects = state.mode, list[Effect]()
    if left.name != "running":
        change: Literal["replaced", "ended"] = "replaced" if left.name == mode.name else "ended"
        why = mode.reason if mode.name == "running" else ""
        effects.append(Noted(change=change, kind="mode", what=left.name, reason=why or left.reason, source=left.source))
    if mode.name != "running":
        effects.append(Noted(change="began", kind="mode", what=mode.name, reason=mode.reason, source=mode.source))
    if left.name == "halted" and mode.name != "halted":
        effects.append(ResetPeak())
    return replace(state, mode=mode), tuple(effects)


def _use_feed(state: SchedulerState, command: commands.UseFeed, _now_us: int) -> Step:
    """It changes the bars, which are merged before they are seen here, and nothing that is kept here."""
    return state, (Noted(change="changed", kind="feed", what=f"{command.instrument or '*'}:{command.feed}"),)


def _end_of(command: commands.TimedCommand) -> int | None:
    return ends_at(command.until, command.duration_seconds, microseconds(command.at))


TRANSITIONS: Mapping[type, Callable[[SchedulerState, Any, int], Step]] = {
    commands.SuspendSchedule: _suspend,
    commands.SuspendTag: _suspend,
    commands.ResumeSchedule: _resume_schedule,
    commands.ResumeTag: _resume_tag,
    commands.SetSignalLimit: _set_limit,
    commands.ClearSignalLimit: _clear_limit,
    commands.DisableStrategy: _disable,
    commands.EnableStrategy: _enable,
    commands.RebalanceCapital: _rebalance,
    commands.SetCapitalPolicy: _set_policy,
    commands.ReplaceCapitalPolicy: _replace_policy,
    commands.SetAllocationRebalanceSeconds: _set_interval,
    commands.Halt: _halt,
    commands.Reduce: _reduce,
    commands.Resume: _resume,
    commands.UseFeed: _use_feed,
    Expired: _expire,
    GovernorHalted: _governor_halted,
}
"""What each kind of event does."""
