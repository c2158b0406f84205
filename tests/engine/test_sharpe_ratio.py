"""Certainty of Sharpe ratios, against the figures that the papers print and against simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from barstep.engine.sharpe_ratio import (
    ReturnShape,
    deflated_sharpe_ratio,
    expected_maximum_sharpe,
    minimum_track_record_bars,
    probabilistic_sharpe_ratio,
)
from barstep.errors import UsageError

DAYS = 250
PAPER = {"trial_variance": 0.5 / DAYS, "skewness": -3.0, "kurtosis": 10.0}
"""Bailey and López de Prado 2014: trials whose annual Sharpe ratios have variance 1/2, 250 days a year."""


def test_the_deflated_ratio_of_the_paper() -> None:
    """Annual SR 2.5 over 1,250 days, 100 trials, skewness -3, kurtosis 10: SR0 0.1132 a day and DSR 0.9004."""
    assert round(expected_maximum_sharpe(100, 0.5 / DAYS), 4) == 0.1132
    assert round(deflated_sharpe_ratio(2.5 / math.sqrt(DAYS), 1250, trials=100, **PAPER), 4) == 0.9004


def test_fewer_trials_and_normal_returns_in_the_paper() -> None:
    """The same with 46 trials, or with normal returns and 88 trials, is 0.9505."""
    sharpe = 2.5 / math.sqrt(DAYS)
    assert round(deflated_sharpe_ratio(sharpe, 1250, trials=46, **PAPER), 4) == 0.9505
    assert round(deflated_sharpe_ratio(sharpe, 1250, trials=88, trial_variance=0.5 / DAYS), 4) == 0.9505


@pytest.mark.parametrize(
    ("bars_a_year", "skewness", "kurtosis", "years"),
    [(252, 0.0, 3.0, 2.73), (52, 0.0, 3.0, 2.83), (12, 0.0, 3.0, 3.24), (12, -0.72, 5.78, 4.99)],
    ids=["daily", "weekly", "monthly", "monthly, a hedge fund index"],
)
def test_track_records_of_the_paper(bars_a_year: int, skewness: float, kurtosis: float, years: float) -> None:
    """Bailey and López de Prado 2012: years until an annual SR of 2 is over 1 at 95 %."""
    root = math.sqrt(bars_a_year)
    bars = minimum_track_record_bars(
        2.0 / root, benchmark_per_bar=1.0 / root, confidence=0.95, skewness=skewness, kurtosis=kurtosis
    )
    assert round(bars / bars_a_year, 2) == years


def test_the_probabilistic_ratio_of_the_paper() -> None:
    """Bailey and López de Prado 2012: monthly SR 0.458 over two years, 0.982 if normal and 0.913 as it was."""
    assert round(probabilistic_sharpe_ratio(0.458, 24), 3) == 0.982
    assert round(probabilistic_sharpe_ratio(0.458, 24, skewness=-2.448, kurtosis=10.164), 3) == 0.913


def test_the_track_record_is_where_the_probability_reaches_the_confidence() -> None:
    """The two formulas are each other's inverse."""
    shape = {"benchmark_per_bar": 0.02, "skewness": -0.4, "kurtosis": 6.0}
    bars = minimum_track_record_bars(0.09, confidence=0.975, **shape)
    assert probabilistic_sharpe_ratio(0.09, bars, **shape) == pytest.approx(0.975, abs=1e-12)


def test_the_expected_maximum_is_that_of_draws() -> None:
    """The best of 200 normal draws is, on average, what the formula says, to two hundredths."""
    draws = np.random.default_rng(3).normal(0.0, 0.3, (4000, 200))
    assert expected_maximum_sharpe(200, 0.09) == pytest.approx(draws.max(axis=1).mean(), rel=0.02)


def test_the_probability_is_a_frequency() -> None:
    """Of track records without an edge, a tenth has a probability over 0.9."""
    records = np.random.default_rng(4).normal(0.0, 0.01, (2000, 300))
    shapes = [ReturnShape.of(record) for record in records]
    sure = [
        probabilistic_sharpe_ratio(one.sharpe_per_bar, one.bars, skewness=one.skewness, kurtosis=one.kurtosis) > 0.9
        for one in shapes
    ]
    assert np.mean(sure) == pytest.approx(0.1, abs=0.02)


def test_the_shape_of_returns() -> None:
    """Of 0, 0, 0, 4: mean 1, deviations 2 (ddof 1) and √3 (ddof 0), so that skewness is 2/√3 and kurtosis 7/3."""
    shape = ReturnShape.of([0.0, 0.0, 0.0, 4.0])
    assert (shape.bars, shape.sharpe_per_bar) == (4, 0.5)
    assert shape.skewness == pytest.approx(2.0 / math.sqrt(3.0))
    assert shape.kurtosis == pytest.approx(7.0 / 3.0)


def test_a_spread_of_one_rounding_still_has_a_shape() -> None:
    """Where returns differ in their last bit alone, their moments are still such as there can be."""
    for share in (2, 3, 7, 50):
        returns = np.full(100, 0.1)
        returns[::share] = np.nextafter(0.1, 1.0)
        shape = ReturnShape.of(returns)
        p = len(returns[::share]) / 100
        assert shape.skewness == pytest.approx((1.0 - 2.0 * p) / math.sqrt(p * (1.0 - p)), abs=1e-9)
        assert probabilistic_sharpe_ratio(0.1, 100, skewness=shape.skewness, kurtosis=shape.kurtosis) > 0.5


@pytest.mark.parametrize("returns", [[], [0.01], [0.01, 0.01, 0.01], [0.1] * 7])
def test_without_deviation_there_is_no_ratio(returns: list[float]) -> None:
    """One return, or always the same: NaN, and NaN is what follows from it."""
    shape = ReturnShape.of(returns)
    assert (shape.bars, math.isnan(shape.sharpe_per_bar)) == (len(returns), True)
    assert math.isnan(probabilistic_sharpe_ratio(shape.sharpe_per_bar, 10))
    assert math.isnan(minimum_track_record_bars(shape.sharpe_per_bar))


def test_extremes() -> None:
    """A ratio that is not over its benchmark never gets there; a single trial was not chosen; two values are enough."""
    assert minimum_track_record_bars(0.1, benchmark_per_bar=0.1) == math.inf
    assert expected_maximum_sharpe(1, 0.5) == 0.0
    assert probabilistic_sharpe_ratio(0.0, 100) == 0.5
    gambler = ReturnShape.of([1.0, -1.0, -1.0, 1.0])
    assert probabilistic_sharpe_ratio(2.0, 50, skewness=gambler.skewness, kurtosis=gambler.kurtosis) == 1.0
    assert probabilistic_sharpe_ratio(1.0, 50, skewness=2.0, kurtosis=5.0) == 1.0


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (lambda: probabilistic_sharpe_ratio(0.1, 1), "bars is 1; a Sharpe ratio wants at least 2"),
        (lambda: probabilistic_sharpe_ratio(0.1, 9, kurtosis=0.0), "kurtosis is 0 .* Is it the excess over 3"),
        (lambda: minimum_track_record_bars(0.1, confidence=95.0), "confidence is 95.0; allowed is"),
        (lambda: minimum_track_record_bars(0.1, confidence=0.5), "confidence is 0.5; allowed is"),
        (lambda: expected_maximum_sharpe(0, 0.1), "trials is 0; it must be 1 or more"),
        (lambda: expected_maximum_sharpe(5, -0.1), "trial_variance is -0.1; it must be 0 or more"),
        (lambda: ReturnShape.of([0.1, math.nan]), "without NaN"),
        (lambda: ReturnShape.of([[0.1, 0.2]]), "one row"),
    ],
)
def test_refusals(wrong: object, text: str) -> None:
    """What cannot be is refused in one line."""
    with pytest.raises(UsageError, match=text):
        wrong()  # type: ignore[operator]
