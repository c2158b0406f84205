"""The report of telemetry against bounds: of a replay, and of what an endpoint shows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from barstep.config.reading import PACKAGED
from barstep.config.risk import Bounds
from barstep.engine.scheduler.backtest import set_up_scheduler
from barstep.errors import DataError
from barstep.ops.headers_report import ALWAYS, Bounded, bounded_of_scrape, headers_report, write_report
from barstep.ops.watched_replay import last_values, replay_watched
from barstep.replay.clock import SimulatedClock
from barstep.replay.metrics.collector import MetricsCollector
from barstep.replay.replaying import replay
from prometheus_client import generate_latest

SPAN = {"start": "2023-06-01", "end": "2023-06-12"}


def test_a_replay_and_a_scrape_of_it_say_the_same() -> None:
    """The same value and bounds; what the last run has not measured a scrape has not."""
    setup = set_up_scheduler(PACKAGED, **SPAN)
    watched = list(last_values(replay_watched(setup), setup))
    metrics = MetricsCollector()
    replay(PACKAGED, metrics=metrics, clock=SimulatedClock(), **SPAN)
    scraped = list(bounded_of_scrape(generate_latest(metrics.registry()).decode()))
    assert set(map(repr, scraped)) < set(map(repr, watched))
    assert {one.metric for one in scraped} >= {"avg_abs_zscore", "secondary_delay_ms", "pnl_drawdown_pct"}
    assert {one.metric for one in watched} == {*ALWAYS, "secondary_delay_ms", "pnl_drawdown_pct"}


def test_the_worst_stands_for_schedule_profile_and_all(tmp_path: Path) -> None:
    """Low values are bad where fail is the lesser bound."""
    high, low = Bounds(warn=2.0, fail=4.0), Bounds(warn=0.0, fail=-10.0)
    report = headers_report(
        [
            Bounded("a", "p", "avg_abs_zscore", 1.0, high), Bounded("b", "p", "avg_abs_zscore", 3.0, high),
            Bounded("a", "p", "spread_capture_bps", -11.0, low), Bounded("b", "p", "spread_capture_bps", 9.0, low),
            Bounded("c", "q", "avg_abs_zscore", 0.5, high), Bounded("", "q", "pnl_drawdown_pct", 3.0, high),
        ],
        {"kind": "replay"},
    )  # fmt: skip
    assert (report["status"], report["not_measured"]) == ("fail", ["allocation_error_pct"])
    assert {name: one["status"] for name, one in report["schedules"].items()} == {"a": "fail", "b": "warn", "c": "ok"}
    profile = report["risk_profiles"]["p"]
    assert profile["status"] == "fail"
    assert profile["metrics"]["avg_abs_zscore"]["schedule"] == "b"
    assert profile["metrics"]["spread_capture_bps"] == {
        "value": -11.0, "warn": 0.0, "fail": -10.0, "status": "fail", "schedule": "a",
    }  # fmt: skip
    assert report["risk_profiles"]["q"]["metrics"]["pnl_drawdown_pct"]["schedule"] is None
    write_report(report, tmp_path / "var" / "headers_report.json")
    assert json.loads((tmp_path / "var" / "headers_report.json").read_text()) == report


@pytest.mark.parametrize("text", ["", "# TYPE a gauge\na 1\n", "<html>"])
def test_what_is_no_scrape_of_barstep_is_refused(text: str) -> None:
    """In one line."""
    with pytest.raises(DataError, match="the endpoint"):
        list(bounded_of_scrape(text))
