"""A run with its journal: written, gone on with, and done again."""

from __future__ import annotations

import os
from contextlib import suppress
from itertools import pairwise
from weakref import ref

import numpy as np
import polars as pl
import pytest
from barstep.config.commands import Halt, Reduce, Resume, SuspendSchedule
from barstep.engine.scheduler.checkpoint import take_checkpoint
from barstep.engine.scheduler.simulation import simulate
from barstep.errors import HeldError, JournalError, UsageError
from barstep.replay.catching_up import MADE_AGAIN, DivergedError
from barstep.replay.journal.record import at_text
from barstep.replay.journal_tables import JournalTables
from barstep.replay.news import DueRun
from barstep.replay.records import Records
from barstep.replay.session import Session
from journal_making import records
from replays import FILES, drawn_setup, open_session, vectorised
from runtime_making import small_config, small_setup
from scheduler_making import at, hour
from simulated_disk import PowerLossError, SimulatedDisk

SEEDS = 6 * int(os.environ.get("SEEDS", "1"))


@pytest.fixture(autouse=True)
def short_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal of three hundred bars has several."""
    monkeypatch.setattr("barstep.replay.journal.writer.SEGMENT_RECORDS", 700)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_run_that_is_killed_and_goes_on_is_the_run_that_was_not(seed: int) -> None:
    """Killed at random instants, some of them with the power lost: decisions, weights, equity and trades to the bit."""
    setup, rng = drawn_setup(seed), np.random.default_rng(seed)
    expected = vectorised(setup)
    disk = SimulatedDisk()
    for _ in range(3):
        session = open_session(setup, disk, block_bars=int(rng.integers(1, 40)))
        for _ in range(int(rng.integers(1, 160))):
            session.loop.step()
        power_lost = rng.random() < 0.5
        disk = disk.after_power_loss(names_kept=True) if power_lost else disk.after_kill()
    session = open_session(setup, disk)
    session.run()
    session.close()
    result = session.result()
    assert result.digests == expected.digests
    assert result.trades.equals(expected.trades)
    assert result.governance.equals(expected.governance)
    assert result.raw_capital_weights.equals(expected.raw_capital_weights)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_run_that_nobody_watches_writes_the_journal_of_one_that_is_watched(seed: int) -> None:
    """Byte for byte, by the same calls of the disk: each instant is a group, also where many wait for one commit."""
    setup, disks = drawn_setup(seed), (SimulatedDisk(), SimulatedDisk())
    for disk, watched in zip(disks, (True, False), strict=True):
        session = open_session(setup, disk)
        while session.loop.step() if watched else session.loop.advance():
            pass
        session.close()
    assert disks[0].calls == disks[1].calls
    assert records(disks[0], FILES) == records(disks[1], FILES)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_power_that_is_lost_amid_a_burst_loses_nothing(seed: int) -> None:
    """At any call of the disk, while groups wait: what is there is the run up to some instant, and it goes on."""
    setup, rng = drawn_setup(seed), np.random.default_rng(seed)
    disk = SimulatedDisk()
    for _ in range(4):
        disk.stops_at = len(disk.calls) + int(rng.integers(1, 400))
        with suppress(PowerLossError):
            open_session(setup, disk).run()
        disk = disk.after_power_loss(names_kept=True)
    session = open_session(setup, disk)
    session.run()
    session.close()
    assert session.result().digests == vectorised(setup).digests


@pytest.mark.parametrize("seed", range(4))
def test_a_fold_from_the_checkpoint_is_the_fold_from_the_genesis(seed: int) -> None:
    """Both have the live machine's state, array by array."""
    setup, disk = drawn_setup(seed), SimulatedDisk()
    live = open_session(setup, disk)
    for _ in range(260):
        live.loop.step()
    while not live.loop.is_between_bars:
        live.loop.step()
    resumed = open_session(setup, disk.after_kill())
    whole = Session(setup, block_bars=16, observed=True)
    while whole.loop.now_us < live.loop.now_us:
        whole.loop.step()
    states = [take_checkpoint(each.machine, each.loop.next_bar) for each in (live, resumed, whole)]
    assert states[0] == states[1] == states[2]


@pytest.mark.parametrize("journalled", [False, True])
@pytest.mark.usefixtures("no_rings")
def test_a_run_that_is_let_go_of_is_gone_at_once(journalled: bool) -> None:
    """Nothing in it is a ring, which would keep its arrays until Python looks for rings among what is old."""
    setup = drawn_setup(3)
    session = open_session(setup, SimulatedDisk()) if journalled else Session(setup, observed=True)
    session.run()
    session.close()
    machine = ref(session.machine)
    del session
    assert machine() is None


def test_a_journal_that_ended_in_order_has_nothing_to_do_again() -> None:
    """It begins with its checkpoint; opened after the end, it gives the result at once."""
    setup, disk = drawn_setup(2), SimulatedDisk()
    session = open_session(setup, disk)
    for _ in range(100):
        session.loop.step()
    session.close()
    session = open_session(setup, disk)
    assert session.caught_up == 0
    session.run()
    session.close()
    written = len(records(disk, FILES))
    for _ in range(2):
        again = open_session(setup, disk)
        assert (again.caught_up, again.loop.step()) == (0, False)
        again.close()
    assert len(records(disk, FILES)) == written
    assert again.result().digests == vectorised(setup).digests


def test_the_journal_folds_to_the_result() -> None:
    """Its decisions, fills, weights, events and equity are the tables of the backtest."""
    setup, disk = drawn_setup(5), SimulatedDisk()
    session = open_session(setup, disk)
    session.run()
    session.close()
    tables = JournalTables(setup)
    for _, record in records(disk, FILES):
        tables.take(record)
    folded = Session(setup).machine
    tables.put_into(folded)
    expected, result = vectorised(setup), folded.result()
    assert result.digests == expected.digests
    for name in ("fill_table", "event_table", "refresh_table"):
        np.testing.assert_array_equal(getattr(result, name), getattr(expected, name), err_msg=name)


def test_each_instant_is_one_group_and_its_bars_come_first() -> None:
    """Commands and expiries, then bars, weights, runs with their decisions, then fills; all say the same instant."""
    setup, disk = drawn_setup(5, commands=[]), SimulatedDisk()
    session = open_session(setup, disk)
    session.run()
    made = [record for _, record in records(disk, FILES) if record["kind"] in MADE_AGAIN]
    order = {"feed": 0, "bars": 1, "weights": 2, "governor": 3, "run": 4, "decision": 4, "fill": 5}
    for before, after in pairwise(made):
        assert before["at"] <= after["at"]
        if before["at"] == after["at"]:
            assert order[before["kind"]] <= order[after["kind"]]
    assert next(record["kind"] for _, record in records(disk, FILES)) == "genesis"


def test_another_run_is_not_gone_on_with() -> None:
    """It is said what differs, and the journal is let go of."""
    disk = SimulatedDisk()
    open_session(drawn_setup(2, commands=[]), disk).close()
    other = drawn_setup(2, commands=[], fee_bps=77.0)
    with pytest.raises(JournalError, match=r"was begun with execution = .*fee_bps"):
        open_session(other, disk)
    open_session(drawn_setup(2, commands=[]), disk).close()


def test_a_run_goes_on_with_the_funding_that_it_was_begun_with() -> None:
    """Others, or none, are another run's, also where no record is done again that would tell."""
    rates = {"X": pl.DataFrame({"timestamp": [at(8), at(16)], "rate": [0.01, -0.01]})}
    others = {"X": pl.DataFrame({"timestamp": [at(8), at(16)], "rate": [0.01, 0.01]})}
    config, disk = small_config(), SimulatedDisk()
    open_session(small_setup(config, funding=rates), disk).close()
    for funding in (others, None):
        with pytest.raises(JournalError, match="was begun with funding = "):
            open_session(small_setup(config, funding=funding), disk)
    open_session(small_setup(config, funding=rates), disk).close()


def test_two_runs_do_not_write_one_journal() -> None:
    """The second one is told that it is held."""
    setup, disk = drawn_setup(2), SimulatedDisk()
    session = open_session(setup, disk)
    with pytest.raises(HeldError, match="another process"):
        open_session(setup, disk)
    session.close()


def test_a_journal_that_says_something_else_is_not_believed() -> None:
    """What was decided by other bars is told by its first record that differs, with both sides."""
    setup, disk = drawn_setup(2), SimulatedDisk()
    session = open_session(setup, disk, block_bars=300)
    for _ in range(60):
        session.loop.step()
    instrument = setup.history.instruments[0]
    instrument.values.flags.writeable = True
    instrument.values[3, 40] *= 1.0001
    with pytest.raises(DivergedError, match='"kind":"bars"') as raised:
        open_session(setup, disk.after_kill())
    assert raised.value.written is not None and raised.value.made is not None
    assert FILES.open_segment.name in disk.names(FILES.folder)


def test_what_had_ended_before_the_start_is_told_and_never_holds() -> None:
    """A suspension of the configuration whose end is past has an expiry at the start, once, also after a kill."""
    config = small_config(initial_suspensions=[{"schedule": "fast", "until": at(-1), "reason": "over"}])
    disk = SimulatedDisk()
    for _ in range(2):
        session = open_session(small_setup(config), disk)
        for _ in range(30):
            session.loop.step()
        disk = disk.after_kill()
    told = [record for _, record in records(disk, FILES) if record["kind"] == "expiry"]
    assert [(record["at"], record["name"], record["reason"]) for record in told] == [(at_text(hour(0)), "fast", "over")]
    assert session.machine.state.suspensions == ()


@pytest.mark.parametrize("finish", [True, False])
def test_an_instant_that_was_interrupted_is_not_sealed(finish: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C amid the writing of one: nothing more is done, the journal is let go of, and the run goes on as a killed
    one does.
    """
    setup, disk = small_setup(small_config()), SimulatedDisk()
    session = open_session(setup, disk, block_bars=1)
    for _ in range(20):
        session.loop.step()
    made = Records.run

    def interrupted(self: Records, at: str, run: DueRun) -> bytes:
        if run.schedule:
            raise KeyboardInterrupt
        return made(self, at, run)

    with monkeypatch.context() as patch:
        patch.setattr(Records, "run", interrupted)
        with pytest.raises(KeyboardInterrupt):
            session.run()
    with pytest.raises(UsageError, match="stopped in the middle by KeyboardInterrupt"):
        session.loop.step()
    session.close(finish=finish)
    again = open_session(setup, disk)
    again.run()
    assert again.result().digests == vectorised(setup).digests


def test_a_session_whose_listener_raises_lets_go_of_its_journal() -> None:
    """However often it would raise: whoever is next gets the lock."""

    class Deaf:
        def event(self, *_told: object) -> None:
            raise KeyError("event")

        def instant(self, *_told: object) -> None:
            raise KeyError("instant")

        def block(self, *_told: object) -> None:
            raise KeyError("block")

    setup, disk = small_setup(small_config()), SimulatedDisk()
    session = open_session(setup, disk, listeners=[Deaf()])
    with pytest.raises(KeyError, match="instant"):
        session.run()
    session.close()
    open_session(setup, disk).close()


def test_what_is_closed_before_its_first_instant_still_tells_of_its_start() -> None:
    """No checkpoint is made there: what the start tells is yet to be written."""
    config = small_config(initial_suspensions=[{"schedule": "fast", "until": at(-1), "reason": "over"}])
    disk = SimulatedDisk()
    open_session(small_setup(config), disk).close()
    session = open_session(small_setup(config), disk)
    session.run()
    session.close()
    assert [record["kind"] for _, record in records(disk, FILES)][:2] == ["genesis", "expiry"]


@pytest.mark.parametrize("seed", range(SEEDS))
def test_interventions_before_a_restart_are_in_the_result(seed: int) -> None:
    """Those that a checkpoint lies behind, too, and those that ended on the other side of it."""
    setup, disk = drawn_setup(seed), SimulatedDisk()
    for count in (60, 110, 170):
        session = open_session(setup, disk)
        for _ in range(count):
            session.loop.step()
        session.close()
    session = open_session(setup, disk)
    session.run()
    assert session.result().interventions.equals(vectorised(setup).interventions)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_result_so_far_is_the_backtest_that_ends_there(seed: int) -> None:
    """Asked as often as one likes: it changes nothing, and stays as it was when the run goes on."""
    setup, disk = drawn_setup(seed), SimulatedDisk()
    session = open_session(setup, disk)
    with pytest.raises(UsageError, match="no bar has closed"):
        session.result()
    kept = []
    for _ in range(4):
        for _ in range(70):
            session.loop.step()
        kept.append((session.loop.now_us, session.result()))
    session.run()
    first, whole = session.result(), vectorised(setup)
    assert first.digests == session.result().digests == whole.digests
    for now_us, result in kept:
        bars = len(result.panel)
        assert bars == (whole.panel.ts_us + 3_600_000_000 <= now_us).sum()
        np.testing.assert_array_equal(result.equity_values, whole.equity_values[:bars])
        assert result.fills.equals(whole.fills.head(len(result.fills)))
        assert result.decisions.equals(whole.decisions.filter(pl.col("due_time").to_physical() <= now_us))
        assert result.capital_weights.equals(whole.capital_weights.head(len(result.capital_weights)))
        assert result.tables.keys() == whole.tables.keys()
        ended = simulate(result.setup)
        assert ended.equity_values[-1] == result.final_equity


@pytest.mark.parametrize("sealed", [True, False])
def test_a_run_goes_on_with_the_commands_that_it_was_started_with(sealed: bool) -> None:
    """Those that are still to come may be others; those that were done may not, and none may come too late."""
    first, later = SuspendSchedule(at=at(5), schedule="fast", reason="a"), Halt(at=at(30))
    config, disk = small_config(), SimulatedDisk()
    session = open_session(small_setup(config, commands=[first, later]), disk, block_bars=1)
    session.loop.next_us()
    while session.loop.now_us < hour(20):
        session.loop.step()
    if sealed:
        session.close()
    else:
        disk = disk.after_kill()
    early = SuspendSchedule(at=at(1), schedule="slow")
    for commands, text in [
        ([early, first, later], "command 1 of those .*slow"),
        ([], "here it is none"),
        ([first, Resume(at=at(12)), later], "the run is past .*resume"),
    ]:
        with pytest.raises(JournalError, match=text):
            open_session(small_setup(config, commands=commands), disk)
    session = open_session(small_setup(config, commands=[first, Reduce(at=at(25))]), disk)
    session.run()
    session.close()
    told = [record["command"]["command"] for _, record in records(disk, FILES) if record["kind"] == "command"]
    assert told == ["suspend_schedule", "reduce"]
