"""Names and numbers as people read them. A minus is a minus sign, as wide as a plus."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

NOTHING = "–"
_COUNTS = ("trades", "open_trades", "max_drawdown_bars", "max_drawdown_trades")
_LABELS = {
    "value_at_risk_95_pct": "Value at risk 95 %",
    "conditional_value_at_risk_95_pct": "Conditional value at risk 95 %",
    "benchmark_return_pct": "Buy and hold",
    "max_drawdown_bars": "Longest drawdown",
    "max_drawdown_trades": "Longest drawdown, in trades",
    "average_trade_bars": "Average time in a trade",
}


def label(name: str) -> str:
    """The heading of a metric or an option: `max_drawdown_pct` is `Max drawdown`."""
    words = name.removesuffix("_pct").replace("_", " ")
    return _LABELS.get(name, words[:1].upper() + words[1:])


def unit(name: str) -> str:
    """What a name's ending says its number is in, with the space before it."""
    for ending, sign in (("_pct", " %"), ("_bars", " bars")):
        if name.endswith(ending):
            return sign
    return ""


def metric(name: str, value: float | None) -> str:
    """A metric with its unit; a dash where it has no value."""
    if value is None or not math.isfinite(value):
        return NOTHING
    return decimals(value, 0 if name in _COUNTS else 2) + unit(name)


def setting(name: str, value: Any) -> str:
    """The value of a parameter or an option."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "no limit" if name == "max_notional" else NOTHING
    return short(value) if isinstance(value, int | float) else str(value)


def decimals(value: float, places: int) -> str:
    """A number with thousands separated: `−1,234.50`. A zero has no sign."""
    text = f"{value:,.{places}f}"
    if text.startswith("-"):
        text = f"−{text[1:]}" if text.strip("-0.,") else text[1:]
    return text


def signed(value: float, places: int = 2) -> str:
    """A number that shows its direction: `+1.20`."""
    text = decimals(value, places)
    return f"+{text}" if value > 0.0 and text.strip("0.,") else text


def short(value: float) -> str:
    """A number in at most eight digits, without noughts that say nothing."""
    if isinstance(value, int) or (float(value).is_integer() and abs(value) < 1e15):
        return decimals(value, 0)
    if not 1e-4 <= abs(value) < 1e15:
        return f"−{-value:.6g}" if value < 0.0 else f"{value:.6g}"
    places = max(0, 7 - math.floor(math.log10(abs(value))) - 1)
    return decimals(value, places).rstrip("0").rstrip(".")


def price_places(prices: Any) -> int:
    """Decimals in which prices of this size are told: seven digits in all, between 2 and 8 of them after the point."""
    largest = max((abs(float(price)) for price in prices), default=0.0)
    if largest <= 0.0 or not math.isfinite(largest):
        return 2
    return min(8, max(2, 5 - math.floor(math.log10(largest))))


def moment(time: datetime | str, interval_seconds: int) -> str:
    """The open time of a bar, as exact as its interval asks for: `2024-01-01`, with minutes, or with seconds.

    Args:
        time: The time itself, or as ISO text with a `T`.
        interval_seconds: Length of a bar.
    """
    text = time if isinstance(time, str) else time.isoformat()
    day, clock = text[:10], text[11:19]
    if interval_seconds % 86_400 == 0 and clock == "00:00:00":
        return day
    return f"{day} {clock if interval_seconds % 60 else clock[:5]}"


def counted(count: int, word: str) -> str:
    """A number of things: `1 bar`, `1,000 bars`."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"
