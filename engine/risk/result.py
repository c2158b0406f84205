"""What a risk simulation gives: per profile losses, drawdowns, how often limits were exceeded, and a verdict."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from ...config.digest import content_sha384
from ...config.durations import instant_at
from ...config.risk import RiskProfile
from ...config.risk_scenarios import AnyScenario, RiskScenarios, Tolerated
from ...data.whole_file import whole_file
from ..bars import Bars, Floats
from ..configured import Chosen
from ..outcome import describe_bars, without_endless
from ..provenance import software
from .measures import Measures
from .profiles import ProfileAlone
from .stressing import Hit
from .tails import QUANTILES_PCT, expected_shortfall, quantile, value_at_risk
from .verdict import LIMITS, RESAMPLED, Breach, LimitCheck, check_resampled, check_scenario, paths_over, worst_of

JSON_FILE, PDF_FILE = "risk_simulation_report.json", "risk_simulation_report.pdf"


@dataclass(frozen=True, kw_only=True)
class ScenarioRuns:
    """A scenario, and what came of it at each of its moments.

    Attributes:
        name: Its name.
        scenario: What it does.
        hits: In order of time.
    """

    name: str
    scenario: AnyScenario
    hits: tuple[Hit, ...]

    @cached_property
    def measures(self) -> tuple[Measures, ...]:
        """Of each moment."""
        return tuple(hit.measures for hit in self.hits)

    @cached_property
    def worst(self) -> Hit:
        """The one with the greatest loss at its worst mark."""
        return max(self.hits, key=lambda hit: _worst_loss(hit.measures))

    @property
    def worst_loss_pct(self) -> float:
        """What was lost at the worst mark of that one, in percent of equity before."""
        return _worst_loss(self.worst.measures)

    def checks(self, limits: RiskProfile) -> Iterator[LimitCheck]:
        """A profile's limits beside the worst of all moments."""
        return check_scenario(self.measures, limits, self.scenario.held_to)


@dataclass(frozen=True, kw_only=True)
class ProfileRisk:
    """What came of one profile.

    Attributes:
        profile: The profile.
        bars: The histories that its market was made of.
        recorded: The recorded history itself.
        stressed: Scenarios, in the order of their file.
        block_bars: Mean length of the blocks of resampled markets.
        resampled: What each path came to.
        tolerated: How often limits may be exceeded in them.
    """

    profile: ProfileAlone
    bars: tuple[Bars, ...]
    recorded: Measures
    stressed: tuple[ScenarioRuns, ...]
    block_bars: float
    resampled: tuple[Measures, ...]
    tolerated: Tolerated

    @property
    def name(self) -> str:
        """The profile's name."""
        return self.profile.name

    @property
    def limits(self) -> RiskProfile:
        """What it is held to."""
        return self.profile.limits

    @cached_property
    def losses(self) -> Floats:
        """float64[path]: lost over the horizon, in percent; below 0 it was earned."""
        return np.array([one.loss_pct for one in self.resampled])

    @cached_property
    def drawdowns(self) -> Floats:
        """float64[path]: deepest drawdown, in percent."""
        return np.array([one.max_drawdown_pct for one in self.resampled])

    @cached_property
    def day_losses(self) -> Floats:
        """float64[path × day]: lost at a day's end (UTC), in percent of the mark before the day."""
        return np.concatenate([one.day_losses_pct[:, 0] for one in self.resampled])

    @cached_property
    def growth(self) -> Floats:
        """float64[path, bar]: equity over that at the begin of the horizon."""
        return np.stack([one.growth for one in self.resampled])

    @cached_property
    def checks(self) -> tuple[LimitCheck, ...]:
        """Its limits in resampled markets."""
        return tuple(check_resampled(self.resampled, self.limits, self.tolerated))

    @cached_property
    def breaches(self) -> tuple[Breach, ...]:
        """The limits that it does not keep; in scenarios first."""
        return (*self._in_scenarios(), *self._in_resampled())

    @property
    def breach(self) -> bool:
        """Whether there is one."""
        return bool(self.breaches)

    def _in_scenarios(self) -> Iterator[Breach]:
        for runs in self.stressed:
            for check in runs.checks(self.limits):
                if check.breach:
                    _, place = worst_of(runs.measures, check.limit)
                    yield self._breach(check, runs.name, instant_text(runs.hits[place].at_us))

    def _in_resampled(self) -> Iterator[Breach]:
        for check in self.checks:
            if check.breach:
                yield self._breach(check, RESAMPLED, None)

    def _breach(self, check: LimitCheck, scenario: str, at: str | None) -> Breach:
        return Breach(
            profile=self.name,
            limit=check.limit,
            scenario=scenario,
            allowed=check.allowed,
            value=check.value,
            exceeded_pct=check.exceeded_pct,
            tolerated_pct=check.tolerated_pct,
            at=at,
        )

    def tails(self, losses: Floats, levels: Iterable[float]) -> list[dict[str, float]]:
        """Value at risk and expected shortfall of some losses at levels of confidence."""
        return [
            {
                "confidence_pct": level,
                "value_at_risk_pct": value_at_risk(losses, level),
                "expected_shortfall_pct": expected_shortfall(losses, level),
            }
            for level in levels
        ]

    def to_dict(self, levels: Iterable[float]) -> dict[str, Any]:
        """The profile as plain values."""
        levels = list(levels)
        return {
            "profile": self.name,
            "breach": self.breach,
            "breaches": [{**asdict(one), "excess": one.excess} for one in self.breaches],
            "schedules": [one.name for one in self.profile.schedules],
            "limits": {limit: getattr(self.limits, limit) for limit in LIMITS},
            "recorded": _measured(self.recorded),
            "scenarios": [self._scenario(runs) for runs in self.stressed],
            "resampled": {
                "paths": len(self.resampled),
                "block_bars": self.block_bars,
                "bars": self.growth.shape[1],
                "loss_pct": {**_distribution(self.losses), "tails": self.tails(self.losses, levels)},
                "day_loss_pct": {**_distribution(self.day_losses), "tails": self.tails(self.day_losses, levels)},
                "max_drawdown_pct": _distribution(self.drawdowns),
                "probability_of_loss_pct": 100.0 * float((self.losses > 0.0).mean()),
                "limits": [
                    {
                        **_checked(check),
                        "paths_exceeding_pct": paths_over(self.resampled, check.limit, check.allowed),
                    }
                    for check in self.checks
                ],
            },
            "data": [describe_bars(bars) for bars in self.bars],
        }

    def _scenario(self, runs: ScenarioRuns) -> dict[str, Any]:
        return {
            "scenario": runs.name,
            **msgspec.to_builtins(runs.scenario),
            "breach": any(check.breach for check in runs.checks(self.limits)),
            "limits": [_checked(check) for check in runs.checks(self.limits)],
            "worst_at": instant_text(runs.worst.at_us),
            "hits": [{"at": instant_text(hit.at_us), **_measured(hit.measures)} for hit in runs.hits],
        }


@dataclass(frozen=True, kw_only=True)
class RiskSimulation:
    """A finished risk simulation.

    Attributes:
        chosen: The scheduler.
        scenarios: What the market was put through.
        paths: How many resampled markets.
        seed: What they were drawn from.
        horizon_seconds: How long they were measured.
        profiles: What came of each profile, sorted by name.
    """

    chosen: Chosen
    scenarios: RiskScenarios
    paths: int
    seed: int
    horizon_seconds: float
    profiles: tuple[ProfileRisk, ...]

    @property
    def breaches(self) -> tuple[Breach, ...]:
        """Every limit that is not kept."""
        return tuple(breach for one in self.profiles for breach in one.breaches)

    @property
    def breach(self) -> bool:
        """Whether there is one."""
        return bool(self.breaches)

    @property
    def status(self) -> str:
        """`ok` or `breach`."""
        return "breach" if self.breach else "ok"

    def to_dict(self) -> dict[str, Any]:
        """The report as it is written."""
        return {
            "status": self.status,
            "breach": self.breach,
            "breaches": [one.words for one in self.breaches],
            "environment": self.chosen.environment,
            "scheduler": self.chosen.name,
            "paths": self.paths,
            "seed": self.seed,
            "horizon_seconds": self.horizon_seconds,
            "capital": self.chosen.core.environments[self.chosen.environment].capital,
            "lead_seconds": self.scenarios.lead,
            "watch_seconds": self.scenarios.watch,
            "profiles": [one.to_dict(self.scenarios.confidence_pct) for one in self.profiles],
            "provenance": {
                **software(),
                "config_sha384": content_sha384(self.chosen.core),
                "scenarios_sha384": scenarios_sha384(self.scenarios),
            },
        }

    def to_json(self) -> str:
        """`to_dict` as JSON. What is infinite is null there: JSON has no word for it."""
        return json.dumps(without_endless(self.to_dict()), indent=2, allow_nan=False)

    def save(self, folder: str | Path) -> Path:
        """Write `risk_simulation_report.json` and `.pdf` to a folder, in the place of those there, and return it.

        Raises:
            UsageError: The extra `barstep[report]` is not installed; nothing is written then.
        """
        from ...report.writing import report_risk  # noqa: PLC0415 - a call up, made by the reader

        folder, pages = Path(folder), report_risk(self)
        for name, content in ((JSON_FILE, f"{self.to_json()}\n".encode()), (PDF_FILE, pages)):
            with whole_file(folder / name) as temporary:
                temporary.write_bytes(content)
        return folder


def scenarios_sha384(scenarios: RiskScenarios) -> str:
    """SHA-384 of what a file of scenarios says, defaults included."""
    return hashlib.sha384(msgspec.json.encode(scenarios, order="deterministic")).hexdigest()


def instant_text(us: int) -> str:
    """An instant to the minute, UTC: `2024-03-05T14:00Z`."""
    return f"{instant_at(us):%Y-%m-%dT%H:%MZ}"


def _worst_loss(one: Measures) -> float:
    return 100.0 * (1.0 - float(one.growth.min(initial=1.0)))


def _measured(one: Measures) -> dict[str, float]:
    return {
        "loss_pct": one.loss_pct,
        "worst_loss_pct": _worst_loss(one),
        "max_drawdown_pct": one.max_drawdown_pct,
        "worst_day_pct": float(one.day_losses_pct[:, 1].max(initial=0.0)),
        "max_position_pct": float(one.positions_pct.max(initial=0.0)),
        "max_leverage": float(one.leverage.max(initial=0.0)),
        "gross_before_pct": one.gross_pct,
        "net_before_pct": one.net_pct,
    }


def _checked(check: LimitCheck) -> dict[str, Any]:
    plain = {name: value for name, value in asdict(check).items() if value is not None}
    return {**plain, "excess": check.value - check.allowed, "breach": check.breach}


def _distribution(values: Floats) -> dict[str, Any]:
    quantiles = {f"p{percent:g}": quantile(values, percent) for percent in QUANTILES_PCT}
    return {"mean": float(values.mean()), "least": float(values.min()), **quantiles, "greatest": float(values.max())}
