"""What a metric's values mean to somebody who looks for good ones: which end is better, and where good begins."""

from __future__ import annotations

_LESS_IS_BETTER = ("annual_volatility_pct", "max_drawdown_pct", "max_drawdown_bars", "turnover", "fees_paid")
_CENTRES = {
    **dict.fromkeys(
        ("total_return_pct", "annual_return_pct", "sharpe", "sortino", "calmar", "expectancy", "average_trade_pct",
         "best_trade_pct", "worst_trade_pct"), 0.0,
    ),
    "profit_factor": 1.0, "omega": 1.0, "win_rate_pct": 50.0,
}  # fmt: skip


def is_less_better(metric: str) -> bool:
    """Whether the lowest value of a metric is the best one."""
    return metric in _LESS_IS_BETTER


def centre_of(metric: str) -> float | None:
    """Where a metric turns from bad to good; None where it does not."""
    return _CENTRES.get(metric)
