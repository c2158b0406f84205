"""Value at risk and expected shortfall beside plain counting."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from barstep.engine.risk.tails import expected_shortfall, value_at_risk
from hypothesis import given
from hypothesis import strategies as st

LOSSES = st.lists(st.integers(-1_000, 1_000), min_size=1, max_size=60)
LEVELS = st.sampled_from((50.0, 90.0, 95.0, 97.5, 99.0, 100.0))


@given(LOSSES, LEVELS)
def test_value_at_risk_is_the_least_that_so_many_are_not_above(losses: list[int], level: float) -> None:
    """Counted out: so many percent are at or below it, and at no lesser loss."""
    share = Fraction(level) / 100

    def covered(value: int) -> bool:
        return Fraction(sum(one <= value for one in losses), len(losses)) >= share

    expected = min(one for one in losses if covered(one))
    assert value_at_risk(np.array(losses, dtype=np.float64), level) == expected


@given(LOSSES, st.sampled_from((50.0, 90.0, 95.0, 97.5, 99.0)))
def test_expected_shortfall_is_the_mean_of_the_worst_share(losses: list[int], level: float) -> None:
    """Each loss is repeated so often that the share is a whole number of them."""
    copies = 1_000
    repeated = sorted(losses * copies, reverse=True)
    worst = repeated[: round(len(repeated) * (100 - Fraction(level)) / 100)]
    assert expected_shortfall(np.array(losses, dtype=np.float64), level) == pytest.approx(
        float(Fraction(sum(worst), len(worst))), rel=1e-6, abs=1e-6
    )


def test_by_hand() -> None:
    """Of 1 to 100: the 95 % loss is 95, and the five above it average 98."""
    losses = np.random.default_rng(3).permutation(np.arange(1.0, 101.0))
    assert value_at_risk(losses, 95.0) == 95.0
    assert expected_shortfall(losses, 95.0) == 98.0
    assert expected_shortfall(losses[:1], 95.0) == losses[0]
