"""A live session done again from its journal and its recording."""

from __future__ import annotations

from pathlib import Path

import pytest
from barstep.engine.scheduler.backtest import set_up_scheduler
from barstep.errors import DataError, JournalError, UsageError
from barstep.replay.journal_replay import replay_journal
from barstep.replay.session import Session
from barstep.replay.what_if import what_if
from journal_making import LOG, NOW_US, DiskKeys
from recorded_world import as_journal, dearer, go_on, put_down
from simulated_disk import SimulatedDisk
from world import World

CORE = Path(__file__).parents[3] / "config" / "core.yaml"


@pytest.mark.parametrize("seed", [1, 2])
def test_every_record_comes_out_as_it_was_written(seed: int) -> None:
    """Orders, what the venue told, decisions and fills: all of them, from the first to the last."""
    world = World(seed)
    go_on(world)
    session = as_journal(world)
    ledger = session.compare()
    assert session.do_again(ledger) is None
    assert ledger.compared > 1_000
    assert not ledger.is_behind


def test_a_venue_that_fills_otherwise_is_done_again_too() -> None:
    """What it told is taken from the journal."""
    world = World(1)
    go_on(world, told=dearer)
    session = as_journal(world)
    ledger = session.compare()
    assert session.do_again(ledger) is None
    assert ledger.compared > 1_000


def test_a_journal_of_several_segments_is_done_again_as_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Through the checkpoints amid it, and a restart, from the genesis record on."""
    monkeypatch.setattr("barstep.replay.journal.writer.SEGMENT_RECORDS", 300)
    world = World(2)
    go_on(world, messages=900).close()
    go_on(world).close()
    journal, recording = put_down(world, tmp_path)
    assert len(list(tmp_path.glob("e.0*.jsonl"))) > 3
    again = replay_journal(journal, world.plan.config, recording=recording)
    assert again.diverged is None
    assert again.compared > 1_000


def test_an_edited_record_is_found_with_both_sides(tmp_path: Path) -> None:
    """The first that does not come out so is told, with what does."""
    world = World(1)
    go_on(world)
    journal, recording = put_down(world, tmp_path)
    lines = journal.read_bytes().split(b"\n")
    place = next(k for k, line in enumerate(lines) if b'"kind":"decision"' in line and b'"side":1' in line)
    lines[place] = lines[place].replace(b'"side":1', b'"side":-1', 1)
    journal.write_bytes(b"\n".join(lines))
    again = replay_journal(journal, world.plan.config, recording=recording)
    assert again.diverged is not None
    assert again.diverged.written is not None and again.diverged.made is not None
    assert again.diverged.made == again.diverged.written.replace(b'"side":-1', b'"side":1', 1)


def test_a_bar_that_was_recorded_otherwise_is_found(tmp_path: Path) -> None:
    """The digest of the bars that closed is another one."""
    world = World(1)
    go_on(world)
    journal, recording = put_down(world, tmp_path)
    data = bytearray(recording.read_bytes())
    data[-8] ^= 1  # of the last bar's volume
    recording.write_bytes(bytes(data))
    again = replay_journal(journal, world.plan.config, recording=recording)
    assert again.diverged is not None and again.diverged.written is not None
    assert again.diverged.written.startswith(b'"kind":"bars"')


def test_another_policy_is_run_over_the_recorded_bars(tmp_path: Path) -> None:
    """The session's own side is what it was, where its venue fills as a backtest; the other differs from it."""
    world = World(9)
    session = go_on(world)
    journal, recording = put_down(world, tmp_path)
    policy = tmp_path / "policy.yaml"
    policy.write_text("equal_weight\n")
    found = what_if(journal, world.plan.config, policy, recording=recording)
    assert found.of_live
    assert found.to_dict()["fills"] == "modelled at the recorded opens, in both"
    marked = session.machine.curve[len(found.actual.equity_values) - 1]
    assert found.actual.equity_values[-1] == marked
    assert found.actual.digests != found.other.digests


def test_what_is_missing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No recording, one of other instruments, one that is cut short."""
    monkeypatch.chdir(tmp_path)
    world, other = World(1), World(2)
    go_on(world)
    journal, recording = put_down(world, tmp_path / "one")
    with pytest.raises(DataError, match=r"no recording of this session's bars here.*--recording"):
        replay_journal(journal, world.plan.config)
    _, others = put_down(other, tmp_path / "other")
    with pytest.raises(JournalError, match="the journal's session had"):
        replay_journal(journal, world.plan.config, recording=others)
    recording.write_bytes(recording.read_bytes()[:-56_000])
    with pytest.raises(JournalError, match="in the journal bars closed at"):
        replay_journal(journal, world.plan.config, recording=recording)
    recording.write_bytes(b"timestamp,close\n")
    with pytest.raises(DataError, match="is no recording"):
        replay_journal(journal, world.plan.config, recording=recording)


def test_a_recording_is_for_live_sessions(tmp_path: Path) -> None:
    """The journal of a replay reads its bars elsewhere."""
    setup = set_up_scheduler(CORE, "core_multi", end="2023-01-03")
    Session.open(setup, tmp_path, DiskKeys(SimulatedDisk()), log_id=LOG, now_us=NOW_US).close()
    with pytest.raises(UsageError, match="is the journal of a replay"):
        replay_journal(tmp_path / "demo.jsonl", CORE, recording=tmp_path / "run.bars")
