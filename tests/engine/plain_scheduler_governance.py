"""Who may not run, how many signals a run may have, and what the portfolio is held to, in the slow reference."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from barstep.config.governor import Governor
from barstep.config.limits import SignalLimit, Suspension
from barstep.config.risk import RiskProfile
from barstep.config.schedulers import Scheduler
from barstep.engine.configured import ResolvedSchedule
from plain_scheduler_fills import DAY_US
from plain_scheduler_market import SECOND_US

Command = Mapping[str, Any]
HALTING = {"halt", "reduce", "resume"}
SUSPENDING = {
    "suspend_schedule", "suspend_tag", "resume_schedule", "resume_tag", "disable_strategy", "enable_strategy",
}  # fmt: skip
LIMITING = {"set_signal_limit", "clear_signal_limit"}
NEVER = math.inf
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)


def end_of(since_us: int, until: datetime | None, duration_seconds: float | None) -> float:
    """When a suspension or limit ends, in microseconds."""
    if until is not None:
        return microseconds(until)
    return NEVER if duration_seconds is None else since_us + round(duration_seconds * SECOND_US)


def has_ended(command: Command, now_us: int) -> bool:
    """Whether what a command begins is over when it is applied; it then changes nothing."""
    return end_of(microseconds(command["at"]), command.get("until"), command.get("duration_seconds")) <= now_us


@dataclass
class Rules:
    """What holds now: suspensions by kind and name, limits by strategy and profile, each with its end."""

    suspended: dict[tuple[str, str], float] = field(default_factory=dict)
    disabled: set[str] = field(default_factory=set)
    limits: dict[tuple[str, str], tuple[int, float]] = field(default_factory=dict)
    overrides: dict[tuple[str, str], tuple[int, float]] = field(default_factory=dict)
    loop: str = "running"

    @classmethod
    def initial(cls, scheduler: Scheduler, start_us: int, without: Iterable[str]) -> Rules:
        rules = cls()
        if "suspensions" not in without:
            for entry in scheduler.initial_suspensions:
                end = end_of(start_us, entry.until, entry.duration_seconds)
                rules.suspended[_what(entry)] = end
        if "limits" not in without:
            rules.limits = _limits(scheduler.signal_limits, start_us)
            rules.overrides = _limits(scheduler.initial_signal_limits, start_us)
        rules.expire(start_us)
        return rules

    def ends(self) -> list[float]:
        limits = (*self.limits.values(), *self.overrides.values())
        return [*self.suspended.values(), *(end for _, end in limits)]

    def expire(self, now_us: int) -> None:
        """What ends now or has ended holds no more."""
        self.suspended = {what: end for what, end in self.suspended.items() if end > now_us}
        self.limits = {what: entry for what, entry in self.limits.items() if entry[1] > now_us}
        self.overrides = {what: entry for what, entry in self.overrides.items() if entry[1] > now_us}

    def apply(self, command: Command, at_us: int) -> None:
        """One of SUSPENDING, LIMITING or HALTING."""
        end = end_of(at_us, command.get("until"), command.get("duration_seconds"))
        match command["command"]:
            case "suspend_schedule" | "suspend_tag":
                self.suspended[_named(command)] = end
            case "resume_schedule" | "resume_tag":
                self.suspended.pop(_named(command), None)
            case "disable_strategy":
                self.disabled.add(command["strategy"])
            case "enable_strategy":
                self.disabled.discard(command["strategy"])
            case "set_signal_limit":
                self.overrides[command["strategy"], command["profile"]] = (command["limit"], end)
            case "clear_signal_limit":
                self.overrides.pop((command["strategy"], command["profile"]), None)
            case other:
                self.loop = {"halt": "halted", "reduce": "reducing", "resume": "running"}[other]

    def held_back(self, schedule: ResolvedSchedule) -> str:
        """`disabled`, `suspended`, or nothing."""
        if schedule.strategy.name in self.disabled:
            return "disabled"
        names = {("schedule", schedule.name), *(("tag", tag) for tag in schedule.strategy.tags)}
        return "suspended" if names & self.suspended.keys() else ""

    def most_signals(self, schedule: ResolvedSchedule, without: Iterable[str]) -> float:
        key = (schedule.strategy.name, schedule.risk_profile)
        own = schedule.schedule.max_signals
        least = NEVER if own is None or "limits" in without else own
        return min(least, self.limits.get(key, (NEVER,))[0], self.overrides.get(key, (NEVER,))[0])


def meant_by(command: Command, schedule: ResolvedSchedule) -> bool:
    """Whether a command that suspends or disables is about this schedule."""
    match command["command"]:
        case "suspend_schedule":
            return bool(command["schedule"] == schedule.name)
        case "suspend_tag":
            return command["tag"] in schedule.strategy.tags
        case "disable_strategy":
            return bool(command["strategy"] == schedule.strategy.name)
    return False


def _what(entry: Suspension) -> tuple[str, str]:
    return ("tag", entry.tag) if entry.tag else ("schedule", entry.schedule or "")


def _named(command: Command) -> tuple[str, str]:
    kind = "tag" if command["command"].endswith("tag") else "schedule"
    return kind, command[kind]


def _limits(written: Mapping[str, Mapping[str, int | SignalLimit]], start_us: int) -> dict[Any, tuple[int, float]]:
    found = {}
    for strategy, by_profile in written.items():
        for profile, entry in by_profile.items():
            if isinstance(entry, int):
                found[strategy, profile] = (entry, NEVER)
            else:
                found[strategy, profile] = (entry.limit, end_of(start_us, entry.until, entry.duration_seconds))
    return found


@dataclass
class Marks:
    """The account at its closes: the last mark, the highest, the governor's peak, and the day's beginning."""

    last: float
    highest: float
    peak: float
    day: int
    day_start: float
    over_budget: set[str] = field(default_factory=set)

    @classmethod
    def at(cls, equity: float, now_us: int) -> Marks:
        return cls(equity, equity, equity, now_us // DAY_US, equity)

    def take(self, equity: float, profiles: Mapping[str, RiskProfile]) -> None:
        self.last = equity
        self.highest, self.peak = max(self.highest, equity), max(self.peak, equity)
        for name, profile in profiles.items():
            budget = profile.daily_risk_budget_pct
            if budget is not None and self.day_start - equity > budget / 100.0 * self.day_start:
                self.over_budget.add(name)

    def new_day(self, now_us: int) -> None:
        self.day, self.day_start = now_us // DAY_US, self.last
        self.over_budget.clear()

    def reducing(self, name: str, profile: RiskProfile) -> bool:
        """Whether the profile lets nothing grow."""
        limit = profile.max_drawdown_pct
        fallen = limit is not None and _fall_pct(self.highest, self.last) > limit
        return fallen or name in self.over_budget

    @property
    def drawdown_pct(self) -> float:
        return _fall_pct(self.peak, self.last)


@dataclass(frozen=True)
class Watched:
    """What the governor looks at: exposure wanted and held by others, drawdown, and turnover since midnight."""

    wanted: float
    others: float
    drawdown_pct: float
    turnover: float

    def used_up(self, governor: Governor) -> bool:
        return governor.max_turnover_per_day is not None and self.turnover >= governor.max_turnover_per_day

    def breaks(self, governor: Governor) -> bool:
        gross, fall = governor.max_gross_exposure, governor.max_drawdown_pct
        too_much = gross is not None and self.wanted + self.others > gross
        return too_much or (fall is not None and self.drawdown_pct > fall) or self.used_up(governor)

    def scale(self, governor: Governor) -> float:
        """What targets are multiplied by."""
        factors, gross, fall = [1.0], governor.max_gross_exposure, governor.max_drawdown_pct
        if gross is not None and self.wanted > 0.0 and self.wanted + self.others > gross:
            factors.append(max(gross - self.others, 0.0) / self.wanted)
        if fall is not None and self.drawdown_pct > fall:
            factors.append(fall / self.drawdown_pct)
        return min(factors)


def _fall_pct(peak: float, equity: float) -> float:
    return 100.0 * (peak - equity) / peak
