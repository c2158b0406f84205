"""Faults that are planted, and that a smoke test finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import barstep as package
import pytest
from barstep.config.commands import Halt, SuspendSchedule
from barstep.config.reading import PACKAGED
from barstep.config.risk import Bounds
from barstep.data.presets import EMBEDDED_FOLDER
from barstep.engine.bars import Bars
from barstep.engine.scheduler.backtest import set_up_scheduler
from barstep.engine.scheduler.machine import SchedulerMachine
from barstep.ops.smoke import smoke
from barstep.ops.smoke_checks import find_wrong, reached
from barstep.ops.smoke_cycles import plan_cycles
from barstep.ops.smoke_report import SmokeReport
from barstep.ops.smoke_watching import CycleWatcher

Configured = Callable[..., Path]
EARLY = datetime(2023, 6, 1, tzinfo=UTC)


@pytest.fixture
def configured(tmp_path: Path) -> Configured:
    """The packaged configuration with other words in it."""

    def write(*replaced: tuple[str, str]) -> Path:
        text = PACKAGED.read_text(encoding="utf-8")
        for old, new in replaced:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "core.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def _bars(hours_missing: int = 0, name: str = "BTCUSDT", venue: str = "binance") -> dict[str, tuple[Bars, Bars]]:
    """The embedded bars of both venues; one of them stops some hours before the others."""
    legs = {}
    for instrument in ("BTCUSDT", "ETHUSDT", "SOLUSDT"):
        pair = [package.load(EMBEDDED_FOLDER / f"{each}_{instrument}_1h.parquet") for each in ("binance", "kraken")]
        legs[instrument] = tuple(
            bars.part(0, len(bars) - hours_missing * ((bars.venue, instrument) == (venue, name))) for bars in pair
        )
    return legs  # type: ignore[return-value]


def _texts(report: SmokeReport) -> list[str]:
    return [f"{one.schedule} {one.cycle} {one.text}" for one in report.issues]


def test_a_skipped_run_fails() -> None:
    """Runs that start later than they may are skipped, and each of them is an issue."""
    report = smoke(PACKAGED, cycles=2, strategy="trend_engine", drift_seconds=46.0)
    assert report.status == "fail"
    assert _texts(report) == [
        f"trend_schedule {k} the run was skipped (drift) at {when}:00:00.000000Z"
        for k, when in ((1, "2024-12-31T23"), (2, "2025-01-01T00"))
    ]


def test_a_feed_that_stops_fails() -> None:
    """An instrument without a new bar since the due time before is stale, for every schedule that trades it."""
    report = smoke(PACKAGED, "hedged_multi", cycles=3, bars=_bars(2))
    assert {(one.schedule, one.cycle) for one in report.issues} == {("trend", 2), ("trend", 3), ("arb", 2), ("arb", 3)}
    assert all("bars of BTCUSDT are stale: the last one closed at 2024-12-31T22" in one.text for one in report.issues)
    assert smoke(PACKAGED, "hedged_multi", cycles=3, bars=_bars()).status == "ok"


def test_a_second_venue_that_stops_fails() -> None:
    """The other leg of a pair is looked at where pairs are traded, and only there."""
    report = smoke(PACKAGED, "hedged_multi", cycles=1, bars=_bars(1, venue="kraken"))
    stale, delayed = report.issues
    assert (stale.schedule, stale.cycle, delayed.schedule) == ("arb", 1, "arb")
    assert stale.text.startswith("bars of kraken:BTCUSDT are stale")
    assert delayed.text.startswith("secondary_delay_ms is 3.6e+06")


def test_a_slow_schedule_needs_no_bar_an_hour() -> None:
    """What has closed since the schedule's own due time before is new to it."""
    report = smoke(PACKAGED, cycles=1, strategy="core_daily_trend", bars=_bars(23))
    assert report.status == "ok"
    assert "bars of BTCUSDT are stale" in _texts(smoke(PACKAGED, cycles=1, strategy="daily_trend", bars=_bars(24)))[0]


@pytest.mark.parametrize(
    ("bounds", "status", "warnings"),
    [("{warn: 0.1, fail: 5.0}", "ok", 1), ("{warn: 0.1, fail: 0.2}", "fail", 0), ("{warn: 3.0, fail: 5.0}", "ok", 0)],
)
def test_bounds_of_a_profile(configured: Configured, bounds: str, status: str, warnings: int) -> None:
    """A metric beyond `fail` fails, one beyond `warn` alone is a warning."""
    config = configured(("avg_abs_zscore: {warn: 3.0, fail: 5.0}", f"avg_abs_zscore: {bounds}"))
    report = smoke(config, cycles=1, strategy="mean_reversion")
    assert (report.status, len(report.warnings)) == (status, warnings)
    for one in (*report.issues, *report.warnings):
        assert one.text.startswith("avg_abs_zscore is 0.9")


def test_the_drawdown_is_held_against_the_account(configured: Configured) -> None:
    """`pnl_drawdown_pct` is the account's, told once for each profile and not for each schedule."""
    report = smoke(configured(("pnl_drawdown_pct: {warn: 8, fail: 15}", "pnl_drawdown_pct: {warn: 0.001, fail: 0.01}")))
    assert [(one.schedule, "profile balanced" in one.text) for one in report.issues] == [("", True)]


def test_a_held_back_schedule_is_a_warning() -> None:
    """A suspension is somebody's will: the run takes place, its signals are refused, and that is told."""
    command = SuspendSchedule(at=EARLY, schedule="trend", reason="books")
    report = smoke(PACKAGED, "hedged_multi", cycles=2, start="2024-01-01", commands=[command])
    assert report.status == "ok"
    assert [(one.schedule, one.cycle, "suspended" in one.text) for one in report.warnings] == [
        ("trend", 1, True), ("trend", 2, True),
    ]  # fmt: skip


def test_a_halted_loop_is_a_warning_for_all() -> None:
    """So is a halt, for every schedule."""
    report = smoke(PACKAGED, "hedged_multi", cycles=1, commands=[Halt(at=EARLY, reason="outage")])
    assert {(one.schedule, "halted" in one.text) for one in report.warnings} == {("trend", True), ("arb", True)}


ENGINE = '''
"""Gives a z-score at one bar of two."""

from barstep.engine.strategy import StrategyEngine
from barstep.kernels.columns import CONFIDENCE, DIAGNOSTICS, TARGET


def _kernel(bars, params, carry, out, start, stop, at):
    for bar in range(start, stop):
        out[:, at + bar - start] = 0.0
        out[DIAGNOSTICS, at + bar - start] = 1.0 if bar % 2 else float("nan")


ENGINE = StrategyEngine(
    name="gaps", kernel=_kernel, parameters=(), carry_size=3, diagnostics=("zscore",), history=lambda _: 1
)
'''


def test_a_missing_number_fails(configured: Configured, tmp_path: Path) -> None:
    """An engine that has a z-score must have one at every run."""
    (tmp_path / "gaps.py").write_text(ENGINE, encoding="utf-8")
    config = configured(
        ("engine: mean_reversion\n", "engine: gaps\n"),
        ("      lookback: 96\n      entry_zscore: 1.8\n      exit_zscore: 0.4\n", "      {}\n"),
    )
    config.write_text(f"{config.read_text()}\nengine_files: [{tmp_path / 'gaps.py'}]\n", encoding="utf-8")
    report = smoke(config, cycles=2, strategy="gaps")
    assert len(report.issues) == 1
    assert "avg_abs_zscore has no number" in report.issues[0].text


def test_a_run_that_nobody_heard_of_fails() -> None:
    """Where no record of a due time was made, the schedule did not run."""
    whole = set_up_scheduler(PACKAGED, "hedged_multi")
    cycles = plan_cycles(whole, [0, 1], 1, None)
    setup = set_up_scheduler(PACKAGED, "hedged_multi", start=cycles.start, end=cycles.end)
    watcher = CycleWatcher(SchedulerMachine(setup, observed=True), cycles, ())
    found = find_wrong(setup, cycles, watcher, 1000.0, 0.0)
    assert {(one.schedule, one.severity) for one in found} == {("trend", "fail"), ("arb", "fail")}
    assert all(one.text.startswith("did not run at 2025-01-01T00") for one in found)
    watcher.runs[0][0] = replace(watcher.runs[0][0], status="executed", weight=float("nan"), telemetry={})
    assert "the weight is nan" in " ".join(one.text for one in find_wrong(setup, cycles, watcher, 1000.0, 0.0))


@pytest.mark.parametrize("equity", [float("nan"), float("inf"), 0.0])
def test_an_account_without_equity_fails(equity: float) -> None:
    """Equity must be a number above 0."""
    whole = set_up_scheduler(PACKAGED, "hedged_multi")
    cycles = plan_cycles(whole, [0], 1, None)
    watcher = CycleWatcher(SchedulerMachine(whole, observed=True), cycles, ())
    assert find_wrong(whole, cycles, watcher, equity, 0.0)[-1].text == f"equity at the end is {equity!r}"


@pytest.mark.parametrize(
    ("value", "warn", "fail", "said"),
    [
        (2.9, 3.0, 5.0, None), (3.0, 3.0, 5.0, "warn"), (5.0, 3.0, 5.0, "fail"),
        (0.1, 0.0, -10.0, None), (0.0, 0.0, -10.0, "warn"), (-10.0, 0.0, -10.0, "fail"),
        (1.0, 1.0, 1.0, "fail"), (0.9, 1.0, 1.0, None),
    ],
)  # fmt: skip
def test_bounds_hold_on_either_side(value: float, warn: float, fail: float, said: str | None) -> None:
    """A bound is reached at its own value; where `fail` is the lesser one, low values are bad."""
    assert reached(value, Bounds(warn=warn, fail=fail)) == said
