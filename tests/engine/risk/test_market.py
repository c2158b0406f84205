"""A market taken apart into moves is the same when it is put together again."""

from __future__ import annotations

import numpy as np
import pytest
from barstep.engine.risk.market import Market
from markets import sources


def test_the_recorded_market_comes_back() -> None:
    """Every leg's bars, times, prices and volumes; what was missing stays missing."""
    recorded = sources()
    again = Market.of(recorded).sources()
    for before, after in zip(
        (recorded.primary, recorded.secondary, recorded.fallback),
        (again.primary, again.secondary, again.fallback),
        strict=True,
    ):
        for name, bars in before.items():
            assert np.array_equal(after[name].ts_us, bars.ts_us[1:])  # the first bar has nothing before it
            assert after[name].values[:5] == pytest.approx(bars.values[:5, 1:], rel=1e-12)
            assert (after[name].venue, after[name].symbol) == (bars.venue, bars.symbol)


def test_a_part_begins_where_prices_stood() -> None:
    """Bars 100 to 120 of the market are those bars."""
    market = Market.of(sources())
    part = market.part(100, 120).sources()
    assert part.primary["ONE"].close == pytest.approx(sources().primary["ONE"].close[101:121], rel=1e-12)


def test_what_is_drawn_keeps_joint_moves_and_basis() -> None:
    """Of a drawn bar: each instrument's move, and the other venues' distance from it."""
    market, recorded = Market.of(sources()), sources()
    places = np.array([10, 11, 12, 150, 151, 3])
    drawn = market.resampled(places, market.ts_us[: places.size]).sources()
    one, two = recorded.primary["ONE"], bars_by_time(recorded.primary["TWO"])
    for k, place in enumerate(places.tolist()):
        move = one.close[place + 1] / one.close[place]
        before = drawn.primary["ONE"].close[k - 1] if k else one.close[0]
        assert drawn.primary["ONE"].close[k] / before == pytest.approx(move, rel=1e-12)
        basis = recorded.secondary["ONE"].close[place + 1] / one.close[place + 1]
        assert drawn.secondary["ONE"].close[k] / drawn.primary["ONE"].close[k] == pytest.approx(basis, rel=1e-12)
        other = drawn.primary["TWO"]
        before = other.close[k - 1] if k else two[int(one.ts_us[0])]
        moved = two[int(one.ts_us[place + 1])] / two[int(one.ts_us[place])]
        assert other.close[k] / before == pytest.approx(moved, rel=1e-12)


def test_a_bar_that_is_missing_is_missing_where_it_is_drawn() -> None:
    """TWO has no bars 50 to 54: drawn ones are absent, and its price goes on from the last close."""
    market = Market.of(sources())
    drawn = market.resampled(np.array([47, 48, 49, 50, 60]), market.ts_us[:5]).sources()
    assert drawn.primary["ONE"].ts_us.size == 5
    assert drawn.primary["TWO"].ts_us.tolist() == market.ts_us[[0, 1, 4]].tolist()


def bars_by_time(bars: object) -> dict[int, float]:
    """Close by open time."""
    return dict(zip(bars.ts_us.tolist(), bars.close.tolist(), strict=True))  # type: ignore[attr-defined]
