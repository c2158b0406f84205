"""Target shares, orders and funding in portfolios, by hand and against each other."""

from __future__ import annotations

from typing import Any

import barstep as bs
import numpy as np
import polars as pl
import pytest
from barstep.engine import portfolio as module
from barstep.engine.bars import Bars
from barstep.kernels import account
from hypothesis import given
from hypothesis import strategies as st
from making import HOUR_US, START_US
from panels import NAN, bits, changed_after, free, named, rows_of, speaking, times_of, walks

SEEDS = st.integers(0, 10_000)


def one(closes: list[float], **how: Any) -> list[Bars]:
    """Instrument A, each bar opening at the close before."""
    return [named("A", closes, **how)]


def column(*numbers: float) -> np.ndarray:
    """A table for one instrument."""
    return np.array(numbers)[:, None]


def orders(*rows: tuple[int, float, float | None]) -> pl.DataFrame:
    """Orders for A: hour, quantity, limit."""
    hours, quantity, limit = zip(*rows, strict=True)
    times = pl.Series([START_US + hour * HOUR_US for hour in hours]).cast(pl.Datetime("us"))
    prices = pl.Series(limit, dtype=pl.Float64)
    return pl.DataFrame({"timestamp": times, "instrument": "A", "quantity": quantity, "limit_price": prices})


def test_shares_are_what_is_held() -> None:
    """30 units whatever they cost; said again nothing is traded, however the price has moved; then 10 are sold."""
    result = bs.portfolio(one([10.0, 20.0, 30.0, 30.0]), column(30, 30, 20, NAN), size_type="shares", **free())
    assert rows_of(result) == [(1, "A", 30.0, 10.0), (3, "A", -10.0, 30.0)]
    assert result.setup.schedules == ("shares",)


@pytest.mark.parametrize("how", [{"size_type": "shares"}, {"sizing_price": "close"}, {"sizing_price": "fill"}])
def test_a_target_said_again_is_a_signal_where_it_trades(how: dict[str, Any]) -> None:
    """Half of 1000, or 50 units, at 10 in each bar: one order and one signal; the price doubles, and shares stay."""
    table = column(*[50.0 if "size_type" in how else 0.5] * 5, NAN)
    still = bs.portfolio(one([10.0] * 6), table, **how, **free())
    assert rows_of(still) == [(1, "A", 50.0, 10.0)]
    assert sum(still.refusals.values()) == 0
    assert still.to_dict()["signals"]["seen"] == 1
    moving = bs.portfolio(one([10.0, 10.0, 20.0, 20.0, 20.0, 20.0]), table, **how, **free())
    assert moving.to_dict()["signals"]["seen"] == len(rows_of(moving)) == (1 if "size_type" in how else 2)


def test_shares_are_held_to_cash_and_lots() -> None:
    """120 at 10 are more than 1000 pay for: 100, in lots of 7 are 98."""
    result = bs.portfolio(one([10.0] * 2), column(120, NAN), size_type="shares", **free(lot=7.0))
    assert rows_of(result) == [(1, "A", 98.0, 10.0)]
    assert result.refusals["cut_by_cash"] == 1


def test_orders_add_up() -> None:
    """Buy 30, buy 20 more, sell 60: ten are short. A 0 and a NaN are no orders, and no signals that came to nothing."""
    result = bs.portfolio(one([10.0] * 6), column(30, 20, 0, -60, NAN, NAN), size_type="order", **free())
    assert [row[:3] for row in rows_of(result)] == [(1, "A", 30.0), (2, "A", 20.0), (4, "A", -60.0)]
    assert sum(result.refusals.values()) == 0
    assert result.setup.schedules == ("orders",)


def test_an_order_under_a_lot_is_counted() -> None:
    """2.9 units are two lots of 1; 0.9 are none, and are not kept for later."""
    result = bs.portfolio(one([10.0] * 4), column(2.9, 0.9, 0.9, NAN), size_type="order", **free())
    assert rows_of(result) == [(1, "A", 2.0, 10.0)]
    assert result.refusals["without_a_whole_lot"] == 2


def test_what_is_left_of_an_order_joins_the_next() -> None:
    """A bar trades 10: of 25 ordered 10 fill in the first, then 5 fewer are wanted, and 10 more fill in the second."""
    bars = one([10.0] * 5, volume=[10.0] * 5)
    result = bs.portfolio(bars, column(25, -5, NAN, NAN, NAN), size_type="order", **free(max_volume_share=1))
    assert [row[:3] for row in rows_of(result)] == [(1, "A", 10.0), (2, "A", 10.0)]
    assert result.cells[0, 0, account.PENDING] == 0.0


def test_an_order_rests_at_its_limit() -> None:
    """Bought at 9 when the bar falls to 8.5; sold at 12 when one rises past it: both as a maker, without slippage."""
    bars = one([10.0] * 6, low=[10, 9.5, 8.5, 10, 10, 10], high=[10, 10, 10, 10, 11.0, 12.5])
    plan = orders((0, 50.0, 9.0), (3, -50.0, 12.0))
    result = bs.portfolio(bars, plan, size_type="order", **free(slippage_bps=100, maker_fee_bps=0, fee_bps=10))
    assert rows_of(result) == [(2, "A", 50.0, 9.0), (5, "A", -50.0, 12.0)]
    assert result.fills["kind"].to_list() == ["limit", "limit"]
    assert result.costs["fees"] == 0.0


def test_a_limit_that_the_open_betters_is_filled_there() -> None:
    """A buyer at 9 who finds an open of 8 pays 8; one at the market, in the same table, pays what there is."""
    bars = one([10.0] * 4, opens=[10.0, 8.0, 10.0, 10.0], low=[10, 8, 10, 10])
    result = bs.portfolio(bars, orders((0, 10.0, 9.0), (1, 10.0, None)), size_type="order", **free())
    assert rows_of(result) == [(1, "A", 10.0, 8.0), (2, "A", 10.0, 10.0)]


def test_a_limit_keeps_to_the_grid_on_its_own_side() -> None:
    """With ticks of a half a buyer at 9.3 rests at 9, a seller at 10.7 at 11."""
    bars = one([10.0] * 4, low=[10, 9, 10, 10], high=[10, 10, 10, 11.5])
    plan = orders((0, 10.0, 9.3), (1, -10.0, 10.7))
    assert [row[3] for row in rows_of(bs.portfolio(bars, plan, size_type="order", **free(tick=0.5)))] == [9.0, 11.0]


def test_an_order_that_is_not_reached_grows_old() -> None:
    """After two bars it is given up, and counted."""
    bars = one([10.0] * 6, low=[10.0, 10.0, 10.0, 10.0, 5.0, 5.0])
    result = bs.portfolio(bars, orders((0, 10.0, 6.0)), size_type="order", **free(max_order_age_bars=2))
    assert (rows_of(result), result.refusals["too_old"]) == ([], 1)


def test_after_a_stop_an_order_buys_again() -> None:
    """Stopped out at 9, the next order is meant: unlike a weight that is only said again."""
    bars = one([10.0, 10.0, 8.0, 8.0, 8.0])
    result = bs.portfolio(bars, column(10, NAN, 10, NAN, NAN), size_type="order", **free(stop_loss_pct=10))
    assert rows_of(result) == [(1, "A", 10.0, 10.0), (2, "A", -10.0, 9.0), (3, "A", 10.0, 8.0)]


@given(SEEDS, st.sampled_from([0.0, 0.1]), st.sampled_from([0.1, 1.0, 7.0]))
def test_orders_are_changes_of_shares(seed: int, gaps: float, lot: float) -> None:
    """Whole lots ordered one after the other, and their sums as targets, are the same fills."""
    bars = walks(3, 60, seed, gaps)
    rng = np.random.default_rng(seed)
    n = len(times_of(bars))
    lots = rng.integers(-3, 4, (n, 3)) * (rng.random((n, 3)) < 0.3)
    lots[:10] = 0  # before the first bars
    options = {"lot": lot, "capital": 1e7, "slippage_bps": 3.0, "max_order_age_bars": float("inf")}
    placed = bs.portfolio(bars, lots * lot, size_type="order", **options)
    held = bs.portfolio(bars, np.cumsum(lots, axis=0) * lot, size_type="shares", **options)
    np.testing.assert_allclose(placed.fill_table, held.fill_table, rtol=1e-12)
    assert placed.fill_table.shape[1] > 5


def _eventful(bars: list[Bars], seed: int) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Orders at limits and at the market, under most of the venue's rules, with funding."""
    rng = np.random.default_rng(seed)
    times = np.array(times_of(bars))
    rows = [
        (int(ts), each.symbol, float(rng.integers(-9, 10)), float(each.close[i] * rng.uniform(0.98, 1.02)))
        for each in bars
        for i, ts in enumerate(each.ts_us)
        if rng.random() < 0.3
    ]
    table = pl.DataFrame(rows, schema=["timestamp", "instrument", "quantity", "limit_price"], orient="row")
    at_market = pl.Series(rng.random(table.height) < 0.3)
    table = table.with_columns(pl.when(at_market).then(None).otherwise(pl.col("limit_price")).alias("limit_price"))
    rates = pl.DataFrame({"timestamp": times[::5], "rate": rng.normal(0.0, 1e-3, times[::5].size)})
    options = {"stop_loss_pct": 2.0, "trailing_stop_pct": 3.0, "max_volume_share": 1e-3, "leverage": 2.0, "lot": 1.0}
    return table, options | {"funding": {"A": rates, "C": rates}, "borrow_pct": 5.0, "capital": 20_000.0}


@given(SEEDS, st.sampled_from([0.0, 0.1]))
def test_bits_of_orders_do_not_depend_on_chunks(seed: int, gaps: float) -> None:
    """Limits, levels, rests and funding, traded one, two or seven bars at a time."""
    bars = walks(3, 60, seed, gaps)
    table, options = _eventful(bars, seed)
    found = set()
    for chunk in (1, 2, 7, 1024):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "_CHUNK", chunk)
            found.add(bits(bs.portfolio(bars, table, size_type="order", **options)))
    assert len(found) == 1


@given(SEEDS, st.sampled_from([0.0, 0.1]), st.integers(1, 59))
def test_orders_see_no_later_bar(seed: int, gaps: float, cut: int) -> None:
    """With all prices from `cut` on changed, every earlier fill and mark stays the same to the last bit."""
    bars = walks(3, 60, seed, gaps)
    table, options = _eventful(bars, seed)
    hour = (times_of(bars)[cut] - START_US) // HOUR_US
    changed = [changed_after(each, hour, factor) for each, factor in zip(bars, (1.5, 0.4, 1.1), strict=True)]
    before, after = (bs.portfolio(each, table, size_type="order", **options) for each in (bars, changed))
    first, second = (result.fill_table[:, result.fill_table[account.FILL_BAR] < cut] for result in (before, after))
    assert first.tobytes() == second.tobytes()
    assert before.equity_values[:cut].tobytes() == after.equity_values[:cut].tobytes()


@given(SEEDS, st.sampled_from([0.0, 0.1]))
def test_orders_make_nothing_from_nowhere(seed: int, gaps: float) -> None:
    """Capital, less what fills took and holding cost, and the positions at their last closes are the final equity."""
    bars = walks(3, 60, seed, gaps)
    table, options = _eventful(bars, seed)
    result = bs.portfolio(bars, table, size_type="order", **options)
    f = result.fills
    spent = float((f["quantity"] * f["price"] + f["fee"]).sum())
    held = [float(f.filter(instrument=each.symbol)["quantity"].sum()) * each.close[-1] for each in bars]
    assert result.final_equity == pytest.approx(20_000.0 - spent + sum(held), rel=1e-9)
    assert result.costs["funding"] == pytest.approx(float(f.filter(kind="funding")["fee"].sum()), rel=1e-9, abs=1e-9)


def _rates(*rows: tuple[int, float]) -> pl.DataFrame:
    return pl.DataFrame({"timestamp": [START_US + hour * HOUR_US for hour, _ in rows], "rate": [r for _, r in rows]})


@pytest.mark.parametrize("chunk", [1, 2, 1024])
def test_funding_is_paid_by_what_is_held_at_its_time(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """1 % on 500 long at hour 2 costs 5; at hour 0 nothing is held; B, which has no rate, pays none."""
    monkeypatch.setattr(module, "_CHUNK", chunk)
    bars = [named("A", [10.0] * 4), named("B", [10.0] * 4)]
    weights = np.array([[0.5, 0.5], [NAN, NAN], [NAN, NAN], [NAN, NAN]])
    result = bs.portfolio(bars, weights, funding={"A": _rates((0, 0.01), (2, 0.01))}, **free())
    assert rows_of(result)[2:] == [(2, "A", 0.0, 10.0)]
    assert (result.costs["funding"], result.final_equity) == (5.0, 995.0)


def test_funding_of_opposite_strategies_goes_from_one_to_the_other() -> None:
    """What the one pays on its 500, for hour 3 at which A has no bar, the other gets for being short of as many."""
    bars = [named("A", [10.0] * 4, hours=[0, 1, 2, 4], wishes=[1.0] * 4), named("B", [10.0] * 5, wishes=[0.0] * 5)]
    plan = [speaking("up", weight=0.5), speaking("down", -1.0, weight=0.5)]
    result = bs.portfolio(bars, plan, funding={"A": _rates((3, 0.01))}, **free())
    paid = result.fills.filter(kind="funding")
    assert paid.select("schedule", "fee").rows() == [("up", 5.0), ("down", -5.0)]
    assert paid["time"].dt.hour().to_list() == [4, 4]
    assert result.final_equity == 1000.0
