"""A scheduler that is commanded, delayed, killed and gone on with at random: every fold is the live state."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from barstep.config.command_reading import make_command
from barstep.engine.scheduler.checkpoint import take_checkpoint
from barstep.engine.scheduler.machine import SchedulerMachine
from barstep.replay.catching_up import CatchUp
from barstep.replay.clock import SimulatedClock
from barstep.replay.drift import MeasuredDrift, RecordedDrift
from barstep.replay.event_loop import EventLoop
from barstep.replay.health import HealthWatch
from barstep.replay.journal.reading import read_payloads
from barstep.replay.journal.record import fields_of
from barstep.replay.scribe import Scribe
from barstep.replay.session import given, given_of
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from random_scheduler import random_scheduler
from replays import EPOCH, FILES, open_session, setup_of
from simulated_disk import SimulatedDisk

SEEDS = settings.default.max_examples // 12
BARS = (50, 51)
POLICIES = ["equal_weight", "signal_strength", {"name": "smoothed", "base": "risk_parity", "alpha": 0.5}]


class SchedulerMachineTest(RuleBasedStateMachine):
    """The model is the run itself: it is never restored, and whatever is must have its state."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr("barstep.replay.journal.writer.SEGMENT_RECORDS", 40)

    @initialize(seed=st.integers(0, 2**20), keeps_commands=st.booleans(), count=st.sampled_from([0, 1, 7, 40, 90, 400]))
    def begin(self, seed: int, keeps_commands: bool, count: int) -> None:
        drawn = random_scheduler(seed, bars=BARS)
        more: dict[str, Any] = {} if keeps_commands else {"commands": []}
        self.setup, self.disk = setup_of(drawn, **more), SimulatedDisk()
        self.session = open_session(self.setup, self.disk, block_bars=1)
        self.step(count)

    def step(self, count: int) -> None:
        for _ in range(count):
            self.session.loop.step()

    @rule(count=st.integers(1, 12))
    def go_on(self, count: int) -> None:
        """As fast as it goes."""
        self.step(count)

    @rule(late_us=st.sampled_from([1, 20_000_000, 31_000_000, 4_000_000_000]))
    def step_late(self, late_us: int) -> None:
        """Its runs may be skipped."""
        loop = self.session.loop
        instant = loop.next_us()
        if instant is not None:
            loop.drift = MeasuredDrift(SimulatedClock(instant + late_us))
            loop.step()
            loop.drift = None

    @rule(data=st.data())
    def command(self, data: st.DataObject) -> None:
        """At once, also before the first instant and after the last one."""
        one = self.setup.resolved[data.draw(st.integers(0, len(self.setup.resolved) - 1))]
        loop = self.session.loop
        timed = data.draw(st.sampled_from([{}, {"duration_seconds": 2e-6}, {"duration_seconds": 5400.0}]))
        limited = {"strategy": one.strategy.name, "profile": one.risk_profile}
        flatten, policy = {"flatten": data.draw(st.booleans())}, {"policy": data.draw(st.sampled_from(POLICIES))}
        fields = data.draw(
            st.sampled_from(
                [
                    {"command": "suspend_schedule", "schedule": one.name, **timed, **flatten},
                    {"command": "suspend_tag", "tag": one.strategy.tags[0], **timed, **flatten},
                    {"command": "resume_schedule", "schedule": one.name},
                    {"command": "set_signal_limit", **limited, "limit": 1, **timed},
                    {"command": "clear_signal_limit", **limited},
                    {"command": "disable_strategy", "strategy": one.strategy.name, **flatten},
                    {"command": "enable_strategy", "strategy": one.strategy.name},
                    {"command": "set_capital_policy", **policy},
                    {"command": "replace_capital_policy", **policy},
                    {"command": "rebalance_capital"},
                    {"command": "halt"},
                    {"command": "resume"},
                ]
            )
        )
        moment = loop.moment_us(data.draw(st.sampled_from([0, loop.now_us + 1_000_000_000, 2**60])))
        self.session.give(make_command({**fields, "at": EPOCH + timedelta(microseconds=moment)}), "ann")
        before = len(list(read_payloads(FILES, self.disk.after_power_loss(names_kept=True))))
        assert before == len(list(read_payloads(FILES, self.disk))), "a command is durable when it was given"

    @rule(loses_power=st.booleans())
    def is_killed(self, loses_power: bool) -> None:
        """What goes on from the journal comes to where the other one comes."""
        live, disk = self.session, self.disk
        self.disk = disk.after_power_loss(names_kept=True) if loses_power else disk.after_kill()
        self.session = open_session(self.setup, self.disk, block_bars=1)
        live.loop.writer = None  # it writes nothing more
        assert self.session.loop.now_us <= live.loop.now_us, "what nobody has done is done"
        compare_at_the_next_bar(live.loop, self.session.loop)

    @rule()
    def ends_in_order(self) -> None:
        """Sealed where the bars that were taken are done."""
        self.session.close(finish=False)
        self.session = open_session(self.setup, self.disk, block_bars=1)

    def teardown(self) -> None:
        """From the genesis record on, the whole journal makes the live state."""
        self.patch.undo()
        if not hasattr(self, "session"):
            return
        payloads = [payload for _, payload in read_payloads(FILES, self.disk)]
        told = [given_of(fields_of(one)) for one in payloads if one.startswith(b'"kind":"command"')]
        from_file = sum(one.by == "commands" for one in told)
        machine, ledger = SchedulerMachine(self.setup, observed=True), CatchUp(payloads)
        commands = [*told, *given(self.setup)[from_file:]]
        health = HealthWatch(machine, told)
        whole = EventLoop(machine, commands, writer=Scribe(machine, ledger), block_bars=1, health=health)
        whole.drift = RecordedDrift(payloads, self.setup)
        while ledger.is_behind and whole.step():
            pass
        ledger.finish()
        whole.drift = None
        compare_at_the_next_bar(self.session.loop, whole)
        self.session.close()


def compare_at_the_next_bar(live: EventLoop, folded: EventLoop) -> None:
    """Instants without a record are not in the journal: both go on to the bar that both have done."""
    target = max(loop.next_bar for loop in (live, folded))
    for loop in (live, folded):
        while (loop.next_bar < target or not loop.is_between_bars) and loop.step():
            pass
    states = [take_checkpoint(loop.machine, loop.next_bar) for loop in (live, folded)]
    arrays = [state.pop("arrays") for state in states]
    assert states[0] == states[1]
    assert [name for name, array in arrays[0].items() if arrays[1][name] != array] == []


TestSchedulerStates = SchedulerMachineTest.TestCase
TestSchedulerStates.settings = settings(max_examples=6 * SEEDS, stateful_step_count=14)
