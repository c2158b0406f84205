"""A scheduler with a few schedules, commands to it, and a plain way to walk through them in the order of time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from barstep.config import commands, policies
from barstep.config.schedulers import Schedule, Scheduler
from barstep.engine.policy_program import Traits
from barstep.engine.scheduler.effects import Effect
from barstep.engine.scheduler.state import SchedulerState, due_expiries
from barstep.engine.scheduler.transitions import Event, initial_state, transition
from hypothesis import strategies as st

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TRAITS = (
    Traits(schedule="slow", strategy="trend", risk_profile="balanced", tags=("core", "long")),
    Traits(schedule="fast", strategy="trend", risk_profile="aggressive", tags=("core", "long")),
    Traits(schedule="fade", strategy="mean", risk_profile="balanced", tags=("core",)),
    Traits(schedule="core", strategy="grid", risk_profile="balanced"),
)
SCHEDULES = {
    "slow": Schedule(strategy="trend", cadence_seconds=60.0, max_signals=4),
    "fast": Schedule(strategy="trend", cadence_seconds=60.0),
    "fade": Schedule(strategy="mean", cadence_seconds=60.0, max_signals=1),
    "core": Schedule(strategy="grid", cadence_seconds=60.0),
}


def at(us: int) -> datetime:
    """An instant so many microseconds after the epoch."""
    return EPOCH + timedelta(microseconds=us)


def begin(now_us: int = 0, **keys: Any) -> tuple[SchedulerState, tuple[Effect, ...]]:
    """The first state of a scheduler with these keys."""
    return initial_state(Scheduler(schedules=SCHEDULES, **keys), TRAITS, now_us)


def after(state: SchedulerState, *events: Event, now_us: int = 0) -> tuple[SchedulerState, tuple[Effect, ...]]:
    """What events of one instant, one after another, come to."""
    effects: list[Effect] = []
    for event in events:
        state, more = transition(state, event, now_us)
        effects += more
    return state, tuple(effects)


def walk(
    state: SchedulerState, given: Iterable[tuple[int, Event]], until_us: int
) -> tuple[SchedulerState, list[tuple[int, Effect]]]:
    """Events in the order of their instants, and between them what ends, until an instant and with it."""
    told: list[tuple[int, Effect]] = []

    def step(event: Event, now_us: int) -> None:
        nonlocal state
        state, effects = transition(state, event, now_us)
        told.extend((now_us, effect) for effect in effects)

    def end_all(before_us: int) -> None:
        while (due_us := state.next_expiry_us) < before_us:
            for expired in due_expiries(state, due_us):
                step(expired, due_us)

    for now_us, event in given:
        end_all(now_us)
        step(event, now_us)
    end_all(until_us + 1)
    return state, told


NAMES = {"schedule": ["slow", "fast", "core"], "tag": ["core", "long"], "strategy": ["trend", "mean"]}
PROFILES = ["balanced", "aggressive"]
POLICIES: list[Any] = [
    "equal_weight",
    policies.RiskParity(rebalance_seconds=60.0),
    policies.Smoothed(base=policies.FixedWeight(weights={"slow": 0.5, "mean": {"balanced": 1.0}}), label="s"),
]


def names(field: str) -> st.SearchStrategy[str]:
    """One of the few names that a field may have, so that commands meet."""
    return st.sampled_from(NAMES[field])


@st.composite
def ends(draw: st.DrawFn) -> dict[str, Any]:
    """No end, a duration, or an instant that may be past already."""
    kind = draw(st.sampled_from(["never", "duration", "until"]))
    us = draw(st.integers(1, 60))
    return {"duration": {"duration_seconds": us / 1e6}, "until": {"until": at(us)}}.get(kind, {})


@st.composite
def given_commands(draw: st.DrawFn, most: int = 12) -> list[tuple[int, commands.AnyCommand]]:
    """Commands of any kind within some fifty microseconds, several of one instant too."""
    instants = sorted(draw(st.lists(st.integers(0, 50), max_size=most)))
    return [(us, draw(commands_at(us))) for us in instants]


@st.composite
def commands_at(draw: st.DrawFn, us: int) -> commands.AnyCommand:
    """A command of any kind at an instant."""
    form: Any = draw(st.sampled_from(FORMS))
    fields = set(form.__struct_fields__)
    values: dict[str, Any] = {field: draw(names(field)) for field in NAMES if field in fields}
    choices: dict[str, st.SearchStrategy[Any]] = {
        "profile": st.sampled_from(PROFILES),
        "limit": st.integers(0, 3),
        "seconds": st.sampled_from([30.0, 90.0]),
        "policy": st.sampled_from(POLICIES),
        "reason": st.sampled_from(["", "x", "y"]),
        "flatten": st.booleans(),
        "rebalance": st.booleans(),
        "apply_policy_interval": st.booleans(),
        "feed": st.sampled_from(["primary", "fallback"]),
        "instrument": st.sampled_from([None, "X"]),
    }
    values |= {field: draw(choice) for field, choice in choices.items() if field in fields}
    values |= draw(ends()) if "until" in fields else {}
    command: commands.AnyCommand = form(at=at(us), **values)
    return command


FORMS = commands.AnyCommand.__args__  # type: ignore[attr-defined]
