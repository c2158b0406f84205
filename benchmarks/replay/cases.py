"""The cases: what is replayed, held to the vectorised run, and timed."""

from __future__ import annotations

import tempfile
import time  # noqa: TID251 - a benchmark times things
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from barstep.engine.scheduler.machine import SchedulerMachine
from barstep.engine.scheduler.setup import SchedulerSetup
from barstep.engine.scheduler.simulation import simulate
from barstep.replay.event_loop import EventLoop
from barstep.replay.key_files import KeyFolder
from barstep.replay.session import Session, given
from disk_rate import CountedDisk, rate_of_disk
from inputs import fifty_schedules, one_schedule

_COPIED, _FEW = 8_000_000, 500


class DisagreementError(Exception):
    """A replay did not come out as the vectorised run."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is replayed, and how.

    Attributes:
        setup: Makes it, of a number of bars.
        drive: Turns a loop to its end.
        fewer: How many times fewer bars it has than one schedule without a journal.
        journal: Whether it is written down, on a real disk.
    """

    setup: Callable[[int], SchedulerSetup]
    drive: Callable[[EventLoop], None]
    fewer: int = 1
    journal: bool = False

    def check(self, count: int, folder: Path) -> None:
        """Hold the replay's digests to the vectorised run's.

        Raises:
            DisagreementError: They differ.
        """
        setup = self.setup(count)
        with self._begun(setup, folder) as begun:
            self.drive(begun.loop)
            if begun.loop.machine.result().digests != simulate(setup).digests:
                raise DisagreementError("the replay is not the vectorised run")

    def measure(self, count: int, folder: Path) -> dict[str, float]:
        """Seconds of the replay with the yardstick beside it, its memory above the bars, and what the disk took."""
        with self._begun(self.setup(_FEW), folder) as begun:
            self.drive(begun.loop)  # loads the kernels
        setup, copied = self.setup(count), yardstick()
        with self._begun(setup, folder) as begun:
            before = _forget_peak()
            seconds = _seconds(lambda: self.drive(begun.loop))
            figures = {"seconds": seconds, "yardstick": copied, "mib": (_status("VmHWM") - before) / 2**10}
            groups = begun.disk.groups[begun.groups :]
        if groups:
            figures |= {"disk": rate_of_disk(folder / "raw", groups), "kib": sum(groups) / len(groups) / 1024}
        return figures | {"decisions": float(begun.loop.machine.result().decision_table.shape[1])}

    @contextmanager
    def _begun(self, setup: SchedulerSetup, folder: Path) -> Iterator[Begun]:
        """The loop at its beginning; a journal is given up at the end, not sealed."""
        disk = CountedDisk()
        if not self.journal:
            yield Begun(EventLoop(SchedulerMachine(setup), given(setup)), disk, 0)
            return
        with tempfile.TemporaryDirectory(dir=folder, prefix="journal-") as name:
            keys = KeyFolder(Path(name) / "keys")
            keys.init()
            session = Session.open(setup, Path(name) / "log", keys, log_id="0" * 32, now_us=0, disk=disk)
            yield Begun(session.loop, disk, len(disk.groups))
            session.close()


class Begun(NamedTuple):
    """A loop before its first instant, its disk, and how many groups were written before."""

    loop: EventLoop
    disk: CountedDisk
    groups: int


def step(loop: EventLoop) -> None:
    """An instant at a time, heard."""
    while loop.step():
        pass


def single_steps(loop: EventLoop) -> None:
    """One transition and one call of the kernel for each instant, unheard."""
    while loop.burst(single_steps=True):
        pass


def bursts(loop: EventLoop) -> None:
    """As many instants a call as nothing comes between, unheard."""
    while loop.burst():
        pass


def advance(loop: EventLoop) -> None:
    """As a run does that nobody watches."""
    while loop.advance():
        pass


CASES = {
    "one schedule, single steps": Case(setup=one_schedule, drive=single_steps),
    "one schedule, bursts": Case(setup=one_schedule, drive=bursts),
    "fifty schedules, a step a bar": Case(setup=fifty_schedules, drive=step, fewer=20),
    "one schedule, journal": Case(setup=one_schedule, drive=advance, fewer=50, journal=True),
    "fifty schedules, journal": Case(setup=fifty_schedules, drive=advance, fewer=500, journal=True),
}


def yardstick() -> float:
    """Seconds of one copy of 8 million float64."""
    source, target = np.ones(_COPIED), np.empty(_COPIED)
    return min(_seconds(lambda: np.copyto(target, source)) for _ in range(5))


def _seconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _forget_peak() -> float:
    """Have the peak of resident memory begin anew; returns what is resident now, in KiB."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _status(name: str) -> float:
    """KiB of one line of the process's status."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return float(next(line for line in lines if line.startswith(f"{name}:")).split()[1])
