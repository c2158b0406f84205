"""Portfolios by hand: what is traded when, at which size, in which order, and what it costs."""

from __future__ import annotations

from typing import Any

import barstep as bs
import numpy as np
import polars as pl
import pytest
from barstep.engine import portfolio as module
from barstep.engine.bars import Bars
from making import HOUR_US, START_US
from panels import NAN, attributed, free, named, rows_of, speaking


def two(closes: list[float], other: list[float] | None = None) -> list[Bars]:
    """A and B, each opening at its close before."""
    return [named("A", closes), named("B", closes if other is None else other)]


def run(bars: list[Bars], weights: list[list[float]], **options: Any) -> bs.PortfolioResult:
    """Weights without costs, in whole units; the last row stands for all bars that follow."""
    n = len({int(ts) for each in bars for ts in each.ts_us})
    rows = [*weights, *[weights[-1]] * (n - len(weights))]
    return bs.portfolio(bars, np.array(rows), **free(**options))


HOLD = [NAN, NAN]


@pytest.mark.parametrize(("sizing_price", "quantity"), [("close", 50.0), ("fill", 40.0)])
def test_a_size_is_fixed_at_the_close_or_at_the_fill(sizing_price: str, quantity: float) -> None:
    """Half of 1000 is 50 units at the close of 10, and 40 at the next open of 12.5."""
    bars = [named("A", [10.0] * 3, [10.0, 12.5, 10.0]), named("B", [10.0] * 3)]
    result = run(bars, [[0.5, NAN], HOLD], sizing_price=sizing_price)
    assert rows_of(result) == [(1, "A", quantity, 12.5)]


def test_at_the_fill_all_are_sized_by_the_equity_at_the_opens() -> None:
    """Fifty A opened at 30 make 2000 of 1000: a fifth of that is 40 units of B at 10, whatever is sold before."""
    bars = [named("A", [10.0] * 3, [10.0, 10.0, 30.0]), named("B", [10.0] * 3)]
    result = run(bars, [[0.5, 0.0], [0.0, 0.2], HOLD], sizing_price="fill")
    assert rows_of(result) == [(1, "A", 50.0, 10.0), (2, "A", -50.0, 30.0), (2, "B", 40.0, 10.0)]


def test_sales_go_first_and_free_the_cash() -> None:
    """B is declared before A, but is bought with what A brings in the same bar."""
    bars = [named("B", [10.0] * 4), named("A", [10.0] * 4)]
    result = run(bars, [[0.0, 1.0], [1.0, 0.0], HOLD])
    assert rows_of(result) == [(1, "A", 100.0, 10.0), (2, "A", -100.0, 10.0), (2, "B", 100.0, 10.0)]
    assert result.refusals["cut_by_cash"] == 0


def test_what_money_does_not_allow_is_cut_in_declared_order() -> None:
    """Of two orders for 600 the first is filled whole, and the second with the 400 that are left."""
    result = run(two([10.0] * 3), [[0.6, 0.6], HOLD])
    assert rows_of(result) == [(1, "A", 60.0, 10.0), (1, "B", 40.0, 10.0)]
    assert result.refusals["cut_by_cash"] == 1
    assert result.cash == 0.0


def test_a_weight_is_a_target_each_time_it_is_said() -> None:
    """Said again after the price has doubled, half of 1500 is 37 units at 20: 13 of the 50 are sold."""
    result = run(two([10.0, 20.0, 20.0]), [[0.5, NAN]])
    assert rows_of(result) == [(1, "A", 50.0, 10.0), (2, "A", -13.0, 20.0)]


def test_a_weight_that_is_nan_holds() -> None:
    """Where nothing is said, nothing is traded; an order on hand is not taken back either."""
    result = run(two([10.0, 20.0, 20.0]), [[0.5, NAN], HOLD])
    assert rows_of(result) == [(1, "A", 50.0, 10.0)]
    assert result.equity_values.tolist() == [1000.0, 1500.0, 1500.0]


def test_every_chooses_bars_by_their_number() -> None:
    """Every second hour since the epoch: the weights of odd hours are not looked at, wherever the bars begin."""
    weights = [[1.0, NAN], [0.0, NAN], [0.5, NAN], [0.0, NAN]]
    assert rows_of(run(two([10.0] * 4), weights, every=2)) == [(1, "A", 100.0, 10.0), (3, "A", -50.0, 10.0)]
    later = [named(name, [10.0] * 4, hours=[1, 2, 3, 4]) for name in "AB"]
    assert rows_of(run(later, weights, every=2)) == []


def test_an_order_waits_for_the_next_open_of_its_instrument() -> None:
    """B has no bar until hour 3 and is bought there, at its open of 20: 50 units as decided at 10."""
    bars = [named("A", [10.0] * 4), named("B", [10.0, 30.0], [10.0, 20.0], hours=[0, 3])]
    result = run(bars, [[NAN, 0.5], HOLD])
    assert rows_of(result) == [(3, "B", 50.0, 20.0)]
    assert result.equity_values.tolist() == [1000.0, 1000.0, 1000.0, 1500.0]


def test_an_instrument_without_a_bar_keeps_its_last_close() -> None:
    """Fifty B that closed at 12 are worth 600 until the next bar, for the equity and for sizes."""
    bars = [named("A", [10.0] * 6), named("B", [10.0, 12.0, 6.0, 6.0], [10.0, 10.0, 8.0, 6.0], hours=[0, 1, 4, 5])]
    result = run(bars, [[NAN, 0.5], HOLD, [0.5, 0.0], HOLD])
    assert result.equity_values.tolist() == [1000.0, 1100.0, 1100.0, 1100.0, 900.0, 900.0]
    assert rows_of(result) == [(1, "B", 50.0, 10.0), (3, "A", 50.0, 10.0), (4, "B", -50.0, 8.0)]


def test_an_order_that_waits_too_long_is_abandoned() -> None:
    """Four hours are more than the three that are allowed; weights are asked again when they are next said."""
    bars = [named("A", [10.0] * 6), named("B", [10.0] * 3, hours=[0, 4, 5])]
    result = run(bars, [[NAN, 0.5], HOLD])
    assert (rows_of(result), result.refusals["too_old"]) == ([], 1)
    assert rows_of(run(bars, [[NAN, 0.5], HOLD], max_order_age_bars=4)) == [(4, "B", 50.0, 10.0)]


def test_a_late_listing_is_bought_once_it_has_closed() -> None:
    """Weights of an instrument that has no bar yet come to nothing; after its first close it has a price."""
    bars = [named("A", [10.0] * 5), named("B", [20.0, 20.0, 25.0], hours=[2, 3, 4])]
    result = run(bars, [[0.5, 0.5]])
    assert rows_of(result) == [(1, "A", 50.0, 10.0), (3, "B", 25.0, 20.0)]
    assert result.equity_values.tolist() == [1000.0, 1000.0, 1000.0, 1000.0, 1125.0]


def test_lots_and_ticks_differ_by_instrument() -> None:
    """B comes in sevens and in halves: 5 lots of 7 for 400 at 10, and 10.1 is paid as 10.5."""
    result = run(two([10.0] * 3), [[0.4, 0.4], HOLD], slippage_bps=100, by_instrument={"B": {"lot": 7, "tick": 0.5}})
    assert rows_of(result) == [(1, "A", 40.0, pytest.approx(10.1, rel=1e-15)), (1, "B", 35.0, 10.5)]


def test_a_flip_is_held_to_the_volume_of_one_bar() -> None:
    """From 50 long to 50 short are 100; a bar allows 60, and the other 40 wait for the next."""
    bars = [named("A", [10.0] * 5, volume=[60.0] * 5)]
    result = run(bars, [[0.5], [-0.5], [NAN]], max_volume_share=1)
    assert [row[:3] for row in rows_of(result)] == [(1, "A", 50.0), (2, "A", -60.0), (3, "A", -40.0)]


def test_a_frame_of_weights_names_instruments_and_times() -> None:
    """A column that is missing and a null hold; the columns may stand in any order; a time zone is minded."""
    bars = [*two([10.0] * 4), named("C", [10.0] * 4)]
    times = pl.Series([START_US, START_US + 2 * HOUR_US]).cast(pl.Datetime("us"))
    frame = pl.DataFrame({"B": [0.2, None], "A": [0.4, 0.1], "timestamp": times})
    expected = [(1, "A", 40.0, 10.0), (1, "B", 20.0, 10.0), (3, "A", -30.0, 10.0)]
    assert rows_of(bs.portfolio(bars, frame, **free())) == expected
    zoned = frame.with_columns(pl.col("timestamp").dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo"))
    assert rows_of(bs.portfolio(bars, zoned, **free())) == expected
    numbers = frame.with_columns(pl.Series("timestamp", [START_US, START_US + 2 * HOUR_US]))
    assert rows_of(bs.portfolio(bars, numbers, **free())) == expected


def test_a_stop_is_not_undone_by_the_same_weight() -> None:
    """Stopped out at 9 it stays flat, though its weight is said at each bar, until a weight has left that side."""
    bars = [named("A", [10.0, 10.0, 8.0, 8.0, 8.0, 8.0, 8.0])]
    weights = [[0.5], [0.5], [0.5], [0.5], [0.0], [0.5], [NAN]]
    result = run(bars, weights, stop_loss_pct=10)
    assert rows_of(result) == [(1, "A", 50.0, 10.0), (2, "A", -50.0, 9.0), (6, "A", 59.0, 8.0)]


# Strategies.


def test_strategies_do_not_net() -> None:
    """One is long and one is short of the same units: both trade, and what one gains the other loses."""
    bars = [named("A", [10.0, 10.0, 12.0, 12.0], wishes=[1.0, 1.0, 0.0, 0.0])]
    plan = [speaking("up", weight=0.5, tag="trend"), speaking("down", -1.0, weight=0.5, tag="trend")]
    result = bs.portfolio(bars, plan, **free())
    assert rows_of(result) == [(1, "A", 50.0, 10.0), (1, "A", -50.0, 10.0), (3, "A", -50.0, 12.0), (3, "A", 50.0, 12.0)]
    assert result.fills["schedule"].to_list() == ["up", "down", "up", "down"]
    assert attributed(result, "schedule") == {"up": 100.0, "down": -100.0}
    assert attributed(result, "instrument") == {"A": 0.0}
    assert attributed(result, "tag") == {"trend": 0.0}
    assert result.equity_values.tolist() == [1000.0] * 4


def test_a_strategy_has_its_share_of_equity() -> None:
    """A wish of 1 stands for three quarters of the equity in one and for a quarter in the other."""
    bars = [named("A", [10.0] * 3, wishes=[1.0] * 3), named("B", [10.0] * 3, wishes=[1.0] * 3)]
    plan = [speaking("one", weight=0.75, instruments=["A"]), speaking("two", weight=0.25, instruments=["B"])]
    result = bs.portfolio(bars, plan, **free())
    assert rows_of(result) == [(1, "A", 75.0, 10.0), (1, "B", 25.0, 10.0)]


def test_exposures_over_one_are_scaled() -> None:
    """Wishes of 1 and -0.25 become 0.8 and -0.2; wishes that add up to 0.75 stay as they are."""
    bars = [named("A", [10.0] * 4, wishes=[1.0, 0.5, 0.5, 0.5]), named("B", [10.0] * 4, wishes=[-0.25] * 4)]
    result = bs.portfolio(bars, [speaking()], **free())
    assert [row[:3] for row in rows_of(result)] == [(1, "A", 80.0), (1, "B", -20.0), (2, "A", -30.0), (2, "B", -5.0)]


@pytest.mark.parametrize("chunk", [1, 2, 1024])
def test_a_wish_counts_while_its_instrument_has_no_bar(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wishes of 1 and 1 are a half each, and that of B stands through the hours in which it has no bar: A stays."""
    monkeypatch.setattr(module, "_CHUNK", chunk)
    bars = [named("A", [10.0] * 5, wishes=[1.0] * 5), named("B", [10.0] * 3, hours=[0, 1, 4], wishes=[1.0] * 3)]
    result = bs.portfolio(bars, [speaking(weight=0.5)], **free())
    assert rows_of(result) == [(1, "A", 25.0, 10.0), (1, "B", 25.0, 10.0)]


def test_a_strategy_has_stops_of_its_own() -> None:
    """The price falls through 9: the strategy with a stop leaves there, the other one holds."""
    bars = [named("A", [10.0, 10.0, 8.0, 8.0], wishes=[1.0] * 4)]
    plan = [speaking("careful", weight=0.5, options={"stop_loss_pct": 10}), speaking("bold", weight=0.5)]
    result = bs.portfolio(bars, plan, **free())
    assert rows_of(result)[2:] == [(2, "A", -50.0, 9.0)]
    assert result.fills["kind"].to_list() == ["market", "market", "stop"]
    assert attributed(result, "schedule") == {"bold": -100.0, "careful": -50.0}


def test_the_closest_statement_counts() -> None:
    """A fee is that of the strategy, else of the instrument, else of the portfolio."""
    bars = [named(name, [10.0] * 3, wishes=[0.125] * 3) for name in "AB"]
    plan = [speaking("usual"), speaking("own", options={"fee_bps": 300})]
    result = bs.portfolio(bars, plan, by_instrument={"B": {"fee_bps": 200}}, **free(fee_bps=100.0))
    assert result.fills["fee"].to_list() == pytest.approx([1.2, 2.4, 3.6, 3.6], rel=1e-12)


@pytest.mark.parametrize("chunk", [1, 2, 1024])
def test_borrow_is_paid_at_midnight_across_chunks(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of a percent a day on 500 that are short is paid once, at the open of hour 24."""
    monkeypatch.setattr(module, "_CHUNK", chunk)
    bars = [named(name, [10.0] * 5, hours=[21, 22, 23, 24, 25]) for name in "AB"]
    result = run(bars, [[-0.5, 0.5], HOLD], borrow_pct=36.5)
    paid = result.fills.filter(kind="borrow")
    assert paid["instrument"].to_list() == ["A"]
    assert paid["time"].to_list() == [bars[0].times[3].item().replace(tzinfo=paid["time"][0].tzinfo)]
    assert result.costs["borrow"] == pytest.approx(0.5, rel=1e-12)


@pytest.mark.parametrize("chunk", [1, 2, 3, 1024])
def test_a_midnight_without_a_bar_is_paid_at_the_next_open(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only B has a bar at midnight: A owes for that night at hour 25, and nothing more at 26."""
    monkeypatch.setattr(module, "_CHUNK", chunk)
    bars = [named("A", [10.0] * 4, hours=[22, 23, 25, 26]), named("B", [10.0] * 5, hours=[22, 23, 24, 25, 26])]
    result = run(bars, [[-0.5, NAN], HOLD], borrow_pct=36.5)
    assert rows_of(result)[1:] == [(3, "A", 0.0, 10.0)]
    assert result.costs["borrow"] == pytest.approx(0.5, rel=1e-12)
