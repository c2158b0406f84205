"""Bars that come one after another: what has come is what a panel of the same bars has."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from barstep.engine.bars import Bars
from barstep.engine.growing import FUTURE_US, GrowingBars, GrowingPanel, Row
from barstep.engine.joining import coarser
from barstep.engine.panel import PRICES, Panel
from barstep.errors import DataError
from barstep.kernels.growing import lay_columns
from hypothesis import given
from hypothesis import strategies as st
from making import HOUR, HOUR_US, START_US, bars_of

NAMES = ("A", "B", "C")
ROW: Row = (10.0, 12.0, 9.0, 11.0, 5.0)


def histories(seed: int, count: int = 60) -> list[Bars]:
    """Three legs of some hours: each lacks some, one begins late, one tells no volume now and then."""
    rng = np.random.default_rng(seed)
    legs = []
    for leg in range(len(NAMES)):
        hours = np.flatnonzero(rng.random(count) < rng.choice([0.5, 0.9, 1.0]))
        hours = hours[hours >= rng.choice([0, 0, 25])]
        volume = np.where(rng.random(hours.size) < 0.2 * leg, np.nan, rng.random(hours.size))
        close = 100.0 * np.exp(np.cumsum(rng.standard_normal(hours.size) * 0.02))
        legs.append(bars_of(close, hours=hours.tolist(), volume=volume))
    return legs


def until(legs: Sequence[Bars], time_us: int) -> list[Bars]:
    return [bars.part(0, int(np.searchsorted(bars.ts_us, time_us))) for bars in legs]


def rows_at(legs: Sequence[Bars], ts_us: int) -> dict[int, Row]:
    places = [int(np.searchsorted(bars.ts_us, ts_us)) for bars in legs]
    return {
        leg: tuple(bars.values[:5, at].tolist())
        for leg, (bars, at) in enumerate(zip(legs, places, strict=True))
        if at < len(bars) and bars.ts_us[at] == ts_us
    }


def assert_same_bars(grown: GrowingBars, bars: Bars) -> None:
    """All that engines read, to the bit; what has not come lies in the future."""
    assert grown.count == len(bars)
    for name in ("ts_us", "closes_us", "numbers"):
        assert getattr(grown, name)[: len(bars)].tolist() == getattr(bars, name).tolist()
    assert np.ascontiguousarray(grown.values[:, : len(bars)]).tobytes() == bars.values.tobytes()
    assert (grown.ts_us[len(bars) :] == FUTURE_US).all()
    assert (grown.closes_us[len(bars) :] >= FUTURE_US).all()
    if len(bars):
        assert grown.segment_starts.tolist() == bars.segment_starts.tolist()
    assert grown.is_gapless == bars.is_gapless


@given(seed=st.integers(0, 10**6), known=st.integers(0, 60))
def test_it_grows_into_the_panel_of_the_same_bars(seed: int, known: int) -> None:
    """At every bar: times, bars, returns, runs, closes carried forward, and the prices of the last two columns."""
    legs, begin_us = histories(seed), START_US + known * HOUR_US
    growing = GrowingPanel(until(legs, begin_us), NAMES, 60)
    for ts_us in Panel(legs, NAMES).ts_us[len(Panel(until(legs, begin_us), NAMES)) :].tolist():
        place = growing.append(ts_us, rows_at(legs, ts_us))
        past = Panel(until(legs, ts_us + 1), NAMES)
        assert growing.count == len(past) == place + 1
        assert growing.ts_us[: len(past)].tolist() == past.ts_us.tolist()
        assert growing.numbers[: len(past)].tolist() == past.numbers.tolist()
        for grown, bars in zip(growing.instruments, past.instruments, strict=True):
            assert_same_bars(grown, bars)
        assert growing.column_closes_us(0, len(past)).tolist() == past.column_closes_us(0, len(past)).tolist()
        assert laid_out(growing, len(past) - 1) == laid_out(past, len(past) - 1)
    assert [bars.ts_us.tolist() for bars in growing.so_far().instruments] == [bars.ts_us.tolist() for bars in legs]


@given(seed=st.integers(0, 10**6), known=st.integers(0, 60), hours=st.sampled_from([2, 4, 24, 168]))
def test_longer_bars_are_those_of_joining(seed: int, known: int, hours: int) -> None:
    """After every instant, those whose end has come; also where no bar of theirs came at it."""
    legs, begin_us = histories(seed), START_US + known * HOUR_US
    growing = GrowingPanel(until(legs, begin_us), NAMES, 60)
    joined = growing.join([HOUR, hours * HOUR])[hours * HOUR]
    growing.complete(begin_us)
    for ts_us in range(begin_us, START_US + 60 * HOUR_US, HOUR_US):
        rows = rows_at(legs, ts_us)
        if rows:
            growing.append(ts_us, rows)
        growing.complete(ts_us + HOUR_US)
        for grown, bars in zip(joined, legs, strict=True):
            assert_same_bars(grown, whole_longer_bars(bars, hours * HOUR, ts_us + HOUR_US))


def test_longer_bars_that_are_asked_for_later_grow_beside_the_others() -> None:
    """Each interval goes on, whenever it was asked for."""
    panel = GrowingPanel([bars_of([10.0] * 4)], ["A"], 8)
    (twos,) = panel.join([2 * HOUR])[2 * HOUR]
    (fours,) = panel.join([4 * HOUR])[4 * HOUR]
    for hour in range(4, 12):
        panel.append(START_US + hour * HOUR_US, {0: ROW})
    assert (twos.count, fours.count) == (6, 3)


def laid_out(panel: Panel, start: int) -> tuple[bytes, list[list[int]]]:
    """Prices, numbers and places of a panel's last two columns, the second of which is `start`, on a poisoned block."""
    prices, columns, first = np.full((len(NAMES), PRICES, 3), -1.0), np.full((2, 3), -7), max(start - 1, 0)
    if isinstance(panel, GrowingPanel):
        lay_columns(panel.pages, start, 5, prices, columns)
    else:
        panel.fill_columns(first, start + 1, first - start + 1, 5, np.arange(PRICES), prices, columns)
    return prices[..., first - start + 1 :].tobytes(), columns[:, first - start + 1 : 2].tolist()


def whole_longer_bars(bars: Bars, interval_seconds: int, now_us: int) -> Bars:
    """Longer bars that have ended, made of more bars than have come: a longer one after the last lets it be whole."""
    have = int(np.searchsorted(bars.closes_us, now_us, side="right"))
    if not have:
        return coarser(bars.part(0, 0), interval_seconds)
    closes, hours = bars.close[:have], (bars.ts_us[:have] - START_US) / HOUR_US
    later = (now_us - START_US) / HOUR_US + np.arange(2 * interval_seconds / HOUR)
    filled = bars_of(np.append(closes, np.full(later.size, 1.0)), hours=[*hours, *later])
    filled.values[:, :have] = bars.values[:, :have]
    longer = coarser(filled, interval_seconds)
    return longer.part(0, int(np.searchsorted(longer.closes_us, now_us, side="right")))


def test_bars_that_are_not_fit_change_nothing() -> None:
    """One bad row, or one that comes late, and none of the instant is added; the message names it."""
    legs = [bars_of([10.0, 11.0]) for _ in NAMES]
    panel = GrowingPanel(legs, NAMES, 1)
    next_us = START_US + 2 * HOUR_US
    bad: list[tuple[int, Row, str]] = [
        (next_us - HOUR_US, ROW, "comes after that of"),
        (next_us, (10.0, 12.0, 9.0, float("nan"), 5.0), "is none"),
        (next_us, (10.0, 12.0, 0.0, 11.0, 5.0), "is none"),
        (next_us, (13.0, 12.0, 9.0, 11.0, 5.0), "is none"),
        (next_us, (10.0, float("inf"), 9.0, 11.0, 5.0), "is none"),
        (next_us, (10.0, 12.0, 9.0, 11.0, -1.0), "is none"),
    ]
    for ts_us, row, message in bad:
        with pytest.raises(DataError, match=message):
            panel.append(ts_us, {0: ROW, 2: row})
    assert [bars.count for bars in panel.instruments] == [2, 2, 2]
    assert panel.append(next_us, {0: ROW, 2: (10.0, 12.0, 9.0, 11.0, float("nan"))}) == 2
    with pytest.raises(DataError, match="no room for more than 3 bars"):
        panel.append(next_us + HOUR_US, {0: ROW})


def test_what_has_not_come_is_without_prices() -> None:
    """Of a column that comes next, and of one that there is no room for."""
    panel = GrowingPanel([bars_of([10.0, 11.0, 12.0])], ["A"], 1)
    prices, columns = np.zeros((1, PRICES, 3)), np.zeros((2, 3), dtype=np.int64)
    lay_columns(panel.pages, 3, 1, prices, columns)
    assert np.isfinite(prices[0, :4, 0]).all()
    assert np.isnan(prices[0, :, 1:]).all()
    assert columns[1].tolist() == [1, 2, 3]
