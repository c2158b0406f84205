"""The ends of the returns' distribution, found by bounds from a sample, are those of an order over all returns."""

from __future__ import annotations

from collections.abc import Sequence

import barstep as bs
import numpy as np
import pytest
from barstep.engine import metrics
from hypothesis import given
from hypothesis import strategies as st


def _bars(n: int, seed: int) -> bs.Bars:
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.standard_t(3, n) * 1e-3))
    opening = np.append(close[:1], close[:-1])
    return bs.Bars.from_arrays(
        np.arange(n) * 60_000_000,
        opening, np.maximum(opening, close), np.minimum(opening, close), close,
        interval_seconds=60,
    )  # fmt: skip


def _expected(result: bs.Result) -> list[float]:
    """Value at risk, its conditional mean and the tail ratio, from all returns in order."""
    equity = np.append(result.execution.capital, result.equity_values)
    returns = np.sort(equity[1:] / equity[:-1] - 1.0)
    low, high = np.percentile(returns, [5, 95])
    worst = returns[: int(0.05 * (returns.size - 1)) + 1]
    return [-low * 100.0, -worst.mean() * 100.0, high / abs(low) if low else np.nan]


def _found(result: bs.Result) -> list[float]:
    names = ("value_at_risk_95_pct", "conditional_value_at_risk_95_pct", "tail_ratio")
    return [result.metrics[name] for name in names]


WISHES = {
    "always held": np.ones,
    "held half the time": lambda n: (np.arange(n) // 500 % 2).astype(float),
    "held a fiftieth of the time": lambda n: (np.arange(n) // 500 % 50 == 0).astype(float),
    "held at the end only": lambda n: (np.arange(n) > 0.9 * n).astype(float),
    "never held": np.zeros,
}


@pytest.mark.parametrize("name", WISHES)
def test_long_histories(name: str) -> None:
    """Over enough bars for a sample, with many returns of exactly 0 or none, the figures are those of a full order."""
    n = metrics._FEWEST_SAMPLED + 1
    result = bs.backtest(_bars(n, 1), WISHES[name](n), fee_bps=0.0)
    np.testing.assert_allclose(_found(result), _expected(result), rtol=1e-12, atol=1e-18)


@given(seed=st.integers(0, 99), n=st.integers(2, 3000), held=st.lists(st.booleans(), min_size=1, max_size=9))
def test_any_history(seed: int, n: int, held: Sequence[bool]) -> None:
    """Where a small sample's bounds are far off, the answer is still exact."""
    fewest, metrics._FEWEST_SAMPLED = metrics._FEWEST_SAMPLED, 200
    try:
        wishes = np.resize(np.repeat(held, 1 + seed), n).astype(float)
        result = bs.backtest(_bars(n, seed), wishes)
        np.testing.assert_allclose(_found(result), _expected(result), rtol=1e-12, atol=1e-18)
    finally:
        metrics._FEWEST_SAMPLED = fewest
