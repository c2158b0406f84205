"""A session's bars and commands run once more: as late as it was, and with the engines held back that failed in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..engine.scheduler.commands import Given
from ..engine.scheduler.machine import SchedulerMachine
from ..engine.scheduler.result import SchedulerResult
from ..engine.scheduler.setup import SchedulerSetup
from .drift import RecordedDrift
from .event_loop import EventLoop
from .health import HealthWatch

WHOLE_COLUMNS = 256
"""Bars whose wishes are made at a time, where nobody waits for any of them."""


def run_twin(
    setup: SchedulerSetup, commands: Sequence[Given], drift: RecordedDrift, block_bars: int = WHOLE_COLUMNS
) -> SchedulerResult:
    """Run a session's setup with its commands.

    Args:
        setup: What it ran on; its own commands are passed over.
        commands: What operators did, with who did it; those after the end never apply.
        drift: How late the session's runs were.
        block_bars: Bars whose wishes are made at a time; one: the instants are done one by one, too.
    """
    machine = SchedulerMachine(replace(setup, commands=tuple(one.command for one in commands), block_bars=block_bars))
    given = [one for one in commands if one.at_us <= setup.end_us]
    loop = EventLoop(machine, given, block_bars=block_bars, health=HealthWatch(machine, given))
    loop.drift = drift if drift.is_any else None
    while loop.step() if drift.is_any or block_bars == 1 else loop.burst():
        pass
    return machine.result()
