"""What each scenario does to a market from one of its bars on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from ...config.risk_scenarios import (
    AnyScenario,
    CorrelationToOne,
    FundingSpike,
    PriceGap,
    VenueOutage,
    VolatilityShock,
)
from ...errors import UsageError, unknown_name
from ..bars import MICROSECONDS, Floats
from .market import AT_CLOSE, Leg, Market

LEAST_RATIO = 0.01
"""What is left of a price where a larger move would take all of it."""


@dataclass(frozen=True, kw_only=True)
class Stressed:
    """A market that a scenario has fallen on.

    Attributes:
        market: Its bars.
        funding: By instrument, as `backtest_scheduler` takes it.
    """

    market: Market
    funding: Mapping[str, pl.DataFrame]


def stress(market: Market, scenario: AnyScenario, start: int) -> Stressed:
    """A market with a scenario that begins with bar `start`.

    Raises:
        UsageError: The scenario names an instrument that is not traded.
    """
    match scenario:
        case PriceGap():
            return _plain(_gap(market, scenario, start))
        case VolatilityShock():
            stop = _stop(market, start, scenario.duration)
            moved = {n: _scaled(leg, leg.ratios, scenario.factor, start, stop) for n, leg in market.primary.items()}
            return _plain(replace(market, primary=moved))
        case CorrelationToOne():
            return _plain(_as_one(market, scenario, start))
        case VenueOutage():
            return _plain(_outage(market, scenario, start))
        case FundingSpike():
            return Stressed(market=market, funding=_funding(market, scenario, start))


def _plain(market: Market) -> Stressed:
    return Stressed(market=market, funding={})


def _stop(market: Market, start: int, seconds: float) -> int:
    """The first bar that opens when a scenario of this length is over, one later than its first at least."""
    end_us = int(market.ts_us[start]) + round(seconds * MICROSECONDS)
    return max(start + 1, int(np.searchsorted(market.ts_us, end_us)))


def _gap(market: Market, scenario: PriceGap, start: int) -> Market:
    growth = 1.0 + scenario.gap_pct / 100.0
    if scenario.feeds == "secondary":
        return replace(market, secondary=_lifted(market.secondary, growth, start, len(market)))
    gapped = _gap_of_all(market, growth, start)
    if scenario.feeds == "all":
        return gapped
    # The other venues stay where they were: what is a ratio to the primary's close goes the other way.
    return replace(
        gapped,
        secondary=_lifted(market.secondary, 1.0 / growth, start, len(market)),
        fallback=_lifted(market.fallback, 1.0 / growth, start, len(market)),
    )


def _gap_of_all(market: Market, growth: float, start: int) -> Market:
    return replace(market, primary=_lifted(market.primary, growth, start, start + 1))


def _lifted(legs: Mapping[str, Leg], growth: float, start: int, stop: int) -> dict[str, Leg]:
    """Legs whose ratios from one bar to another are multiplied."""
    lifted = {}
    for name, leg in legs.items():
        ratios = leg.ratios.copy()
        ratios[:, start:stop] *= growth
        lifted[name] = replace(leg, ratios=ratios)
    return lifted


def _scaled(leg: Leg, moves: Floats, factor: float, start: int, stop: int) -> Leg:
    """A leg that makes these moves (ratios to the close before) `factor` times as large from one bar to another."""
    ratios = leg.ratios.copy()
    part = ratios[:, start:stop]
    part[:] = np.maximum(1.0 + factor * (moves[:, start:stop] - 1.0), LEAST_RATIO)
    part[:, ~leg.present[start:stop]] = 1.0
    return replace(leg, ratios=ratios)


def _as_one(market: Market, scenario: CorrelationToOne, start: int) -> Market:
    names = list(market.primary)
    reference = names[0] if scenario.reference is None else scenario.reference
    if reference not in names:
        raise UsageError(f"reference: {unknown_name('instrument', reference, names)}")
    leading, stop = market.primary[reference], _stop(market, start, scenario.duration)
    size = _size(leading)
    moved = {
        name: _scaled(leg, leading.ratios, scenario.factor * (_size(leg) / size if size else 1.0), start, stop)
        for name, leg in market.primary.items()
    }
    return replace(market, primary=moved)


def _size(leg: Leg) -> float:
    """How large the moves of a leg are: their standard deviation, n - 1."""
    return float(np.std(leg.ratios[AT_CLOSE], ddof=1)) if leg.ratios.shape[1] > 1 else 0.0


def _outage(market: Market, scenario: VenueOutage, start: int) -> Market:
    stop = _stop(market, start, scenario.duration)
    opened = _gap_of_all(market, 1.0 + scenario.gap_pct / 100.0, stop) if stop < len(market) else market
    silent = replace(opened, primary=_silent(opened.primary, start, stop))
    if scenario.feeds == "primary":
        return silent
    return replace(
        silent,
        secondary=_silent(opened.secondary, start, stop),
        fallback=_silent(opened.fallback, start, stop),
    )


def _silent(legs: Mapping[str, Leg], start: int, stop: int) -> dict[str, Leg]:
    """Legs without bars from one bar to another; prices move on unseen."""
    silenced = {}
    for name, leg in legs.items():
        present = leg.present.copy()
        present[start:stop] = False
        silenced[name] = replace(leg, present=present)
    return silenced


def _funding(market: Market, scenario: FundingSpike, start: int) -> dict[str, pl.DataFrame]:
    every, length = (round(seconds * MICROSECONDS) for seconds in (scenario.every, scenario.duration))
    first = int(market.ts_us[start])
    times = np.arange(first, first + length, every)
    frame = pl.DataFrame({"timestamp": times, "rate": np.full(times.size, scenario.rate_pct / 100.0)})
    return dict.fromkeys(market.primary, frame)
