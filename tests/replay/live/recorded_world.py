"""Live sessions of drawn schedulers as they lie on a disk: a journal, and the recording of their bars."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from barstep.replay.channel.messages import FromVenue
from barstep.replay.channel.messages import Report as Told
from barstep.replay.journal.files import JournalFiles
from barstep.replay.journal.reading import read_payloads
from barstep.replay.journal.record import fields_of
from barstep.replay.live.adapter import VenueAdapter
from barstep.replay.live.done_again import LiveJournal, live_journal
from barstep.replay.live.greeting import hello_of, legs_of
from barstep.replay.live.recording import Recording
from barstep.replay.live.session import LiveSession
from barstep.replay.stub.session import Session as VenueSession
from journal_making import FOLDER, LOG
from msgspec.structs import replace
from world import World

FILES = JournalFiles(folder=FOLDER, environment="e")
Between = Callable[[LiveSession], object]


def nothing(_: LiveSession) -> None:
    """Between messages nothing is done."""


def go_on(
    world: World,
    between: Between = nothing,
    *,
    messages: int | None = None,
    told: Callable[[FromVenue], FromVenue] = lambda message: message,
) -> LiveSession:
    """Open a run, and have it hear its venue to the end, or so many messages.

    told: what becomes of a message on its way.
    """
    session = world.open()
    done_us = session.loop.now_us if session.loop.has_begun else -1
    hello = hello_of(world.plan, LOG, world.options, done_us=done_us, reports=session.loop.reports,
                     waiting=session.loop.orders.all())  # fmt: skip
    venue = world.venue.connect(hello, 0)
    assert isinstance(venue, VenueSession), venue
    adapter, heard, idle = VenueAdapter(session), 0, 0
    while idle < 2:
        coming = venue.due(0)
        idle = 0 if coming else idle + 1
        for message in coming:
            if heard == messages:
                session.commit()
                return session
            heard += 1
            answer = adapter.take(told(message))
            if answer is not None:
                venue.hear(answer, 0)
            between(session)
    session.commit()
    return session


def dearer(message: FromVenue) -> FromVenue:
    """A venue that fills a thousandth worse than a backtest does."""
    if not isinstance(message, Told):
        return message
    fills = [replace(fill, price=fill.price * (1.001 if fill.lots > 0 else 0.999)) for fill in message.fills]
    return replace(message, fills=fills)


def as_journal(world: World) -> LiveJournal:
    """What lies on a world's disk, read as a live session."""
    genesis = next(fields_of(payload) for _, payload in read_payloads(FILES, world.disk))
    return live_journal(FILES, world.plan.config, genesis, LOG, world.kept.read(), "memory", world.disk)


def put_down(world: World, folder: Path) -> tuple[Path, Path]:
    """A world's journal and recording as files: the open segment, and the recording."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in world.disk.names(FOLDER):
        with world.disk.read(FOLDER / name) as file:
            (folder / name).write_bytes(file.read())
        (folder / name).chmod(0o600)
    recording = Recording(folder / "private" / "run.bars", legs_of(world.plan), world.plan.interval_seconds)
    for place, bars in enumerate(world.kept.read()):
        recording.add_history(place, bars)
    recording.close()
    return folder / "e.jsonl", recording.path
