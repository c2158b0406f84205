"""Seeded synthetic markets: several instruments that move together, on several venues that disagree a little.

One path of log prices is drawn in steps of fifteen seconds, from which every bar is cut, so that the hours of a
market are exactly the joined minutes of the same market. What it is made of:

- a common factor with trends (up, flat, down), swings about them that revert within a day, volatility regimes, a
  daily rhythm, quiet weekends and jumps;
- for each instrument its share of the factor, a wandering level of its own, and a smaller swing of its own;
- for each venue its delay behind the market, a basis that reverts within hours, and noise.

The same specification gives the same bars on every machine: the generator is PCG64, every part draws from a stream
of its own, and prices are rounded to ticks, which swallows the last bits in which mathematical libraries differ.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..errors import UsageError, unknown_name
from .dataset import SCHEMA, Dataset, DatasetInfo, frame_digest
from .durations import DAY, HOUR, MICROSECONDS, MINUTE, format_interval

Floats = NDArray[np.float64]

STEP_SECONDS = 15
BASE_SECONDS = MINUTE
_YEAR_SECONDS = 365.25 * DAY
# Swings and bases move over hours: a grid of five minutes, joined by straight lines, is fine enough for them.
_SLOW_SECONDS = 5 * MINUTE

_VOLATILITY_REGIMES = (0.55, 1.0, 1.9)
_REGIME_SECONDS = 4 * DAY
_TREND_DRIFTS = (2.6, 0.1, -2.0)
_TREND_SECONDS = 20 * DAY
_JUMPS_A_YEAR = 30
_JUMP_SIZE = 0.018


@dataclass(frozen=True, kw_only=True)
class InstrumentSpec:
    """One instrument.

    Attributes:
        symbol: Its name.
        start_price: Price at the start.
        factor_share: How much of the common factor it takes (its beta).
        own_volatility: Volatility a year of its own wandering level.
        swing: Standard deviation of the swing about that level.
        swing_half_life_seconds: How fast the swing reverts.
        ticks_per_unit: Ticks in one unit of price: 100 for a tick of 0.01.
        daily_volume: Units traded on an ordinary day on the largest venue.
    """

    symbol: str
    start_price: float
    factor_share: float = 1.0
    own_volatility: float = 0.25
    swing: float = 0.01
    swing_half_life_seconds: int = 14 * HOUR
    ticks_per_unit: int = 100
    daily_volume: float = 10_000.0


@dataclass(frozen=True, kw_only=True)
class VenueSpec:
    """One venue.

    Attributes:
        name: Its name.
        delay_seconds: Its price is the market's mean over this time: 0 leads, more lags.
        basis_bps: Standard deviation of its basis to the market.
        basis_half_life_seconds: How fast the basis reverts.
        noise_bps: Standard deviation of the noise on each step.
        volume_share: Its volume as a share of the largest venue's.
    """

    name: str
    delay_seconds: int = 0
    basis_bps: float = 0.0
    basis_half_life_seconds: int = 8 * HOUR
    noise_bps: float = 0.4
    volume_share: float = 1.0


@dataclass(frozen=True, kw_only=True)
class MarketSpec:
    """A whole market.

    Attributes:
        seed: Chooses the market; the same seed gives the same bars.
        start: Open of the first bar, UTC.
        end: End of the last bar, UTC.
        interval_seconds: Length of a bar, a multiple of a minute.
        instruments: What is traded.
        venues: Where.
        factor_volatility: Volatility a year of the common factor in the middle regime.
        factor_swing: Standard deviation of the factor's swing about its level.
        factor_swing_half_life_seconds: How fast that swing reverts.
    """

    seed: int
    start: datetime
    end: datetime
    interval_seconds: int
    instruments: tuple[InstrumentSpec, ...]
    venues: tuple[VenueSpec, ...]
    factor_volatility: float = 0.38
    factor_swing: float = 0.016
    factor_swing_half_life_seconds: int = 14 * HOUR

    def __post_init__(self) -> None:
        if self.interval_seconds % BASE_SECONDS:
            raise UsageError(f"interval of {self.interval_seconds} s: a generated bar is a multiple of 60 s.")
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise UsageError("start and end of a market need a time zone, such as UTC.")
        length = (self.end - self.start).total_seconds()
        if length < self.interval_seconds or length % self.interval_seconds:
            raise UsageError(
                f"{self.start} to {self.end} is no whole number of {format_interval(self.interval_seconds)} bars."
            )
        if self.start_seconds % self.interval_seconds:
            raise UsageError(f"start {self.start} is no multiple of {format_interval(self.interval_seconds)}.")
        if self.seed < 0:
            raise UsageError(f"seed {self.seed}: must be 0 or more.")

    @property
    def start_seconds(self) -> int:
        """Start in seconds since the epoch."""
        return int(self.start.timestamp())

    @property
    def minutes(self) -> int:
        """Number of base bars."""
        return int((self.end - self.start).total_seconds()) // BASE_SECONDS

    @property
    def steps(self) -> int:
        """Number of steps of the path."""
        return self.minutes * BASE_SECONDS // STEP_SECONDS


Key = tuple[str, str]


def generate_market(spec: MarketSpec, only: Collection[Key] | None = None) -> dict[Key, Dataset]:
    """Bars of a market, by venue and symbol.

    Args:
        spec: The market.
        only: Pairs of venue and symbol to return; the others are not computed, and these do not depend on them.

    Raises:
        UsageError: `only` names what is not in the market.
    """
    keys = [(venue.name, instrument.symbol) for venue in spec.venues for instrument in spec.instruments]
    for key in only or ():
        if key not in keys:
            raise UsageError(unknown_name("market", "_".join(key), ["_".join(known) for known in keys]))
    wanted = set(keys if only is None else only)
    activity = _activity(spec)
    factor = _factor(spec, activity)
    market: dict[Key, Dataset] = {}
    for instrument in spec.instruments:
        venues = [venue for venue in spec.venues if (venue.name, instrument.symbol) in wanted]
        if not venues:
            continue
        path = _instrument_path(spec, instrument, factor, activity)
        for venue in venues:
            market[venue.name, instrument.symbol] = _venue_bars(spec, instrument, venue, path, activity)
    return {key: market[key] for key in keys if key in wanted}


def _stream(spec: MarketSpec, *names: str) -> np.random.Generator:
    """A stream of its own for each part, so that another instrument or venue leaves the rest as it was."""
    words = [byte for name in names for byte in (*name.encode(), 0)]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([spec.seed, *words])))


def _activity(spec: MarketSpec) -> Floats:
    """How lively each minute is, around 1: a daily rhythm that peaks in the American morning, and quiet weekends."""
    minute = spec.start_seconds // MINUTE + np.arange(spec.minutes)
    turn = 2 * math.pi * (minute % 1440) / 1440
    rhythm = 1 + 0.35 * np.cos(turn - 2 * math.pi * 15 / 24) + 0.15 * np.cos(2 * turn - 4 * math.pi * 14 / 24)
    weekday = (minute // 1440 + 3) % 7  # the epoch was a Thursday, the third day from Monday
    activity: Floats = rhythm * np.where(weekday >= 5, 0.7, 1.0)
    return activity


def _regimes(draw: np.random.Generator, minutes: int, mean_seconds: float, states: int) -> NDArray[np.int64]:
    """A Markov chain that stays in a state for a mean time and then moves to any other one."""
    switch = draw.random(minutes) < BASE_SECONDS / mean_seconds
    moves = np.where(switch, draw.integers(1, states, minutes), 0)
    path: NDArray[np.int64] = (draw.integers(0, states) + np.cumsum(moves)) % states
    return path


def _factor(spec: MarketSpec, activity: Floats) -> Floats:
    """Level of the common factor in logs, step by step: what trends and jumps, and a swing about it."""
    draw = _stream(spec, "factor")
    regimes = np.asarray(_VOLATILITY_REGIMES)[_regimes(draw, spec.minutes, _REGIME_SECONDS, 3)]
    drifts = np.asarray(_TREND_DRIFTS)[_regimes(draw, spec.minutes, _TREND_SECONDS, 3)]
    per_minute = BASE_SECONDS // STEP_SECONDS
    step_years = STEP_SECONDS / _YEAR_SECONDS
    scale = spec.factor_volatility * math.sqrt(step_years) * regimes * np.sqrt(activity)
    increments = draw.standard_normal(spec.steps) * np.repeat(scale, per_minute)
    increments += np.repeat(drifts * step_years, per_minute)
    increments += _jumps(draw, spec.steps, _JUMPS_A_YEAR, _JUMP_SIZE)
    level: Floats = np.cumsum(increments)
    return level + _reverting(draw, spec.steps, spec.factor_swing, spec.factor_swing_half_life_seconds)


def _jumps(draw: np.random.Generator, steps: int, a_year: float, size: float) -> Floats:
    jumps = np.zeros(steps)
    count = int(draw.poisson(a_year * steps * STEP_SECONDS / _YEAR_SECONDS))
    at = draw.integers(0, steps, count)
    np.add.at(jumps, at, draw.normal(-0.1 * size, size, count))
    return jumps


def _reverting(draw: np.random.Generator, steps: int, deviation: float, half_life_seconds: float) -> Floats:
    """A swing about zero with a standard deviation and a half-life, drawn slowly and joined by straight lines."""
    slow_steps = steps * STEP_SECONDS // _SLOW_SECONDS + 2
    persistence = 0.5 ** (_SLOW_SECONDS / half_life_seconds)
    shocks = draw.standard_normal(slow_steps) * (deviation * math.sqrt(1 - persistence**2))
    shocks[0] = draw.standard_normal() * deviation
    swing = np.fromiter(itertools.accumulate(shocks.tolist(), lambda x, shock: persistence * x + shock), np.float64)
    at = (np.arange(steps) + 1) * (STEP_SECONDS / _SLOW_SECONDS)
    joined: Floats = np.interp(at, np.arange(slow_steps), swing)
    return joined


def _instrument_path(spec: MarketSpec, instrument: InstrumentSpec, factor: Floats, activity: Floats) -> Floats:
    """Log prices at the end of each step, before any venue."""
    draw = _stream(spec, "instrument", instrument.symbol)
    scale = instrument.own_volatility * math.sqrt(STEP_SECONDS / _YEAR_SECONDS) * np.sqrt(activity)
    own = draw.standard_normal(spec.steps) * np.repeat(scale, BASE_SECONDS // STEP_SECONDS)
    own += _jumps(draw, spec.steps, _JUMPS_A_YEAR / 2, _JUMP_SIZE / 2)
    swing = _reverting(draw, spec.steps, instrument.swing, instrument.swing_half_life_seconds)
    path: Floats = math.log(instrument.start_price) + instrument.factor_share * factor + np.cumsum(own) + swing
    return path


def _delayed(path: Floats, delay_seconds: int) -> Floats:
    """The mean over the last `delay_seconds` of a path."""
    width = delay_seconds // STEP_SECONDS
    if width <= 1:
        return path
    padded = np.concatenate([np.full(width, path[0]), path])
    sums = np.cumsum(padded - path[0])
    means: Floats = path[0] + (sums[width:] - sums[:-width]) / width
    return means


def _venue_bars(
    spec: MarketSpec, instrument: InstrumentSpec, venue: VenueSpec, path: Floats, activity: Floats
) -> Dataset:
    draw = _stream(spec, "venue", venue.name, instrument.symbol)
    prices = _delayed(path, venue.delay_seconds)
    prices = prices + draw.standard_normal(spec.steps) * (venue.noise_bps * 1e-4)
    if venue.basis_bps > 0:
        prices += _reverting(draw, spec.steps, venue.basis_bps * 1e-4, venue.basis_half_life_seconds)
    ticks = np.maximum(np.round(np.exp(prices) * instrument.ticks_per_unit), 1.0) / instrument.ticks_per_unit
    grid = ticks.reshape(spec.minutes, -1)
    opens = np.concatenate([[grid[0, 0]], grid[:-1, -1]])
    bars = {
        "open": opens,
        "high": np.maximum(opens, grid.max(axis=1)),
        "low": np.minimum(opens, grid.min(axis=1)),
        "close": grid[:, -1],
    }
    bars["volume"] = _volumes(spec, instrument, venue, draw, bars["high"] / bars["low"] - 1, activity)
    return _dataset(spec, instrument, venue, _join_minutes(bars, spec.interval_seconds // BASE_SECONDS))


def _volumes(
    spec: MarketSpec,
    instrument: InstrumentSpec,
    venue: VenueSpec,
    draw: np.random.Generator,
    ranges: Floats,
    activity: Floats,
) -> Floats:
    """Units a minute: with the time of day, more when the price moves, and never none."""
    ordinary = instrument.daily_volume * venue.volume_share * BASE_SECONDS / DAY
    chance = np.exp(draw.standard_normal(spec.minutes) * 0.5 - 0.125)
    moved = 0.4 + 0.6 * ranges / max(float(ranges.mean()), 1e-12)
    volumes: Floats = np.maximum(np.round(ordinary * activity * chance * moved, 2), 0.01)
    return volumes


def _join_minutes(bars: dict[str, Floats], count: int) -> dict[str, Floats]:
    if count == 1:
        return bars
    grid = {name: values.reshape(-1, count) for name, values in bars.items()}
    return {
        "open": grid["open"][:, 0],
        "high": grid["high"].max(axis=1),
        "low": grid["low"].min(axis=1),
        "close": grid["close"][:, -1],
        # Sums of hundredths are no hundredths in binary: rounded again they are, and they pack better.
        "volume": np.round(grid["volume"].sum(axis=1), 2),
    }


def _dataset(spec: MarketSpec, instrument: InstrumentSpec, venue: VenueSpec, bars: dict[str, Floats]) -> Dataset:
    opens_us = (spec.start_seconds + np.arange(bars["open"].size) * spec.interval_seconds) * MICROSECONDS
    frame = pl.DataFrame({"timestamp": pl.Series(opens_us).cast(SCHEMA["timestamp"]), **bars})
    info = DatasetInfo(
        symbol=instrument.symbol,
        venue=venue.name,
        interval_seconds=spec.interval_seconds,
        digest=frame_digest(frame),
        source=f"barstep data generate, seed {spec.seed}",
        notes=("synthetic: drawn from a seeded generator, not recorded",),
    )
    return Dataset(frame, info)


def utc_day(year: int, month: int, day: int) -> datetime:
    """Midnight UTC of a day."""
    return datetime(year, month, day, tzinfo=UTC)
