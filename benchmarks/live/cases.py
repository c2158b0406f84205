"""The cases: a live run and its stub venue in one process, with the journal on a real disk, timed from the inside."""

from __future__ import annotations

import sys
import time  # noqa: TID251 - a benchmark times things
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from barstep.config.core import CoreConfig
from barstep.engine.bars import Bars
from barstep.engine.growing import Row
from barstep.engine.scheduler.backtest import set_up_scheduler
from barstep.engine.scheduler.live_setup import LivePlan, plan_live
from barstep.engine.scheduler.simulation import simulate
from barstep.replay.channel.messages import Bar, Complete, FromVenue, Orders
from barstep.replay.journal.disk import RealDisk
from barstep.replay.key_files import KeyFolder
from barstep.replay.live.adapter import VenueAdapter
from barstep.replay.live.greeting import hello_of, legs_of
from barstep.replay.live.session import LiveSession
from barstep.replay.stub.manner import Manner
from barstep.replay.stub.market import Market
from barstep.replay.stub.session import Session as VenueSession
from barstep.replay.stub.venue import StubVenue

sys.path += [str(Path(__file__).parents[1] / room) for room in ("replay", "scheduler")]
from inputs import minutes, one_schedule_config  # those of the other benchmarks
from making import make_bars, make_config

PAIRS, PAST_BARS, WARM_BARS = 20, 300, 60
"""Instruments of many schedules; bars before the start; bars at the beginning that are not counted."""
COSTS = {"fee_bps": 1.0}


class DisagreementError(Exception):
    """A live run did not come out as the vectorised one."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is traded.

    Attributes:
        config: The scheduler.
        bars: Makes the bars of a number of minutes, by instrument: those of one venue, or of two.
    """

    config: CoreConfig
    bars: Callable[[int], Mapping[str, Any]]

    def measure(self, count: int, folder: Path) -> dict[str, list[float]]:
        """Seconds of each of `count` closed bars by part, in a run that waits for its disk; `unsynced`: in one without.

        Raises:
            DisagreementError: The equity at a bar is not that of the vectorised run.
        """
        bars = self.bars(PAST_BARS + WARM_BARS + count)
        watch, unsynced = Stopwatch(), Stopwatch(syncs=False)
        curve = _run(self.config, bars, folder / "synced", watch)
        _run(self.config, bars, folder / "unsynced", unsynced)
        start = np.datetime64(int(next(_legs(bars)).ts_us[PAST_BARS]), "us")
        whole = simulate(set_up_scheduler(self.config, bars=bars, start=f"{start}Z", **COSTS)).curve
        if curve.size < count or not np.array_equal(curve, whole[: curve.size]):
            raise DisagreementError("the live run is not the vectorised run")
        parts = {name: [one[name] for one in watch.bars[WARM_BARS:]] for name in watch.bars[0]}
        return parts | {"unsynced": [one["compute"] for one in unsynced.bars[WARM_BARS:]]}


def _many(schedules_an_engine: int) -> Case:
    config = make_config(schedules_an_engine, PAIRS, mixed=False, max_signals=1, rebalance_seconds=900)
    return Case(config=config, bars=lambda count: make_bars(PAIRS, count))


def _one(count: int) -> dict[str, Bars]:
    arrays = minutes(count)
    times = arrays.pop("ts_us")
    return {"BTCUSDT": Bars.from_arrays(times, **arrays, interval_seconds=60, symbol="BTCUSDT", venue="one")}


CASES = {
    "1 schedule, 1 instrument": Case(config=one_schedule_config(), bars=_one),
    "10 schedules, 20 pairs": _many(2),
    "50 schedules, 20 pairs": _many(10),
}


def _legs(bars: Mapping[str, Any]) -> Any:
    for given in bars.values():
        yield from given if isinstance(given, tuple) else (given,)


@dataclass
class Stopwatch:
    """Adds up what each part of a closed bar takes.

    Attributes:
        syncs: Whether the disk is waited for.
        bars: By closed bar the seconds of each part.
        parts: Those of the bar that is on its way.
    """

    syncs: bool = True

    bars: list[dict[str, float]] = field(default_factory=list)
    parts: dict[str, float] = field(default_factory=lambda: dict.fromkeys(("whole", "compute", "writing", "disk"), 0.0))

    def timed(self, part: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """The same, with its time added to a part."""

        def measured(*given: Any, **named: Any) -> Any:
            began = time.perf_counter()
            try:
                return work(*given, **named)
            finally:
                self.parts[part] += time.perf_counter() - began

        return measured

    def computed(self, work: Callable[..., Any]) -> Callable[..., Any]:
        """The same; its time is that of the loop, but for what is written down within it."""

        def measured(*given: Any) -> Any:
            began, before = time.perf_counter(), self.parts["writing"]
            result = work(*given)
            self.parts["compute"] += time.perf_counter() - began - (self.parts["writing"] - before)
            return result

        return measured

    def lap(self) -> None:
        """The orders of a closed bar are out."""
        self.bars.append(dict(self.parts))
        self.parts.update(dict.fromkeys(self.parts, 0.0))


class TimedDisk(RealDisk):
    """A real disk; what it takes to write and to sync is added up."""

    def __init__(self, watch: Stopwatch) -> None:
        self.write = watch.timed("disk", super().write)  # type: ignore[method-assign]
        sync = super().fdatasync if watch.syncs else lambda _: None
        self.fdatasync = watch.timed("disk", sync)  # type: ignore[method-assign]


class TimedWriter:
    """The journal's writer as a loop calls it."""

    def __init__(self, writer: Any, watch: Stopwatch) -> None:
        self.instant, self.opens = watch.timed("writing", writer.instant), watch.timed("writing", writer.opens)
        self.event, self.reported, self.commit = writer.event, writer.reported, writer.commit


class Memory:
    """A run's bars, all of which the venue has."""

    def __init__(self, plan: LivePlan, venue: StubVenue) -> None:
        self._plan, self._venue = plan, venue
        self._kept: list[Bars] = [self._bars(leg).part(0, 0) for leg in legs_of(plan)]

    def _bars(self, leg: Any) -> Bars:
        return self._venue.market.bars(leg.venue, leg.symbol, self._plan.interval_seconds)

    def read(self) -> Sequence[Bars]:
        return self._kept

    def fetch(self, _from_us: int, to_us: int) -> Sequence[Bars]:
        """From the first bar on, which the vectorised run begins with, too."""
        legs = [self._bars(leg) for leg in legs_of(self._plan)]
        self._kept = [bars.part(0, int(np.searchsorted(bars.closes_us, to_us, "right"))) for bars in legs]
        return self._kept

    def add(self, ts_us: int, rows: Mapping[int, Row]) -> None:
        """It is the venue's."""

    def flush(self) -> None:
        """Nothing waits."""

    def sync(self) -> None:
        """Nothing is kept here."""


def _run(config: CoreConfig, bars: Mapping[str, Any], folder: Path, watch: Stopwatch) -> np.ndarray[Any, Any]:
    """Trade all bars; returns the equity at each close."""
    legs = list(_legs(bars))
    plan, start_us = plan_live(config, "demo"), int(legs[0].ts_us[PAST_BARS])
    venue = StubVenue(Market(legs), Manner(start_us=start_us))
    keys = KeyFolder(folder / "keys")
    keys.init()
    session = LiveSession.open(
        plan, folder / "log", keys, Memory(plan, venue),
        log_id="0" * 32, start_us=start_us, now_us=start_us, room=len(legs[0]), disk=TimedDisk(watch), **COSTS,
    )  # fmt: skip
    loop = session.loop
    loop.writer = TimedWriter(session.writer, watch)
    loop.advance = watch.computed(loop.advance)  # type: ignore[method-assign]
    loop.begin = watch.computed(loop.begin)  # type: ignore[method-assign]
    connected = venue.connect(hello_of(plan, "0" * 32, COSTS), 0)
    assert isinstance(connected, VenueSession), connected
    _talk(connected, VenueAdapter(session), watch)
    closed = loop.next_bar - session.machine.bars.start
    curve = session.machine.curve[:closed].copy()
    session.close()
    return curve


def _talk(venue: VenueSession, adapter: VenueAdapter, watch: Stopwatch) -> None:
    """All that the venue says, until it says nothing twice; a bar is over when the answer to it is there."""
    take = watch.timed("whole", adapter.take)
    silent = 0
    while silent < 2:
        messages: Sequence[FromVenue] = venue.due(0)
        silent = 0 if messages else silent + 1
        closed = False
        for message in messages:
            closed = closed or isinstance(message, Bar)
            answer = (take if isinstance(message, Bar | Complete) else adapter.take)(message)
            if answer is not None:
                if closed and isinstance(answer, Orders):
                    watch.lap()
                    closed = False
                venue.hear(answer, 0)


def interruptions() -> float:
    """How often in a second the machine takes a thread's processor away for ten microseconds or more."""
    began = last = time.perf_counter()
    count = 0
    while last - began < 1.0:
        now = time.perf_counter()
        count += now - last >= 10e-6
        last = now
    return count


def yardstick() -> float:
    """Seconds of one copy of 8 million float64."""
    source, target = np.ones(8_000_000), np.empty(8_000_000)
    watch = Stopwatch()
    return min(_copied(source, target, watch) for _ in range(5))


def _copied(source: np.ndarray[Any, Any], target: np.ndarray[Any, Any], watch: Stopwatch) -> float:
    watch.parts["whole"] = 0.0
    watch.timed("whole", np.copyto)(target, source)
    return watch.parts["whole"]
