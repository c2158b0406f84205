"""A market as moves: what is resampled, and what scenarios bend.

Every price of an instrument is kept as a ratio to its close before, and those of its other venues as ratios to its
close of the same bar. So a market can be put together anew from bars in another order: instruments keep their joint
moves, venues keep the basis of the bar that was drawn, and every bar stays one (its open and close between low and
high).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...errors import UsageError
from ...kernels.columns import CLOSE, HIGH, LOW, OPEN, VOLUME
from ..bars import MICROSECONDS, Bars, Floats, Integers
from ..feeds import FeedSources

PRICES = [OPEN, HIGH, LOW, CLOSE]
AT_CLOSE = 3
"""Place of the close among the rows of moves."""


@dataclass(frozen=True, kw_only=True)
class Leg:
    """An instrument's bars on one venue, as ratios.

    Attributes:
        bars: What they were taken from.
        ratios: float64[4, bar]: open, high, low and close; of a primary leg over its close before, of another leg over
            the primary's close of the same bar; 1 where there is no bar.
        volume: float64[bar], base units; 0 where there is no bar.
        present: bool[bar]: where there is a bar.
    """

    bars: Bars
    ratios: Floats
    volume: Floats
    present: NDArray[np.bool_]

    def at(self, places: Integers | slice) -> Leg:
        """The same at other places."""
        return replace(
            self,
            ratios=self.ratios[:, places],
            volume=self.volume[places],
            present=self.present[places],
        )


@dataclass(frozen=True, kw_only=True)
class Market:
    """All legs on one axis of time.

    Attributes:
        interval_seconds: Length of a bar.
        ts_us: int64[bar], open times.
        begins: By instrument, the close before the first bar.
        primary: By instrument.
        secondary: By instrument, second legs of pairs.
        fallback: By instrument.
    """

    interval_seconds: int
    ts_us: Integers
    begins: Mapping[str, float]
    primary: Mapping[str, Leg]
    secondary: Mapping[str, Leg]
    fallback: Mapping[str, Leg]

    @classmethod
    def of(cls, sources: FeedSources) -> Market:
        """The recorded market, from the first bar on before which every primary has one.

        Raises:
            UsageError: The instruments have no time in common.
        """
        legs = list(sources.primary.values())
        ts_us = np.unique(np.concatenate([bars.ts_us for bars in legs]))
        first_us = max(int(bars.ts_us[0]) if len(bars) else int(ts_us[-1]) for bars in legs)
        ts_us = ts_us[ts_us > first_us]
        if not ts_us.size:
            raise UsageError("the instruments have no time in common, so there is no market to simulate")
        begins, primary, closes = {}, {}, {}
        for name, bars in sources.primary.items():
            before = np.searchsorted(bars.ts_us, ts_us) - 1  # the last bar that opens before each time
            begins[name] = float(bars.close[before[0]])
            primary[name] = _leg(bars, ts_us, bars.close[before])
            closes[name] = bars.close[np.searchsorted(bars.ts_us, ts_us, "right") - 1]
        others = [
            {name: _leg(bars, ts_us, closes[name]) for name, bars in legs.items()}
            for legs in (sources.secondary, sources.fallback)
        ]
        return cls(
            interval_seconds=sources.base_interval_seconds,
            ts_us=ts_us,
            begins=begins,
            primary=primary,
            secondary=others[0],
            fallback=others[1],
        )

    def __len__(self) -> int:
        return self.ts_us.size

    @property
    def closes_us(self) -> Integers:
        """int64[bar], close times."""
        return self.ts_us + self.interval_seconds * MICROSECONDS

    def part(self, start: int, stop: int) -> Market:
        """Bars start to stop; prices begin where they stood before."""
        grown = {
            name: self.begins[name] * float(np.prod(leg.ratios[AT_CLOSE, :start])) for name, leg in self.primary.items()
        }
        return self._at(slice(start, stop), self.ts_us[start:stop], grown)

    def resampled(self, places: Integers, ts_us: Integers) -> Market:
        """The bars at these places in a row, at other times."""
        return self._at(places, ts_us, self.begins)

    def _at(self, places: Integers | slice, ts_us: Integers, begins: Mapping[str, float]) -> Market:
        return replace(
            self,
            ts_us=ts_us,
            begins=begins,
            primary={name: leg.at(places) for name, leg in self.primary.items()},
            secondary={name: leg.at(places) for name, leg in self.secondary.items()},
            fallback={name: leg.at(places) for name, leg in self.fallback.items()},
        )

    def sources(self) -> FeedSources:
        """The market as bars."""
        closes = {name: self.begins[name] * np.cumprod(leg.ratios[AT_CLOSE]) for name, leg in self.primary.items()}
        before = {name: np.append(self.begins[name], own[:-1]) for name, own in closes.items()}
        return FeedSources(
            base_interval_seconds=self.interval_seconds,
            primary={name: _bars(leg, self.ts_us, before[name]) for name, leg in self.primary.items()},
            secondary={name: _bars(leg, self.ts_us, closes[name]) for name, leg in self.secondary.items()},
            fallback={name: _bars(leg, self.ts_us, closes[name]) for name, leg in self.fallback.items()},
        )


def _leg(bars: Bars, ts_us: Integers, over: Floats) -> Leg:
    """A leg on the axis, its prices as ratios to `over`."""
    place = np.minimum(np.searchsorted(bars.ts_us, ts_us), max(len(bars) - 1, 0))
    present = bars.ts_us[place] == ts_us if len(bars) else np.zeros(ts_us.size, dtype=np.bool_)
    ratios, volume = np.ones((len(PRICES), ts_us.size)), np.zeros(ts_us.size)
    own = place[present]
    ratios[:, present] = bars.values[PRICES][:, own] / over[present]
    volume[present] = bars.values[VOLUME, own]
    return Leg(bars=bars, ratios=ratios, volume=volume, present=present)


def _bars(leg: Leg, ts_us: Integers, over: Floats) -> Bars:
    opens, highs, lows, closes = (leg.ratios * over)[:, leg.present]
    return Bars.from_arrays(
        ts_us[leg.present],
        opens,
        highs,
        lows,
        closes,
        leg.volume[leg.present],
        interval_seconds=leg.bars.interval_seconds,
        symbol=leg.bars.symbol,
        venue=leg.bars.venue,
    )
