"""What follows from a change of a scheduler's state, for the loop to do and the journal to tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from ...config.policies import Policy


@dataclass(frozen=True)
class RebalanceCapital:
    """The weights are computed at once."""


@dataclass(frozen=True, kw_only=True)
class PolicyChanged:
    """Weights are computed by another policy from now on; what the old one remembered is gone.

    Attributes:
        policy: As it is written.
    """

    policy: Policy


@dataclass(frozen=True, kw_only=True)
class FlattenSchedules:
    """What these schedules hold is closed at the next open, and their accepted wishes become 0.

    Attributes:
        schedules: Names, in declared order.
    """

    schedules: tuple[str, ...]


@dataclass(frozen=True)
class ResetPeak:
    """The highest mark that the governor measures the drawdown from starts anew."""


@dataclass(frozen=True, kw_only=True)
class Noted:
    """What began, ended or changed at this instant.

    Attributes:
        change: `began`; `ended` by a command; `replaced` by another of the same name, which then began; `expired`,
            also of what was past its end when it was given and never began; `changed`; or `without_effect`.
        kind: What sort of thing.
        what: Its name; of a limit `strategy:profile`, of the loop its mode, of a policy its label, of feeds
            `instrument:feed`, with `*` for all instruments.
        reason: Why; where nobody said why it ended, why it began.
        source: Whose it is: of a suspension `schedule` or `tag`, of a limit `configuration` or `override`, of all
            else `operator` or `governor`.
        value: Of a limit, signals a run; of the interval, seconds.
        until_us: When it was to end by itself, in microseconds since the epoch, UTC.
    """

    change: Literal["began", "ended", "replaced", "expired", "changed", "without_effect"]
    kind: Literal[
        "suspension",
        "signal_limit",
        "disabled_strategy",
        "mode",
        "capital_policy",
        "allocation_rebalance_seconds",
        "feed",
    ]
    what: str
    reason: str = ""
    source: str = "operator"
    value: float | None = None
    until_us: int | None = None


Effect: TypeAlias = RebalanceCapital | PolicyChanged | FlattenSchedules | ResetPeak | Noted
