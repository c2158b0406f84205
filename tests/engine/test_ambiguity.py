"""What the unknown order of prices inside bars makes of a result."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import barstep as bs
import numpy as np
import pytest
from barstep.engine.ambiguity import FillAmbiguity
from barstep.engine.bars import Bars
from hypothesis import given
from hypothesis import strategies as st
from making import START_US, bits, random_wishes, walk_bars

HOUR_US = 3_600_000_000


def bars_with_ranges(rows: list[tuple[float, float, float, float]]) -> Bars:
    """Hours of open, high, low and close."""
    columns = np.array(rows).T
    times = START_US + np.arange(len(rows)) * HOUR_US
    return Bars.from_arrays(times, *columns, interval_seconds=3600, symbol="X", venue="v")


FLAT = (100.0, 100.0, 100.0, 100.0)
WIDE = (100.0, 105.0, 97.0, 101.0)
TOUCHES_NOTHING = (100.0, 101.0, 99.0, 100.0)


def result_of(*rows: tuple[float, float, float, float], **options: Any) -> bs.Result:
    """Five units long from the second bar on, with a stop at 98 and a target at 104."""
    given = {"capital": 1000.0, "units": 5, "lot": 1, "fee_bps": 0, "stop_loss_pct": 2.0, "take_profit_pct": 4.0}
    return bs.backtest(bars_with_ranges([FLAT, *rows]), [1.0] * (len(rows) + 1), **(given | options))


def test_both_ends_of_an_ambiguous_bar() -> None:
    """Stop and target in one of four bars: 990 with the stop, 1020 with the target, whichever was taken."""
    for taken, equity in (("pessimistic", 990.0), ("optimistic", 1020.0)):
        result = result_of(FLAT, WIDE, FLAT, ambiguous_fills=taken)
        assert result.final_equity == equity
        assert result.fill_ambiguity == FillAmbiguity(1, 25.0, 990.0, 1020.0)


def test_the_other_order_is_a_result_of_its_own() -> None:
    """It is the backtest that the other word gives, and its other order is this one."""
    result = result_of(FLAT, WIDE, FLAT)
    assert bits(result.other_order) == bits(result_of(FLAT, WIDE, FLAT, ambiguous_fills="optimistic"))
    assert bits(result.other_order.other_order) == bits(result)


def test_the_other_orders_equity_stands_beside_the_own() -> None:
    """Bar by bar: both stand at 1000 until the stop at 98 or the target at 104 takes the five units."""
    table = result_of(FLAT, WIDE, FLAT).columns
    assert table["equity"].to_list() == [1000.0, 1000.0, 990.0, 990.0]
    assert table["other_order_equity"].to_list() == [1000.0, 1000.0, 1020.0, 1020.0]


def test_without_an_ambiguous_bar_both_ends_are_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is run again where nothing was unsure."""
    result = result_of(TOUCHES_NOTHING, TOUCHES_NOTHING)
    monkeypatch.setattr(bs.Result, "other_order", property(lambda _: pytest.fail("run again")))
    assert result.fill_ambiguity == FillAmbiguity(0, 0.0, result.final_equity, result.final_equity)
    assert result.columns["other_order_equity"].to_list() == result.columns["equity"].to_list()


def test_no_bars_have_no_share() -> None:
    """Zero bars, zero of them ambiguous."""
    empty = bs.backtest(walk_bars(0), [])
    assert empty.fill_ambiguity == FillAmbiguity(0, 0.0, 100_000.0, 100_000.0)


def test_it_stands_in_the_json() -> None:
    """Bars, share and both ends are in the document."""
    assert result_of(FLAT, WIDE, FLAT).to_dict()["fill_ambiguity"] == {
        "bars": 1, "share_pct": 25.0, "pessimistic_equity": 990.0, "optimistic_equity": 1020.0,
    }  # fmt: skip


@given(st.integers(0, 10_000))
def test_until_the_first_ambiguous_bar_both_orders_are_one(seed: int) -> None:
    """On a walk the two curves part at an ambiguous bar, and there the better one is above."""
    bars, wishes = walk_bars(300, seed, step=0.02), random_wishes(300, seed)
    worse = bs.backtest(bars, wishes, trailing_stop_pct=1.0, take_profit_pct=1.0, stop_loss_pct=1.0, fee_bps=0)
    better = worse.other_order
    differ = np.flatnonzero(np.abs(worse.equity_values - better.equity_values) > 1e-6)
    assert worse.fill_ambiguity.bars > 0 or not differ.size
    if differ.size:
        assert better.equity_values[differ[0]] > worse.equity_values[differ[0]]


def test_a_portfolio_has_an_interval_too() -> None:
    """Five units each of two, of which one touches stop and target: 10 less with the first, 20 more with the other."""
    wide, quiet = ([FLAT, FLAT, bar, FLAT] for bar in (WIDE, TOUCHES_NOTHING))
    bars = [replace(bars_with_ranges(rows), symbol=name) for name, rows in (("A", wide), ("B", quiet))]
    levels = {"stop_loss_pct": 2.0, "take_profit_pct": 4.0, "capital": 1000.0, "lot": 1.0, "fee_bps": 0.0}
    for taken, equity in (("pessimistic", 990.0), ("optimistic", 1020.0)):
        held = np.full((4, 2), 5.0)
        result = bs.portfolio(bars, held, size_type="shares", ambiguous_fills=taken, **levels)
        assert result.final_equity == equity
        assert result.fill_ambiguity == FillAmbiguity(1, 12.5, 990.0, 1020.0)
        assert result.other_order.other_order.fill_table.tobytes() == result.fill_table.tobytes()


def test_the_other_order_of_strategies_begins_anew() -> None:
    """Engines are run again from the first bar: where nothing was unsure, the other order is the same portfolio."""
    bars = [replace(walk_bars(200, seed), symbol=name) for seed, name in ((1, "A"), (2, "B"))]
    plan = [bs.Allocation(strategy="sma_crossover", parameters={"fast_ma": 3, "slow_ma": 9})]
    result = bs.portfolio(bars, plan)
    assert result.fill_table.shape[1] > 10
    assert result.other_order.fill_table.tobytes() == result.fill_table.tobytes()
