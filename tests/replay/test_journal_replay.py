"""A session done again from its journal, and with another policy."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import barstep as bs
import polars as pl
import pytest
from barstep.config.commands import DisableStrategy, SetCapitalPolicy, SetSignalLimit, SuspendTag, UseFeed
from barstep.engine.configured import load_core_config
from barstep.engine.scheduler.backtest import set_up_scheduler
from barstep.errors import ConfigError, DataError, JournalError
from barstep.replay.journal_replay import replay_journal
from barstep.replay.session import Session
from barstep.replay.what_if import what_if
from journal_making import LOG, NOW_US, DiskKeys
from simulated_disk import SimulatedDisk

CORE = Path(__file__).parents[2] / "config" / "core.yaml"
NIGHT = [
    SuspendTag(at=datetime(2023, 1, 10, 21, 40, tzinfo=UTC), tag="trend", reason="thin", duration_seconds=28_800.0),
    SetSignalLimit(at=datetime(2023, 1, 10, 22, tzinfo=UTC), strategy="grid_engine", profile="aggressive", limit=1),
    SetCapitalPolicy(at=datetime(2023, 1, 11, 3, tzinfo=UTC), policy="equal_weight"),
    DisableStrategy(at=datetime(2023, 1, 12, tzinfo=UTC), strategy="mean_reversion", reason="odd", flatten=True),
]


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The journal of three weeks with an operator's night in it."""
    folder = tmp_path_factory.mktemp("journal")
    setup = set_up_scheduler(CORE, "core_multi", end="2023-01-21", commands=NIGHT)
    session = Session.open(setup, folder, DiskKeys(SimulatedDisk()), log_id=LOG, now_us=NOW_US)
    session.run()
    session.close()
    return folder / "demo.jsonl"


def test_a_night_is_done_again_to_the_same_decisions(journal: Path) -> None:
    """Suspension, limit, policy and disabling come from the journal; every record comes out as it was written."""
    done: list[tuple[int, int]] = []
    again = replay_journal(journal, CORE, lambda *bars: done.append(bars))
    assert again.diverged is None
    assert [given.command for given in again.commands] == NIGHT
    assert again.compared > 2_000
    assert done[-1] == (480, 480)


def test_feeds_that_were_chosen_are_done_again(tmp_path: Path) -> None:
    """The journal has the words, and each change of feed with its reason."""
    words = [
        UseFeed(at=datetime(2023, 1, 3, 2, tzinfo=UTC), feed="fallback", instrument="ETHUSDT"),
        UseFeed(at=datetime(2023, 1, 5, tzinfo=UTC), feed="primary"),
    ]
    setup = set_up_scheduler(CORE, "core_multi", end="2023-01-08", commands=words)
    session = Session.open(setup, tmp_path, DiskKeys(SimulatedDisk()), log_id=LOG, now_us=NOW_US)
    session.run()
    session.close()
    written = [
        json.loads(line) for path in sorted(tmp_path.glob("demo*.jsonl")) for line in path.read_text().splitlines()
    ]
    told = [(one["at"], one["change"], one["reason"]) for one in written if one["kind"] == "feed"]
    assert sorted(told) == [
        ("2023-01-03T02:00:00.000000Z", "fallback", "commanded"),
        ("2023-01-05T00:00:00.000000Z", "primary", "commanded"),
    ]
    again = replay_journal(tmp_path / "demo.jsonl", CORE)
    assert again.diverged is None
    assert [given.command for given in again.commands] == words
    assert again.setup.feed_changes == setup.feed_changes


def test_an_edited_decision_is_found(journal: Path, tmp_path: Path) -> None:
    """The first record that does not come out so is told, with what does."""
    folder = tmp_path / "edited"
    shutil.copytree(journal.parent, folder)
    segment = next(path for path in sorted(folder.glob("demo.0*.jsonl")))
    lines = segment.read_bytes().split(b"\n")
    place = next(k for k, line in enumerate(lines) if b'"kind":"decision"' in line and b'"side":1' in line)
    lines[place] = lines[place].replace(b'"side":1', b'"side":-1', 1)
    segment.write_bytes(b"\n".join(lines))
    again = replay_journal(folder / "demo.jsonl", CORE)
    assert again.diverged is not None
    assert again.diverged.written is not None and b'"side":-1' in again.diverged.written
    assert again.diverged.made == again.diverged.written.replace(b'"side":-1', b'"side":1', 1)


def test_a_session_that_was_cut_off_is_done_again_as_far_as_it_went(journal: Path, tmp_path: Path) -> None:
    """A journal that ends in the middle of an instant is no other run."""
    folder = tmp_path / "cut"
    shutil.copytree(journal.parent, folder)
    segment = sorted(folder.glob("demo.0*.jsonl"))[-1]
    lines = segment.read_bytes().split(b"\n")
    (folder / "demo.jsonl").write_bytes(b"\n".join(lines[: len(lines) // 2]) + b"\n")
    segment.unlink()
    again = replay_journal(folder / "demo.jsonl", CORE)
    assert again.diverged is None
    assert 0 < again.compared < len(lines) // 2


def test_another_policy_is_another_run_over_the_same_bars(journal: Path, tmp_path: Path) -> None:
    """Both are backtests with the night's commands; a command that sets a policy is left out of the other one."""
    path = tmp_path / "policy.yaml"
    path.write_text("capital_policy: {name: fixed_weight, weights: {trend_schedule: 0.5, grid_schedule: 0.5}}\n")
    found = what_if(journal, CORE, path)
    actual = bs.backtest_scheduler(CORE, "core_multi", end="2023-01-21", commands=NIGHT)
    assert found.actual.digests == actual.digests
    weights = {row["schedule"]: row for row in found.weights().to_dicts()}
    assert weights["arbitrage_schedule"]["last_other"] == 0.0 < weights["arbitrage_schedule"]["last_actual"]
    assert weights["grid_schedule"]["other"] > weights["grid_schedule"]["actual"]
    equity = found.metrics().to_dicts()[0]
    assert equity["metric"] == "final_equity"
    assert equity["difference"] == equity["other"] - equity["actual"] != 0.0
    counts = found.decisions()
    assert counts["accepted_actual"].sum() == actual.signals["accepted"]
    assert found.to_dict()["digests"]["actual"] == actual.digests


def test_the_same_policy_makes_no_difference(tmp_path: Path) -> None:
    """Where nobody changed it, the session's own policy gives the session."""
    setup = set_up_scheduler(CORE, "core_multi", end="2023-01-11")
    session = Session.open(setup, tmp_path, DiskKeys(SimulatedDisk()), log_id=LOG, now_us=NOW_US)
    session.run()
    session.close()
    path = tmp_path / "policy.yaml"
    path.write_text(
        "{name: risk_profile, profiles: {balanced: 0.6, aggressive: 0.4}, within_profile: signal_strength, "
        "profile_floor: 0.1}\n"
    )
    found = what_if(tmp_path / "demo.jsonl", CORE, path)
    assert found.actual.digests == found.other.digests
    assert set(found.metrics()["difference"]) == {0.0}


def test_what_cannot_be_done_again_is_said(journal: Path, tmp_path: Path) -> None:
    """No journal, another configuration, a policy that names what is not there: each in its own words."""
    with pytest.raises(DataError, match="no such journal"):
        replay_journal(tmp_path / "demo.jsonl", CORE)
    with pytest.raises(DataError, match=r"core\.yaml: no such journal"):
        replay_journal(CORE, CORE)
    changed = tmp_path / "core.yaml"
    changed.write_text(CORE.read_text().replace("max_drawdown_pct: 20", "max_drawdown_pct: 21"))
    with pytest.raises(JournalError, match="was made with the configuration"):
        replay_journal(journal, changed)
    policy = tmp_path / "policy.yaml"
    policy.write_text("{name: fixed_weight, weights: {trend_shedule: 1.0}}\n")
    with pytest.raises(ConfigError, match=r"policy\.yaml.*trend_schedule"):
        what_if(journal, load_core_config(CORE), policy)


def test_funding_is_asked_for_where_it_was_given(tmp_path: Path) -> None:
    """A session that paid it is not taken for another one that did not."""
    begin, end = datetime(2023, 1, 1, tzinfo=UTC), "2023-01-03"
    name = set_up_scheduler(CORE, "core_multi", end=end).instruments[0]
    funding = {name: pl.DataFrame({"timestamp": [begin + timedelta(hours=8)], "rate": [0.01]})}
    setup = set_up_scheduler(CORE, "core_multi", end=end, funding=funding)
    session = Session.open(setup, tmp_path / "j", DiskKeys(SimulatedDisk()), log_id=LOG, now_us=NOW_US)
    session.run()
    session.close()
    with pytest.raises(JournalError, match=rf"funding of {name}; here it is of nothing"):
        replay_journal(tmp_path / "j" / "demo.jsonl", CORE)
    assert replay_journal(tmp_path / "j" / "demo.jsonl", CORE, funding=funding).diverged is None
