"""Replaying from Python."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import barstep as bs
import pytest
from barstep.engine.scheduler.backtest import set_up_scheduler
from barstep.errors import DataError, JournalError
from barstep.replay.clock import SimulatedClock
from barstep.replay.key_files import KeyFolder
from barstep.replay.replaying import open_session, own_keys, replay, run_session

CORE = Path(__file__).parents[2] / "config" / "core.yaml"
END = "2023-01-21"


@pytest.fixture(scope="module")
def digests() -> dict[str, str]:
    """Those of the backtest."""
    return bs.backtest_scheduler(CORE, "core_multi", end=END).digests


def test_a_replay_is_the_backtest(digests: dict[str, str]) -> None:
    """At full speed, told of its progress; the room has the name of what it does, and can be called."""
    done: list[tuple[int, int]] = []
    assert bs.replay(CORE, "core_multi", end=END, progress=lambda *bars: done.append(bars)).digests == digests
    assert done[-1] == (480, 480)


def test_a_pace_changes_nothing_but_the_clock(digests: dict[str, str]) -> None:
    """Twenty days at 60 times the clock take eight hours of it."""
    clock = SimulatedClock()
    assert replay(CORE, "core_multi", end=END, speed=60.0, clock=clock).digests == digests
    assert clock.monotonic_us() == 20 * 86_400_000_000 // 60


def test_a_journal_is_gone_on_with(tmp_path: Path, digests: dict[str, str]) -> None:
    """Stopped in between and called again: the result is the whole run's; called a third time it is there at once."""
    keys, folder = tmp_path / "keys", tmp_path / "journal"
    KeyFolder(keys).init()
    setup, clock = set_up_scheduler(CORE, "core_multi", end=END), SimulatedClock()
    session = open_session(setup, folder, keys, clock, block_bars=7)
    assert not run_session(session, should_stop=lambda: session.loop.next_bar > 100)
    session.close()
    for _ in range(2):
        assert replay(CORE, "core_multi", end=END, journal=folder, keys=keys).digests == digests
    with pytest.raises(JournalError, match="was begun with end"):
        replay(CORE, "core_multi", end="2023-02-01", journal=folder, keys=keys)


def test_another_journal_wants_keys_of_its_own(tmp_path: Path, digests: dict[str, str]) -> None:
    """With those of the first one it is not begun, and the first one goes on."""
    keys = tmp_path / "keys"
    KeyFolder(keys).init()
    replay(CORE, "core_multi", end=END, journal=tmp_path / "one", keys=keys)
    with pytest.raises(JournalError, match="these keys sign journal"):
        replay(CORE, "core_multi", end=END, journal=tmp_path / "two", keys=keys)
    assert not (tmp_path / "two").exists()
    assert replay(CORE, "core_multi", end=END, journal=tmp_path / "one", keys=keys).digests == digests


def test_without_keys_nothing_is_written(tmp_path: Path) -> None:
    """It says how to make them."""
    with pytest.raises(DataError, match="barstep keys init"):
        replay(CORE, "core_multi", end=END, journal=tmp_path / "journal", keys=tmp_path / "demo")
    assert not (tmp_path / "journal" / "demo.jsonl").exists()


def test_a_demonstration_makes_its_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys and a token in `secrets/` under the working folder, once; an environment of another type makes none."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CORE_SCHEDULER_TOKEN", raising=False)
    made: list[Path] = []
    setup = set_up_scheduler(CORE, "core_multi", end="2023-01-03")
    assert own_keys(setup, made.append) == Path("secrets/journal/demo")
    assert [path.name for path in made] == ["root.key", "epoch.key", "scheduler-local.token"]
    assert own_keys(setup, made.append) and len(made) == 3
    with pytest.raises(JournalError, match="does not start without its own keys"):
        own_keys(replace(setup, environment="binance_paper"))
