"""`barstep scheduler run` on the machine itself: every flag as an operator types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scheduler_folder import BARS, JOURNAL, records

Run = Callable[..., Any]
pytestmark = pytest.mark.usefixtures("scheduler_folder")


def ran(barstep: Run, *words: object) -> Any:
    """What an invocation gave, which must have gone well."""
    done = barstep("scheduler", "run", *words)
    assert done.code == 0, done.err
    return done


def test_suspensions_hold_from_one_invocation_to_the_next(barstep: Run) -> None:
    """Given with reason and duration, listed with what is left, lifted, and all of it in the journal."""
    held = ran(
        barstep, *BARS, "--suspend-schedule", "trend_alpha", "--suspend-tag", "futures", "--suspension-reason",
        "maintenance", "--suspension-duration", "30m", "--list-suspensions",
    )  # fmt: skip
    assert held.out.splitlines() == [
        "done: suspend_schedule (schedule=trend_alpha, reason=maintenance, duration_seconds=1800.0)",
        "done: suspend_tag (tag=futures, reason=maintenance, duration_seconds=1800.0)",
        "suspensions: 2",
        "  schedule  trend_alpha  (reason=maintenance, until=2023-01-01T00:30:00Z, remaining=30m)  "
        "holds back trend_alpha",
        "  tag       futures      (reason=maintenance, until=2023-01-01T00:30:00Z, remaining=30m)  "
        "holds back arbitrage_schedule",
    ]
    assert "secrets/tokens/scheduler-local.token" in held.err
    assert "suspensions: 2" in ran(barstep, "--list-suspensions").out
    freed = ran(
        barstep, "--resume-schedule", "trend_alpha", "--resume-tag", "futures", "--list-suspensions",
        "--run-after-management", "--run-once",
    )  # fmt: skip
    assert "suspensions: none" in freed.out
    assert "ran each schedule at its latest due time; 2023-01-05T00:00:00.000000Z, 96 of 96 bars" in freed.out
    assert [(one["command"]["command"], one["by"]) for one in records("command")] == [
        (name, "scheduler-local") for name in ("suspend_schedule", "suspend_tag", "resume_schedule", "resume_tag")
    ]
    assert barstep("decision-log", "verify").code == 0


def test_several_of_a_kind_and_an_instant_at_which_they_end(barstep: Run) -> None:
    """Each flag that may be repeated, in one invocation; the export has what is listed."""
    path = Path("new/folder/suspensions.json")
    words = [word for tag in ("trend", "mean") for word in ("--suspend-tag", tag)]
    words += [word for name in ("grid_schedule", "trend_alpha") for word in ("--suspend-schedule", name)]
    ran(barstep, *BARS, *words, "--suspension-until", "2030-02-01T01:00:00+01:00", "--export-suspensions", path)
    exported = json.loads(path.read_text())
    assert {(one["source"], one["name"], one["expires_at"]) for one in exported} == {
        (source, name, "2030-02-01T00:00:00Z")
        for source, name in (
            ("tag", "trend"), ("tag", "mean"), ("schedule", "grid_schedule"), ("schedule", "trend_alpha"),
        )
    }  # fmt: skip
    more = [word for tag in ("trend", "mean") for word in ("--resume-tag", tag)]
    more += [word for name in ("grid_schedule", "trend_alpha") for word in ("--resume-schedule", name)]
    assert "suspensions: none" in ran(barstep, *more, "--list-suspensions").out


def test_signal_limits_are_set_listed_exported_and_cleared(barstep: Run) -> None:
    """With reason and end; those of the configuration stay beside them."""
    held = ran(
        barstep, *BARS, "--set-signal-limit", "trend_engine:balanced=2", "--set-signal-limit",
        "grid_engine:aggressive=1", "--signal-limit-reason", "risk_cap", "--signal-limit-duration", "2h",
        "--list-signal-limits", "--export-signal-limits", "limits.json",
    )  # fmt: skip
    line = "  trend_engine:balanced=2   override       (reason=risk_cap, until=2023-01-01T02:00:00Z, remaining=2h)"
    assert line in held.out.splitlines()
    assert "  trend_engine:balanced=3   configuration  (reason=-, until=-, remaining=-)" in held.out.splitlines()
    exported = {
        (one["source"], one["strategy"], one["risk_profile"]): one
        for one in json.loads(Path("limits.json").read_text())
    }
    one = exported["override", "grid_engine", "aggressive"]
    assert (one["limit"], one["reason"], one["remaining_seconds"], one["active"]) == (1, "risk_cap", 7200.0, True)
    cleared = ran(
        barstep, "--clear-signal-limit", "trend_engine:balanced", "--clear-signal-limit", "grid_engine:aggressive",
        "--list-signal-limits",
    )  # fmt: skip
    assert "override" not in cleared.out
    until = ran(
        barstep, "--set-signal-limit", "mean_reversion:balanced=0", "--signal-limit-until", "2024-02-01T12:00:00Z",
        "--list-signal-limits",
    )  # fmt: skip
    assert "mean_reversion:balanced=0  override       (reason=-, until=2024-02-01T12:00:00Z, remaining=396d 12h)" in (
        until.out
    )


def test_schedules_are_listed_and_exported(barstep: Run) -> None:
    """What is configured, limits, weights, what holds them back, and last runs once there are any."""
    ran(barstep, *BARS, "--suspend-tag", "experimental", "--suspension-reason", "review")
    listed = ran(barstep, "--list-schedules", "--export-schedules", "out/schedules.json")
    lines = listed.out.splitlines()
    assert lines[0] == "schedules: 7"
    assert " ".join(lines[1].split()) == "schedule strategy profile tags every limit weight last run state"
    row = next(line for line in lines if line.startswith("  grid_schedule  "))
    assert " ".join(row.split()) == "grid_schedule grid_engine aggressive grid,experimental 1h 2 0.0000 - suspended"
    assert "  grid_schedule: suspended by tag experimental (reason=review, until=-, remaining=-)" in lines
    assert "  grid_schedule: at most 2 by configuration (reason=inventory_cap, until=-, remaining=-)" in lines
    exported = json.loads(Path("out/schedules.json").read_text())
    assert len(exported) == 7 and exported[0]["cadence_seconds"] == 3600.0 and exported[0]["last_run"] is None
    once = ran(barstep, "--run-once")
    assert any(line.split()[-2:] == ["signals", "runs"] and "executed" in line for line in once.out.splitlines())


def test_a_strategy_is_disabled_and_restored(barstep: Run) -> None:
    """The journal has status=disabled with the bucket manual, then status=restored."""
    off = ran(barstep, *BARS, "--disable-strategy", "grid_engine", "--suspension-reason", "review", "--list-schedules")
    row = next(line for line in off.out.splitlines() if line.startswith("  grid_schedule  "))
    assert row.endswith("disabled")
    on = ran(barstep, "--enable-strategy", "grid_engine", "--list-schedules")
    assert next(line for line in on.out.splitlines() if line.startswith("  grid_schedule  ")).endswith("runs")
    first, second = records("command")
    assert (first["status"], first["risk_budget_bucket"], first["command"]["reason"]) == (
        "disabled",
        "manual",
        "review",
    )
    assert second["status"] == "restored"


def test_capital_is_shown_exported_rebalanced_and_given_another_policy(barstep: Run) -> None:
    """Each flag of capital; weights are computed at once or not, the recommended interval is taken or not."""
    ran(barstep, "--end", "2023-01-12", "--run-once")
    shown = ran(
        barstep, "--show-capital-state", "--show-capital-diagnostics", "--export-capital-state", "a/state.json",
        "--export-capital-diagnostics", "b/diagnostics.json",
    )  # fmt: skip
    assert "capital state:" in shown.out and "  profile  balanced" in shown.out and "  tag  trend" in shown.out
    assert "capital diagnostics:\n  name: risk_profile" in shown.out and "  profile_floor_adjustment: " in shown.out
    state = json.loads(Path("a/state.json").read_text())
    assert set(state) == {"raw", "smoothed", "weights", "profile", "tag"} and len(state["weights"]) == 7
    assert json.loads(Path("b/diagnostics.json").read_text())["within_profile"]["name"] == "signal_strength"
    rebalanced = ran(barstep, "--rebalance-capital", "--export-capital-state", "a/state.json")
    assert "done: rebalance_capital" in rebalanced.out.splitlines()
    state = json.loads(Path("a/state.json").read_text())
    Path("policy.yaml").write_text(
        "name: fixed_weight\nrebalance_seconds: 120\nweights: {trend_schedule: 0.5, mean_reversion: {balanced: 0.5}}\n"
    )
    ran(barstep, "--set-capital-policy", "policy.yaml", "--skip-policy-rebalance", "--export-capital-state", "c.json")
    assert json.loads(Path("c.json").read_text())["weights"] == state["weights"]
    ran(barstep, "--set-capital-policy", "policy.yaml", "--apply-policy-interval", "--export-capital-state", "c.json")
    raw = json.loads(Path("c.json").read_text())["raw"]
    assert raw["trend_schedule"] == raw["mean_reversion_schedule"] == 0.5
    ran(barstep, "--set-allocation-interval", "90")
    told = [one["command"] for one in records("command")]
    assert [(one["command"], one.get("rebalance"), one.get("apply_policy_interval")) for one in told] == [
        ("rebalance_capital", None, None),
        ("set_capital_policy", False, False),
        ("set_capital_policy", True, True),
        ("set_allocation_rebalance_seconds", None, None),
    ]
    assert told[-1]["seconds"] == 90.0


def test_one_document_has_all_that_was_asked(barstep: Run) -> None:
    """With --json: commands, listings, exports and the run."""
    done = ran(
        barstep, *BARS, "--suspend-tag", "mean", "--list-suspensions", "--list-signal-limits", "--export-schedules",
        "s.json", "--run-after-management", "--run-once", "--json",
    )  # fmt: skip
    document = json.loads(done.out)
    assert (document["environment"], document["scheduler"]) == ("demo", "core_multi")
    assert [one["command"] for one in document["commands"]] == ["suspend_tag"]
    assert document["suspensions"][0]["schedules"] == ["mean_reversion_schedule"]
    assert len(document["signal_limits"]) == 2
    assert document["exports"] == {"schedules": "s.json"}
    assert document["run"]["finished"] is True and document["run"]["bars_done"] == 96


def test_looking_makes_nothing_where_nothing_was_begun(barstep: Run, scheduler_folder: Path) -> None:
    """No journal, no keys, and no token is needed."""
    ran(barstep, *BARS, "--list-schedules", "--list-suspensions", "--list-signal-limits", "--show-capital-state")
    assert sorted(path.name for path in scheduler_folder.iterdir()) == ["config"]


def test_without_a_journal_it_runs_and_forgets(barstep: Run) -> None:
    """What is changed holds in that run; alone it would be lost at once, which is refused."""
    done = ran(barstep, *BARS, "--no-journal", "--suspend-tag", "mean", "--run-after-management", "--run-once")
    assert "96 of 96 bars, no journal" in done.out
    assert not JOURNAL.exists()
    assert barstep("scheduler", "run", "--no-journal", "--suspend-tag", "mean").code == 2


def test_the_configuration_that_comes_with_barstep_is_told(barstep: Run, scheduler_folder: Path) -> None:
    """Where there is none in the working folder."""
    (scheduler_folder / "config/core.yaml").unlink()
    assert "no config/core.yaml here" in ran(barstep, *BARS, "--list-suspensions").err
