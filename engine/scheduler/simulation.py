"""A scheduler's backtest: its machine over blocks of bars, cut where the operator does something or something ends."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .commands import CommandQueue, Given
from .machine import SchedulerMachine
from .result import SchedulerResult
from .setup import SchedulerSetup
from .state import due_expiries

Progress = Callable[[int, int], None]


def simulate(setup: SchedulerSetup, progress: Progress | None = None) -> SchedulerResult:
    """Run a scheduler and hand everything to the result."""
    machine, commands = SchedulerMachine(setup), CommandQueue(Given(command=one) for one in setup.commands)
    bars, block = machine.bars, setup.block_bars
    machine.warm_up()
    for start in range(bars.start, bars.stop, block):
        stop = min(start + block, bars.stop)
        machine.take_bars(start, stop)
        at = 0
        while at < machine.timeline.shape[1]:
            now = int(machine.timeline[0, at])
            for given in commands.take(now):
                machine.event(given.command, now)
            for expired in due_expiries(machine.state, now):
                machine.event(expired, now)
            following = machine.next_event(commands.next_us())
            at = machine.run(at, int(np.searchsorted(machine.timeline[0], following)))
        if progress is not None:
            progress(stop - bars.start, len(bars))
    return machine.result()
