"""What a risk simulation puts a market through, as it is written; docs/risk-simulation.md tells what each does."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path as FilePath
from typing import Annotated, Literal, TypeAlias, Union

import msgspec.inspect as kinds
from msgspec import Meta, Struct, field

from ..errors import ConfigError
from .fields import Name, Positive, Seconds, Text
from .files import read_file
from .problems import Path, Problem
from .section import Section
from .walking import Walk

PACKAGED = FilePath(__file__).resolve().parent / "risk_scenarios.yaml"

Limit = Literal["max_drawdown_pct", "daily_risk_budget_pct", "max_position_pct", "max_leverage"]
Move = Annotated[float, Meta(gt=-100.0, le=1_000.0)]
_Confidence = Annotated[float, Meta(gt=50.0, lt=100.0)]
_PercentOfAll = Annotated[float, Meta(ge=0.0, le=100.0)]


def _stressed() -> list[Limit]:
    return ["max_drawdown_pct", "max_leverage"]


class Scenario(Struct, tag_field="kind", frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every scenario may have.

    Attributes:
        held_to: The limits of a profile that it must keep here; the others are told and do not decide.
    """

    held_to: list[Limit] = field(default_factory=_stressed)


class PriceGap(Scenario, tag="price_gap", frozen=True, kw_only=True):
    """Prices open away from the last close, and stay there.

    Attributes:
        gap_pct: How far away.
        feeds: Whose: those of all venues, of the primary one, or of the second leg of pairs.
    """

    gap_pct: Move
    feeds: Literal["all", "primary", "secondary"] = "all"


class VolatilityShock(Scenario, tag="volatility_shock", frozen=True, kw_only=True):
    """Every move is so many times as large for a while.

    Attributes:
        factor: How many times.
        duration: For how long.
    """

    factor: Positive
    duration: Seconds


class CorrelationToOne(Scenario, tag="correlation_to_one", frozen=True, kw_only=True):
    """All instruments make the moves of one of them for a while, each in its own size.

    Attributes:
        duration: For how long.
        reference: Whose moves; by default the first instrument's.
        factor: How many times as large they are.
    """

    duration: Seconds
    reference: Text | None = None
    factor: Positive = 1.0


class VenueOutage(Scenario, tag="venue_outage", frozen=True, kw_only=True):
    """There are no bars for a while, and the market opens elsewhere.

    Attributes:
        duration: For how long.
        feeds: Which are silent: all, or the primary ones, for which a fallback may stand in.
        gap_pct: How far prices have moved when bars are back, beside what was recorded in between.
    """

    duration: Seconds
    feeds: Literal["all", "primary"] = "all"
    gap_pct: Move = 0.0


class FundingSpike(Scenario, tag="funding_spike", frozen=True, kw_only=True):
    """Positions pay funding for a while.

    Attributes:
        rate_pct: What longs pay to shorts at a time, in percent of the position's value; below 0 shorts pay.
        every: Time between payments.
        duration: For how long.
    """

    rate_pct: Annotated[float, Meta(ge=-100.0, le=100.0)]
    duration: Seconds
    every: Seconds = 28_800.0


AnyScenario: TypeAlias = Union[  # noqa: UP007
    PriceGap, VolatilityShock, CorrelationToOne, VenueOutage, FundingSpike
]


class Tolerated(Section, kw_only=True):
    """How often a limit may be exceeded in resampled markets, in percent.

    Attributes:
        max_drawdown_pct: Of the paths.
        daily_risk_budget_pct: Of their days.
        max_position_pct: Of their closes: prices move what was within the limit when it was ordered.
        max_leverage: Likewise.
    """

    max_drawdown_pct: _PercentOfAll = 5.0
    daily_risk_budget_pct: _PercentOfAll = 5.0
    max_position_pct: _PercentOfAll = 5.0
    max_leverage: _PercentOfAll = 1.0


class RiskScenarios(Section, kw_only=True):
    """Everything that a risk simulation is told beside the configuration.

    Attributes:
        lead: How long the account trades before what is measured begins.
        watch: How long a scenario is watched from its first bar on.
        moments: How many moments of the recorded history each scenario falls on: those at which the profile held most.
        confidence_pct: Of value at risk and expected shortfall, rising.
        tolerated: How often limits may be exceeded in resampled markets.
        scenarios: By name.
    """

    lead: Seconds = 604_800.0
    watch: Seconds = 259_200.0
    moments: Annotated[int, Meta(ge=1, le=100)] = 4
    confidence_pct: Annotated[list[_Confidence], Meta(min_length=1)] = field(default_factory=lambda: [95.0, 99.0])
    tolerated: Tolerated = field(default_factory=Tolerated)
    scenarios: dict[Name, AnyScenario] = field(default_factory=dict)


def load_risk_scenarios(path: FilePath | None = None) -> RiskScenarios:
    """Read a file of scenarios as strictly as the configuration; None: the one that comes with barstep.

    Raises:
        ConfigError: It cannot be read, or is refused; every error is told.
    """
    tree = read_file(PACKAGED if path is None else path)
    walk = Walk({})
    written: RiskScenarios = walk.read(tree.root, kinds.type_info(RiskScenarios), ())
    wrong = [*walk.problems] or list(_contradictions(written))
    read = tree.with_problems(wrong)
    if read.errors:
        raise ConfigError(read.errors)
    return written


def _contradictions(written: RiskScenarios) -> Iterator[Problem]:
    levels = written.confidence_pct
    if any(low >= high for low, high in pairwise(levels)):
        yield Problem(path=("confidence_pct",), text=f"is {levels}; levels rise.")
    for name, scenario in written.scenarios.items():
        path: Path = ("scenarios", name, "duration")
        duration = getattr(scenario, "duration", 0.0)
        if duration > written.watch:
            text = f"is {duration:g} s; a scenario is watched for {written.watch:g} s ('watch'), and ends before that."
            yield Problem(path=path, text=text)
