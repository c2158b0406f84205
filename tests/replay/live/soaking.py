"""A live run over bars of a second, with its journal, keys and recording on the real disk and its venue beside it."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import psutil
import pyarrow as pa
from barstep.config.core import CoreConfig
from barstep.engine.bars import MICROSECONDS, Bars
from barstep.engine.scheduler.live_setup import plan_live
from barstep.replay.channel.messages import HistoryRequest
from barstep.replay.key_files import KeyFolder
from barstep.replay.live.adapter import VenueAdapter
from barstep.replay.live.greeting import hello_of, legs_of
from barstep.replay.live.past import RecordedPast
from barstep.replay.live.recording import Recording
from barstep.replay.live.scribe import LiveScribe
from barstep.replay.live.session import LiveSession
from barstep.replay.stub.manner import Manner
from barstep.replay.stub.market import Market
from barstep.replay.stub.session import Session as VenueSession
from barstep.replay.stub.venue import StubVenue
from journal_making import LOG, NOW_US

FIRST_US = 1_704_067_200_000_000
HISTORY = 250
PATHS = (
    os.pathsep.join(str(Path(__file__).parents[up]) for up in (0, 1))
    + f"{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
)


class Figures(NamedTuple):
    """What the process holds once so many bars are done: bytes after a collection, threads, file descriptors.

    And how many reports of orders have come.
    """

    bars: int
    reports: int
    rss_bytes: int
    threads: int
    descriptors: int


def config() -> CoreConfig:
    """Two schedules that look at two instruments each minute and each second minute."""
    strategies = {
        "mean": {"engine": "mean_reversion", "risk_profile": "all", "rebalance_threshold": 0.05},
        "vol": {"engine": "volatility_target", "risk_profile": "all", "rebalance_threshold": 0.05},
    }
    schedules = {
        name: {"strategy": name, "cadence_seconds": 60 * minutes, "interval": 1, "warmup_bars": 100}
        for name, minutes in (("mean", 1), ("vol", 2))
    }
    scheduler = {
        "capital_policy": {"name": "equal_weight"},
        "allocation_rebalance_seconds": 600,
        "schedules": schedules,
    }
    environment = {
        "type": "demo", "venue": "one", "risk_profile": "all", "instrument_universe": "all", "scheduler": "s",
        "capital": 1e6,
    }  # fmt: skip
    plain = {
        "runtime": {"multi_strategy_schedulers": {"s": scheduler}}, "risk_profiles": {"all": {}},
        "strategies": strategies, "environments": {"demo": environment},
        "instrument_universes": {"all": {"instruments": {name: {"primary": "one"} for name in ("A", "B")}}},
    }  # fmt: skip
    return msgspec.convert(plain, CoreConfig)


def market(bars: int) -> Market:
    """Random walks of seconds."""
    rng = np.random.default_rng(5)
    return Market([_walk(rng, name, bars) for name in ("A", "B")])


def _walk(rng: np.random.Generator, name: str, count: int) -> Bars:
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 2e-4, count)))
    opens = np.concatenate((close[:1], close[:-1]))
    high, low = np.maximum(opens, close) * 1.0001, np.minimum(opens, close) * 0.9999
    times = FIRST_US + np.arange(count) * MICROSECONDS
    return Bars.from_arrays(
        times, opens, high, low, close, rng.uniform(1.0, 9.0, count), interval_seconds=1, symbol=name, venue="one"
    )


def soak(folder: Path, bars: int, looks: int) -> Iterator[Figures]:
    """Go through so many bars, and look at the process so often."""
    plan, venue = plan_live(config(), "demo"), StubVenue(market(bars + HISTORY), Manner(history_bars=HISTORY))
    keys = KeyFolder(folder / "keys")
    keys.init()

    def fetch(_name: str, ticket: bytes) -> pa.Table:
        table: pa.Table = venue.history(msgspec.json.decode(ticket, type=HistoryRequest)).to_frame().to_arrow()
        return table

    past = RecordedPast(Recording(folder / "run.bars", legs_of(plan), plan.interval_seconds), fetch)
    session = LiveSession.open(
        plan, folder / "journal", keys, past, log_id=LOG, start_us=FIRST_US + HISTORY * MICROSECONDS, now_us=NOW_US,
        room=bars,
    )  # fmt: skip
    try:
        yield from _run(session, venue, bars, looks)
    finally:
        session.close()
        past.close()


def _run(session: LiveSession, venue: StubVenue, bars: int, looks: int) -> Iterator[Figures]:
    said = venue.connect(hello_of(session.plan, LOG, session.options), 0)
    assert isinstance(said, VenueSession), said
    adapter, process = VenueAdapter(session), psutil.Process()
    start_us, each = session.machine.setup.start_us, bars // looks
    wanted = each
    while wanted <= bars:
        for message in said.due(0):
            answer = adapter.take(message)
            if answer is not None:
                said.hear(answer, 0)
                session.past.flush()
        done = (session.loop.now_us - start_us) // MICROSECONDS
        if done >= wanted:
            gc.collect()
            yield Figures(
                done, session.loop.reports, process.memory_info().rss, process.num_threads(), process.num_fds()
            )
            wanted += each


def in_a_process(folder: Path, bars: int, looks: int, *, keeps: bool = False) -> list[Figures]:
    """The same in a process of its own, whose memory nobody else has used.

    keeps: whether each instant leaves some kilobytes behind, by mistake.
    """
    words = [sys.executable, __file__, str(folder), str(bars), str(looks), "keeps" if keeps else ""]
    ran = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": PATHS})
    return [Figures(*json.loads(line)) for line in ran.stdout.splitlines()]


def _keep() -> None:
    plain, kept = LiveScribe.instant, []

    def instant(self: LiveScribe, now_us: int, place: int) -> None:
        kept.append(bytes([1]) * 4_000)  # no constant, and touched
        plain(self, now_us, place)

    LiveScribe.instant = instant  # type: ignore[method-assign]


if __name__ == "__main__":
    where, how_many, how_often, planted = sys.argv[1:]
    if planted:
        _keep()
    for one in soak(Path(where), int(how_many), int(how_often)):
        print(json.dumps(one), flush=True)  # noqa: T201 - read by whoever has started this
