"""An engine that raises in a live run: its schedule is isolated, and a run that is done again agrees."""

from __future__ import annotations

import pytest
from barstep.engine.scheduler.live_setup import LivePlan, plan_live
from barstep.replay.journal.files import JournalFiles
from barstep.replay.journal.reading import read_payloads
from barstep.replay.journal.record import fields_of
from barstep.replay.live.session import LiveSession
from failing import CLOSES, WISHES, config_with_a_failing_engine
from journal_making import FOLDER, LOG, NOW_US, DiskKeys
from past_bars import PastBars
from scheduler_making import told_bars
from simulated_disk import SimulatedDisk

HOUR_US, FIRST, STOP = 3_600_000_000, 6, 50


def opened(plan: LivePlan, disk: SimulatedDisk, past: PastBars) -> LiveSession:
    start_us = int(past.whole.ts_us[FIRST])
    return LiveSession.open(
        plan, FOLDER, DiskKeys(disk), past, log_id=LOG, start_us=start_us, now_us=NOW_US, room=100, disk=disk
    )


def lived(fails: dict[int, int], kill_at: int = -1) -> list[dict]:
    """What the journal of a run says of health, in which the engine fails at bars as often as is said."""
    plan, whole = plan_live(config_with_a_failing_engine(), "e", "s"), told_bars(CLOSES, WISHES)
    kernel = next(one.strategy.engine.kernel for one in plan.resolved if one.name == "bad")
    kernel.__globals__["FAILS"].clear()
    kernel.__globals__["FAILS"].update(fails)
    disk, past = SimulatedDisk(), PastBars(whole, int(whole.ts_us[FIRST]))
    session = opened(plan, disk, past)
    session.loop.start()
    for bar in range(FIRST, STOP):
        open_us = int(whole.ts_us[bar])
        session.loop.begin(open_us, past.opens_at(open_us))
        if bar == kill_at:
            session.commit()
            disk = disk.after_kill()
            session = opened(plan, disk, past)
        session.loop.advance(open_us + HOUR_US, past.rows_at(open_us + HOUR_US))
        session.commit()
        session.writer.take_waiting()
        past.until_us = open_us + HOUR_US
    told = read_payloads(JournalFiles(folder=FOLDER, environment="e"), disk)
    return [one for one in (fields_of(payload) for _, payload in told) if one["kind"] in ("health", "run", "decision")]


@pytest.mark.parametrize(("fails", "kill_at"), [({10: 2}, 11), ({10: 2, 20: 1}, 16), ({7: 3, 11: 1}, 12)])
def test_a_schedule_that_fails_is_isolated_and_comes_back(fails: dict[int, int], kill_at: int) -> None:
    """The other goes on at each bar, and a kill between failure and recovery changes no record."""
    told = lived(fails)
    health = [(one["schedule"], one["status"]) for one in told if one["kind"] == "health"]
    assert ("bad", "restored") in health
    assert {schedule for schedule, _ in health} == {"bad"}
    good = [one for one in told if one["kind"] == "run" and one["schedule"] == "good"]
    assert len({one["at"] for one in good}) >= STOP - FIRST
    assert lived(fails, kill_at) == told
