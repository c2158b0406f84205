"""Which feed each instrument of a live run is read from: its own, or its fallback while that is silent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...config.commands import AnyCommand, UseFeed
from ...config.durations import microseconds
from ...engine.bars import Bars
from ...engine.fallback import FeedChange, FeedUse, merge
from ...engine.feed_switch import FeedSwitch
from ...engine.growing import Row
from ...engine.scheduler.live_setup import LivePlan

Rows = Mapping[int, Row]


class LiveFeeds:
    """Chooses among the bars of all legs those of the instruments.

    Legs are the instruments, the second legs of pairs, and then the fallbacks. A second leg has none.
    """

    def __init__(self, plan: LivePlan) -> None:
        self._plan = plan
        self._own, instruments = len(plan.names), list(plan.primary)
        self._fallback_of = {instruments.index(name): self._own + k for k, name in enumerate(plan.fallback)}
        self._switches = {
            i: FeedSwitch(name, plan.primary[name].venue, plan.fallback[name].venue)
            for i, name in enumerate(instruments)
            if name in plan.fallback
        }
        self._uses: list[tuple[int, FeedUse]] = []

    def use(self, command: UseFeed) -> None:
        """Take an operator's word."""
        use = FeedUse(at_us=microseconds(command.at), feed=command.feed)
        for i, switch in self._switches.items():
            if command.instrument in (None, switch.instrument):
                switch.use(use)
                self._uses.append((i, use))

    def told(self, commands: Iterable[AnyCommand]) -> LiveFeeds:
        """The same with what an operator says later."""
        later = LiveFeeds(self._plan)
        later.restore(self.state())
        for command in commands:
            if isinstance(command, UseFeed):
                later.use(command)
        return later

    def choose(self, close_us: int, rows: Rows) -> tuple[Rows, list[FeedChange]]:
        """The bars that close at an instant as they are traded, and the changes of feed that they bring about."""
        chosen, changes = {leg: row for leg, row in rows.items() if leg < self._own}, []
        for i, switch in self._switches.items():
            fallback = self._fallback_of[i]
            heard = switch.hear(close_us, has_primary=i in rows, has_fallback=fallback in rows)
            if heard.change is not None:
                changes.append(heard.change)
            chosen.pop(i, None)
            if heard.taken is not None:
                chosen[i] = rows[i if heard.taken == "primary" else fallback]
        return chosen, changes

    @property
    def has_fallbacks(self) -> bool:
        """Whether there is anything to choose."""
        return bool(self._switches)

    @property
    def on_fallback(self) -> tuple[str, ...]:
        """Instruments that are read from their fallback now."""
        return tuple(switch.instrument for switch in self._switches.values() if switch.feed == "fallback")

    def opens(self, opens: Mapping[int, float]) -> Mapping[int, float]:
        """The first prices of bars that open, of the feeds that are read now."""
        if not self._switches:
            return opens
        chosen = {leg: price for leg, price in opens.items() if leg < self._own}
        for i, switch in self._switches.items():
            fallback = self._fallback_of[i]
            if switch.feed == "fallback":
                chosen.pop(i, None)
                if fallback in opens:
                    chosen[i] = opens[fallback]
        return chosen

    def merged(self, legs: Sequence[Bars]) -> list[Bars]:
        """The bars of all legs as they are traded, by the operator's words so far."""
        own = list(legs[: self._own])
        for i, fallback in self._fallback_of.items():
            own[i] = merge(legs[i], legs[fallback], [use for place, use in self._uses if place == i]).bars
        return own

    def hear_history(self, legs: Sequence[Bars]) -> None:
        """Take bars of the past that nobody traded on."""
        for i, switch in self._switches.items():
            primary, fallback = (set(bars.closes_us.tolist()) for bars in (legs[i], legs[self._fallback_of[i]]))
            for close_us in sorted(primary | fallback):
                switch.hear(close_us, has_primary=close_us in primary, has_fallback=close_us in fallback)

    def state(self) -> dict[str, Any]:
        """All that what comes next depends on, as plain values."""
        uses = [[i, use.at_us, use.feed] for i, use in self._uses]
        return {"switches": {str(i): switch.state() for i, switch in self._switches.items()}, "uses": uses}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` said."""
        for i, switch in self._switches.items():
            switch.restore(state["switches"][str(i)])
        self._uses = [(i, FeedUse(at_us=at_us, feed=feed)) for i, at_us, feed in state["uses"]]
