"""A running loop managed from another terminal, and how it ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from barstep.replay.authorization import token_sha384
from barstep.replay.channel.client import ChannelClient
from barstep.replay.control.verbs import STREAM
from barstep.replay.control.wire import Question, encode
from scheduler_folder import CLOCK, JOURNAL, PLACE, loop, records, wait_for

Run = Callable[..., Any]
pytestmark = pytest.mark.usefixtures("scheduler_folder")
FAST = ("--speed", "36000x")
LONGEST_END_US = 5_000_000


def ended(running: subprocess.Popen[bytes], *signals: int) -> tuple[int, int, str]:
    """Exit code, microseconds that it took, and what was told."""
    began = CLOCK.monotonic_us()
    for each in signals:
        running.send_signal(each)
        CLOCK.sleep_us(200_000)  # so that a second one meets it in the middle of its end
    out, err = running.communicate(timeout=60)
    return running.returncode, CLOCK.monotonic_us() - began, (out + err).decode()


def test_it_is_managed_from_another_terminal(barstep: Run) -> None:
    """Every kind of request by --connect; the journal names the token, and nobody else gets at it."""
    with loop(*FAST) as running:
        assert PLACE.stat().st_mode & 0o777 == 0o600
        asked = ("scheduler", "run", "--connect")
        held = barstep(
            *asked, "--suspend-tag", "trend", "--suspension-reason", "news", "--suspension-duration", "400d",
            "--set-signal-limit", "grid_engine:aggressive=1", "--disable-strategy", "volatility_target",
            "--list-suspensions", "--export-schedules", "s.json",
        )  # fmt: skip
        assert held.code == 0, held.err
        assert "  tag  trend  (reason=news, until=2024-" in held.out and "remaining=399d " in held.out
        by_name = {one["schedule"]: one for one in json.loads(Path("s.json").read_text())}
        assert by_name["volatility_schedule"]["disabled"] and by_name["grid_schedule"]["signal_limit"] == 1
        for words in (("--list-schedules",), ("--suspend-tag", "mean")):
            busy = barstep("scheduler", "run", *words)
            assert busy.code == 6 and "add --connect" in busy.err
        note = ("decision-log", "summary", "--append", "--message", "seen", "--status", "acknowledged")
        assert "add --connect" in barstep(*note).err
        assert "wrote note" in barstep(*note, "--connect").out
        address = json.loads(PLACE.read_text())["address"]
        assert barstep("halt", "--reason", "fire", "--connect", address).out == "demo: halted (fire)\n"
        wrong = barstep(*asked, "--resume-tag", "trend", "--resume-schedule", "trnd_alpha")
        assert wrong.code == 2 and "Did you mean 'trend_alpha'?" in wrong.err
        assert "suspensions: 1" in barstep(*asked, "--list-suspensions").out
        code, took_us, told = ended(running, signal.SIGTERM)
    assert (code, took_us < LONGEST_END_US) == (0, True), told
    assert "manage it with --connect grpc://127.0.0.1:" in told and "stopped; 2023-" in told
    assert not PLACE.exists()
    assert {one["by"] for one in [*records("command"), *records("note")]} == {"scheduler-local"}
    assert [one["command"]["command"] for one in records("command")] == [
        "suspend_tag", "disable_strategy", "set_signal_limit", "halt",
    ]  # fmt: skip
    verdict = barstep("decision-log", "verify")
    assert verdict.code == 0, verdict.out
    gone = barstep("scheduler", "run", "--connect", "--list-suspensions")
    assert gone.code == 6 and "no loop of environment 'demo' says that it listens" in gone.err
    assert "suspensions: 1" in barstep("scheduler", "run", "--list-suspensions").out


@pytest.mark.parametrize(
    ("signals", "code"),
    [((signal.SIGTERM,), 0), ((signal.SIGTERM, signal.SIGTERM), 0), ((signal.SIGINT,), 130)],
    ids=["term", "term twice", "int"],
)
def test_a_signal_ends_it_in_order_and_the_same_command_goes_on(
    barstep: Run, signals: tuple[int, ...], code: int
) -> None:
    """Its exit code within five seconds, a sealed journal that verifies, and a start behind its end."""
    with loop(*FAST) as running:
        wait_for(lambda: JOURNAL.exists() and JOURNAL.stat().st_size > 20_000)
        found, took_us, told = ended(running, *signals)
        assert (found, took_us < LONGEST_END_US) == (code, True), told
    assert len(list(JOURNAL.parent.glob("demo.0*.jsonl"))) == 1
    assert barstep("decision-log", "verify").code == 0
    document = json.loads(barstep("scheduler", "run", "--list-schedules", "--json").out)
    assert document["schedules"][0]["last_run"] is not None


def test_a_reader_that_stalls_does_not_hold_its_end_up(barstep: Run) -> None:
    """It asks and asks, and never reads."""
    with loop(*FAST) as running:
        token = Path("secrets/tokens/scheduler-local.token").read_text().strip()
        client = ChannelClient(json.loads(PLACE.read_text())["address"], token, clock=CLOCK)
        stream = client.open(STREAM)
        for number in range(1, 300):
            stream.send(encode(Question(id=number, verb="status")))
        code, took_us, told = ended(running, signal.SIGTERM)
        assert (code, took_us < LONGEST_END_US) == (0, True), told
        client.close()
    assert barstep("decision-log", "verify").code == 0


def test_it_stays_after_the_last_bar(barstep: Run) -> None:
    """All is done, and it can still be managed until it is stopped."""
    with loop("--speed", "1e9x", "--end", "2023-01-03"):

        def status() -> dict[str, Any]:
            found: dict[str, Any] = json.loads(barstep("scheduler", "top", "--once", "--json").out)
            return found

        wait_for(lambda: status()["bars_done"] == 48)
        assert barstep("reduce", "--connect", "--json").code == 0
        assert status()["mode"]["name"] == "reducing"


def test_top_shows_schedules_what_holds_and_the_mode(barstep: Run) -> None:
    """As text, as JSON, and line by line where it is piped."""
    with loop(*FAST, "--suspend-tag", "mean", "--suspension-reason", "review", "--run-after-management"):
        shown = barstep("scheduler", "top", "--once")
        assert shown.code == 0, shown.err
        lines = shown.out.splitlines()
        assert " core_multi in demo: running, " in lines[0] and "1 suspensions, record " in lines[0]
        row = next(line.split() for line in lines if line.startswith("  mean_reversion_schedule "))
        assert row[-2:] == ["tag", "mean"]
        assert "suspended tag mean (reason=review, until=-, remaining=-)" in lines
        assert any(line.startswith("limit trend_engine:balanced=3 (reason=-") for line in lines)
        status = json.loads(barstep("scheduler", "top", "--once", "--json").out)
        assert (status["environment"], len(status["schedules"]), status["lag_seconds"] < 5.0) == ("demo", 7, True)
        assert barstep("scheduler", "top", "--every", "never").code == 2
        command = [sys.executable, "-m", "barstep", "scheduler", "top", "--every", "0.1s"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as top:
            assert top.stdout is not None
            for _ in range(3):
                assert b"core_multi in demo: running" in top.stdout.readline()
            top.send_signal(signal.SIGINT)
            top.communicate(timeout=60)
        assert top.returncode == 130


def test_limits_of_resources_that_a_reload_brings_hold_at_once(barstep: Run) -> None:
    """As the playbook says where one is too tight; nothing else of the loop changes."""
    config = Path("config/core.yaml")
    text = config.read_text()
    (line,) = [one for one in text.splitlines() if one.strip().startswith("memory_mb:")]
    with loop(*FAST):

        def memory() -> dict[str, Any]:
            shown = barstep("scheduler", "top", "--once", "--json")
            found: dict[str, Any] = json.loads(shown.out)["resources"]["memory_mb"]
            return found

        assert memory()["status"] == "ok"
        config.write_text(text.replace(line, line.split(":")[0] + ": 1.0"))
        told = barstep("scheduler", "reload", "--connect")
        assert told.code == 0 and "  runtime.resource_limits.memory_mb" in told.out
        assert (memory()["limit"], memory()["status"]) == (1.0, "breach")


def test_a_token_that_a_reload_revokes_is_out(barstep: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop reads its own file again: at once, with the change in the journal."""
    config, desk = Path("config/core.yaml"), "d" * 64
    without = config.read_text()
    entry = f"        - id: desk\n          sha384: {token_sha384(desk)}\n          scopes: [runtime.schedule.read]\n"
    config.write_text(without.replace("      schedules:", entry + "      schedules:", 1))
    with loop(*FAST):
        monkeypatch.setenv("BARSTEP_TOKEN", desk)
        assert barstep("scheduler", "top", "--once").code == 0
        refused = barstep("resume", "--connect")
        assert refused.code == 4 and "lacks the scope runtime.schedule.write" in refused.err
        monkeypatch.delenv("BARSTEP_TOKEN")
        config.write_text(without)
        told = barstep("scheduler", "reload", "--connect")
        assert told.code == 0 and "  runtime.multi_strategy_schedulers.core_multi.rbac_tokens" in told.out
        monkeypatch.setenv("BARSTEP_TOKEN", desk)
        assert barstep("scheduler", "top", "--once").code == 4
        monkeypatch.delenv("BARSTEP_TOKEN")
        config.write_text(without.replace("max_leverage: 1.0", "max_leverage: 1.5"))
        kept = barstep("scheduler", "reload", "--connect")
        assert kept.code == 2 and "risk_profiles.balanced.max_leverage: cannot change while the loop runs" in kept.err
        config.write_text("runtime: [")
        broken = barstep("scheduler", "reload", "--connect", "--config", "other.yaml")
        assert broken.code == 2
    (note,) = [one for one in records("note") if one["category"] == "config_change"]
    assert note["by"] == "scheduler-local" and note["old_config"] != note["new_config"]
