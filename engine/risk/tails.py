"""Value at risk and expected shortfall of a sample of losses."""

from __future__ import annotations

import numpy as np

from ..bars import Floats

QUANTILES_PCT = (1.0, 5.0, 25.0, 50.0, 75.0, 95.0, 99.0)
"""What a distribution is told by."""


def value_at_risk(losses: Floats, confidence_pct: float) -> float:
    """The least loss that so many percent of the sample are not above: the inverse of its distribution function.

    Historical simulation; McNeil, Frey and Embrechts (2015), Quantitative Risk Management, definition 2.8. It is one
    of the losses and never between two; below 0 it is a profit.
    """
    place = _place(losses.size, confidence_pct)
    return float(np.partition(losses, place)[place])


def expected_shortfall(losses: Floats, confidence_pct: float) -> float:
    """Mean of the worst 100 - confidence percent of the losses.

    Acerbi and Tasche (2002), On the coherence of expected shortfall, Journal of Banking & Finance 26(7), definition 2.6
    for a sample: where the share is no whole number of losses, the one at its edge counts in part.
    """
    worst = np.sort(losses)[::-1]
    share = losses.size * (1.0 - confidence_pct / 100.0)
    whole = min(int(share + 1e-9), losses.size)
    rest = max(share - whole, 0.0) if share - whole > 1e-9 else 0.0
    total = float(worst[:whole].sum()) + (rest * float(worst[whole]) if whole < losses.size else 0.0)
    return total / (whole + rest) if whole + rest > 0.0 else float(worst[0])


def quantile(values: Floats, percent: float) -> float:
    """The least value that so many percent are not above."""
    return value_at_risk(values, percent)


def _place(size: int, percent: float) -> int:
    return min(max(int(np.ceil(percent * size / 100.0 - 1e-9)) - 1, 0), size - 1)
