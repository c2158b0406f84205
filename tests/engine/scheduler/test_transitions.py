"""How the state of a scheduler changes, case by case and over any commands."""

from __future__ import annotations

import json
from typing import Any

import pytest
from barstep.config import commands, policies
from barstep.config.limits import SignalLimit, Suspension
from barstep.engine.scheduler.effects import FlattenSchedules, Noted, PolicyChanged, RebalanceCapital, ResetPeak
from barstep.engine.scheduler.state import Expired, HeldLimit, HeldSuspension, SchedulerState
from barstep.engine.scheduler.transitions import LAST_US, TRANSITIONS, GovernorHalted, ends_at
from governing import FORMS, POLICIES, after, at, begin, commands_at, given_commands, walk
from hypothesis import given, settings
from hypothesis import strategies as st

START, _ = begin()
EXAMPLES = settings(max_examples=5 * settings().max_examples)  # an example takes milliseconds


def noted(effects: tuple[Any, ...]) -> list[tuple[str, str, str]]:
    """What was noted: change, source and name."""
    return [(one.change, one.source, one.what) for one in effects if isinstance(one, Noted)]


def suspended(state: SchedulerState) -> list[tuple[str, str]]:
    """Source and name of what is suspended."""
    return [(one.source, one.name) for one in state.suspensions]


def suspend(name: str, us: int = 0, **more: Any) -> commands.SuspendSchedule:
    """A suspension of a schedule."""
    return commands.SuspendSchedule(at=at(us), schedule=name, **more)


def test_every_event_has_its_transition() -> None:
    """No command is forgotten."""
    assert set(TRANSITIONS) == {*FORMS, Expired, GovernorHalted}


def test_a_suspension_and_its_end() -> None:
    """It holds with its reason until it is resumed; both are noted."""
    state, effects = after(START, suspend("slow", reason="night", duration_seconds=8e-6))
    held = HeldSuspension(source="schedule", name="slow", reason="night", since_us=0, expires_at_us=8, flatten=False)
    assert state.suspensions == (held,)
    assert effects == (
        Noted(change="began", kind="suspension", what="slow", reason="night", source="schedule", until_us=8),
    )
    state, effects = after(state, commands.ResumeSchedule(at=at(3), schedule="slow"), now_us=3)
    assert state == START
    assert noted(effects) == [("ended", "schedule", "slow")]


@pytest.mark.parametrize(("instrument", "what"), [("X", "X:fallback"), (None, "*:fallback")])
def test_a_word_on_feeds_is_noted_and_changes_nothing_here(instrument: str | None, what: str) -> None:
    """The bars are another's business."""
    state, effects = after(START, commands.UseFeed(at=at(0), feed="fallback", instrument=instrument))
    assert state == START
    assert effects == (Noted(change="changed", kind="feed", what=what),)


def test_a_schedule_and_a_tag_of_one_name_are_two_things() -> None:
    """Resuming one leaves the other."""
    state, _ = after(START, suspend("core"), commands.SuspendTag(at=at(0), tag="core"))
    assert suspended(state) == [("schedule", "core"), ("tag", "core")]
    state, _ = after(state, commands.ResumeTag(at=at(0), tag="core"))
    assert suspended(state) == [("schedule", "core")]


def test_a_second_suspension_replaces_the_first() -> None:
    """Its reason and its end hold alone; the first is noted as replaced."""
    state, effects = after(START, suspend("slow", duration_seconds=9e-6), suspend("slow", reason="b"))
    assert [(one.reason, one.expires_at_us) for one in state.suspensions] == [("b", None)]
    assert noted(effects)[1:] == [("replaced", "schedule", "slow"), ("began", "schedule", "slow")]


@pytest.mark.parametrize(
    ("command", "source", "what"),
    [
        (commands.ResumeSchedule(at=at(0), schedule="slow"), "schedule", "slow"),
        (commands.ResumeTag(at=at(0), tag="core"), "tag", "core"),
        (commands.ClearSignalLimit(at=at(0), strategy="trend", profile="balanced"), "override", "trend:balanced"),
        (commands.EnableStrategy(at=at(0), strategy="trend"), "operator", "trend"),
        (commands.Resume(at=at(0)), "operator", "running"),
        (Expired(key=("suspension", "tag", "core"), at_us=0), "tag", "core"),
    ],
)
def test_ending_what_does_not_hold(command: Any, source: str, what: str) -> None:
    """It is no error, changes nothing, and is noted."""
    state, effects = after(START, command)
    assert state == START
    assert noted(effects) == [("without_effect", source, what)]


@pytest.mark.parametrize(
    ("command", "schedules"),
    [
        (suspend("fast", flatten=True), ("fast",)),
        (commands.SuspendTag(at=at(0), tag="core", flatten=True), ("slow", "fast", "fade")),
        (commands.DisableStrategy(at=at(0), strategy="trend", flatten=True), ("slow", "fast")),
    ],
)
def test_flatten_names_the_schedules(command: Any, schedules: tuple[str, ...]) -> None:
    """Those that are held back, in declared order."""
    _, effects = after(START, command)
    assert [one for one in effects if isinstance(one, FlattenSchedules)] == [FlattenSchedules(schedules=schedules)]


@pytest.mark.parametrize(
    "command",
    [
        suspend("slow"),
        commands.SuspendTag(at=at(0), tag="nobody", flatten=True),
        suspend("slow", flatten=True, until=at(0)),
    ],
)
def test_nothing_is_flattened(command: Any) -> None:
    """Where it was not asked for, where nobody carries the tag, and where the suspension never holds."""
    _, effects = after(START, command)
    assert not any(isinstance(one, FlattenSchedules) for one in effects)


def test_what_is_past_its_end_changes_nothing() -> None:
    """It is noted as expired; what held before still does."""
    held, _ = after(START, suspend("slow", reason="a"))
    state, effects = after(held, suspend("slow", reason="b", until=at(5)), now_us=5)
    assert state == held
    assert effects == (
        Noted(change="expired", kind="suspension", what="slow", reason="b", source="schedule", until_us=5),
    )


def test_a_duration_counts_from_the_command_s_own_instant() -> None:
    """Also where it is applied later."""
    state, _ = after(START, suspend("slow", 10, duration_seconds=20e-6), now_us=15)
    assert [(one.since_us, one.expires_at_us) for one in state.suspensions] == [(15, 30)]


def test_an_override_stands_beside_what_the_configuration_says() -> None:
    """Clearing it leaves the other."""
    start, _ = begin(signal_limits={"trend": {"balanced": 3}})
    limit = commands.SetSignalLimit(at=at(0), strategy="trend", profile="balanced", limit=1, reason="thin")
    state, effects = after(start, limit)
    assert [(one.source, one.limit) for one in state.limits] == [("configuration", 3), ("override", 1)]
    (began,) = effects
    assert began == Noted(
        change="began", kind="signal_limit", what="trend:balanced", reason="thin", source="override", value=1.0
    )
    assert after(state, commands.ClearSignalLimit(at=at(0), strategy="trend", profile="balanced"))[0] == start


def test_a_strategy_is_disabled_and_enabled() -> None:
    """The reason for the end is the one that was given for it."""
    state, _ = after(START, commands.DisableStrategy(at=at(0), strategy="trend", reason="audit"))
    assert [(one.strategy, one.reason) for one in state.disabled] == [("trend", "audit")]
    state, effects = after(state, commands.EnableStrategy(at=at(1), strategy="trend", reason="audited"), now_us=1)
    assert state == START
    assert effects == (Noted(change="ended", kind="disabled_strategy", what="trend", reason="audited"),)


@pytest.mark.parametrize("policy", POLICIES)
def test_another_policy(policy: Any) -> None:
    """Set, it computes the weights at once unless told not to; replaced, it waits."""
    changed = PolicyChanged(policy=policy)
    state, effects = after(START, commands.SetCapitalPolicy(at=at(0), policy=policy))
    assert state.capital_policy == policy
    assert effects[1:] == (changed, RebalanceCapital())
    waiting = commands.SetCapitalPolicy(at=at(0), policy=policy, rebalance=False)
    replaced = commands.ReplaceCapitalPolicy(at=at(0), policy=policy)
    assert after(START, waiting) == after(START, replaced) == (state, effects[:2])


def test_a_policy_s_interval_is_taken_where_it_is_asked_for() -> None:
    """A policy that recommends none leaves the one there is, which is noted."""
    start, _ = begin(allocation_rebalance_seconds=90.0)
    recommends = policies.RiskParity(rebalance_seconds=60.0)
    for policy, apply, seconds in ((recommends, False, 90.0), (recommends, True, 60.0), ("risk_parity", True, 90.0)):
        command = commands.ReplaceCapitalPolicy(at=at(0), policy=policy, apply_policy_interval=apply)
        state, effects = after(start, command)
        assert state.allocation_rebalance_seconds == seconds
        changes = [change for change, _, what in noted(effects) if what == "allocation_rebalance_seconds"]
        assert changes == {(True, 60.0): ["changed"], (True, 90.0): ["without_effect"]}.get((apply, seconds), [])


def test_the_interval_is_set() -> None:
    """It is noted with its seconds."""
    state, effects = after(START, commands.SetAllocationRebalanceSeconds(at=at(0), seconds=30.0))
    assert state.allocation_rebalance_seconds == 30.0
    assert [one.value for one in effects if isinstance(one, Noted)] == [30.0]


def test_rebalancing_changes_nothing_else() -> None:
    """It is an effect alone."""
    assert after(START, commands.RebalanceCapital(at=at(0))) == (START, (RebalanceCapital(),))


HALT, REDUCE, RESUME = (form(at=at(0), reason="r") for form in (commands.Halt, commands.Reduce, commands.Resume))
BROKEN = GovernorHalted(reason="drawdown")


@pytest.mark.parametrize(
    ("events", "mode", "changes", "resets"),
    [
        ([HALT], "halted", ["began halted"], 0),
        ([REDUCE], "reducing", ["began reducing"], 0),
        ([BROKEN], "halted", ["began halted"], 0),
        ([REDUCE, RESUME], "running", ["began reducing", "ended reducing"], 0),
        ([HALT, RESUME], "running", ["began halted", "ended halted"], 1),
        ([BROKEN, RESUME], "running", ["began halted", "ended halted"], 1),
        ([REDUCE, BROKEN], "halted", ["began reducing", "ended reducing", "began halted"], 0),
        ([HALT, REDUCE], "reducing", ["began halted", "ended halted", "began reducing"], 1),
        ([HALT, REDUCE, RESUME], "running", ["began halted", "ended halted", "began reducing", "ended reducing"], 1),
        ([HALT, HALT], "halted", ["began halted", "replaced halted", "began halted"], 0),
        ([HALT, BROKEN], "halted", ["began halted", "without_effect halted"], 0),
    ],
)
def test_modes(events: list[Any], mode: str, changes: list[str], resets: int) -> None:
    """Each begins and ends once; leaving `halted` starts the peak anew."""
    state, effects = after(START, *events)
    assert state.mode.name == mode
    assert [f"{change} {what}" for change, _, what in noted(effects)] == changes
    assert sum(isinstance(one, ResetPeak) for one in effects) == resets


def test_why_a_mode_ended() -> None:
    """What was said on resuming; where nothing was said, why it had begun."""
    halted, _ = after(START, commands.Halt(at=at(0), reason="fire"))
    for given_reason, told in (("rain", "rain"), ("", "fire")):
        _, effects = after(halted, commands.Resume(at=at(1), reason=given_reason), now_us=1)
        assert effects == (Noted(change="ended", kind="mode", what="halted", reason=told), ResetPeak())


def test_who_halted_first_stays_the_one_who_did() -> None:
    """A halt by the governor does not take the place of the operator's."""
    state, _ = after(START, HALT, BROKEN)
    assert (state.mode.source, state.mode.reason) == ("operator", "r")
    state, _ = after(START, BROKEN)
    assert (state.mode.source, state.mode.reason) == ("governor", "drawdown")


def test_what_the_configuration_holds_from_the_first_run_on() -> None:
    """Durations count from then; what is past its end is noted as expired and does not hold."""
    state, effects = begin(
        now_us=100,
        signal_limits={"trend": {"balanced": 3}},
        initial_signal_limits={
            "mean": {"balanced": SignalLimit(limit=2, reason="boot", duration_seconds=30e-6)},
            "trend": {"balanced": SignalLimit(limit=0, until=at(100))},
        },
        initial_suspensions=[
            Suspension(schedule="slow", reason="a", duration_seconds=1e-6),
            Suspension(tag="core", until=at(99)),
            Suspension(tag="long", until=at(101), flatten=True),
        ],
    )
    assert [(one.source, one.strategy, one.limit, one.expires_at_us) for one in state.limits] == [
        ("configuration", "trend", 3, None),
        ("override", "mean", 2, 130),
    ]
    assert [(one.source, one.name, one.since_us, one.expires_at_us) for one in state.suspensions] == [
        ("schedule", "slow", 100, 101),
        ("tag", "long", 100, 101),
    ]
    assert [change for change, _, _ in noted(effects)] == ["began", "began", "expired", "began", "expired", "began"]
    assert effects[-1] == FlattenSchedules(schedules=("slow", "fast"))


def test_the_interval_at_the_beginning() -> None:
    """The scheduler's own goes before what the policy recommends."""
    policy = policies.RiskParity(rebalance_seconds=60.0)
    assert begin(capital_policy=policy)[0].allocation_rebalance_seconds == 60.0
    assert begin(capital_policy=policy, allocation_rebalance_seconds=90.0)[0].allocation_rebalance_seconds == 90.0
    assert begin()[0].allocation_rebalance_seconds is None


def test_ends() -> None:
    """An instant is exact, a duration is rounded to the microsecond, and the end of time is never."""
    assert ends_at(None, None, 5) is None
    assert ends_at(at(7), None, 5) == 7
    assert ends_at(None, 1.0000006, 5) == 1_000_006
    assert ends_at(None, 1e-9, 5) == 5
    assert ends_at(None, (LAST_US - 2**53) / 1e6, 2**53 - 100_000) is not None
    assert ends_at(None, 1e18, 5) is None


@EXAMPLES
@given(st.data(), given_commands())
def test_a_checkpoint_and_the_rest_are_the_whole(data: st.DataObject, script: list[Any]) -> None:
    """Cut anywhere, through JSON: the same state, and the same is told of it, bit for bit."""
    cut = data.draw(st.integers(0, len(script)))
    cut_us = script[cut][0] if cut < len(script) else 60
    whole, told = walk(START, script, 200)
    # What is due at the cut is left to the rest: commands of that instant may be there still.
    first, told_first = walk(START, script[:cut], cut_us - 1)
    saved = SchedulerState.from_dict(json.loads(json.dumps(first.to_dict())))
    assert saved == first
    rest, told_rest = walk(saved, script[cut:], 200)
    assert rest == whole
    assert told_first + told_rest == told


@EXAMPLES
@given(given_commands())
def test_what_holds_is_what_the_last_command_says(script: list[Any]) -> None:
    """At every instant, right before each end and at it, by looking back at the commands alone."""
    ends = {
        end
        for us, one in script
        if isinstance(one, commands.TimedCommand)
        for end in [_end(one, us)]
        if end is not None
    }
    for now_us in sorted({us for us, _ in script} | ends | {end - 1 for end in ends}):
        state, _ = walk(START, [(us, one) for us, one in script if us <= now_us], now_us)
        assert {(one.source, one.name) for one in state.suspensions} == _looking_back(
            script, now_us, commands.SuspendSchedule | commands.SuspendTag, commands.ResumeSchedule | commands.ResumeTag
        )
        assert {(one.strategy, one.risk_profile) for one in state.limits} == _looking_back(
            script, now_us, commands.SetSignalLimit, commands.ClearSignalLimit
        )
        assert {one.strategy for one in state.disabled} == _looking_back(
            script, now_us, commands.DisableStrategy, commands.EnableStrategy
        )
        assert all(
            one.expires_at_us is None or one.expires_at_us > now_us for one in (*state.suspensions, *state.limits)
        )


def _looking_back(script: list[Any], now_us: int, begins: Any, ends: Any) -> set[Any]:
    """What of one kind holds: the last command about it begins it, and it has not ended by itself."""
    holding: dict[Any, int | None] = {}
    for us, one in script:
        if us > now_us or not isinstance(one, begins | ends):
            continue
        end = _end(one, us) if isinstance(one, begins) else None
        if end is not None and end <= us:
            continue
        holding.pop(_about(one), None)
        if isinstance(one, begins):
            holding[_about(one)] = end
    return {about for about, end in holding.items() if end is None or end > now_us}


def _about(one: Any) -> Any:
    if hasattr(one, "profile"):
        return (one.strategy, one.profile)
    if hasattr(one, "strategy"):
        return one.strategy
    return ("schedule", one.schedule) if hasattr(one, "schedule") else ("tag", one.tag)


def _end(one: Any, us: int) -> int | None:
    """When a command's effect ends, by the fields of the command."""
    if getattr(one, "until", None) is not None:
        return int(one.until.timestamp() * 1e6 + 0.5)
    seconds = getattr(one, "duration_seconds", None)
    return None if seconds is None else us + int(seconds * 1e6 + 0.5)


@EXAMPLES
@given(st.permutations([0, 1, 2, 3, 4, 5, 6, 7]), st.integers(1, 9))
def test_the_order_of_independent_commands_does_not_matter(order: list[int], end_us: int) -> None:
    """Commands of one instant about different things come to one state, however they are told."""
    independent = [
        suspend("slow", reason="a", duration_seconds=end_us / 1e6),
        suspend("core"),
        commands.SuspendTag(at=at(0), tag="core", until=at(end_us)),
        commands.SetSignalLimit(at=at(0), strategy="trend", profile="balanced", limit=1),
        commands.SetSignalLimit(at=at(0), strategy="mean", profile="balanced", limit=2, until=at(5)),
        commands.DisableStrategy(at=at(0), strategy="mean", flatten=True),
        commands.SetCapitalPolicy(at=at(0), policy="equal_weight"),
        commands.Reduce(at=at(0), reason="b"),
    ]
    shuffled = [independent[k] for k in order]
    straight, told = after(START, *independent)
    other, told_other = after(START, *shuffled)
    assert other == straight
    assert other.to_dict() == straight.to_dict()
    assert sorted(map(repr, told_other)) == sorted(map(repr, told))


@EXAMPLES
@given(given_commands(), st.data())
def test_no_event_is_refused_and_none_changes_its_state_in_place(script: list[Any], data: st.DataObject) -> None:
    """Any event in any state gives a state, and the one before it is as it was."""
    state, _ = walk(START, script, 60)
    before = json.dumps(state.to_dict())
    key = data.draw(st.sampled_from([*state.held, ("suspension", "tag", "core"), ("disabled_strategy", "trend")]))
    for event in (data.draw(commands_at(60)), Expired(key=key, at_us=60), GovernorHalted(reason="x")):
        other, _ = after(state, event, now_us=60)
        assert isinstance(other, SchedulerState)
        assert json.dumps(state.to_dict()) == before


def test_an_end_that_has_been_put_off_is_none() -> None:
    """What was replaced by a longer one does not end with the first."""
    state, _ = after(START, suspend("slow", duration_seconds=5e-6), suspend("slow", duration_seconds=9e-6))
    same, effects = after(state, Expired(key=("suspension", "schedule", "slow"), at_us=5), now_us=5)
    assert same == state
    assert [one.change for one in effects if isinstance(one, Noted)] == ["without_effect"]


def test_a_limit_s_note_says_how_many() -> None:
    """When it begins and when it expires."""
    state, _ = after(
        START, commands.SetSignalLimit(at=at(0), strategy="mean", profile="balanced", limit=2, until=at(5))
    )
    assert isinstance(state.limits[0], HeldLimit)
    _, told = walk(state, [], 10)
    assert told == [
        (
            5,
            Noted(
                change="expired", kind="signal_limit", what="mean:balanced", source="override", value=2.0, until_us=5
            ),
        )
    ]
