"""The moments at which scenarios fall, and the runs through them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...config.risk_scenarios import AnyScenario, FundingSpike, PriceGap, RiskScenarios, VenueOutage
from ...errors import UsageError
from ..bars import Floats
from ..scheduler.result import SchedulerResult
from .market import Market
from .measures import Measures, holdings, measure
from .profiles import ProfileAlone
from .scenarios import stress


@dataclass(frozen=True, kw_only=True)
class Hit:
    """A scenario at one moment.

    Attributes:
        at_us: The open of its first bar.
        measures: Of the time from then on.
    """

    at_us: int
    measures: Measures


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """Bars of the recorded market around a moment.

    Attributes:
        before: Bars that warm the engines up and lead in.
        lead: Bars of these that are traded.
        watched: Bars from the moment on.
    """

    before: int
    lead: int
    watched: int

    @classmethod
    def of(cls, profile: ProfileAlone, scenarios: RiskScenarios) -> Stretch:
        """What the scenarios ask for, in a profile's bars."""
        base = profile.sources.base_interval_seconds
        lead = bars_in(scenarios.lead, base)
        return cls(before=profile.warm_up_bars + lead, lead=lead, watched=bars_in(scenarios.watch, base))


def bars_in(seconds: float, interval_seconds: int) -> int:
    """How many bars a duration is long, one at least."""
    return max(1, round(seconds / interval_seconds))


def moments_of(
    recorded: SchedulerResult, market: Market, scenario: AnyScenario, stretch: Stretch, count: int
) -> list[int]:
    """Bars of the market at which the profile held most of what the scenario hurts, one watch apart, in time's order.

    Raises:
        UsageError: The recorded history is too short for one.
    """
    last = len(market) - stretch.watched
    if last < stretch.before:
        raise UsageError(
            f"the recorded history has {len(market):,} bars in common; a scenario needs "
            f"{stretch.before + stretch.watched:,}, which warm up, lead in and are watched. Shorten 'lead' or 'watch'."
        )
    held = _hurt(recorded, scenario)
    # A scenario's bar opens when the one before it closes: what was held then is what it meets.
    at = np.searchsorted(recorded.panel.ts_us, market.ts_us[stretch.before : last + 1]) - 1
    exposed = np.where(at >= 0, held[np.maximum(at, 0)], 0.0)
    chosen: list[int] = []
    for place in np.argsort(-exposed, kind="stable").tolist():
        if all(abs(place - other) >= stretch.watched for other in chosen):
            chosen.append(place)
            if len(chosen) == count:
                break
    return sorted(stretch.before + place for place in chosen)


def _hurt(recorded: SchedulerResult, scenario: AnyScenario) -> Floats:
    """float64[bar]: what a scenario is bad for: long where prices fall, short where they rise, else all by size."""
    held = holdings(recorded)
    moved = 0.0
    if isinstance(scenario, VenueOutage) or (isinstance(scenario, PriceGap) and scenario.feeds == "all"):
        moved = scenario.gap_pct
    elif isinstance(scenario, FundingSpike):
        moved = -scenario.rate_pct
    if moved:
        return held.net if moved < 0.0 else -held.net
    sizes: Floats = held.positions.sum(axis=0)
    return sizes


def hits(
    profile: ProfileAlone, market: Market, scenario: AnyScenario, moments: list[int], stretch: Stretch
) -> Iterator[Hit]:
    """Run a scenario at each of some moments; the account is new, and leads in over recorded bars."""
    for moment in moments:
        part = market.part(moment - stretch.before, moment + stretch.watched)
        stressed = stress(part, scenario, stretch.before)
        at_us = int(market.ts_us[moment])
        begins_us = int(part.ts_us[stretch.before - stretch.lead])
        result = profile.run(stressed.market.sources(), begins_us, stressed.funding)
        yield Hit(at_us=at_us, measures=measure(result, at_us))
