"""Block lengths beside those of the package arch 8.0.0 (`optimal_block_length`), an implementation of others."""

from __future__ import annotations

import numpy as np
import pytest
from barstep.engine.bars import Floats
from barstep.engine.block_length import optimal_block_length


def autoregression(n: int, share: float, seed: int) -> Floats:
    """x[t] = share · x[t - 1] + a normal number."""
    noise = np.random.default_rng(seed).standard_normal(n)
    values = np.empty(n)
    values[0] = noise[0]
    for t in range(1, n):
        values[t] = share * values[t - 1] + noise[t]
    return values


@pytest.mark.parametrize(
    ("n", "share", "seed", "stationary", "circular"),
    [
        (200, 0.0, 1, 7.580252716992034, 8.677223247294371),
        (500, 0.5, 2, 6.813862709909765, 7.7999256908367505),
        (1000, -0.4, 3, 8.591511748318602, 9.83482586336458),
        (2000, 0.9, 4, 45.425284578070894, 51.998970228555976),
        (5000, 0.2, 5, 9.401845659817013, 10.762426633080764),
        (20000, 0.95, 7, 237.4286125123844, 271.78791433260267),
    ],
)
def test_agrees_with_arch(n: int, share: float, seed: int, stationary: float, circular: float) -> None:
    """On autoregressions of every kind. Of few values arch divides autocorrelations otherwise, so none stand here."""
    found = optimal_block_length(autoregression(n, share, seed))
    assert found.stationary == pytest.approx(stationary, rel=1e-12)
    assert found.circular == pytest.approx(circular, rel=1e-12)


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_the_unit_of_the_returns_does_not_matter(scale: float) -> None:
    """Lengths are those of a multiple, moved anywhere."""
    values = autoregression(800, 0.6, 9)
    expected, found = optimal_block_length(values), optimal_block_length(scale * (values + 3.0))
    assert found.stationary == pytest.approx(expected.stationary, rel=1e-6)


@pytest.mark.parametrize(
    "values",
    [
        np.empty(0), np.zeros(1), np.array([1.0, 2.0]), np.full(500, 0.1), np.full(500, 1e-200) * np.arange(500),
        np.where(np.arange(500) == 250, 1.0, 0.0), np.tile([1.0, -1.0], 250), np.arange(500.0),
    ],
)  # fmt: skip
def test_any_returns_have_a_length(values: Floats) -> None:
    """It is a finite number from 1 to three roots of their number, also where there is no spread."""
    found = optimal_block_length(values)
    for length in (found.stationary, found.circular):
        assert 1.0 <= length <= max(1.0, np.ceil(min(3.0 * np.sqrt(values.size), values.size / 3.0)))
