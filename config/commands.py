"""An operator's commands as they are written: a mapping with `command`, `at`, and what that command takes.

What each does is told in docs/scheduler.md.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, Union

from msgspec import Struct, field

from .fields import Count, Instant, Name, Seconds, Text
from .policies import Policy
from .section import Section


class Command(Struct, tag_field="command", frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every command has.

    Attributes:
        at: When it is given. Commands of one instant apply in the order in which they stand.
    """

    at: Instant


class TimedCommand(Command, frozen=True, kw_only=True):
    """A command whose effect may end by itself.

    Attributes:
        reason: Shown wherever the effect is.
        until: When it ends; by default never. Either this or `duration_seconds`.
        duration_seconds: How long it holds, counted from `at`.
    """

    reason: str = ""
    until: Instant | None = None
    duration_seconds: Seconds | None = None


class SuspendSchedule(TimedCommand, tag="suspend_schedule", frozen=True, kw_only=True):
    """Holds a schedule back; with `flatten`, what it holds is closed at the next open."""

    schedule: Name
    flatten: bool = False


class SuspendTag(TimedCommand, tag="suspend_tag", frozen=True, kw_only=True):
    """Holds all schedules back whose strategy carries a tag; with `flatten`, what they hold is closed."""

    tag: Name
    flatten: bool = False


class ResumeSchedule(Command, tag="resume_schedule", frozen=True, kw_only=True):
    """Ends the suspension of a schedule by its name; that of its tags stays."""

    schedule: Name


class ResumeTag(Command, tag="resume_tag", frozen=True, kw_only=True):
    """Ends the suspension of a tag."""

    tag: Name


class SetSignalLimit(TimedCommand, tag="set_signal_limit", frozen=True, kw_only=True):
    """Overrides the most signals of a run, for one strategy under one risk profile."""

    strategy: Name
    profile: Name
    limit: Count


class ClearSignalLimit(Command, tag="clear_signal_limit", frozen=True, kw_only=True):
    """Ends such an override; what the configuration limits stays."""

    strategy: Name
    profile: Name


class DisableStrategy(Command, tag="disable_strategy", frozen=True, kw_only=True):
    """Switches all schedules of a strategy off until it is enabled; with `flatten`, what they hold is closed."""

    strategy: Name
    reason: str = ""
    flatten: bool = False


class EnableStrategy(Command, tag="enable_strategy", frozen=True, kw_only=True):
    """Switches them on again."""

    strategy: Name
    reason: str = ""


class RebalanceCapital(Command, tag="rebalance_capital", frozen=True, kw_only=True):
    """Computes the weights at once."""


class SetCapitalPolicy(Command, tag="set_capital_policy", frozen=True, kw_only=True):
    """Takes another policy and, unless `rebalance` is false, computes the weights at once.

    Attributes:
        policy: As in the configuration: a name or a mapping.
        apply_policy_interval: Whether the interval that it recommends is taken, too.
        rebalance: Whether the weights are computed at once.
    """

    policy: Policy
    apply_policy_interval: bool = False
    rebalance: bool = True


class ReplaceCapitalPolicy(Command, tag="replace_capital_policy", frozen=True, kw_only=True):
    """Takes another policy from the next computation of the weights on.

    Attributes:
        policy: As in the configuration: a name or a mapping.
        apply_policy_interval: Whether the interval that it recommends is taken, too.
    """

    policy: Policy
    apply_policy_interval: bool = False


class SetAllocationRebalanceSeconds(Command, tag="set_allocation_rebalance_seconds", frozen=True, kw_only=True):
    """Sets the least time between computations of the weights."""

    seconds: Seconds


class Halt(Command, tag="halt", frozen=True, kw_only=True):
    """Refuses all signals until the loop is resumed."""

    reason: str = ""


class Reduce(Command, tag="reduce", frozen=True, kw_only=True):
    """Refuses all signals but those that lower a position, until the loop is resumed."""

    reason: str = ""


class Resume(Command, tag="resume", frozen=True, kw_only=True):
    """Lets the loop run again."""

    reason: str = ""


class UseFeed(Command, tag="use_feed", frozen=True, kw_only=True):
    """Reads bars that close at `at` or later from the fallback until told otherwise, or from the primary.

    Attributes:
        feed: Which feed; the primary may stall again from then on.
        instrument: Whose; by default all that have a fallback.
    """

    feed: Literal["primary", "fallback"]
    instrument: Text | None = None


AnyCommand: TypeAlias = Union[  # noqa: UP007
    SuspendSchedule,
    SuspendTag,
    ResumeSchedule,
    ResumeTag,
    SetSignalLimit,
    ClearSignalLimit,
    DisableStrategy,
    EnableStrategy,
    RebalanceCapital,
    SetCapitalPolicy,
    ReplaceCapitalPolicy,
    SetAllocationRebalanceSeconds,
    Halt,
    Reduce,
    Resume,
    UseFeed,
]


class WrittenCommands(Section, kw_only=True):
    """What a file of commands says."""

    commands: list[AnyCommand] = field(default_factory=list)
