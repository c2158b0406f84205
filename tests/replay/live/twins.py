"""The twin of a live run: the same bars, commands and skips, replayed, and its records beside the live ones."""

from __future__ import annotations

from collections.abc import Mapping

from barstep.config.durations import instant_at
from barstep.engine.bars import Bars
from barstep.engine.scheduler.backtest import set_up_scheduler
from barstep.engine.scheduler.setup import SchedulerSetup
from barstep.replay.drift import RecordedDrift
from barstep.replay.journal.files import JournalFiles
from barstep.replay.journal.reading import read_payloads
from barstep.replay.journal.record import fields_of
from barstep.replay.session import given_of
from journal_making import FOLDER
from replays import open_session
from simulated_disk import SimulatedDisk
from world import World

FILES = JournalFiles(folder=FOLDER, environment="e")
_ONLY_LIVE = ("genesis", "order", "opens", "report", "sealed", "checkpoint", "recovered", "connection")


def records(disk: SimulatedDisk) -> list[bytes]:
    """All records of a journal."""
    return [payload for _, payload in read_payloads(FILES, disk)]


def of_both(payloads: list[bytes]) -> list[bytes]:
    """Those that a replay writes, too."""
    only_live = tuple(f'"kind":"{kind}"'.encode() for kind in _ONLY_LIVE)
    return [payload for payload in payloads if not payload.startswith(only_live)]


def recorded_bars(world: World) -> Mapping[str, Bars | tuple[Bars, Bars]]:
    """What the live run has recorded, as a caller gives bars."""
    kept, names, pairs = world.kept.read(), list(world.plan.primary), list(world.plan.secondary)
    return {
        name: (kept[i], kept[len(names) + pairs.index(name)]) if name in pairs else kept[i]
        for i, name in enumerate(names)
    }


def twin_setup(world: World) -> SchedulerSetup:
    """The same scheduler over the bars that were recorded."""
    return set_up_scheduler(
        world.drawn.config, "s", environment="e", bars=recorded_bars(world), start=instant_at(world.start_us),
        **world.options,
    )  # fmt: skip


def twin_records(world: World) -> list[bytes]:
    """The journal of a replay that is given the live run's commands and skips."""
    told, setup, disk = records(world.disk)[1:], twin_setup(world), SimulatedDisk()
    session = open_session(setup, disk)
    for payload in told:
        if payload.startswith(b'"kind":"command"') and (one := given_of(fields_of(payload))).by == "operator":
            session.loop.give(one.command, one.by)
    session.loop.drift = RecordedDrift(told, setup)
    session.run()
    return of_both(records(disk))
