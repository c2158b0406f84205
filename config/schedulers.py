"""Schedulers: which strategies run, how often, and how capital is shared out among them."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from .fields import Count, Name, Seconds, SecondsOrZero, Text
from .governor import Governor
from .limits import SignalLimits, Suspension
from .policies import Policy
from .section import Section
from .tokens import Tokens


class Schedule(Section, kw_only=True):
    """One strategy at a cadence.

    Attributes:
        strategy: A name of the catalog, or an engine's own name for that engine with its defaults.
        cadence_seconds: Runs are due at multiples of it since the epoch.
        max_drift_seconds: A run later than this is skipped.
        warmup_bars: Closed bars of `interval` that must exist before the first run.
        risk_profile: By default the strategy's, else the environment's.
        max_signals: Most signals of a run; by default as many as there are.
        interval: Length of a bar.
        instrument_universe: By default the environment's.
    """

    strategy: Name
    cadence_seconds: Seconds
    max_drift_seconds: SecondsOrZero = 30.0
    warmup_bars: Count = 0
    risk_profile: Name | None = None
    max_signals: Count | None = None
    interval: Seconds = 3_600.0
    instrument_universe: Name | None = None


class ShadowParity(Section, kw_only=True):
    """How a live loop's day is computed again beside it.

    Attributes:
        every: Event time between two looks.
        on_difference: Record what differs, or switch the strategy off, too, whose schedule it is in.
    """

    every: Seconds
    on_difference: Literal["record", "halt"] = "record"


class Scheduler(Section, kw_only=True):
    """Schedules that share one portfolio.

    Attributes:
        telemetry_namespace: First part of the names of its metrics; by default `runtime.` and the scheduler's name.
        capital_policy: How capital is shared out among the schedules.
        allocation_rebalance_seconds: Least time between recomputations; by default what the policy recommends.
        portfolio_governor: Limits of the portfolio as a whole.
        signal_limits: Most signals of a run, by strategy and risk profile.
        initial_signal_limits: Overrides of these that hold from the first run on.
        initial_suspensions: Suspensions that hold from the first run on.
        rbac_tokens: Who may manage it.
        health_check_interval: Time between looks at schedules that failed.
        shadow_parity: How a live loop's day is computed again beside it; by default it is not.
        schedules: By name, in the order in which they run when several are due at one instant.
    """

    schedules: Annotated[dict[Name, Schedule], Meta(min_length=1, extra={"ordered": True})]
    telemetry_namespace: Text | None = None
    capital_policy: Policy = "risk_parity"
    allocation_rebalance_seconds: Seconds | None = None
    portfolio_governor: Governor | None = None
    signal_limits: SignalLimits = field(default_factory=dict)
    initial_signal_limits: SignalLimits = field(default_factory=dict)
    initial_suspensions: list[Suspension] = field(default_factory=list)
    rbac_tokens: Tokens = field(default_factory=list)
    health_check_interval: Seconds = 60.0
    shadow_parity: ShadowParity | None = None
