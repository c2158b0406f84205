"""Names of the metrics that policies and risk profiles may refer to."""

from __future__ import annotations

from collections.abc import Iterable

from .strategy import StrategyEngine

MEASURES = (
    "signals",
    "confidence",
    "latency_ms",
    "drift_seconds",
    "realized_volatility",
    "realized_vs_target_vol_pct",
    "allocation_error_pct",
    "secondary_delay_ms",
    "spread_capture_bps",
    "max_drawdown_pct",
    "drawdown_pressure",
    "pnl_drawdown_pct",
    "allocator_raw_weight",
    "allocator_smoothed_weight",
    "allocator_profile_weight",
    "suspended",
    "suspension_remaining_seconds",
    "suspension_tag_indicator",
)


def metric_names(engines: Iterable[StrategyEngine]) -> set[str]:
    """Every measure and every diagnostic of the engines, alone and as `avg_`, `avg_abs_` and `last_` of a window."""
    measures = {*MEASURES, *(name for engine in engines for name in engine.diagnostics)}
    return {prefix + name for name in measures for prefix in ("", "avg_", "avg_abs_", "last_")}
