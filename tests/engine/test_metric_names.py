"""Names of metrics."""

from __future__ import annotations

from barstep.engine.catalog import DEFAULT_STRATEGY_CATALOG
from barstep.engine.metric_names import metric_names


def test_what_telemetry_is_called() -> None:
    """The metrics that policies, alerts and dashboards are about are all known; others are not."""
    known = metric_names(DEFAULT_STRATEGY_CATALOG)
    assert {
        "signals", "latency_ms", "last_latency_ms", "avg_confidence", "avg_abs_zscore", "avg_realized_volatility",
        "realized_volatility", "allocation_error_pct", "realized_vs_target_vol_pct", "secondary_delay_ms",
        "spread_capture_bps", "allocator_raw_weight", "allocator_smoothed_weight", "allocator_profile_weight",
        "pnl_drawdown_pct", "max_drawdown_pct", "drawdown_pressure", "suspended", "suspension_remaining_seconds",
        "suspension_tag_indicator", "drift_seconds", "avg_atr", "last_level_fills",
    } <= known  # fmt: skip
    assert "sharpe" not in known


def test_an_engine_of_one_s_own_brings_its_diagnostics() -> None:
    """Without an engine, only the measures are known."""
    assert "avg_atr" not in metric_names([])
