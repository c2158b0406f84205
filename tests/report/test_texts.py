"""Numbers and names as people read them."""

from __future__ import annotations

import math
from datetime import datetime

import pytest
from barstep.engine.metrics import DESCRIPTIONS
from barstep.report import texts


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("total_return_pct", -12.345, "−12.35 %"),
        ("total_return_pct", -0.001, "0.00 %"),
        ("trades", 1234.0, "1,234"),
        ("max_drawdown_bars", 1234.0, "1,234 bars"),
        ("average_trade_bars", 2.5, "2.50 bars"),
        ("sharpe", None, "–"),
        ("annual_return_pct", math.inf, "–"),
        ("fees_paid", 1234.5, "1,234.50"),
    ],
)
def test_metrics(name: str, value: float | None, text: str) -> None:
    """A metric has its unit and thousands apart; what has no value is a dash; a zero has no sign."""
    assert texts.metric(name, value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (0.0, "0"), (5, "5"), (1e5, "100,000"), (0.004, "0.004"), (5.622305123, "5.622305"), (-0.5, "−0.5"),
        (1e-8, "1e-08"), (-1e-8, "−1e-08"), (123456.789, "123,456.8"), (2.5e20, "2.5e+20"), (math.nan, "nan"),
    ],
)  # fmt: skip
def test_short_numbers(value: float, text: str) -> None:
    """A number is told in seven digits at most, without noughts that say nothing."""
    assert texts.short(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(1.0, "+1.00"), (-1.0, "−1.00"), (0.0, "0.00"), (0.001, "0.00"), (-0.001, "0.00")]
)
def test_signed_numbers(value: float, text: str) -> None:
    """A gain has a plus, a loss a minus, what rounds to nothing neither."""
    assert texts.signed(value) == text


@pytest.mark.parametrize(
    ("prices", "places"), [([50_000.0], 2), ([1.0842], 5), ([0.00001234], 8), ([], 2), ([math.nan], 2)]
)
def test_places_of_prices(prices: list[float], places: int) -> None:
    """Small prices are told in more decimals than large ones."""
    assert texts.price_places(prices) == places


@pytest.mark.parametrize(
    ("interval", "clock", "text"),
    [
        (86_400, "00:00:00", "2024-03-05"),
        (604_800, "00:00:00", "2024-03-05"),
        (86_400, "21:00:00", "2024-03-05 21:00"),
        (3_600, "00:00:00", "2024-03-05 00:00"),
        (60, "07:08:00", "2024-03-05 07:08"),
        (1, "07:08:09", "2024-03-05 07:08:09"),
    ],
)
def test_times_of_bars(interval: int, clock: str, text: str) -> None:
    """A day's bar is told by its date, shorter ones to the minute or the second; both forms of a time agree."""
    stated = f"2024-03-05T{clock}.000000Z"
    assert texts.moment(stated, interval) == text
    assert texts.moment(datetime.fromisoformat(stated), interval) == text


def test_counts() -> None:
    """One thing is not many."""
    assert [texts.counted(n, "bar") for n in (0, 1, 2000)] == ["0 bars", "1 bar", "2,000 bars"]


def test_settings() -> None:
    """A setting reads as what it means."""
    told = [texts.setting(*each) for each in (("a", True), ("max_notional", None), ("units", None), ("x", "kraken"))]
    assert told == ["yes", "no limit", "–", "kraken"]


def test_every_metric_has_a_label_of_its_own() -> None:
    """No two metrics are called the same, and none shows an underscore."""
    labels = [texts.label(name) for name in DESCRIPTIONS]
    assert len(set(labels)) == len(DESCRIPTIONS)
    assert not any("_" in label for label in labels)
