"""Stretches of time in which something held a scheduler back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ..config.durations import instant_at
from .texts import moment

KINDS = ("halted", "reducing", "governor", "profile", "suspended", "disabled", "limit")
"""In the order of the page; each has a colour of its name."""

_MINUTE = 60


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """Something that held from an instant on.

    Attributes:
        kind: One of `KINDS`.
        what: What held, in words; stretches of the same words do not overlap.
        told: How much, in words; empty where there is nothing to say.
        reason: Why; empty where nobody said.
        source: Whose it is.
        begin_us: When it began, in microseconds since the epoch.
        end_us: When it ended; None where it still held.
        is_left_out: Whether the backtest ran without it.
    """

    kind: str
    what: str
    told: str
    reason: str
    source: str
    begin_us: int
    end_us: int | None
    is_left_out: bool = False

    @property
    def is_drawn(self) -> bool:
        """Not what had no effect, and no limit of the configuration that holds all the time."""
        return not self.is_left_out and (self.source != "configuration" or self.end_us is not None)

    @property
    def since(self) -> str:
        """When it began, UTC."""
        return _instant(self.begin_us)

    @property
    def until(self) -> str:
        """When it ended, UTC."""
        return "still held" if self.end_us is None else _instant(self.end_us)


def merged(stretches: Iterable[Stretch], least_gap_us: float) -> list[Stretch]:
    """Stretches of the same words, in order of time, with those as one whose gap is too short to be seen."""
    groups: list[list[Stretch]] = []
    for each in stretches:
        end_us = groups[-1][-1].end_us if groups else None
        if end_us is not None and each.begin_us - end_us < least_gap_us:
            groups[-1].append(each)
        else:
            groups.append([each])
    return [_as_one(group) for group in groups]


def _as_one(group: list[Stretch]) -> Stretch:
    if len(group) == 1:
        return group[0]
    reasons = sorted({each.reason for each in group})
    reason = reasons[0] if len(reasons) == 1 else f"{len(reasons)} different ones"
    return replace(group[0], told=f"{len(group):,} times, close together", reason=reason, end_us=group[-1].end_us)


def _instant(instant_us: int) -> str:
    return moment(instant_at(instant_us), _MINUTE)
