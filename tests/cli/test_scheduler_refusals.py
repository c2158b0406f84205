"""`barstep scheduler run` typed wrongly, or by somebody who may not: one line that says what to type instead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from barstep.replay.authorization import token_sha384
from scheduler_folder import BARS, JOURNAL, records

Run = Callable[..., Any]
pytestmark = pytest.mark.usefixtures("scheduler_folder")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--set-signal-limit", "trend_engine=3"), "write STRATEGY:PROFILE=LIMIT, such as trend_engine:balanced=3"),
        (("--set-signal-limit", "trend_engine:balanced"), "write STRATEGY:PROFILE=LIMIT"),
        (("--set-signal-limit", "trend_engine:balanced=-1"), "write STRATEGY:PROFILE=LIMIT"),
        (("--set-signal-limit", "trend_engine:balanced=2.5"), "write STRATEGY:PROFILE=LIMIT"),
        (("--clear-signal-limit", "trend_engine"), "write STRATEGY:PROFILE, such as trend_engine:balanced"),
        (("--clear-signal-limit", "trend_engine:balanced=3"), "write STRATEGY:PROFILE,"),
        (("--set-signal-limit", "trend_engin:balanced=3"), "Did you mean 'trend_engine'?"),
        (("--set-signal-limit", "trend_engine:balancd=3"), "Did you mean 'balanced'?"),
        (("--suspend-schedule", "trend_alhpa"), "Did you mean 'trend_alpha'?"),
        (("--resume-schedule", "trend_alhpa"), "Did you mean 'trend_alpha'?"),
        (("--suspend-tag", "future"), "Did you mean 'futures'?"),
        (("--resume-tag", "future"), "Did you mean 'futures'?"),
        (("--disable-strategy", "grid_engin"), "Did you mean 'grid_engine'?"),
        (("--enable-strategy", "grid_engin"), "Did you mean 'grid_engine'?"),
        (("--environment", "dmo", "--list-schedules"), "Did you mean 'demo'?"),
        (("--scheduler", "core_mutli", "--list-schedules"), "Did you mean 'core_multi'?"),
        (("--list-suspension",), "--list-suspensions"),
        (("--suspension-until", "2030-01-01T00:00:00Z"), "only with --suspend-schedule or --suspend-tag"),
        (("--suspension-reason", "x", "--list-schedules"), "only with --suspend-schedule or --suspend-tag"),
        (("--disable-strategy", "grid_engine", "--suspension-duration", "1h"), "--suspension-duration: only with"),
        (("--signal-limit-reason", "x"), "only with --set-signal-limit"),
        (("--signal-limit-duration", "1h", "--clear-signal-limit", "a:b"), "only with --set-signal-limit"),
        (("--suspend-tag", "mean", "--suspension-duration", "30x"), "--suspension-duration: '30x' is no duration"),
        (("--suspend-tag", "mean", "--suspension-duration", "-5"), "is no duration"),
        (("--suspend-tag", "mean", "--suspension-until", "tomorrow"), "--suspension-until: 'tomorrow' is no instant"),
        (("--suspend-tag", "mean", "--suspension-until", "2030-01-01T00:00:00"), "names no zone"),
        (("--suspend-tag", "mean", "--suspension-until", "2001-01-01T00:00:00Z"), "must be after 'at'"),
        (("--suspend-tag", "mean", "--suspension-until", "2030-01-01T00:00Z", "--suspension-duration", "1h"),
         "--suspension-until and --suspension-duration: give one"),
        (("--set-allocation-interval", "often"), "--set-allocation-interval: 'often' is no duration"),
        (("--skip-policy-rebalance",), "--skip-policy-rebalance: only with --set-capital-policy PATH"),
        (("--apply-policy-interval",), "--apply-policy-interval: only with --set-capital-policy PATH"),
        (("--set-capital-policy", "absent.yaml"), "absent.yaml: no such file"),
        (("--set-capital-policy", "wrong.yaml"), "Did you mean 'equal_weight'"),
        (("--run-once", "--run-forever"), "--run-once and --run-forever: give one of them"),
        (("--run-once", "--list-schedules"), "add --run-after-management"),
        (("--run-once", "--speed", "60x"), "--speed: only with --run-forever"),
        (("--speed", "fast"), "such as 60x"),
        (("--use-feed", "other"), "'primary', 'fallback'"),
        (("--use-feed", "fallback"), "--commands FILE"),
        (("--listen", "4000"), "write HOST:PORT"),
        (("--listen", "127.0.0.1:0", "--run-once"), "--listen: only with --run-forever"),
        (("--start", "yesterday", "--run-once"), "--start"),
        (("--connect", "--run-once", "--list-schedules"), "--connect and --run-once"),
        (("--connect",), "say what to change or list"),
        (("--connect", "not an address", "--list-schedules"), "address"),
    ],
)  # fmt: skip
def test_wrong_use_says_what_to_type_and_changes_nothing(barstep: Run, words: tuple[str, ...], told: str) -> None:
    """Exit code 2 and one line; no command is in the journal, also not the good one beside the wrong one."""
    Path("wrong.yaml").write_text("equal_weigth\n")
    beside = () if "--connect" in words or "--run-once" in words else ("--suspend-schedule", "trend_schedule")
    timed = any(word.startswith("--suspension") for word in words) and not any("--suspend-" in word for word in words)
    alone = {"--list-schedules", "--list-suspension", "--speed", "--listen"} & {*words}
    bars = () if "--connect" in words else BARS
    done = barstep("scheduler", "run", *bars, *(() if timed or alone else beside), *words)
    assert done.code == 2, done.err
    assert told in done.err
    assert done.err.splitlines()[-1].startswith("error: ") and done.out == ""
    assert not JOURNAL.exists() or records("command") == []


def test_whoever_has_no_token_changes_nothing(barstep: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown one and one that may only read exit with 4; --token-file presents another."""
    monkeypatch.setenv("BARSTEP_TOKEN", "f" * 64)
    refused = barstep("scheduler", "run", *BARS, "--suspend-tag", "mean")
    assert (refused.code, "none of scheduler 'core_multi'" in refused.err) == (4, True)
    assert not JOURNAL.exists()
    reader = "e" * 64
    text = Path("config/core.yaml").read_text()
    entry = f"        - id: desk\n          sha384: {token_sha384(reader)}\n          scopes: [runtime.schedule.read]\n"
    Path("config/core.yaml").write_text(text.replace("      schedules:", entry + "      schedules:", 1))
    monkeypatch.setenv("BARSTEP_TOKEN", reader)
    refused = barstep("scheduler", "run", *BARS, "--suspend-tag", "mean")
    assert refused.code == 4 and "token 'desk' of scheduler 'core_multi' lacks the scope" in refused.err
    words = ("--suspend-tag", "mean", "--token-file", "secrets/tokens/scheduler-local.token")
    assert barstep("scheduler", "run", *BARS, *words).code == 0


@pytest.mark.parametrize("environment", ["binance_paper", "binance_live"])
def test_an_environment_without_recorded_bars_says_what_is_missing(barstep: Run, environment: str) -> None:
    """Its own keys, before anything else; nothing is begun."""
    done = barstep("scheduler", "run", "--environment", environment, "--run-once")
    assert done.code in {2, 5} and f"barstep keys init --environment {environment}" in done.err
    assert not Path("audit").exists()


def test_another_journal_than_the_one_that_was_begun_is_told(barstep: Run) -> None:
    """Other bars exit with 5, and a configuration that was edited does before it is run."""
    assert barstep("scheduler", "run", *BARS, "--suspend-tag", "mean").code == 0
    other = barstep("scheduler", "run", "--end", "2023-02-01", "--list-suspensions")
    assert (other.code, "was begun with end" in other.err) == (5, True)
    text = Path("config/core.yaml").read_text()
    Path("config/core.yaml").write_text(text.replace("max_leverage: 1.0", "max_leverage: 1.5"))
    refused = barstep("scheduler", "run", "--run-once")
    assert refused.code == 5 and "`barstep scheduler reload` takes what may change" in refused.err
    managed = barstep("scheduler", "run", "--resume-tag", "mean")
    assert managed.code == 0 and "is not the configuration in force" in managed.err
