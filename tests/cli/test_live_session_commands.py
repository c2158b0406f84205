"""`barstep replay --from-journal` and `barstep verify parity --live` on a live session, as they are typed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS / "replay" / "live"), str(TESTS / "replay"), str(TESTS / "engine")]

from barstep.engine.scheduler.live_setup import plan_live  # noqa: E402
from recorded_world import dearer, go_on, put_down  # noqa: E402
from world import World  # noqa: E402

Run = Callable[..., Any]


def laid_down(folder: Path, **how: Any) -> tuple[str, ...]:
    """A session's files in a working folder; the words that name its configuration."""
    world = World(3)
    config = folder / "core.yaml"
    config.write_text(yaml.safe_dump(msgspec.to_builtins(world.plan.config), sort_keys=False))
    world.plan = world.kept.plan = plan_live(config, "e", "s")
    go_on(world, **how)
    _, recording = put_down(world, folder / "logs")
    kept = folder / "var" / "recordings" / "e" / f"{'ab' * 16}.bars"
    kept.parent.mkdir(parents=True)
    recording.rename(kept)
    return "--config", str(config)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_live_session_is_done_again(barstep: Run, place: Path) -> None:
    """Its bars are found where the live loop keeps them; another policy is compared, and says how it fills."""
    words = ("replay", *laid_down(place), "--from-journal", "logs/e.jsonl")
    assert "PASS: " in barstep(*words).out
    told = json.loads(barstep(*words, "--json").out)
    assert told["same"] and told["records_compared"] > 1_000
    (place / "policy.yaml").write_text("equal_weight\n")
    other = barstep(*words, "--what-if", "policy.yaml")
    assert other.code == 0 and "fills are modelled at the recorded opens" in other.out


def test_its_drivers_are_compared(barstep: Run, place: Path) -> None:
    """A digest for each, and PASS; where the venue has filled otherwise it says so."""
    words = ("verify", "parity", *laid_down(place), "--live", "logs/e.jsonl")
    ran = barstep(*words)
    assert ran.code == 0 and ran.out.endswith("PASS: the same bits\n")
    document = json.loads(barstep(*words, "--json").out)
    assert document["holds"] and document["exact"]
    assert list(document["digests"]) == ["vectorised", "replayed", "live", "live, again"]


def test_a_venue_that_fills_otherwise_is_said(barstep: Run, place: Path) -> None:
    """The session is held against itself."""
    ran = barstep("verify", "parity", *laid_down(place, told=dearer), "--live", "logs/e.jsonl")
    assert ran.code == 0
    assert "has filled otherwise than a backtest does" in ran.out


def test_what_does_not_go_together_is_refused(barstep: Run, place: Path) -> None:
    """A recording without its session, a session with another start."""
    assert "--recording: needs --from-journal" in barstep("replay", "--recording", "run.bars").err
    assert "--recording: needs --live" in barstep("verify", "parity", "--recording", "run.bars").err
    assert "leave --start out" in barstep("verify", "parity", "--live", "e.jsonl", "--start", "2024-01-01").err
