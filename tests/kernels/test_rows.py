"""Engines by number, over the bars of several instruments that lie in separate arrays."""

from __future__ import annotations

import numpy as np
import pytest
from barstep.engine import builtin
from barstep.engine.bars import Bars
from barstep.engine.book import Book
from barstep.engine.pairing import pair_values
from barstep.engine.scheduler.engine_books import number_of
from barstep.engine.strategy import StrategyEngine
from barstep.kernels.book import PAGE
from barstep.kernels.columns import PAIR_COLUMNS
from barstep.kernels.engines.by_number import NUMBERED, advance_numbered
from barstep.kernels.engines.rows import LEG, LEG_PAGES, advance_rows, skip_rows
from contract import assert_same_bits
from inputs import Floats

pytestmark = pytest.mark.unit_kernel

HOUR_US, BARS, BLOCK = 3_600_000_000, 60, 16
UNTOUCHED = -12345.5
GIVEN = {
    "sma_crossover": {"fast_ma": 3, "slow_ma": 7},
    "daily_trend_momentum": {
        "fast_ma": 3, "slow_ma": 7, "breakout_lookback": 4, "momentum_window": 3, "atr_window": 4, "min_momentum": 0.0,
    },
    "mean_reversion": {"lookback": 6, "entry_zscore": 1.0},
    "grid_trading": {"anchor_window": 5},
    "volatility_target": {"lookback": 5},
    "cross_exchange_arbitrage": {"volatility_window": 5, "spread_entry": 0.004},
}  # fmt: skip
every_engine = pytest.mark.parametrize("engine", builtin.BUILTIN_ENGINES, ids=lambda engine: engine.name)


def some_bars(seed: int, venue: str = "v") -> Bars:
    """Hours, a tenth of which are missing."""
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.standard_normal(BARS) * 0.01))
    hours = np.cumsum(1 + (rng.random(BARS) < 0.1) * rng.integers(1, 4, BARS))
    return Bars.from_arrays(
        hours * HOUR_US, close, close * 1.01, close * 0.99, close, rng.random(BARS), interval_seconds=3600, venue=venue
    )


class Rows:
    """One engine on three instruments, the middle one of which is not traded."""

    def __init__(self, engine: StrategyEngine) -> None:
        self.engine, self.number = engine, number_of(engine.kernel)
        read = engine.read_parameters(GIVEN[engine.name])
        self.reach = max(engine.history(read), engine.reach(read))
        self.bars = [some_bars(seed) for seed in range(3)]
        self.others = [some_bars(seed + 10, "w") if engine.needs_secondary else None for seed in range(3)]
        self.legs = np.zeros((3 * LEG_PAGES, PAGE), dtype=np.int64)
        self.books = [self._book(i) for i in range(3)]
        self.params = np.repeat(engine.pack(read, 3600, 365.0)[None], 3, axis=0)
        self.carries = np.zeros((3, engine.carry_size))
        self.outs = np.full((3, engine.rows, BLOCK + 3), UNTOUCHED)
        self.stops, self.advanced = np.zeros(3, dtype=np.int64), np.full(3, -1)
        self.traded = np.array([1, 0, 1])

    def _book(self, i: int) -> Book:
        book, bars, other = Book(LEG, self.legs[i * LEG_PAGES : (i + 1) * LEG_PAGES]), self.bars[i], self.others[i]
        book.put(values=bars.values, closes_us=bars.closes_us, numbers=bars.numbers)
        if other is not None:
            pair, span = np.full((PAIR_COLUMNS, self.reach + BLOCK), UNTOUCHED), np.array([0, -1, self.reach])
            book.put(other_closes=other.values[3], other_closes_us=other.closes_us, pair=pair, span=span)
        return book

    def expected(self, i: int) -> Floats:
        """All rows of an instrument, by the engine's own kernel, called once for each run of consecutive bars."""
        bars, other = self.bars[i], self.others[i]
        values = bars.values if other is None else pair_values(bars, other, 0, len(bars))
        out, carry = np.full((self.engine.rows, len(bars)), UNTOUCHED), np.zeros(self.engine.carry_size)
        ends = [*bars.segment_starts[1:].tolist(), len(bars)]
        for begin, end in zip(bars.segment_starts.tolist(), ends, strict=True):
            carry[0] = bars.numbers[begin]
            self.engine.kernel(values, self.params[i], carry, out, begin, end, begin)
        return out

    def advance(self, closes_us: np.ndarray) -> np.ndarray:
        places = np.zeros((3, closes_us.size + 1), dtype=np.int64)
        advance_rows(
            self.number, self.legs, self.params, self.carries, self.outs, self.stops, self.advanced, self.traded,
            places, closes_us,
        )  # fmt: skip
        return places


def test_every_engine_that_comes_with_barstep_has_its_number() -> None:
    """Those of the catalog are those that are numbered; another has none."""
    assert {id(engine.kernel) for engine in builtin.BUILTIN_ENGINES} == {id(kernel) for kernel in NUMBERED}
    assert sorted(number_of(engine.kernel) for engine in builtin.BUILTIN_ENGINES) == list(range(len(NUMBERED)))
    assert number_of(lambda: None) is None


@every_engine
def test_a_number_calls_its_engine(engine: StrategyEngine) -> None:
    """The same bits as the engine's own kernel gives."""
    rows = Rows(engine)
    values = rows.bars[0].values
    if rows.others[0] is not None:
        values = pair_values(rows.bars[0], rows.others[0], 0, BARS)
    outs, carries = np.full((2, engine.rows, BARS), UNTOUCHED), np.zeros((2, engine.carry_size))
    engine.kernel(values, rows.params[0], carries[0], outs[0], 0, BARS, 0)
    advance_numbered(rows.number, values, rows.params[0], carries[1], outs[1], 0, BARS, 0)
    assert_same_bits(outs[1], outs[0], "rows")
    assert_same_bits(carries[1], carries[0], "carry")


@every_engine
@pytest.mark.parametrize("columns", [1, 5, BLOCK])
def test_each_column_sees_the_last_bar_that_is_closed(engine: StrategyEngine, columns: int) -> None:
    """Over every hour, in blocks of columns; what is not traded is left alone, nothing beyond the bars is written."""
    rows = Rows(engine)
    expected = {i: rows.expected(i) for i in (0, 2)}
    end_us = max(int(bars.closes_us[-1]) for bars in rows.bars)
    for begin_us in range(HOUR_US, end_us + HOUR_US, columns * HOUR_US):
        closes_us = begin_us + np.arange(columns) * HOUR_US
        before, rows.outs[...] = rows.stops.copy(), UNTOUCHED
        places = rows.advance(closes_us)
        for i, seen in expected.items():
            closed = np.searchsorted(rows.bars[i].closes_us, closes_us, side="right")
            assert (places[i, 1:] + before[i]).tolist() == closed.tolist()
            assert (rows.stops[i], rows.advanced[i]) == (closed[-1], closed[-1] - before[i])
            given = rows.outs[i, :, 1 : 1 + rows.advanced[i]]
            assert_same_bits(np.ascontiguousarray(given), np.ascontiguousarray(seen[:, before[i] : closed[-1]]), "rows")
            assert (rows.outs[i, :, 1 + rows.advanced[i] :] == UNTOUCHED).all()
        assert (rows.outs[1] == UNTOUCHED).all()
        assert rows.stops[1] == rows.advanced[1] == 0


@every_engine
def test_bars_that_are_skipped_leave_what_was_given_last(engine: StrategyEngine) -> None:
    """As if they had been advanced over; the number of bars at a time changes nothing."""
    one, other = Rows(engine), Rows(engine)
    until_us = int(one.bars[0].closes_us[40])
    for rows, block in ((one, BLOCK), (other, 1)):
        tails = np.full((3, engine.rows), UNTOUCHED)
        skip_rows(
            rows.number,
            rows.legs,
            rows.params,
            rows.carries,
            rows.outs,
            tails,
            rows.stops,
            rows.traded,
            until_us,
            block,
        )
        for i in (0, 2):
            closed = int(np.searchsorted(rows.bars[i].closes_us, until_us, side="right"))
            assert rows.stops[i] == closed
            assert_same_bits(tails[i], np.ascontiguousarray(rows.expected(i)[:, closed - 1]), "tails")
        assert (tails[1] == UNTOUCHED).all()
    assert_same_bits(one.carries, other.carries, "carries")
