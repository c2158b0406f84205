"""What the slow reference of the scheduler trades: instruments and hedged pairs bar by bar, and longer bars of them."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from barstep.engine.bars import Bars
from barstep.engine.pairing import pair
from barstep.engine.simulation import EngineRun
from barstep.engine.strategy import StrategyEngine, Value
from barstep.kernels.columns import CONFIDENCE, DIAGNOSTICS, TARGET

SECOND_US = 1_000_000
WEEK_US = 7 * 86_400 * SECOND_US
FIRST_MONDAY_US = 4 * 86_400 * SECOND_US

Given = Bars | tuple[Bars, Bars]


@dataclass(frozen=True)
class Quote:
    """One bar of an asset; `other_open` is that of a pair's second leg, None where it has none.

    `before_us`: open of the bar before it, of the first one its own.
    """

    before_us: int
    open_us: int
    close_us: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    other_open: float | None = None


@dataclass(eq=False)
class Asset:
    """An instrument, or a hedged pair of it, with the prices that it was last seen at.

    `other_name` is what fills call the second leg; `other_closes` its closes by their time.
    """

    name: str
    hedged: bool
    interval_us: int
    quotes: Sequence[Quote]
    other_name: str = ""
    other_closes: Mapping[int, float] = field(default_factory=dict)
    price: float | None = None
    other: float | None = None
    opening: Mapping[int, Quote] = field(init=False)
    closing: Mapping[int, Quote] = field(init=False)

    def __post_init__(self) -> None:
        self.opening = {quote.open_us: quote for quote in self.quotes}
        self.closing = {quote.close_us: quote for quote in self.quotes}

    @property
    def times(self) -> list[int]:
        """When a bar of a leg opens or closes."""
        second = [time for close in self.other_closes for time in (close - self.interval_us, close)]
        return [*self.opening, *self.closing, *second]

    def see_close(self, time_us: int) -> None:
        """Each leg is seen at its own close."""
        if time_us in self.closing:
            self.price = self.closing[time_us].close
        self.other = self.other_closes.get(time_us, self.other)

    @property
    def worth(self) -> float:
        """What a unit held is worth: the price, of a pair the difference of both legs."""
        return (self.price or 0.0) - (self.other or 0.0)

    @property
    def gross(self) -> float:
        """Traded value of a unit: of a pair both legs."""
        return (self.price or 0.0) + (self.other or 0.0)

    def worth_at_open(self, quote: Quote) -> tuple[float, float]:
        """Worth and gross of a unit while this bar opens; a leg that does not open counts at its last close."""
        other = (self.other if quote.other_open is None else quote.other_open) or 0.0
        return quote.open - other, quote.open + other


def asset_of(name: str, given: Given, *, hedged: bool) -> Asset:
    primary = given[0] if isinstance(given, tuple) else given
    length = primary.interval_seconds * SECOND_US
    quotes: list[Quote] = []
    opens: dict[int, float] = {}
    closes: dict[int, float] = {}
    other_name = ""
    if isinstance(given, tuple) and hedged:
        second = given[1]
        opens = dict(zip(second.ts_us.tolist(), second.open.tolist(), strict=True))
        closes = {
            time + length: close for time, close in zip(second.ts_us.tolist(), second.close.tolist(), strict=True)
        }
        other_name = f"{second.venue}:{name}"
    rows = primary.values[:5].T.tolist()
    for time, (opening, high, low, close, volume) in zip(primary.ts_us.tolist(), rows, strict=True):
        earlier = quotes[-1].open_us if quotes else time
        quotes.append(Quote(earlier, time, time + length, opening, high, low, close, volume, opens.get(time)))
    return Asset(name, hedged, length, quotes, other_name, closes)


def joined(bars: Bars, interval_seconds: int) -> Bars:
    """Longer bars, from multiples of their length since the epoch on; of those at the ends only whole ones."""
    if interval_seconds == bars.interval_seconds:
        return bars
    length, short = interval_seconds * SECOND_US, bars.interval_seconds * SECOND_US
    assert length > short and length % short == 0, f"no multiple of {bars.interval_seconds} s: {interval_seconds} s"
    origin = FIRST_MONDAY_US if length % WEEK_US == 0 else 0
    parts: dict[int, list[list[float]]] = {}
    for time, row in zip(bars.ts_us.tolist(), bars.values[:5].T.tolist(), strict=True):
        parts.setdefault(time - (time - origin) % length, []).append(row)
    first, end = int(bars.ts_us[0]), int(bars.ts_us[-1]) + short
    whole = {time: rows for time, rows in parts.items() if time >= first and time + length <= end}
    columns = [_one(rows) for rows in whole.values()]
    return Bars.from_arrays(
        list(whole), *([column[k] for column in columns] for k in range(5)),
        interval_seconds=interval_seconds, symbol=bars.symbol, venue=bars.venue,
    )  # fmt: skip


def _one(rows: list[list[float]]) -> tuple[float, float, float, float, float]:
    known = [row[4] for row in rows if not math.isnan(row[4])]
    volume = math.fsum(known) if known else math.nan
    return rows[0][0], max(row[1] for row in rows), min(row[2] for row in rows), rows[-1][3], volume


@dataclass(frozen=True)
class Seen:
    """What an engine said at a bar."""

    wish: float
    confidence: float
    diagnostics: Mapping[str, float]


@dataclass(frozen=True)
class Voice:
    """An engine over one instrument: what it says at each closed bar."""

    closes_us: list[int]
    said: list[Seen]

    def at(self, time_us: int) -> Seen | None:
        """What it said at the last bar that is closed; None before the first."""
        place = bisect_right(self.closes_us, time_us)
        return self.said[place - 1] if place else None

    def bars(self, time_us: int) -> int:
        return bisect_right(self.closes_us, time_us)


def voice_of(
    engine: StrategyEngine, parameters: Mapping[str, Value], given: Given, interval_seconds: int, year_days: float
) -> Voice:
    primary, secondary = given if isinstance(given, tuple) else (given, None)
    bars = joined(primary, interval_seconds)
    values = bars.values
    if engine.needs_secondary:
        assert secondary is not None, f"{engine.name} needs (primary, secondary)"
        values = pair(bars, joined(secondary, interval_seconds)).values
    rows = EngineRun(engine, dict(parameters), bars, values, year_days).rows().T.tolist()
    closes = [time + interval_seconds * SECOND_US for time in bars.ts_us.tolist()]
    said = [
        Seen(row[TARGET], row[CONFIDENCE], dict(zip(engine.diagnostics, row[DIAGNOSTICS:], strict=True)))
        for row in rows
    ]
    return Voice(closes, said)
