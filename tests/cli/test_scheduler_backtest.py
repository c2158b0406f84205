"""`barstep backtest --scheduler` runs what the Python call runs, by every option, and prints what came of it.

On a week of the embedded hours, by the configuration that comes with barstep. What it refuses is told in
`test_scheduler_backtest_refusals`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import barstep as package
import polars as pl
import pytest
from barstep.config.reading import PACKAGED
from barstep.engine.reasons import DECISION_TEXTS, REFUSALS
from barstep.engine.scheduler.result import SchedulerResult

Run = Callable[..., Any]

WEEK = {"start": "2023-08-14", "end": "2023-08-21"}
DATES = ["--start", WEEK["start"], "--end", WEEK["end"]]
NIGHT = """
commands:
  - {at: 2023-08-17T21:40:00Z, command: suspend_tag, tag: trend, reason: thin books, duration_seconds: 8h}
  - {at: 2023-08-17T21:45:00Z, command: set_signal_limit, strategy: mean_reversion, profile: balanced, limit: 1}
  - {at: 2023-08-18T02:00:00Z, command: disable_strategy, strategy: grid_engine, reason: review}
  - {at: 2023-08-18T12:00:00Z, command: enable_strategy, strategy: grid_engine}
  - {at: 2023-08-19T00:00:00Z, command: halt, reason: outage}
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working folder without a configuration."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def night(tmp_path: Path) -> Path:
    """A file of an operator's commands to `core_multi`."""
    path = tmp_path / "night.yaml"
    path.write_text(NIGHT, encoding="utf-8")
    return path


def own_config(path: Path, *replaced: tuple[str, str]) -> Path:
    """The packaged configuration with other words in it, at `path`."""
    text = PACKAGED.read_text(encoding="utf-8")
    for old, new in replaced:
        assert old in text
        text = text.replace(old, new)
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def document(result: SchedulerResult) -> Any:
    return json.loads(result.to_json())


def words(text: str) -> list[str]:
    """Lines with one blank between words."""
    return [" ".join(line.split()) for line in text.splitlines()]


def test_with_nothing_but_dates(barstep: Run) -> None:
    """The configuration of barstep, which is said, its environment `demo`, and that one's scheduler."""
    ran = barstep("backtest", *DATES, "--json")
    assert (ran.code, ran.err) == (
        0, f"no config/core.yaml here; reading the one that comes with barstep: {PACKAGED}\n"
    )  # fmt: skip
    result = package.backtest_scheduler(PACKAGED, **WEEK)
    assert (result.setup.environment, result.setup.name) == ("demo", "core_multi")
    assert len(result.fills) > 0
    assert json.loads(ran.out) == document(result)


@pytest.mark.parametrize(
    ("given", "asked", "first", "bars"),
    [
        (["--start", "2024-12-30T12:00"], {"start": "2024-12-30T12:00"}, "2024-12-30T12:00:00.000000", 36),
        (["--end", "2023-01-07"], {"end": "2023-01-07"}, "2023-01-01T00:00:00.000000", 6 * 24),
        (
            ["--start", "2023-08-14T02:00+02:00", "--end", "2023-08-15T00:30Z"],
            {**WEEK, "end": "2023-08-15T00:30"},
            "2023-08-14T00:00:00.000000",
            24,
        ),
    ],
)
def test_from_when_to_when(barstep: Run, given: list[str], asked: dict[str, str], first: str, bars: int) -> None:
    """From the first bar and to the last one where nothing is said; zones are heeded, and parts of bars left out."""
    ran = barstep("backtest", "--scheduler", "hedged_multi", *given, "--json")
    result = package.backtest_scheduler(PACKAGED, "hedged_multi", **asked)
    assert (str(result.panel.times[0]), len(result.panel)) == (first, bars)
    assert json.loads(ran.out)["digests"] == result.digests


def test_all_that_may_be_said(barstep: Run, night: Path, tmp_path: Path) -> None:
    """Each option has its effect: names as they are meant, and options of execution by flag and by `--set`."""
    own = own_config(tmp_path / "mine.yaml", ("capital: 100000", "capital: 5000"))
    ran = barstep(
        "backtest", "--config", own, "--scheduler", "core_multi", "--environment", "local", *DATES,
        "--commands", night, "--without-suspensions", "--without-limits", "--without-governor",
        "--fee-bps", 4, "--stop-loss-pct", 3, "--set", "lot=0.01", "--set", "ambiguous_fills=optimistic", "--json",
    )  # fmt: skip
    assert (ran.code, ran.err) == (0, "")
    result = package.backtest_scheduler(
        own, "core_multi", commands=night, without=("suspensions", "limits", "governor"), fee_bps=4.0,
        stop_loss_pct=3.0, lot=0.01, ambiguous_fills="optimistic", **WEEK,
    )  # fmt: skip
    told = json.loads(ran.out)
    assert told == document(result)
    assert told["without"] == ["governor", "limits", "suspensions"]
    assert told["final_equity"] == pytest.approx(5000.0, rel=0.5)
    plain = package.backtest_scheduler(PACKAGED, **WEEK)
    assert told["config_sha384"] != plain.setup.config_digest


def test_a_configuration_of_one_s_own_is_the_default(barstep: Run, tmp_path: Path) -> None:
    """`config/core.yaml` of the working folder goes before the one of barstep, and that needs no word."""
    own_config(tmp_path / "config" / "core.yaml", ("scheduler: core_multi", "scheduler: hedged_multi"))
    ran = barstep("backtest", "--environment", "demo", *DATES, "--json")
    assert (ran.code, ran.err, json.loads(ran.out)["scheduler"]) == (0, "", "hedged_multi")


@pytest.mark.parametrize("what", ["suspensions", "limits", "governor"])
def test_what_is_left_out_is_priced(barstep: Run, night: Path, tmp_path: Path, what: Any) -> None:
    """One line tells the equity with it, without it, and the difference, which for each of them is some here."""
    own = own_config(tmp_path / "mine.yaml", ("max_drawdown_pct: 20", "max_drawdown_pct: 0.2"))
    ran = barstep("backtest", "--config", own, *DATES, "--commands", night, f"--without-{what}")
    governed = package.backtest_scheduler(own, commands=night, **WEEK).final_equity
    free = package.backtest_scheduler(own, commands=night, without=(what,), **WEEK).final_equity
    assert abs(governed - free) > 0.01
    assert ran.out.startswith(f"core_multi in demo, without {what}: Panel(BTCUSDT, ETHUSDT, SOLUSDT, kraken:BTCUSDT, ")
    assert (
        f"with {what}: final equity {governed:,.2f} instead of {free:,.2f}, a difference of {governed - free:+,.2f}"
        in ran.out.splitlines()
    )


def test_interventions_are_told_as_left_out(barstep: Run, night: Path) -> None:
    """A line of what had no effect says so in the place of its span; the others keep theirs."""
    out = barstep("backtest", *DATES, "--commands", night, "--without-suspensions").out
    assert "\n  suspended trend (tag): thin books; left out of this run\n" in out
    assert "\n  disabled grid_engine (operator): review; left out of this run\n" in out
    assert "\n  halted (operator): outage; left out of this run\n" in out
    assert "\n  signals of mean_reversion:balanced limited to 1 a run (override); from 2023-08-17T21:45Z on\n" in out
    free = barstep("backtest", *DATES, "--commands", night, "--without-limits").out
    assert "\n  suspended trend (tag): thin books; from 2023-08-17T21:40Z to 2023-08-18T05:40Z\n" in free
    assert free.count("; left out of this run\n") == 3


def test_a_person_sees_a_bar_that_moves(barstep: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal it comes to its end; with `--json`, or where nobody looks, there is none."""
    run = ["backtest", "--config", PACKAGED, *DATES]
    assert barstep(*run).err == ""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    assert "100%" in barstep(*run).err
    assert barstep(*run, "--json").err == ""


def test_metrics_schedules_and_costs_are_printed(barstep: Run, night: Path) -> None:
    """The span, every metric, a row a schedule in declared order with its own figures, and what was paid."""
    result = package.backtest_scheduler(PACKAGED, commands=night, **WEEK)
    lines = words(barstep("backtest", "--scheduler", "core_multi", *DATES, "--commands", night).out)
    assert lines[0] == f"core_multi in demo: {result.bars!r}"
    assert "168 bars, 2023-08-14T00:00Z to 2023-08-20T23:00Z" in lines[0]
    assert f"total_return_pct {result.metrics['total_return_pct']:,.2f}" in lines
    assert f"trades {result.metrics['trades']:,.0f}" in lines
    names = list(package.load_core_config(PACKAGED).runtime.multi_strategy_schedulers["core_multi"].schedules)
    at = lines.index("schedule strategy profile weight profit contribution % trades accepted refused")
    assert [line.split()[0] for line in lines[at + 1 : at + 8]] == names
    made = {row["schedule"]: row for row in result.attribution().iter_rows(named=True)}
    for line, name in zip(lines[at + 1 : at + 8], names, strict=True):
        own = result.decisions.filter(schedule=name)
        row = made.get(name, {"profit": 0.0, "contribution_pct": 0.0, "trades": 0})
        told = [f"{result.allocation_snapshot()[name]:.3f}", f"{row['profit']:,.2f}", f"{row['contribution_pct']:,.2f}"]
        counts = [row["trades"], *(own.filter(status=status).height for status in ("accepted", "refused"))]
        assert line.split()[3:] == [*told, *(f"{count:,}" for count in counts)]
    assert lines[at + 8] == f"costs: fees {result.costs['fees']:,.2f}"


def test_signals_are_printed_by_reason(barstep: Run, night: Path) -> None:
    """How many there were and became orders, each reason that was met with its text, and no other one."""
    result = package.backtest_scheduler(PACKAGED, commands=night, **WEEK)
    lines = words(barstep("backtest", *DATES, "--commands", night).out)
    at = lines.index(
        f"signals: {result.decisions.height} seen, {result.decisions.filter(status='accepted').height} accepted"
    )
    counts = dict(result.decisions.filter(pl.col("reason") != "")["reason"].value_counts().iter_rows())
    assert {"disabled", "limit", "halted"} <= set(counts)
    met = [f"{counts[reason]} {reason}: {text}" for reason, text in DECISION_TEXTS.items() if reason in counts]
    assert lines[at + 1] == "refused, or only allowed to close:"
    assert lines[at + 2 : at + 2 + len(met)] == met
    assert not lines[at + 2 + len(met)].split()[0].isdigit()


def test_orders_that_were_not_filled_as_asked(barstep: Run) -> None:
    """They are told behind the signals, by their own reasons."""
    ran = barstep("backtest", "--scheduler", "hedged_multi", *DATES, "--set", "lot=10")
    met = package.backtest_scheduler(PACKAGED, "hedged_multi", lot=10.0, **WEEK).refusals["without_a_whole_lot"]
    assert met > 0
    line = f"  {met} without a whole lot: {REFUSALS['without_a_whole_lot']}\n"
    assert f"\norders not filled as asked:\n{line}" in ran.out


def test_interventions_are_printed_in_words(barstep: Run, night: Path) -> None:
    """The configuration's, then the operator's: what, whose, why, and from when to when."""
    lines = words(barstep("backtest", *DATES, "--commands", night).out)
    assert lines[lines.index("interventions: 6") + 1 :] == [
        "signals of trend_engine:balanced limited to 3 a run (configuration); from 2023-08-14T00:00Z on",
        "signals of grid_engine:aggressive limited to 2 a run (configuration): inventory_cap; "
        "from 2023-08-14T00:00Z on",
        "suspended trend (tag): thin books; from 2023-08-17T21:40Z to 2023-08-18T05:40Z",
        "signals of mean_reversion:balanced limited to 1 a run (override); from 2023-08-17T21:45Z on",
        "disabled grid_engine (operator): review; from 2023-08-18T02:00Z to 2023-08-18T12:00Z",
        "halted (operator): outage; from 2023-08-19T00:00Z on",
    ]


def test_the_governor_halts(barstep: Run, tmp_path: Path) -> None:
    """A halt that nobody ordered is told as the governor's; it is no suspension, and leaving those out leaves it."""
    own = own_config(
        tmp_path / "mine.yaml",
        ("max_drawdown_pct: 20", "max_drawdown_pct: 0.2"),
        ("on_breach: scale", "on_breach: halt"),
    )
    for left_out in ([], ["--without-suspensions"]):
        lines = words(barstep("backtest", "--config", own, *DATES, *left_out).out)
        halted = [line for line in lines if line.startswith("halted (governor): ")]
        assert len(halted) == 1
        assert halted[0].endswith("Z on")
        assert any(line.endswith(f" halted: {DECISION_TEXTS['halted']}") for line in lines)
    assert "halted" not in barstep("backtest", "--config", own, *DATES, "--without-governor").out


def test_a_quiet_run_and_a_busy_one(barstep: Run, tmp_path: Path) -> None:
    """No intervention is said; of many the first ones are told and the rest counted."""
    assert "\ninterventions: none\n" in barstep("backtest", "--scheduler", "hedged_multi", *DATES).out
    hours = [f"2023-08-15T{hour:02}:00:00Z" for hour in range(16)]
    given = [{"at": at, "command": ("halt", "resume")[k % 2]} for k, at in enumerate(hours * 2)]
    given = sorted(given, key=lambda one: one["at"])
    path = tmp_path / "busy.json"
    path.write_text(json.dumps({"commands": given}), encoding="utf-8")
    out = barstep("backtest", "--scheduler", "hedged_multi", *DATES, "--commands", path).out
    assert f"\ninterventions: {len(hours)}\n" in out
    assert out.count("\n  halted (operator); from 2023-08-15T") == 12
    assert out.endswith("\n  and 4 more\n")


def test_where_nothing_was_due_no_weight_is_told(barstep: Run, tmp_path: Path) -> None:
    """Where nothing is warm either there are no weights, which is not the same as weights of 0."""
    own = own_config(
        tmp_path / "mine.yaml",
        ("cadence_seconds: 1h", "cadence_seconds: 1d"),
        ("warmup_bars: 2\n", "warmup_bars: 20\n"),
    )
    span = ["--start", "2023-01-01T10:00", "--end", "2023-01-01T12:00"]
    out = barstep("backtest", "--config", own, "--scheduler", "hedged_multi", *span).out
    assert words(out)[-5:] == [
        "schedule strategy profile weight profit contribution % trades accepted refused",
        "trend trend_engine balanced – 0.00 0.00 0 0 0",
        "arb cross_exchange_arbitrage aggressive – 0.00 0.00 0 0 0",
        "signals: 0 seen, 0 accepted",
        "interventions: none",
    ]


def test_json_and_files(barstep: Run, tmp_path: Path) -> None:
    """One document, the same in the folder beside its tables."""
    folder = tmp_path / "out"
    ran = barstep("backtest", "--scheduler", "hedged_multi", *DATES, "--output", folder, "--json")
    result = package.backtest_scheduler(PACKAGED, "hedged_multi", **WEEK)
    saved = json.loads((folder / "result.json").read_text())
    assert json.loads(ran.out) == document(result)
    assert saved | document(result) == saved
    for name, table in result.tables.items():
        assert pl.read_parquet(folder / f"{name}.parquet").equals(table)
    assert {"decisions", "capital_weights", "interventions"} <= set(result.tables)


def test_a_folder_is_replaced_when_that_is_asked_for(barstep: Run, tmp_path: Path) -> None:
    """The last line of what is printed says where it is."""
    folder = tmp_path / "out"
    run = ["backtest", "--scheduler", "hedged_multi", *DATES, "--output", folder]
    assert barstep(*run).out.endswith(f"\nwrote {folder}\n")
    (folder / "old").touch()
    assert barstep(*run, "--overwrite", "--fee-bps", 1).out.endswith(f"\nwrote {folder}\n")
    assert not (folder / "old").exists()
    assert json.loads((folder / "result.json").read_text())["execution"]["fee_bps"] == 1.0


def test_a_second_process_compiles_nothing(barstep: Run, night: Path) -> None:
    """What one run compiled the next one loads, whatever its dates, commands and options are."""
    assert barstep("backtest", *DATES, "--commands", night, "--without-limits", "--output", "one").code == 0
    code = (
        "import sys; from barstep.cli.app import main; from barstep.kernels import _jit\n"
        "code = main(); print(code, _jit.compiled_now(), _jit.loaded_from_cache() > 0)"
    )
    other = ["backtest", "--end", "2023-01-07", "--set", "lot=0.001", "--stop-loss-pct", "2", "--output", "two"]
    ran = subprocess.run(
        [sys.executable, "-c", code, *other], env=os.environ, capture_output=True, text=True, check=True
    )
    assert ran.stdout.splitlines()[-1] == "0 0 True"
