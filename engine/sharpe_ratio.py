"""How sure a Sharpe ratio is: given its length and shape, and given how many were tried before it.

Every ratio here is that of one bar: mean of the bar returns over their deviation. An annual one is divided by the root
of the bars in a year first.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from ..errors import UsageError

_NORMAL = NormalDist()
_EULER = 0.5772156649015329
"""The Euler-Mascheroni constant."""


@dataclass(frozen=True, kw_only=True)
class ReturnShape:
    """What the uncertainty of a Sharpe ratio depends on.

    Attributes:
        bars: Number of bar returns.
        sharpe_per_bar: Their mean over their deviation (ddof 1); NaN without deviation.
        skewness: Third central moment over the deviation (ddof 0) cubed; NaN without deviation.
        kurtosis: Fourth central moment over the variance squared: 3 for a normal distribution; NaN without deviation.
    """

    bars: int
    sharpe_per_bar: float
    skewness: float
    kurtosis: float

    @classmethod
    def of(cls, returns: ArrayLike) -> ReturnShape:
        """The shape of bar returns, float64[bar], as shares.

        Raises:
            UsageError: They are not one row of numbers.
        """
        values = np.asarray(returns, dtype=np.float64)
        if values.ndim != 1 or not np.isfinite(values).all():
            raise UsageError("returns must be one row of numbers, without NaN and infinities")
        if values.size < 2 or values.min() == values.max():
            return cls(bars=values.size, sharpe_per_bar=math.nan, skewness=math.nan, kurtosis=math.nan)
        mean = float(values.mean())
        apart = values - mean
        apart -= apart.mean()  # what rounding left of the mean: beside a tiny spread it would make moments of nothing
        variance = float((apart * apart).mean())
        return cls(
            bars=values.size,
            sharpe_per_bar=mean / math.sqrt(variance * values.size / (values.size - 1)),
            skewness=float((apart**3).mean()) / variance**1.5,
            kurtosis=float((apart**4).mean()) / variance**2,
        )


def probabilistic_sharpe_ratio(
    sharpe_per_bar: float, bars: float, *, benchmark_per_bar: float = 0.0, skewness: float = 0.0, kurtosis: float = 3.0
) -> float:
    """Probability (0 to 1) that the true Sharpe ratio is over a benchmark; NaN where a given number is.

    Bailey and López de Prado 2012, J. of Risk 15(2): Φ((SR - SR*) √(n - 1) / √(1 - γ₃ SR + (γ₄ - 1)/4 SR²)).

    Args:
        sharpe_per_bar: The ratio that was seen.
        bars: How many bar returns it was seen over.
        benchmark_per_bar: The ratio to be over.
        skewness: Of the bar returns, γ₃.
        kurtosis: Of the bar returns, γ₄: 3 for a normal distribution.

    Raises:
        UsageError: Fewer than 2 bars, or moments that no distribution has.
    """
    if bars < 2:
        raise UsageError(f"bars is {bars}; a Sharpe ratio wants at least 2")
    spread = _spread(sharpe_per_bar, skewness, kurtosis)
    gap = (sharpe_per_bar - benchmark_per_bar) * math.sqrt(bars - 1)
    return _NORMAL.cdf(gap / math.sqrt(spread))


def minimum_track_record_bars(
    sharpe_per_bar: float,
    *,
    benchmark_per_bar: float = 0.0,
    confidence: float = 0.95,
    skewness: float = 0.0,
    kurtosis: float = 3.0,
) -> float:
    """Bars that a Sharpe ratio must be seen over until it is over a benchmark with some confidence.

    Bailey and López de Prado 2012, J. of Risk 15(2), equation 13. Infinite where the ratio is not over the benchmark;
    NaN where a given number is. Arguments as in `probabilistic_sharpe_ratio`; the confidence is between 0.5 and 1.

    Raises:
        UsageError: A confidence out of range, or moments that no distribution has.
    """
    if not 0.5 < confidence < 1.0:
        raise UsageError(f"confidence is {confidence}; allowed is more than 0.5 and less than 1")
    if sharpe_per_bar <= benchmark_per_bar:
        return math.inf
    gap = _NORMAL.inv_cdf(confidence) / (sharpe_per_bar - benchmark_per_bar)
    return 1.0 + _spread(sharpe_per_bar, skewness, kurtosis) * gap * gap


def expected_maximum_sharpe(trials: int, trial_variance: float) -> float:
    """Greatest Sharpe ratio to be expected of independent trials that have no edge.

    Bailey and López de Prado 2014, J. Portfolio Management 40(5). One trial has 0: nothing was chosen.

    Args:
        trials: How many were tried.
        trial_variance: Variance of their Sharpe ratios; per bar for a ratio per bar.

    Raises:
        UsageError: No trial, or a variance under 0.
    """
    if trials < 1:
        raise UsageError(f"trials is {trials}; it must be 1 or more")
    if trial_variance < 0.0:
        raise UsageError(f"trial_variance is {trial_variance}; it must be 0 or more")
    if trials == 1:
        return 0.0
    greatest, beyond = _NORMAL.inv_cdf(1.0 - 1.0 / trials), _NORMAL.inv_cdf(1.0 - 1.0 / (trials * math.e))
    return math.sqrt(trial_variance) * ((1.0 - _EULER) * greatest + _EULER * beyond)


def deflated_sharpe_ratio(
    sharpe_per_bar: float,
    bars: float,
    *,
    trials: int,
    trial_variance: float,
    skewness: float = 0.0,
    kurtosis: float = 3.0,
) -> float:
    """Probability (0 to 1) that the true Sharpe ratio is over what the best of all trials has without an edge.

    Bailey and López de Prado 2014, J. Portfolio Management 40(5): the probabilistic Sharpe ratio against
    `expected_maximum_sharpe`. Arguments as in these two; `trial_variance` is per bar: an annual one over the bars in a
    year.

    Raises:
        UsageError: As in these two.
    """
    expected = expected_maximum_sharpe(trials, trial_variance)
    return probabilistic_sharpe_ratio(
        sharpe_per_bar, bars, benchmark_per_bar=expected, skewness=skewness, kurtosis=kurtosis
    )


def _spread(sharpe_per_bar: float, skewness: float, kurtosis: float) -> float:
    """Variance of an estimated Sharpe ratio times n - 1 (Mertens 2002), over 0 for moments that there can be."""
    if kurtosis < (1.0 + skewness * skewness) * (1.0 - 1e-9):
        raise UsageError(
            f"kurtosis is {kurtosis:g} with skewness {skewness:g}; no distribution has less than 1 + skewness² "
            f"({1.0 + skewness * skewness:g}). Is it the excess over 3?"
        )
    spread = 1.0 - skewness * sharpe_per_bar + (kurtosis - 1.0) / 4.0 * sharpe_per_bar * sharpe_per_bar
    return max(spread, sys.float_info.min)
