"""Opens of an instant that no bar closes at: the day begins there, live as in a run that is done again."""

from __future__ import annotations

import numpy as np
import pytest
from barstep.config.core import CoreConfig
from barstep.config.environments import Environment
from barstep.config.risk import RiskProfile
from barstep.config.runtime import Runtime
from barstep.config.schedulers import Schedule, Scheduler
from barstep.config.universes import Instrument, Universe
from barstep.engine.bars import Bars
from barstep.engine.scheduler.live_setup import LivePlan, plan_live
from barstep.kernels.scheduler import layout
from barstep.replay.journal.files import JournalFiles
from barstep.replay.journal.reading import read_payloads
from barstep.replay.journal.record import fields_of
from barstep.replay.live.session import LiveSession
from journal_making import FOLDER, LOG, NOW_US, DiskKeys
from past_bars import PastBars
from simulated_disk import SimulatedDisk

HOUR_US = 3_600_000_000
MIDNIGHT = 24
DAY_US = 20_000 * 24 * HOUR_US
"""A day that five hours do not divide: nothing is due at its end."""


def five_hourly() -> LivePlan:
    schedule = Schedule(strategy="sma_crossover", cadence_seconds=5 * 3600.0, interval=3600)
    config = CoreConfig(
        runtime=Runtime(multi_strategy_schedulers={"one": Scheduler(schedules={"only": schedule})}),
        risk_profiles={"any": RiskProfile(daily_risk_budget_pct=1.0)},
        environments={
            "demo": Environment(
                type="demo", venue="x", risk_profile="any", instrument_universe="all", scheduler="one", capital=1e5
            )
        },
        instrument_universes={"all": Universe(instruments={"X": Instrument(primary="x")})},
    )
    return plan_live(config, "demo")


def three_days() -> PastBars:
    """Hours; the one before the last midnight is missing."""
    hours = np.array([hour for hour in range(-48, 40) if hour != MIDNIGHT - 1])
    close = 100.0 + np.sin(np.arange(hours.size))
    columns = (close, close + 1.0, close - 1.0, close, np.ones(hours.size))
    bars = Bars.from_arrays(DAY_US + hours * HOUR_US, *columns, interval_seconds=3600, symbol="X", venue="x")
    return PastBars(bars, DAY_US + 12 * HOUR_US)


def opened(disk: SimulatedDisk, past: PastBars) -> LiveSession:
    return LiveSession.open(
        five_hourly(), FOLDER, DiskKeys(disk), past, log_id=LOG, start_us=DAY_US + 12 * HOUR_US, now_us=NOW_US,
        room=100, disk=disk,
    )  # fmt: skip


@pytest.mark.parametrize("tells_midnight", [True, False])
def test_a_day_begins_with_opens_that_no_bar_closes_at(tells_midnight: bool) -> None:
    """Where the venue tells midnight by itself, and where the bar after it brings its open; a restart agrees."""
    disk, past = SimulatedDisk(), three_days()
    session = opened(disk, past)
    loop = session.loop
    loop.start()
    loop.begin(loop.now_us, past.opens_at(loop.now_us))
    for hour in range(13, 30):
        now_us = DAY_US + hour * HOUR_US
        if hour == 20:  # as if five of a hundred had been lost since the morning
            session.machine.arrays.account[layout.DAY_EQUITY] *= 1.05
            session.journal.seal(session._checkpoint())
        if hour != MIDNIGHT or tells_midnight:
            loop.advance(now_us, past.rows_at(now_us))
            if opens := past.opens_at(now_us):
                loop.begin(now_us, opens)
        session.commit()
        past.until_us = now_us
    told = [fields_of(one) for _, one in read_payloads(JournalFiles(folder=FOLDER, environment="demo"), disk)]
    midnight = str(np.datetime64(DAY_US + MIDNIGHT * HOUR_US, "us"))
    events = [(one["at"], one["change"]) for one in told if one["kind"] == "governor"]
    assert [change for _, change in events] == ["profile_reduces", "profile_recovers"]
    assert events[1][0].startswith(midnight[:19])
    again = opened(disk.after_kill(), past)
    assert again.loop.now_us == loop.now_us
