"""Which bars have closed, and when all of an instant are there. Decided by the exchange's time alone.

A bar counts as closed once the exchange's time had surely passed its end before it was asked for. What is missing
counts as not traded once the exchange has twice shown later bars without it, or still does not show it `QUIET_US` after
its close. Nothing is told twice, out of order or after its instant was complete.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..adapter_log import AdapterLog
from ..channel.messages import Bar, Begun, Complete, FromVenue, Unfinished
from .exchange import Candle

SETTLE_US = 250_000
"""After a close, before the bar is asked for."""
QUIET_US = 10_000_000
"""After a close, until a bar that the exchange still does not show was not traded."""
OPENING_US = 2_000_000
"""After an instant, until `Begun` no longer waits for the first price of a bar."""
_LOOK_BACK = 2
"""Bars that are asked for once more, to see whether they were revised."""
_SOONEST_US, _LATEST_US = 1_000_000, 15_000_000
"""Bounds of the time between two questions for the same bar."""


@dataclass(kw_only=True)
class _Leg:
    """What is known of one leg.

    Attributes:
        next_us: Bars that open before are settled: known, or known not to be.
        held: Settled or later closed bars that were not told yet, by open.
        seen: The last bars that were told, by open.
        holes: Opens that the last answer had later bars without.
        unfinished: The bar that has opened last, as far as it is not closed.
        told_us: Open of the last unfinished bar that was told.
        asked_us: The exchange's time, at least, when the last answer was asked for.
        is_full: Whether that answer was as long as one may be, so that there are more.
    """

    next_us: int
    held: dict[int, Candle] = field(default_factory=dict)
    seen: dict[int, Candle] = field(default_factory=dict)
    holes: set[int] = field(default_factory=set)
    unfinished: Candle | None = None
    told_us: int = -1
    asked_us: int = -(2**62)
    is_full: bool = False


class BarWatch:
    """Says what to ask for, takes the answers, and gives the messages for the loop.

    Args:
        legs: By place in the loop's list, the names of those that are watched.
        interval_us: Length of the bars.
        done_us: Bars that close later are wanted.
        most: Most bars of one answer.
        log: The adapter's log.
    """

    def __init__(self, legs: Mapping[int, str], *, interval_us: int, done_us: int, most: int, log: AdapterLog) -> None:
        self._names, self._interval_us, self._most, self._log = legs, interval_us, most, log
        self._done_us, self._begun_us = done_us, done_us
        self._legs = {place: _Leg(next_us=done_us) for place in sorted(legs)}
        self._patient_us = min(max(interval_us // 60, _SOONEST_US), _LATEST_US)

    def last_price(self, place: int) -> float | None:
        """The last price that is known of a leg."""
        leg = self._legs[place]
        if leg.unfinished is not None:
            return leg.unfinished.close
        known = leg.held or leg.seen
        return known[max(known)].close if known else None

    def due(self, earliest_us: int) -> int | None:
        """The leg to ask for now, the one that lags most; None where there is nothing to ask."""
        waiting = [place for place in self._legs if self._is_due(self._legs[place], earliest_us)]
        return min(waiting, key=lambda place: (self._legs[place].next_us, self._legs[place].asked_us), default=None)

    def question(self, place: int, earliest_us: int) -> tuple[int, int]:
        """From which open on to ask for a leg's bars, and for how many."""
        leg = self._legs[place]
        from_us = max(leg.next_us - _LOOK_BACK * self._interval_us, 0)
        missing = (earliest_us - from_us) // self._interval_us + 2
        return from_us, min(max(missing, 1), self._most)

    def take(self, place: int, candles: Sequence[Candle], *, limit: int, asked_us: int) -> None:
        """Take an answer in.

        Args:
            place: The leg.
            candles: The answer, in order.
            limit: How many were asked for.
            asked_us: The exchange's time, at least, before it was asked.
        """
        leg = self._legs[place]
        leg.asked_us = asked_us
        on_grid = [candle for candle in candles if candle.ts_us % self._interval_us == 0]
        if len(on_grid) < len(candles):
            self._log.write("off_grid", leg=self._names[place], bars=len(candles) - len(on_grid))
        closed = [candle for candle in on_grid if candle.ts_us + self._interval_us <= asked_us]
        for candle in closed:
            self._keep(place, leg, candle)
        unfinished = on_grid[-1] if len(on_grid) > len(closed) else None
        leg.unfinished = unfinished if unfinished is not None and unfinished.ts_us >= leg.next_us else None
        last_us = on_grid[-1].ts_us + (0 if unfinished is not None else self._interval_us) if on_grid else leg.next_us
        boundary_us = asked_us // self._interval_us * self._interval_us
        leg.is_full = len(candles) >= limit
        if not leg.is_full:
            last_us = max(last_us, (asked_us - QUIET_US) // self._interval_us * self._interval_us)
        self._settle(place, leg, min(last_us, boundary_us))

    def messages(self) -> list[FromVenue]:
        """What is to be told now, in order."""
        told: list[FromVenue] = []
        complete_us = min(leg.next_us for leg in self._legs.values())
        while self._done_us < complete_us:
            told += self._begin(
                self._done_us, {place: leg.held.get(self._done_us) for place, leg in self._legs.items()}
            )
            told += self._complete()
        told += self._open()
        return told

    def _is_due(self, leg: _Leg, earliest_us: int) -> bool:
        boundary_us = earliest_us // self._interval_us * self._interval_us
        retry_us = _SOONEST_US if earliest_us - boundary_us <= QUIET_US + _SOONEST_US else self._patient_us
        is_time = earliest_us - leg.asked_us >= retry_us
        if leg.next_us + self._interval_us + SETTLE_US <= earliest_us:
            return is_time or leg.is_full or leg.asked_us < boundary_us + SETTLE_US <= earliest_us
        has_opened = leg.unfinished is not None and leg.unfinished.ts_us == leg.next_us
        return is_time and not has_opened

    def _keep(self, place: int, leg: _Leg, candle: Candle) -> None:
        """Hold a closed bar until its instant is complete; notice where a bar that was told is another one now."""
        before = leg.held.get(candle.ts_us) or leg.seen.get(candle.ts_us)
        if before is None and leg.seen and min(leg.seen) < candle.ts_us < leg.next_us:
            self._log.write("late", leg=self._names[place], ts_us=candle.ts_us, close=candle.close)
        elif before is not None and before != candle:
            self._log.write(
                "revised", leg=self._names[place], ts_us=candle.ts_us, before=_text(before), after=_text(candle)
            )
        if candle.ts_us in leg.seen:
            leg.seen[candle.ts_us] = candle
        elif candle.ts_us >= leg.next_us or before is not None:
            leg.held[candle.ts_us] = candle

    def _settle(self, place: int, leg: _Leg, to_us: int) -> None:
        """Move on to `to_us`, but not past a hole that was seen for the first time."""
        opens = range(leg.next_us, to_us, self._interval_us)
        holes = {ts_us for ts_us in opens if ts_us not in leg.held}
        fresh = holes - leg.holes
        leg.holes = holes if fresh else set()
        leg.next_us = max(min(fresh, default=to_us), leg.next_us)
        if holes and not fresh:
            self._log.write("not_traded", leg=self._names[place], bars=len(holes), from_us=min(holes))

    def _begin(self, at_us: int, opening: Mapping[int, Candle | None]) -> list[FromVenue]:
        """The first prices of the bars that open at an instant, as far as they were not told."""
        if self._begun_us > at_us:
            return []
        told: list[FromVenue] = [
            _unfinished(place, Candle(ts_us=at_us, open=c.open, high=c.open, low=c.open, close=c.open, volume=0.0))
            for place, c in opening.items()
            if c is not None and self._legs[place].told_us < at_us
        ]
        self._begun_us = at_us + 1
        return [*told, Begun(at_us=at_us)]

    def _complete(self) -> list[FromVenue]:
        """The bars that close at the next instant, and that they are all."""
        opened_us, self._done_us = self._done_us, self._done_us + self._interval_us
        told: list[FromVenue] = []
        for place, leg in self._legs.items():
            candle = leg.held.pop(opened_us, None)
            if candle is None:
                continue
            leg.seen[opened_us] = candle
            for old_us in [ts_us for ts_us in leg.seen if ts_us < opened_us - _LOOK_BACK * self._interval_us]:
                del leg.seen[old_us]
            told.append(
                Bar(
                    leg=place,
                    ts_us=candle.ts_us,
                    open=candle.open,
                    high=candle.high,
                    low=candle.low,
                    close=candle.close,
                    volume=candle.volume,
                )
            )
        return [*told, Complete(at_us=self._done_us)]

    def _open(self) -> list[FromVenue]:
        """The first prices of the bars that are open now, and `Begun` where none is waited for any longer."""
        told: list[FromVenue] = []
        waits = False
        for place, leg in self._legs.items():
            opened = leg.unfinished
            if opened is not None and opened.ts_us == self._done_us:
                if leg.told_us < self._done_us:
                    told.append(_unfinished(place, opened))
                    leg.told_us = self._done_us
            elif leg.asked_us < self._done_us + OPENING_US:
                waits = True
        if not waits and self._begun_us <= self._done_us:
            self._begun_us = self._done_us + 1
            told.append(Begun(at_us=self._done_us))
        return told


def _unfinished(place: int, candle: Candle) -> Unfinished:
    return Unfinished(
        leg=place,
        ts_us=candle.ts_us,
        open=candle.open,
        high=candle.high,
        low=candle.low,
        close=candle.close,
        volume=candle.volume,
    )


def _text(candle: Candle) -> str:
    return f"{candle.open} {candle.high} {candle.low} {candle.close} {candle.volume}"
