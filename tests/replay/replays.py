"""Schedulers drawn at random as setups that any driver takes, and sessions of them on a disk in memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from barstep.config.commands import AnyCommand
from barstep.engine.scheduler.backtest import set_up_scheduler
from barstep.engine.scheduler.result import SchedulerResult
from barstep.engine.scheduler.setup import SchedulerSetup
from barstep.engine.scheduler.simulation import simulate
from barstep.replay.journal.files import JournalFiles
from barstep.replay.session import Session
from journal_making import FOLDER, LOG, NOW_US, DiskKeys
from random_scheduler import Drawn, random_scheduler
from simulated_disk import SimulatedDisk

FILES = JournalFiles(folder=FOLDER, environment="e")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BARS = (300, 301)


def setup_of(drawn: Drawn, **more: Any) -> SchedulerSetup:
    """What was drawn as a setup."""
    given: dict[str, Any] = {**drawn.given, **more}
    given["commands"] = msgspec.convert(given["commands"], list[AnyCommand])
    for name in ("start", "end"):
        if f"{name}_us" in given:
            given[name] = EPOCH + timedelta(microseconds=given.pop(f"{name}_us"))
    return set_up_scheduler(drawn.config, "s", environment="e", bars=drawn.sources, **given)


def drawn_setup(seed: int, **more: Any) -> SchedulerSetup:
    """A setup from a seed."""
    return setup_of(random_scheduler(seed, bars=BARS), **more)


def vectorised(setup: SchedulerSetup) -> SchedulerResult:
    """Its backtest."""
    return simulate(setup)


def open_session(setup: SchedulerSetup, disk: SimulatedDisk, *, block_bars: int = 16, **more: Any) -> Session:
    """A session with its journal on a disk; killing it is to let go of the disk's lock."""
    return Session.open(
        setup, FOLDER, DiskKeys(disk), log_id=LOG, now_us=NOW_US, block_bars=block_bars, disk=disk, **more
    )
