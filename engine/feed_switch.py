"""Between an instrument's feed and its fallback, an interval at a time: what `fallback.merge` says of whole histories.

For bars that come one by one. The rule stands in docs/feeds.md; that both say the same of any history is a test.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..config.durations import instant_at
from ..errors import UsageError
from .fallback import IN_A_ROW, FeedChange, FeedName, FeedUse, change_to


class Heard(NamedTuple):
    """What follows from an interval.

    Attributes:
        taken: The feed whose bar is the instrument's; None where it has no bar.
        change: The change of feed from this interval on; None where it stays.
    """

    taken: FeedName | None
    change: FeedChange | None


class FeedSwitch:
    """Which of its two feeds an instrument is read from.

    Args:
        instrument: The instrument.
        primary: The venue of its feed.
        fallback: The venue of its fallback.
    """

    def __init__(self, instrument: str, primary: str, fallback: str) -> None:
        self.instrument, self._venues = instrument, (primary, fallback)
        self._on_fallback = False
        self._is_held = False  # by an operator, on the fallback
        self._had_primary = False
        self._in_a_row = 0  # intervals that are alike, up to as many as decide; 0 before the first one that counts
        self._last_us: int | None = None
        self._uses: list[FeedUse] = []

    @property
    def feed(self) -> FeedName:
        """The feed that is read."""
        return "fallback" if self._on_fallback else "primary"

    def use(self, use: FeedUse) -> None:
        """Take an operator's word, which may lie ahead; of two for one interval the later one holds.

        Raises:
            UsageError: Bars of its instant were taken already.
        """
        if self._last_us is not None and use.at_us <= self._last_us:
            at, last = instant_at(use.at_us), instant_at(self._last_us)
            raise UsageError(
                f"the feed of {self.instrument} cannot be changed at {at.isoformat()}: bars up to {last.isoformat()} "
                "were taken already."
            )
        self._uses = sorted([*self._uses, use], key=_instant)

    def hear(self, close_us: int, *, has_primary: bool, has_fallback: bool) -> Heard:
        """Take the next interval in order of time; one in which neither feed has a bar may be left out.

        Args:
            close_us: When it closes.
            has_primary: Whether the primary has a bar of it.
            has_fallback: Whether the fallback has one.
        """
        has_begun = self._last_us is not None
        if not has_primary and not (has_begun and has_fallback):
            return Heard(None, None)  # of both it says nothing, and the history begins with the primary
        self._last_us = close_us
        before, commanded = self._on_fallback, self._take_words(close_us)
        self._count(has_primary)
        if not self._is_held and self._in_a_row == IN_A_ROW:
            self._on_fallback = not has_primary
        has_bar = has_fallback if self._on_fallback else has_primary
        change = None
        if self._on_fallback != before:
            change = change_to(self.instrument, self._venues, self._on_fallback, close_us, commanded=commanded)
        return Heard(self.feed if has_bar else None, change)

    def state(self) -> dict[str, Any]:
        """All that what comes next depends on, as plain values."""
        return {
            "feed": self.feed,
            "is_held": self._is_held,
            "had_primary": self._had_primary,
            "in_a_row": self._in_a_row,
            "last_us": self._last_us,
            "uses": [[use.at_us, use.feed] for use in self._uses],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` said."""
        self._on_fallback = state["feed"] == "fallback"
        self._is_held, self._had_primary = state["is_held"], state["had_primary"]
        self._in_a_row, self._last_us = state["in_a_row"], state["last_us"]
        self._uses = [FeedUse(at_us=at_us, feed=feed) for at_us, feed in state["uses"]]

    def _take_words(self, close_us: int) -> bool:
        """Whether an operator's words hold from the interval that closes now."""
        held = [use for use in self._uses if use.at_us <= close_us]
        if held:
            self._uses = self._uses[len(held) :]
            self._on_fallback = self._is_held = held[-1].feed == "fallback"
            self._in_a_row = 0  # the primary stalls afresh
        return bool(held)

    def _count(self, has_primary: bool) -> None:
        if has_primary == self._had_primary:
            self._in_a_row = min(self._in_a_row + 1, IN_A_ROW)
        else:
            self._had_primary, self._in_a_row = has_primary, 1


def _instant(use: FeedUse) -> int:
    return use.at_us
