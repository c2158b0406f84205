"""What a smoke test tells of the schedules of the configuration that comes with barstep, over the embedded hours."""

from __future__ import annotations

import barstep as package
import numpy as np
import pytest
from barstep.config.reading import PACKAGED
from barstep.data.presets import EMBEDDED_FOLDER
from barstep.ops.smoke import smoke
from barstep.ops.smoke_report import METRICS, SmokeReport

INSTRUMENTS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
LAST_CLOSE = "2025-01-01T00:00:00.000000Z"


@pytest.fixture(scope="module")
def report() -> SmokeReport:
    """The default: three cycles of all schedules of `core_multi`."""
    return smoke(PACKAGED)


def test_the_demo_is_sound(report: SmokeReport) -> None:
    """All seven schedules ran in all three cycles, at the last due times of the bars, and nothing is wrong."""
    assert (report.status, report.issues) == ("ok", ())
    plain = report.to_dict()
    assert (plain["overall"]["runs_executed"], plain["overall"]["runs_skipped"]) == (21, 0)
    assert [one["schedule"] for one in plain["schedules"]][:2] == ["trend_schedule", "trend_alpha"]
    for one in plain["schedules"]:
        assert [run["cycle"] for run in one["runs"]] == [1, 2, 3]
        assert {run["status"] for run in one["runs"]} == {"executed"}
        assert one["runs"][-1]["due_time"] == LAST_CLOSE


def test_the_run_is_the_backtest_of_its_span(report: SmokeReport) -> None:
    """Decisions, weights and equity are those of the vectorised run from the lead-in to the last cycle."""
    span = {"start": "2024-09-25", "end": "2025-01-01"}  # 96 days before the first of three daily runs
    plain = report.to_dict()
    assert (plain["from"][:10], plain["to"][:10]) == tuple(span.values())
    assert plain["provenance"]["digests"] == package.backtest_scheduler(PACKAGED, **span).digests


def test_the_counts_are_those_of_the_decisions(report: SmokeReport) -> None:
    """Signals at the due times of the cycles are counted once each, by what became of them."""
    decisions = report.result.decisions
    for one in report.to_dict()["schedules"]:
        times = [run["due_time"][:19] for run in one["runs"]]
        seen = decisions.filter(
            (decisions["schedule"] == one["schedule"]) & decisions["due_time"].dt.strftime("%FT%T").is_in(times)
        )
        assert one["accepted"] == (seen["status"] == "accepted").sum()
        assert one["signals"] == len(seen)
        assert sum(one["dropped"].values()) == one["signals"] - one["accepted"]
    assert report.to_dict()["overall"]["signals"] > 0


def test_the_zscore_is_that_of_the_bars() -> None:
    """`avg_abs_zscore` is the mean size of the z-scores of the closes, over instruments and the last 96 runs."""
    report = smoke(PACKAGED, cycles=2, strategy="mean_reversion")
    sizes = np.array([np.abs(_zscores(name, 96)[-96:]) for name in INSTRUMENTS])
    (one,) = report.to_dict()["schedules"]
    assert one["runs"][-1]["telemetry"]["avg_abs_zscore"] == pytest.approx(sizes[:, -1].mean(), rel=1e-9)
    assert one["runs"][-2]["telemetry"]["avg_abs_zscore"] == pytest.approx(sizes[:, -2].mean(), rel=1e-9)
    assert one["avg_abs_zscore"] == pytest.approx(sizes.mean(axis=0).mean(), rel=1e-9)
    assert report.to_dict()["overall"]["avg_abs_zscore"] == one["avg_abs_zscore"]


def test_a_schedule_has_the_numbers_of_its_engine(report: SmokeReport) -> None:
    """Each metric is there for the schedules whose engine gives it, and None for the others."""
    has = {one["engine"]: {name for name in METRICS if one[name] is not None} for one in report.to_dict()["schedules"]}
    always = {"avg_confidence", "avg_realized_volatility", "drift_seconds", "latency_ms"}
    assert has["daily_trend_momentum"] == has["grid_trading"] == always
    assert has["mean_reversion"] == always | {"avg_abs_zscore"}
    assert has["volatility_target"] == always | {"allocation_error_pct", "realized_vs_target_vol_pct"}
    assert has["cross_exchange_arbitrage"] == always | {"spread_capture_bps", "secondary_delay_ms"}


def test_overall_numbers_are_means_of_those_that_have_one(report: SmokeReport) -> None:
    """A schedule without the number does not pull the mean."""
    given = [one.metrics["avg_confidence"] for one in report.schedules]
    assert report.metrics["avg_confidence"] == pytest.approx(sum(given) / 7)  # type: ignore[arg-type]
    arbitrage = next(one for one in report.schedules if one.engine == "cross_exchange_arbitrage")
    assert report.metrics["spread_capture_bps"] == arbitrage.metrics["spread_capture_bps"]


def test_the_drawdown_is_that_of_the_equity_curve(report: SmokeReport) -> None:
    """`pnl_drawdown_pct` is how far the last equity lies below the highest one, the capital included."""
    equity = report.result.equity["equity"].to_numpy()
    assert report.pnl_drawdown_pct == pytest.approx(100 * (1 - equity[-1] / max(equity.max(), 100_000.0)))


def test_it_says_what_it_was_made_from(report: SmokeReport) -> None:
    """Bars by venue and digest, the configuration's digest, and the software."""
    provenance = report.to_dict()["provenance"]
    assert provenance["config_sha384"] == report.result.setup.config_digest
    assert "kernels" in provenance["software"]
    whole = package.load(EMBEDDED_FOLDER / "binance_BTCUSDT_1h.parquet")
    first = provenance["bars"][0]
    assert (first["instrument"], first["venue"], first["sha384"]) == ("BTCUSDT", "binance", whole.content_digest)


def _zscores(name: str, lookback: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    close = package.load(EMBEDDED_FOLDER / f"binance_{name}_1h.parquet").close
    windows = np.lib.stride_tricks.sliding_window_view(close, lookback)
    return (close[lookback - 1 :] - windows.mean(axis=1)) / windows.std(axis=1)
