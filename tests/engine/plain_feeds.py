"""When a feed stalls over to its fallback, in plain Python: one interval after another, as docs/feeds.md tells it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from barstep.engine.bars import Bars


@dataclass
class PlainFeed:
    """The rule once more, told interval by interval."""

    reading: str = "p"
    held: bool = False
    missed: int = 0
    back: int = 0

    def told(self, name: str) -> None:
        self.reading, self.held, self.missed, self.back = name, name == "f", 0, 0

    def hear(self, has_primary: bool, has_fallback: bool) -> str:
        """What this interval's bar is from."""
        if has_primary:
            self.missed, self.back = 0, self.back + 1
        elif has_fallback:
            self.missed, self.back = self.missed + 1, 0
        if not self.held and self.reading == "p" and self.missed >= 2:
            self.reading = "f"
        elif not self.held and self.reading == "f" and self.back >= 2:
            self.reading = "p"
        has = has_primary if self.reading == "p" else has_fallback
        return self.reading if has else "."


def plain_merged(primary: Bars, fallback: Bars, words: Sequence[tuple[int, str]]) -> Bars:
    """The bars of an instrument, from the feed that is read; words are instants and feeds, in order of time."""
    own, other = _rows(primary), _rows(fallback)
    length, waiting, feed = primary.interval_seconds * 1_000_000, list(words), PlainFeed()
    taken: dict[int, list[float]] = {}
    for time in sorted(time for time in {*own, *other} if time >= min(own)):
        while waiting and waiting[0][0] <= time + length:
            feed.told(waiting.pop(0)[1][0])
        reading = feed.hear(time in own, time in other)
        if reading != ".":
            taken[time] = (own if reading == "p" else other)[time]
    return Bars.from_arrays(
        list(taken), *([row[k] for row in taken.values()] for k in range(5)),
        interval_seconds=primary.interval_seconds, symbol=primary.symbol, venue=primary.venue,
    )  # fmt: skip


def _rows(bars: Bars) -> dict[int, list[float]]:
    return dict(zip(bars.ts_us.tolist(), bars.values[:5].T.tolist(), strict=True))
