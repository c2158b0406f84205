"""`barstep replay` as it is typed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import barstep as bs
import pytest
from barstep.replay.clock import SystemClock
from barstep.replay.key_files import KeyFolder
from barstep.replay.session import Session

CORE = Path(__file__).parents[2] / "config" / "core.yaml"
END = "2023-01-21"
Run = Callable[..., Any]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with keys for the demo."""
    monkeypatch.chdir(tmp_path)
    KeyFolder(tmp_path / "secrets/journal/demo").init()
    return tmp_path


def test_it_prints_what_a_backtest_prints(barstep: Run) -> None:
    """Line by line; as JSON too, digests included."""
    words = ("--config", CORE, "--end", END)
    assert barstep("replay", *words).out == barstep("backtest", *words, "--scheduler", "core_multi").out
    document = json.loads(barstep("replay", *words, "--json").out)
    assert document["digests"] == bs.backtest_scheduler(CORE, "core_multi", end=END).digests


def test_a_journal_is_written_gone_on_with_and_done_again(barstep: Run, place: Path) -> None:
    """The same command twice does nothing twice; what is done again is the same; another policy is compared."""
    words = ("replay", "--config", CORE, "--end", END, "--journal", "audit/decision_logs")
    first, second = barstep(*words), barstep(*words)
    assert (first.code, second.code) == (0, 0)
    assert first.out == second.out
    journal = place / "audit/decision_logs/demo.jsonl"
    again = barstep("replay", "--config", CORE, "--from-journal", journal)
    assert again.code == 0 and "PASS: " in again.out
    told = json.loads(barstep("replay", "--config", CORE, "--from-journal", journal, "--json").out)
    assert told["same"] and told["records_compared"] > 2_000 and told["diverged"] is None
    (place / "policy.yaml").write_text("equal_weight\n")
    other = barstep("replay", "--config", CORE, "--from-journal", journal, "--what-if", "policy.yaml")
    assert other.code == 0
    assert "weight of" in other.out and "final_equity" in other.out
    document = json.loads(
        barstep("replay", "--config", CORE, "--from-journal", journal, "--what-if", "policy.yaml", "--json").out
    )
    assert document["digests"]["actual"] != document["digests"]["other"]


def test_a_journal_that_was_edited_is_told(barstep: Run, place: Path) -> None:
    """Exit code 1, and the record that does not come out so."""
    barstep("replay", "--config", CORE, "--end", END, "--journal", "logs")
    segment = sorted((place / "logs").glob("demo.0*.jsonl"))[0]
    edited = segment.read_bytes().replace(b'"side":1,', b'"side":0,', 1)
    segment.write_bytes(edited)
    again = barstep("replay", "--config", CORE, "--from-journal", "logs/demo.jsonl")
    assert again.code == 1
    assert "FAIL: after" in again.out and '"side":0' in again.out


def test_piped_it_prints_lines(barstep: Run) -> None:
    """Where the run is, now and then and at the end, and each event."""
    ran = barstep("replay", "--config", CORE, "--end", "2023-01-03", "--speed", "1e9x")
    assert ran.out.splitlines()[0].startswith("2023-01-01T00:00Z core_multi: 0 of 48 bars, running, ")
    assert any(
        line.startswith("2023-01-03T00:00Z core_multi: 48 of 48 bars") and "lag" in line
        for line in ran.out.splitlines()
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--speed", "fast"), "60x"),
        (("--speed", "0x"), "more than 0"),
        (("--what-if", "policy.yaml"), "--from-journal"),
        (("--from-journal", "demo.jsonl", "--speed", "60x"), "--speed"),
        (("--from-journal", "demo.jsonl", "--keys-folder", "keys"), "leave --keys-folder out"),
        (("--keys-folder", "keys"), "--keys-folder: needs --journal"),
        (("--scheduler", "core_mutli"), "core_multi"),
        (("--start", "yesterday"), "--start"),
        (("--set", "fee_bsp=1"), "fee_bps"),
    ],
)
def test_wrong_use_is_one_line_and_exits_with_2(barstep: Run, words: tuple[str, ...], told: str) -> None:
    """It says what is allowed, or the near name."""
    ran = barstep("replay", "--config", CORE, "--end", END, *words)
    if "--from-journal" in words:
        ran = barstep("replay", "--config", CORE, *words)
    assert ran.code == 2
    assert ran.err.count("error: ") == 1 and told in ran.err


@pytest.mark.parametrize(
    ("signals", "code"),
    [([signal.SIGINT], 130), ([signal.SIGTERM], 0), ([signal.SIGTERM, signal.SIGTERM, signal.SIGINT], 0)],
)
def test_interrupted_it_finishes_the_bar_and_the_same_command_goes_on(
    signals: list[int], code: int, barstep: Run, place: Path
) -> None:
    """Its exit code and a sealed journal, however often it is told; then the rest of the run, the same in the end."""
    words = ["replay", "--config", str(CORE), "--end", END, "--journal", "logs"]
    command = [sys.executable, "-m", "barstep", *words, "--speed", "40000x"]
    clock, journal = SystemClock(), place / "logs" / "demo.jsonl"
    deadline = clock.monotonic_us() + 60_000_000
    with subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        while clock.monotonic_us() < deadline and (not journal.exists() or journal.stat().st_size < 10_000):
            clock.sleep_us(50_000)
        for each in signals:
            running.send_signal(each)
        _, told = running.communicate(timeout=60)
    assert running.returncode == code, told
    assert b"stopped at 2023-01-0" in told and b"goes on from there" in told
    assert (place / "logs" / "demo.000000000000.jsonl").exists()
    document = json.loads(barstep(*words, "--json").out)
    assert document["digests"] == bs.backtest_scheduler(CORE, "core_multi", end=END).digests


def test_what_comes_while_the_journal_is_sealed_waits_until_it_is(
    barstep: Run, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that had finished by then has finished."""
    close = Session.close

    def told_once_more(self: Session, *, finish: bool = True) -> None:
        signal.raise_signal(signal.SIGINT)
        close(self, finish=finish)

    monkeypatch.setattr(Session, "close", told_once_more)
    done = barstep("replay", "--config", str(CORE), "--end", END, "--journal", "logs", "--json")
    assert json.loads(done.out)["scheduler"] == "core_multi"
    assert (place / "logs" / "demo.000000000000.jsonl").exists()
