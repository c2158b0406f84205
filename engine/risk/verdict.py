"""Whether a profile keeps its limits: in each scenario, and often enough in resampled markets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np

from ...config.risk import RiskProfile
from ...config.risk_scenarios import Limit, Tolerated
from ..bars import Floats
from .measures import Measures
from .tails import quantile

LIMITS: tuple[Limit, ...] = get_args(Limit)
UNITS: dict[Limit, str] = {
    "max_drawdown_pct": "paths",
    "daily_risk_budget_pct": "days",
    "max_position_pct": "closes",
    "max_leverage": "closes",
}
"""What is counted in resampled markets."""

RESAMPLED = "resampled markets"


@dataclass(frozen=True, kw_only=True)
class LimitCheck:
    """A limit beside what was measured against it.

    Attributes:
        limit: Which.
        allowed: Its value.
        value: The worst that was measured; in resampled markets what the tolerated share stays within.
        exceeded: Whether the value is over the limit.
        decides: Whether that is a breach.
        exceeded_pct: In resampled markets, how many percent of paths, days or closes were over it; None in a scenario.
        tolerated_pct: How many may be; None in a scenario.
    """

    limit: Limit
    allowed: float
    value: float
    exceeded: bool
    decides: bool
    exceeded_pct: float | None = None
    tolerated_pct: float | None = None

    @property
    def breach(self) -> bool:
        """Whether the limit is broken."""
        return self.exceeded and self.decides


@dataclass(frozen=True, kw_only=True)
class Breach:
    """A limit that is not kept.

    Attributes:
        profile: Whose.
        limit: Which.
        scenario: Where: a scenario's name, or the resampled markets.
        allowed: The limit.
        value: What was measured.
        exceeded_pct: As of `LimitCheck`.
        tolerated_pct: Likewise.
        at: When the scenario fell that was worst; None in resampled markets.
    """

    profile: str
    limit: Limit
    scenario: str
    allowed: float
    value: float
    exceeded_pct: float | None
    tolerated_pct: float | None
    at: str | None

    @property
    def excess(self) -> float:
        """By how much."""
        return self.value - self.allowed

    @property
    def words(self) -> str:
        """In one line."""
        met = self.scenario if self.at is None else f"{self.scenario} of {self.at}"
        told = f"{self.profile}: {self.limit} is {self.allowed:g}; {met}: {self.value:.2f}, {self.excess:.2f} more"
        if self.exceeded_pct is None:
            return told
        often = f"{self.exceeded_pct:.2f} % of {UNITS[self.limit]} (tolerated {self.tolerated_pct:g} %)"
        return f"{told}; over it at {often}"


def worst_of(measured: Sequence[Measures], limit: Limit) -> tuple[float, int]:
    """The greatest value of what a limit is about, and in which of some runs it was met."""
    values = [_greatest(one, limit) for one in measured]
    place = int(np.argmax(values))
    return values[place], place


def check_scenario(measured: Sequence[Measures], limits: RiskProfile, held_to: Sequence[Limit]) -> Iterator[LimitCheck]:
    """Each limit that the profile has beside the worst of the runs of a scenario."""
    for limit in LIMITS:
        allowed = getattr(limits, limit)
        if allowed is not None:
            value, _ = worst_of(measured, limit)
            yield LimitCheck(
                limit=limit, allowed=allowed, value=value, exceeded=value > allowed, decides=limit in held_to
            )


def check_resampled(measured: Sequence[Measures], limits: RiskProfile, tolerated: Tolerated) -> Iterator[LimitCheck]:
    """Each limit that the profile has beside how often it was exceeded over the paths."""
    for limit in LIMITS:
        allowed = getattr(limits, limit)
        if allowed is None:
            continue
        values = np.concatenate([_values(one, limit) for one in measured])
        most = getattr(tolerated, limit)
        over_pct = 100.0 * float((values > allowed).mean())
        yield LimitCheck(
            limit=limit,
            allowed=allowed,
            value=quantile(values, 100.0 - most),
            exceeded=over_pct > most,
            decides=True,
            exceeded_pct=over_pct,
            tolerated_pct=most,
        )


def paths_over(measured: Sequence[Measures], limit: Limit, allowed: float) -> float:
    """Percent of the paths that exceed a limit at any time."""
    return 100.0 * float(np.mean([_greatest(one, limit) > allowed for one in measured]))


def _values(one: Measures, limit: Limit) -> Floats:
    """What is counted of one path."""
    match limit:
        case "max_drawdown_pct":
            return np.array([one.max_drawdown_pct])
        case "daily_risk_budget_pct":
            return one.day_losses_pct[:, 1]
        case "max_position_pct":
            return one.positions_pct
        case "max_leverage":
            return one.leverage


def _greatest(one: Measures, limit: Limit) -> float:
    return float(_values(one, limit).max(initial=0.0))
