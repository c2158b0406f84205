"""A live run and its venue in one process: drawn schedulers, the stub venue's core, a disk in memory, no clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import numpy as np
from barstep.config.commands import AnyCommand
from barstep.config.core import CoreConfig
from barstep.engine.bars import MICROSECONDS, Bars
from barstep.engine.growing import Row
from barstep.engine.scheduler.live_setup import LivePlan, plan_live
from barstep.replay.channel.messages import Hello
from barstep.replay.live.adapter import VenueAdapter
from barstep.replay.live.greeting import hello_of, legs_of
from barstep.replay.live.session import LiveSession
from barstep.replay.stub.manner import Manner
from barstep.replay.stub.market import Market
from barstep.replay.stub.session import Session as VenueSession
from barstep.replay.stub.venue import StubVenue
from journal_making import FOLDER, LOG, NOW_US, DiskKeys
from random_scheduler import Drawn, random_scheduler
from simulated_disk import SimulatedDisk

FALLBACK = "f"
"""A venue with the bars of the second one."""

COSTS = {"fee_bps", "slippage_bps", "lot"}
"""What market orders have of the options that are drawn."""


class Kept:
    """The bars of a run, in memory; what is lost the venue has."""

    def __init__(self, plan: LivePlan, venue: StubVenue) -> None:
        self.plan, self.venue = plan, venue
        self.rows: list[dict[int, Row]] = [{} for _ in legs_of(plan)]
        self.synced = [0] * len(self.rows)

    def read(self) -> Sequence[Bars]:
        return [self._bars(leg, rows) for leg, rows in zip(legs_of(self.plan), self.rows, strict=True)]

    def fetch(self, from_us: int, to_us: int) -> Sequence[Bars]:
        for leg, rows in zip(legs_of(self.plan), self.rows, strict=True):
            bars = self.venue.market.bars(leg.venue, leg.symbol, self.plan.interval_seconds)
            for at in np.flatnonzero((bars.ts_us >= from_us) & (bars.closes_us <= to_us)).tolist():
                rows[int(bars.ts_us[at])] = tuple(bars.values[:5, at].tolist())
        self.sync()
        return self.read()

    def add(self, ts_us: int, rows: Mapping[int, Row]) -> None:
        for leg, row in rows.items():
            self.rows[leg][ts_us] = row

    def flush(self) -> None:
        """All is kept at once."""

    def sync(self) -> None:
        self.synced = [len(rows) for rows in self.rows]

    def lose(self, rng: np.random.Generator) -> None:
        """What a loss of power takes: the end of what came after the last sync, and of one instant a part."""
        unsynced = [sorted(rows)[kept:] for rows, kept in zip(self.rows, self.synced, strict=True)]
        times = sorted({ts_us for own in unsynced for ts_us in own})[-int(rng.integers(1, 5)) :]
        for rows, own in zip(self.rows, unsynced, strict=True):
            for ts_us in own:
                if ts_us in times[1:] or (ts_us in times[:1] and rng.random() < 0.5):
                    del rows[ts_us]

    def _bars(self, leg: Any, rows: Mapping[int, Row]) -> Bars:
        columns = np.array([rows[ts_us] for ts_us in sorted(rows)]).reshape(-1, 5).T
        seconds = self.plan.interval_seconds
        return Bars.from_arrays(sorted(rows), *columns, interval_seconds=seconds, symbol=leg.name, venue=leg.venue)


@dataclass
class World:
    """One drawn scheduler, live."""

    seed: int
    has_fallbacks: bool = False
    drawn: Drawn = field(init=False)
    disk: SimulatedDisk = field(default_factory=SimulatedDisk)
    room: int = 400

    def __post_init__(self) -> None:
        self.drawn = random_scheduler(self.seed, bars=(300, 301))
        if self.has_fallbacks:
            self.drawn = replace(self.drawn, config=_with_fallbacks(self.drawn.config))
        self.plan = plan_live(self.drawn.config, "e", "s")
        self.options = {name: value for name, value in self.drawn.given.items() if name in COSTS}
        self.start_us = self.drawn.given.get("start_us") or self._first_us() + 40 * self.interval_us
        self.venue = StubVenue(Market(self._market()), Manner(start_us=self.start_us, step_seconds=1800))
        self.kept = Kept(self.plan, self.venue)

    @property
    def interval_us(self) -> int:
        return self.plan.interval_seconds * MICROSECONDS

    def _market(self) -> list[Bars]:
        sources = self.drawn.sources
        fallbacks = [replace(bars, venue=FALLBACK) for bars in sources.secondary.values()] if self.has_fallbacks else []
        return [*sources.primary.values(), *sources.secondary.values(), *fallbacks]

    def _first_us(self) -> int:
        return min(int(bars.ts_us[0]) for bars in self._market())

    def hello(self) -> Hello:
        """What a new run says first."""
        return hello_of(self.plan, LOG, self.options)

    def connect(self) -> VenueSession:
        session = self.venue.connect(self.hello(), 0)
        assert isinstance(session, VenueSession), session
        return session

    def open(self) -> LiveSession:
        return LiveSession.open(
            self.plan, FOLDER, DiskKeys(self.disk), self.kept,
            log_id=LOG, start_us=self.start_us, now_us=NOW_US, room=self.room, disk=self.disk, **self.options,
        )  # fmt: skip


def _with_fallbacks(config: CoreConfig) -> CoreConfig:
    """The same with a fallback for every instrument."""
    plain = msgspec.to_builtins(config)
    for universe in plain["instrument_universes"].values():
        for written in universe["instruments"].values():
            written["fallback"] = FALLBACK
    return msgspec.convert(plain, CoreConfig)


def run(world: World, commands: Sequence[tuple[AnyCommand, str]] = ()) -> LiveSession:
    """Everything, without faults."""
    session = world.open()
    hello = hello_of(world.plan, LOG, world.options)
    venue = world.venue.connect(hello, 0)
    assert isinstance(venue, VenueSession), venue
    adapter = VenueAdapter(session)
    idle = 0
    while idle < 2:
        messages = venue.due(0)
        idle = 0 if messages else idle + 1
        for message in messages:
            answer = adapter.take(message)
            if answer is not None:
                venue.hear(answer, 0)
    return session
