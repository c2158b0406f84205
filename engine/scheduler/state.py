"""What a scheduler holds back, limits or has switched off, for which reason and until when.

Nothing here changes in place, and no clock is read: `transitions` makes one state from another. Instants are
microseconds since the epoch, UTC, and absolute, so that a state means the same whenever it is read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, TypeAlias

import msgspec

from ...config.policies import Policy
from ...errors import UsageError
from ..policy_program import Traits
from .arrays import NEVER_US

Key = tuple[str, ...]
"""What tells one entry from the others: its kind, then names."""


@dataclass(frozen=True, kw_only=True)
class HeldSuspension:
    """A schedule, or all that carry a tag, held back.

    Attributes:
        source: Whether `name` is a schedule's or a tag's.
        name: The schedule or the tag.
        reason: Why.
        since_us: When it began.
        expires_at_us: From when on it no longer holds; None where it does not end by itself.
        flatten: Whether what the schedules held was closed.
    """

    source: Literal["schedule", "tag"]
    name: str
    reason: str
    since_us: int
    expires_at_us: int | None
    flatten: bool

    @property
    def key(self) -> Key:
        """A schedule and a tag of one name are two things."""
        return ("suspension", self.source, self.name)

    def concerns(self, schedule: Traits) -> bool:
        """Whether it holds this schedule back."""
        return self.name == schedule.schedule if self.source == "schedule" else self.name in schedule.tags


@dataclass(frozen=True, kw_only=True)
class HeldLimit:
    """Most signals of a run, for one strategy under one risk profile.

    Attributes:
        source: `configuration` for an entry of `signal_limits`; `override` for an initial one or an operator's.
        strategy: The strategy.
        risk_profile: The profile.
        limit: Signals a run.
        reason: Why.
        since_us: When it began.
        expires_at_us: From when on it no longer holds; None where it does not end by itself.
    """

    source: Literal["configuration", "override"]
    strategy: str
    risk_profile: str
    limit: int
    reason: str
    since_us: int
    expires_at_us: int | None

    @property
    def key(self) -> Key:
        """An override stands beside what the configuration says, not in its place."""
        return ("signal_limit", self.source, self.strategy, self.risk_profile)

    def concerns(self, schedule: Traits) -> bool:
        """Whether it limits this schedule."""
        return (self.strategy, self.risk_profile) == (schedule.strategy, schedule.risk_profile)


@dataclass(frozen=True, kw_only=True)
class DisabledStrategy:
    """A strategy that is switched off until it is enabled.

    Attributes:
        strategy: The strategy.
        reason: Why.
        since_us: When it began.
        flatten: Whether what its schedules held was closed.
    """

    strategy: str
    reason: str
    since_us: int
    flatten: bool

    @property
    def key(self) -> Key:
        """By its name."""
        return ("disabled_strategy", self.strategy)

    @property
    def expires_at_us(self) -> None:
        """Never by itself."""
        return

    def concerns(self, schedule: Traits) -> bool:
        """Whether this schedule is switched off by it."""
        return self.strategy == schedule.strategy


Held: TypeAlias = HeldSuspension | HeldLimit | DisabledStrategy


@dataclass(frozen=True, kw_only=True)
class Mode:
    """What the loop may do.

    Attributes:
        name: `running`; `reducing`, which passes only what lowers a position; or `halted`, which passes nothing.
        reason: Why it is not running.
        source: Who said so; empty while it is as it was at the beginning.
        since_us: Since when.
    """

    name: Literal["running", "reducing", "halted"]
    reason: str = ""
    source: Literal["", "operator", "governor"] = ""
    since_us: int


@dataclass(frozen=True, kw_only=True)
class SchedulerState:
    """The state. Entries are sorted by key, so that two states that mean the same are equal.

    Attributes:
        schedules: Of each schedule, in declared order, what suspensions, limits and strategies find it by.
        mode: What the loop may do.
        capital_policy: As it is written.
        allocation_rebalance_seconds: Least time between computations of the weights; None where neither the
            configuration nor the policy says one.
        suspensions: Those that hold.
        limits: Those that hold.
        disabled: Strategies that are switched off.
    """

    schedules: tuple[Traits, ...]
    mode: Mode
    capital_policy: Policy
    allocation_rebalance_seconds: float | None
    suspensions: tuple[HeldSuspension, ...] = ()
    limits: tuple[HeldLimit, ...] = ()
    disabled: tuple[DisabledStrategy, ...] = ()

    @property
    def held(self) -> dict[Key, Held]:
        """Everything that holds, by key."""
        entries: tuple[Held, ...] = (*self.suspensions, *self.limits, *self.disabled)
        return {entry.key: entry for entry in entries}

    @cached_property
    def next_expiry_us(self) -> int:
        """The instant at which the next suspension or limit ends; NEVER_US where none does."""
        ends = *(one.expires_at_us for one in self.suspensions), *(one.expires_at_us for one in self.limits)
        return min((end_us for end_us in ends if end_us is not None), default=NEVER_US)

    def holding(self, held: Iterable[Held]) -> SchedulerState:
        """The same state with these entries in the place of its own."""
        entries = sorted(held, key=lambda entry: entry.key)
        return replace(
            self,
            suspensions=tuple(entry for entry in entries if isinstance(entry, HeldSuspension)),
            limits=tuple(entry for entry in entries if isinstance(entry, HeldLimit)),
            disabled=tuple(entry for entry in entries if isinstance(entry, DisabledStrategy)),
        )

    def to_dict(self) -> dict[str, Any]:
        """The state as mappings, sequences, text and numbers; `from_dict` makes the same state of it."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain

    @classmethod
    def from_dict(cls, plain: object) -> SchedulerState:
        """The state of `to_dict`, also after a way through JSON.

        Raises:
            UsageError: This is none.
        """
        try:
            return msgspec.convert(plain, cls)
        except msgspec.ValidationError as error:
            raise UsageError(f"this is no state of a scheduler: {error}") from error


@dataclass(frozen=True, kw_only=True)
class Expired:
    """An event: the end of a suspension or a limit has come.

    Attributes:
        key: What ended.
        at_us: When.
    """

    key: Key
    at_us: int


def due_expiries(state: SchedulerState, now_us: int) -> tuple[Expired, ...]:
    """Everything whose end is at or before now, by its instant, then by its key."""
    if state.next_expiry_us > now_us:
        return ()
    due = [ended for ended in _expiries(state) if ended.at_us <= now_us]
    return tuple(sorted(due, key=lambda ended: (ended.at_us, ended.key)))


def _expiries(state: SchedulerState) -> list[Expired]:
    return [
        Expired(key=key, at_us=entry.expires_at_us)
        for key, entry in state.held.items()
        if entry.expires_at_us is not None
    ]
