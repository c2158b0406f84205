"""The configuration anew: all of it or nothing."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from barstep.config.core import CoreConfig
from barstep.config.digest import content_sha384
from barstep.config.policies import SignalStrength
from barstep.config.runtime import ResourceLimits
from barstep.config.tokens import Token
from barstep.errors import ConfigError
from barstep.replay.clock import SimulatedClock
from barstep.replay.control.reloading import MAY_CHANGE, Reloader, differences
from barstep.replay.control.run import RecordedRun
from control_making import TOKENS, small_run
from journal_making import NOW_US, records
from replays import FILES
from runtime_making import small_config, small_runtime
from scheduler_making import at
from simulated_disk import SimulatedDisk


def changed(config: CoreConfig, place: str, value: Any) -> CoreConfig:
    """A configuration with another value at a dotted place."""
    tree = msgspec.to_builtins(config)
    *path, last = place.split(".")
    inner = tree
    for name in path:
        inner = inner[name]
    inner[last] = value
    return msgspec.convert(tree, CoreConfig)


def reloader_of(run: RecordedRun, new: CoreConfig) -> tuple[Reloader, list[list[str]]]:
    """A reloader that reads a given configuration, and whose tokens were taken, by their ids."""
    taken = list[list[str]]()
    reloader = Reloader(run.scheduler, run.scheduler.config, lambda: new, SimulatedClock(NOW_US))
    reloader.take_tokens = lambda tokens: taken.append([token.id for token in tokens])
    return reloader, taken


S = "runtime.multi_strategy_schedulers.s"


def test_tokens_are_replaced_and_the_journal_says_so() -> None:
    """Both digests, who did it and what changed, as a note of category config_change."""
    disk = SimulatedDisk()
    run = small_run(disk)
    old = run.scheduler.config
    new = changed(old, f"{S}.rbac_tokens", TOKENS[:1])
    reloader, taken = reloader_of(run, new)
    told = reloader("ann")
    assert taken == [["ann"]] and reloader.config is new
    record = records(disk, FILES)[-1][1]
    assert (record["kind"], record["category"], record["by"]) == ("note", "config_change", "ann")
    assert (record["old_config"], record["new_config"]) == (content_sha384(old), content_sha384(new))
    assert record["changed"] == told["changed"] == [f"{S}.rbac_tokens"]
    assert told["commands"] == []


@pytest.mark.parametrize(
    ("place", "value", "commands"),
    [
        ("capital_policy", {"name": "fixed_weight", "weights": {"fast": 1.0}}, ["set_capital_policy"]),
        ("allocation_rebalance_seconds", 7_200.0, ["set_allocation_rebalance_seconds"]),
        ("initial_suspensions", [{"tag": "calm", "reason": "news"}], ["suspend_tag"]),
        ("initial_suspensions", [{"schedule": "fast", "duration_seconds": 60.0}], ["suspend_schedule"]),
        ("initial_suspensions", [{"tag": "calm", "until": "2001-01-01T00:00:00Z"}], []),
        ("initial_signal_limits", {"hare": {"p": 1}}, ["set_signal_limit"]),
        ("initial_signal_limits", {"hare": {"p": {"limit": 1, "reason": "x"}}}, ["set_signal_limit"]),
    ],
)
def test_what_may_change_is_done_by_commands(place: str, value: Any, commands: list[str]) -> None:
    """Journalled under whoever reloads; what is past never holds."""
    assert place in MAY_CHANGE
    disk = SimulatedDisk()
    run = small_run(disk)
    run.scheduler.run_until(at(3))
    reloader, _ = reloader_of(run, changed(run.scheduler.config, f"{S}.{place}", value))
    assert reloader("ann")["commands"] == commands
    written = [record for _, record in records(disk, FILES) if record["kind"] == "command"]
    assert [(one["command"]["command"], one["by"]) for one in written] == [(name, "ann") for name in commands]
    assert reloader("ann")["changed"] == []  # it is the one in force now


def test_limits_of_resources_hold_at_once() -> None:
    """No decision depends on them: there is no command, and the journal says what changed."""
    disk = SimulatedDisk()
    run = small_run(disk)
    reloader, _ = reloader_of(run, changed(run.scheduler.config, "runtime.resource_limits", {"memory_mb": 700.0}))
    held_to: list[ResourceLimits] = []
    reloader.take_limits = held_to.append
    told = reloader("ann")
    assert held_to == [ResourceLimits(memory_mb=700.0)] and told["commands"] == []
    assert records(disk, FILES)[-1][1]["changed"] == ["runtime.resource_limits.memory_mb"]
    assert reloader("ann")["changed"] == [] and len(held_to) == 1


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (f"{S}.health_check_interval", 5.0),
        (f"{S}.signal_limits", {"hare": {"p": 1}}),
        (f"{S}.schedules.fast.max_signals", 1),
        ("risk_profiles.p.max_leverage", 3.0),
        ("environments.e.capital", 5.0),
        ("strategies.hare.tags", ["slow"]),
    ],
)
def test_what_a_run_depends_on_cannot_change_and_nothing_is_half_taken(place: str, value: Any) -> None:
    """The paths are told; tokens and policy, which changed too, stay as they were."""
    disk = SimulatedDisk()
    run = small_run(disk)
    before = len(records(disk, FILES))
    new = changed(changed(run.scheduler.config, place, value), f"{S}.rbac_tokens", TOKENS[:1])
    reloader, taken = reloader_of(run, changed(new, f"{S}.capital_policy", "risk_parity"))
    with pytest.raises(ConfigError, match=place) as caught:
        reloader("ann")
    assert len(caught.value.problems) == 1
    assert taken == [] and len(records(disk, FILES)) == before
    assert run.scheduler.session.machine.state.capital_policy == "equal_weight"


def test_what_no_run_of_it_reads_may_change() -> None:
    """Limits of resources, other schedulers and other environments."""
    run = small_run(SimulatedDisk())
    tree = msgspec.to_builtins(run.scheduler.config)
    tree["runtime"]["multi_strategy_schedulers"]["t"] = tree["runtime"]["multi_strategy_schedulers"]["s"]
    tree["environments"]["f"] = tree["environments"]["e"]
    reloader, _ = reloader_of(run, msgspec.convert(tree, CoreConfig))
    assert reloader("ann")["commands"] == []


def test_another_order_of_schedules_is_refused() -> None:
    """It decides ties, and no path tells of it."""
    run = small_run()
    tree = msgspec.to_builtins(run.scheduler.config)
    schedules = tree["runtime"]["multi_strategy_schedulers"]["s"]["schedules"]
    tree["runtime"]["multi_strategy_schedulers"]["s"]["schedules"] = dict(reversed(schedules.items()))
    reloader, _ = reloader_of(run, msgspec.convert(tree, CoreConfig))
    with pytest.raises(ConfigError, match="the order of schedules"):
        reloader("ann")


def test_an_interval_cannot_be_left_out_any_more() -> None:
    """There is no command that takes it away; a policy that recommends one stands in."""
    run = small_run(allocation_rebalance_seconds=60.0)
    reloader, _ = reloader_of(run, changed(run.scheduler.config, f"{S}.allocation_rebalance_seconds", None))
    with pytest.raises(ConfigError, match="cannot be left out"):
        reloader("ann")
    new = changed(run.scheduler.config, f"{S}.allocation_rebalance_seconds", None)
    policy = {"name": "equal_weight", "rebalance_seconds": 90.0}
    reloader, _ = reloader_of(run, changed(new, f"{S}.capital_policy", policy))
    reloader("ann")
    assert run.scheduler.session.machine.state.allocation_rebalance_seconds == 90.0


def test_a_secret_s_file_that_is_refused_leaves_all_as_it_was() -> None:
    """The tokens are taken before anything is written."""
    disk = SimulatedDisk()
    run = small_run(disk)
    reloader, _ = reloader_of(run, changed(run.scheduler.config, f"{S}.capital_policy", "risk_parity"))

    def refused(_: list[Token]) -> None:
        raise ConfigError(["not private"])

    reloader.take_tokens = refused
    with pytest.raises(ConfigError, match="not private"):
        reloader("ann")
    assert not [record for _, record in records(disk, FILES) if record["kind"] in {"note", "command"}]


def test_differences_are_told_by_their_paths() -> None:
    """Lists as a whole; what is new and what is gone, too."""
    old = {"a": {"b": 1, "c": [1, 2]}, "gone": 1, "same": 0}
    new = {"a": {"b": 2, "c": [1, 3]}, "new": 1, "same": 0}
    assert list(differences(old, new)) == [("a", "b"), ("a", "c"), ("gone",), ("new",)]


def test_a_restart_does_the_reload_again() -> None:
    """Set up with the configuration that the journal was begun with, its state comes out the same."""
    disk = SimulatedDisk()
    run = small_run(disk)
    run.scheduler.run_until(at(3))
    reloader, _ = reloader_of(run, changed(run.scheduler.config, f"{S}.capital_policy", "signal_strength"))
    reloader("ann")
    run.scheduler.run_until(at(9))
    run.close()
    again = small_runtime(disk, config=small_config(rbac_tokens=TOKENS))
    state = run.scheduler.session.machine.state
    assert again.session.machine.state == state and state.capital_policy == SignalStrength()
    assert again.allocation_snapshot() == run.scheduler.allocation_snapshot()
