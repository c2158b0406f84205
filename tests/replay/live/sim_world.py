"""A simulated world from one seed: a virtual clock, a disk in memory, the stub venue, and a wire that misbehaves.

The loop, its adapter, its link and its way of connecting again are the real ones. The venue's own ledger is the oracle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha384
from typing import Any

import msgspec
import numpy as np
from barstep.config.commands import AnyCommand
from barstep.config.durations import instant_at
from barstep.errors import FeedError
from barstep.replay.adapter_log import AdapterLog
from barstep.replay.channel.frames import Incoming, Outgoing
from barstep.replay.channel.messages import Complete, Welcome, encode, read_from_loop
from barstep.replay.clock import SimulatedClock
from barstep.replay.live.backing_off import BackOff
from barstep.replay.live.running import Connect, ConnectedSession
from barstep.replay.live.session import LiveSession
from barstep.replay.stub.session import Session as VenueSession
from world import World


@dataclass(frozen=True, kw_only=True)
class Faults:
    """What goes wrong, each as a chance by message."""

    drop: float = 0.0
    duplicate: float = 0.0
    swap: float = 0.0
    disconnect: float = 0.0
    lose_answer: float = 0.0
    kill: float = 0.0
    late: float = 0.0
    most_late_seconds: float = 20.0


CALM = Faults()
ROUGH = Faults(drop=0.01, duplicate=0.02, swap=0.02, disconnect=0.01, lose_answer=0.01, kill=0.005, late=0.2)
LATE = Faults(late=0.4, most_late_seconds=400.0, disconnect=0.005, kill=0.003)


class KilledError(BaseException):
    """The process is gone: nothing after this is done by it."""


@dataclass
class Wire:
    """One connection, as the loop's side sees it."""

    world: SimWorld
    session: VenueSession | None = None
    is_dead: bool = False
    queue: list[tuple[int, bytes]] = field(default_factory=list)
    out: Outgoing = field(default_factory=Outgoing)
    heard: Incoming = field(default_factory=Incoming)

    def send(self, frame: bytes) -> None:
        """What the loop says; it may be lost on the way, with the connection."""
        if self.is_dead:
            raise FeedError("the stream has ended.")
        self.world.may_die()
        if self.session is not None and self.world.chance(self.world.faults.lose_answer):
            self.end()
            raise FeedError("the stream has ended.")
        for message in map(read_from_loop, self.heard.take(frame)):
            self.world.note(message)
            if self.session is None:
                session = self.world.venue.connect(message, self.world.clock.wall_us)  # type: ignore[arg-type]
                assert isinstance(session, VenueSession), session
                self.session = session
            else:
                self.session.hear(message, self.world.clock.wall_us)

    def receive(self, timeout_us: int | None = None) -> bytes | None:
        """The next frame, at the moment at which it comes."""
        if self.is_dead:
            raise FeedError("the stream has ended.")
        world = self.world
        world.may_die()
        if world.chance(world.faults.disconnect):
            self.end()
            raise FeedError("the stream has ended.")
        self._poll()
        if not self.queue:
            world.clock.sleep_us(max(timeout_us or 0, 500_000))
            self._poll()
            return None
        at_us, frame = self.queue.pop(0)
        world.clock.sleep_us(at_us - world.clock.wall_us)
        return frame

    def close(self) -> None:
        """The loop hangs up."""
        self.is_dead = True

    def end(self) -> None:
        """The line is cut."""
        self.is_dead = True
        self.queue.clear()

    def _poll(self) -> None:
        world, faults = self.world, self.world.faults
        if self.session is None:
            return
        for message in self.session.due(world.clock.wall_us):
            said: Any = message
            if isinstance(said, Welcome):
                said = msgspec.structs.replace(said, clock_us=world.clock.wall_us, speed=1.0)
            at_us = world.clock.wall_us
            if isinstance(said, Complete):
                at_us = max(at_us, said.at_us)
                if world.chance(faults.late):
                    at_us += int(world.rng.uniform(0.0, faults.most_late_seconds) * 1e6)
            frame = self.out.wrap(encode(said))
            at_us = max([at_us, *(at for at, _ in self.queue[-1:])])
            if isinstance(said, Welcome) or not world.chance(faults.drop):
                self.queue.append((at_us, frame))
            if world.chance(faults.duplicate):
                self.queue.append((at_us, frame))
            if len(self.queue) > 1 and world.chance(faults.swap):
                (first_us, one), (second_us, two) = self.queue[-2:]
                self.queue[-2:] = [(first_us, two), (second_us, one)]


class SimWorld(World):
    """One drawn scheduler with everything that goes wrong around it, all from one seed."""

    def __init__(self, seed: int, faults: Faults = CALM, *, has_fallbacks: bool = False) -> None:
        super().__init__(seed, has_fallbacks)
        self.faults = faults
        self.rng = np.random.default_rng(seed)
        self.clock = SimulatedClock(self.start_us)
        self.kills = self.connections = 0
        self._trace = sha384()
        self._wire: Wire | None = None

    @property
    def trace(self) -> str:
        """A digest of all that the loop said."""
        return self._trace.hexdigest()

    def chance(self, share: float) -> bool:
        """Whether something happens."""
        return share > 0.0 and bool(self.rng.random() < share)

    def note(self, message: Any) -> None:
        """Keep what the loop says in the trace."""
        self._trace.update(encode(message))

    def may_die(self) -> None:
        """The process may be killed here."""
        if self.chance(self.faults.kill):
            raise KilledError

    def connect(self) -> Wire:  # type: ignore[override]
        """A new connection."""
        self.connections += 1
        self._wire = Wire(self)
        return self._wire

    def connected(self, session: LiveSession, connect: Connect) -> ConnectedSession:
        """A session as its process keeps it connected."""
        back_off = BackOff(np.random.default_rng(self.seed))
        return ConnectedSession(session, connect, self.clock, back_off, AdapterLog(None, self.clock))

    def live(self, commands: Sequence[tuple[int, AnyCommand]] = ()) -> LiveSession:
        """Run to the end of the bars, however often it is killed; returns the session, still open."""
        waiting = list(commands)
        while True:
            session = self.open()
            connected = self.connected(session, self.connect)
            try:
                connected.run(lambda one=session: self._is_over(one), lambda one=session: _give(one, waiting))
            except KilledError:
                self._die(session)
                continue
            session.commit()
            return session

    def _is_over(self, session: LiveSession) -> bool:
        """Whether the last instant is done and the loop has all that the venue says of its orders."""
        run = self.venue.runs.get(session.journal.log_id)
        if run is None or session.loop.now_us < int(run.instants[-1]):
            return False
        return run.is_finished(self.clock.wall_us) and session.loop.reports == len(run.ledger.reports)

    def _die(self, session: LiveSession) -> None:
        self.kills += 1
        how = int(self.rng.integers(3))
        if how == 0 and not session.loop.is_stopped:
            session.close()
        elif how == 1:
            self.disk = self.disk.after_kill()
        else:
            self.disk = self.disk.after_power_loss(sectors=int(self.rng.integers(0, 3)), names_kept=self.chance(0.5))
        self.kept.lose(self.rng)


def _give(session: LiveSession, waiting: list[tuple[int, AnyCommand]]) -> None:
    """Give the commands whose time has come."""
    while waiting and session.loop.has_begun and session.loop.is_settled and waiting[0][0] <= session.loop.next_us():
        wanted_us, command = waiting.pop(0)
        at = instant_at(session.loop.moment_us(wanted_us))
        session.give(msgspec.structs.replace(command, at=at), "operator")
