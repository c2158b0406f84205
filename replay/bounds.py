"""Telemetry held against the bounds of a risk profile: what runs measured, and how often it was beyond them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from ..config.risk import Bounds, RiskProfile
from ..engine.configured import ResolvedSchedule

OF_ACCOUNT = "pnl_drawdown_pct"
"""The bound that the account is held to, by its fall from its highest; all others are those of a schedule by itself."""
ACCOUNT = ""
"""In place of a schedule's name."""

BoundStatus = Literal["ok", "warn", "fail"]
BOUND_STATUSES: tuple[BoundStatus, ...] = ("ok", "warn", "fail")
"""From the best to the worst."""


def bound_status(value: float, bounds: Bounds) -> BoundStatus:
    """How a value stands: at a bound it is beyond it. Where `fail` is the lesser bound, low values are bad."""
    sign = -1.0 if bounds.fail < bounds.warn else 1.0
    if sign * value >= sign * bounds.fail:
        return "fail"
    return "warn" if sign * value >= sign * bounds.warn else "ok"


class Change(NamedTuple):
    """A metric of a schedule, or of the account under a profile, that stands otherwise than before."""

    due_us: int
    schedule: str
    risk_profile: str
    metric: str
    value: float
    status: BoundStatus


@dataclass
class Seen:
    """What one metric of one schedule was over a run of a scheduler.

    Attributes:
        values: In order of time.
        counts: By status how many of them.
        episodes: By status how often it began to be that, or worse: how often an alert would have fired.
    """

    values: list[float] = field(default_factory=list)
    counts: dict[BoundStatus, int] = field(default_factory=lambda: dict.fromkeys(BOUND_STATUSES, 0))
    episodes: dict[BoundStatus, int] = field(default_factory=lambda: {"warn": 0, "fail": 0})
    status: BoundStatus = "ok"

    def take(self, value: float, bounds: Bounds) -> bool:
        """Take the next value; whether its status is another one."""
        before, self.status = self.status, bound_status(value, bounds)
        self.values.append(value)
        self.counts[self.status] += 1
        for level in self.episodes:
            at = BOUND_STATUSES.index(level)
            self.episodes[level] += BOUND_STATUSES.index(before) < at <= BOUND_STATUSES.index(self.status)
        return before != self.status


class BoundsWatch:
    """Holds every run against its profile's bounds.

    Attributes:
        seen: By schedule, profile and metric, of those that are bounded and were measured. Of the account `ACCOUNT`
            stands in place of the schedule.
        runs: By schedule how many runs there were.
    """

    def __init__(self, resolved: Sequence[ResolvedSchedule], profiles: Mapping[str, RiskProfile]) -> None:
        """resolved: the schedules; profiles: risk profiles by name."""
        self._profiles = {one.name: one.risk_profile for one in resolved}
        self._bounds = {name: profiles[name].telemetry_bounds for name in sorted({*self._profiles.values()})}
        self.seen: dict[tuple[str, str, str], Seen] = {}
        self.runs = dict.fromkeys(self._profiles, 0)

    def take(self, schedule: str, due_us: int, metrics: Mapping[str, float]) -> list[Change]:
        """Take what a run measured; returns what stands otherwise than before."""
        self.runs[schedule] += 1
        profile, changes = self._profiles[schedule], []
        for name, bounds in self._bounds[profile].items():
            if name in metrics and name != OF_ACCOUNT:
                changes += self._take(due_us, (schedule, profile, name), metrics[name], bounds)
        return changes

    def take_account(self, now_us: int, fall_pct: float) -> list[Change]:
        """Take how far the account is below its highest, in percent."""
        changes = []
        for profile, bounds in self._bounds.items():
            if OF_ACCOUNT in bounds:
                changes += self._take(now_us, (ACCOUNT, profile, OF_ACCOUNT), fall_pct, bounds[OF_ACCOUNT])
        return changes

    def _take(self, at_us: int, place: tuple[str, str, str], value: float, bounds: Bounds) -> list[Change]:
        seen = self.seen.setdefault(place, Seen())
        is_new = not seen.values
        return [Change(at_us, *place, value, seen.status)] if seen.take(value, bounds) or is_new else []
