"""Other futures for recorded bars: everything up to an instant stays, what comes after is another story."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..kernels.columns import CLOSE, HIGH, LOW, OPEN, VOLUME
from .bars import Bars, Floats, Integers

_STEP = 0.02
"""Standard deviation of a made-up bar's log return: more than most recorded ones."""

_FACTOR = 1.75
_SHOCK = 8.0


@dataclass(frozen=True, kw_only=True)
class Change:
    """One way to tell the future otherwise.

    Attributes:
        name: What it is called in reports.
        text: What it does.
        make: (bars, first bar that changes, generator) → the bars of the other future.
        keeps_open: Whether the first changed bar keeps its open, so that what is settled by that open must stay.
    """

    name: str
    text: str
    make: Callable[[Bars, int, np.random.Generator], Bars]
    keeps_open: bool = False


def changed_from(bars: Bars, instant_us: int, change: Change, rng: np.random.Generator) -> Bars:
    """The bars with another future from the first one that opens at an instant or later; the same where none does."""
    place = int(np.searchsorted(bars.ts_us, instant_us))
    return bars if place == len(bars) else change.make(bars, place, rng)


def _noise(bars: Bars, place: int, rng: np.random.Generator) -> Bars:
    return _with_walk(bars, place, rng, opens_at=_last_close(bars, place))


def _after_open(bars: Bars, place: int, rng: np.random.Generator) -> Bars:
    return _with_walk(bars, place, rng, opens_at=float(bars.open[place]), first_gap=False)


def _scaled(bars: Bars, place: int, rng: np.random.Generator) -> Bars:
    prices = bars.values[OPEN : CLOSE + 1, place:] * (_FACTOR if rng.random() < 0.5 else 1.0 / _FACTOR)
    return _joined(bars, place, prices, bars.values[VOLUME, place:] * 10.0)


def _shocked(bars: Bars, place: int, rng: np.random.Generator) -> Bars:
    """Prices that leap away and back, bar by bar."""
    m = len(bars) - place
    factors = np.where(np.arange(m) % 2 == int(rng.random() < 0.5), _SHOCK, 1.0 / _SHOCK)
    return _joined(bars, place, bars.values[OPEN : CLOSE + 1, place:] * factors, np.full(m, 1e-3))


def _reversed(bars: Bars, place: int, _rng: np.random.Generator) -> Bars:
    return _joined(bars, place, bars.values[OPEN : CLOSE + 1, place:][:, ::-1], bars.values[VOLUME, place:][::-1])


def _thinned(bars: Bars, place: int, rng: np.random.Generator) -> Bars:
    """Other prices, and half of the bars missing: gaps."""
    noisy = _noise(bars, place, rng)
    kept = np.concatenate((np.ones(place, dtype=np.bool_), rng.random(len(bars) - place) < 0.5))
    return _taken(noisy, np.flatnonzero(kept))


def _removed(bars: Bars, place: int, _rng: np.random.Generator) -> Bars:
    return _taken(bars, np.arange(place))


CHANGES = (
    Change(name="noise", text="the prices are a random walk", make=_noise),
    Change(
        name="after_open",
        text="the prices are a random walk, but the first bar keeps its open",
        make=_after_open,
        keeps_open=True,
    ),
    Change(
        name="scaled", text="the prices are 1.75 times as high or as low, the volumes 10 times as high", make=_scaled
    ),
    Change(name="shocked", text="the prices leap by a factor of 8, up and down in turn", make=_shocked),
    Change(name="reversed", text="the order is reversed", make=_reversed),
    Change(name="thinned", text="half are missing and the prices are a random walk", make=_thinned),
    Change(name="removed", text="all are missing", make=_removed),
)
"""Every way to tell the future otherwise. None makes a bar that `Bars` would refuse."""


def _last_close(bars: Bars, place: int) -> float:
    return float(bars.close[place - 1]) if place else float(bars.open[0])


def _with_walk(bars: Bars, place: int, rng: np.random.Generator, *, opens_at: float, first_gap: bool = True) -> Bars:
    """A random walk of prices that opens at `opens_at`, or a little beside it where there is a `first_gap`."""
    m = len(bars) - place
    closes = opens_at * np.exp(np.cumsum(_STEP * rng.standard_normal(m)))
    opens = np.concatenate(([opens_at], closes[:-1])) * np.exp(0.2 * _STEP * rng.standard_normal(m))
    if not first_gap:
        opens[0] = opens_at
    reach = np.exp(_STEP * np.abs(rng.standard_normal((2, m))))
    highs, lows = np.maximum(opens, closes) * reach[0], np.minimum(opens, closes) / reach[1]
    volume = bars.values[VOLUME, place:] * np.exp(rng.standard_normal(m)) + rng.random(m)
    return _joined(bars, place, np.stack((opens, highs, lows, closes)), volume)


def _joined(bars: Bars, place: int, prices: Floats, volume: Floats) -> Bars:
    """The bars before `place`, then those of `prices` (open, high, low, close) and `volume`."""
    before = bars.values[: VOLUME + 1, :place]
    after = np.concatenate((prices, volume[None, :]))
    return _of(bars, bars.ts_us, np.concatenate((before, after), axis=1))


def _taken(bars: Bars, places: Integers) -> Bars:
    return _of(bars, bars.ts_us[places], bars.values[: VOLUME + 1, places])


def _of(bars: Bars, ts_us: Integers, values: Floats) -> Bars:
    columns = (values[row] for row in (OPEN, HIGH, LOW, CLOSE, VOLUME))
    return Bars.from_arrays(
        ts_us, *columns, interval_seconds=bars.interval_seconds, symbol=bars.symbol, venue=bars.venue
    )
