"""Where a metric turns from bad to good."""

from __future__ import annotations

_CENTRES = {
    **dict.fromkeys(
        ("total_return_pct", "annual_return_pct", "sharpe", "sortino", "calmar", "expectancy", "average_trade_pct",
         "best_trade_pct", "worst_trade_pct"), 0.0,
    ),
    "profit_factor": 1.0, "omega": 1.0, "win_rate_pct": 50.0,
}  # fmt: skip


def centre_of(metric: str) -> float | None:
    """Where a metric turns from bad to good; None where it does not."""
    return _CENTRES.get(metric)
