"""Backtests by hand: what is bought at which open, for how much, and what is left."""

from __future__ import annotations

from typing import Any

import barstep as bs
import numpy as np
import pytest
from barstep.engine.bars import Bars
from barstep.engine.reasons import REFUSALS
from barstep.engine.result import Result
from making import QUICK, bars_of, bits, rows_of, second_venue, walk_bars

OPENS, CLOSES = [10.0, 10.0, 12.0, 12.0], [10.0, 12.0, 11.0, 13.0]
FREE: dict[str, Any] = {"capital": 1000.0, "fee_bps": 0.0, "lot": 1.0}
NOT_REFUSED = dict.fromkeys(REFUSALS, 0)


def four_bars() -> Bars:
    return bars_of(CLOSES, OPENS)


def trade(wishes: list[float], bars: Bars | None = None, **options: Any) -> Result:
    return bs.backtest(four_bars() if bars is None else bars, np.array(wishes), **(FREE | options))


def fills_of(result: Result) -> list[tuple[int, float, float]]:
    """(bar, quantity, price) of every fill."""
    bars, _, lots, prices = result.fill_table[:4]
    return list(zip(bars.astype(int).tolist(), (lots * result.execution.lot).tolist(), prices.tolist(), strict=True))


def test_a_long_position() -> None:
    """All the equity at the close buys at the next open; the wish of 0 sells at the open after it."""
    result = trade([1.0, 1.0, 0.0, 0.0])
    assert fills_of(result) == [(1, 100.0, 10.0), (3, -100.0, 12.0)]
    assert result.equity_values.tolist() == [1000.0, 1200.0, 1100.0, 1200.0]


def test_a_short_position() -> None:
    """A short gains what a long loses."""
    result = trade([-1.0, -1.0, 0.0, 0.0])
    assert fills_of(result) == [(1, -100.0, 10.0), (3, 100.0, 12.0)]
    assert result.equity_values.tolist() == [1000.0, 800.0, 900.0, 800.0]


def test_a_flip() -> None:
    """From long to short in one fill: 100 held, 1200 / 12 = 100 whole lots short wanted, so 200 are sold."""
    result = trade([1.0, -1.0, -1.0, -1.0])
    assert fills_of(result) == [(1, 100.0, 10.0), (2, -200.0, 12.0)]
    assert result.equity_values.tolist() == [1000.0, 1200.0, 1300.0, 1100.0]


def test_fee_and_slippage() -> None:
    """A buy fills 1 % over the open, a sale 1 % under it, and each pays 1 % of its value."""
    result = trade([1.0, 1.0, 0.0, 0.0], units=50, fee_bps=100, slippage_bps=100)
    np.testing.assert_allclose([price for _, _, price in fills_of(result)], [10.1, 11.88], rtol=1e-15)
    np.testing.assert_allclose(result.fill_table[4], [5.05, 5.94], rtol=1e-15)
    np.testing.assert_allclose(result.equity_values, [1000.0, 1089.95, 1039.95, 1078.01], rtol=1e-14)


def test_sized_by_equity() -> None:
    """The quantity is fixed at the close: a share of the equity there over the price there."""
    result = trade([0.5, 0.25, 0.25, 0.25], lot=0.001)
    # 0.5 × 1000 / 10, then 0.25 × (1000 + 50 × 2) / 12, in whole thousandths, less the 50 that are held.
    np.testing.assert_allclose([q for _, q, _ in fills_of(result)], [50.0, 22.916 - 50.0], rtol=1e-12)


def test_sized_by_units() -> None:
    """With units, exposure 1 holds just so many, whatever equity and price."""
    assert fills_of(trade([0.5, -2.0, 0.0, 0.0], units=4)) == [(1, 2.0, 10.0), (2, -10.0, 12.0), (3, 8.0, 12.0)]


def test_a_constant_wish_makes_one_order() -> None:
    """A change of equity alone makes no order."""
    assert fills_of(trade([0.5, 0.5, 0.5, 0.5])) == [(1, 50.0, 10.0)]


def test_a_decision_at_the_last_close_does_not_fill() -> None:
    """There is no open after the last bar; the signal is counted, and nothing is bought."""
    result = trade([0.0, 0.0, 0.0, 1.0])
    assert fills_of(result) == []
    assert result.to_dict()["signals"] == {"warm_up_bars": 0, "seen": 1, "fills": 0} | NOT_REFUSED | {"end_of_data": 1}


@pytest.mark.parametrize(("threshold", "expected"), [(0.0, [50.0, 5.0, 20.0]), (0.2, [50.0, 25.0]), (0.3, [50.0])])
def test_a_smaller_change_than_the_threshold_is_no_signal(threshold: float, expected: list[float]) -> None:
    """A wish is compared with the one last accepted, not with the one before."""
    bars = bars_of([10.0] * 5)
    assert [q for _, q, _ in fills_of(trade([0.5, 0.55, 0.75, 0.75, 0.75], bars, rebalance_threshold=threshold))] == (
        expected
    )


def test_a_change_of_just_the_threshold_is_no_signal() -> None:
    """The change must be more than the threshold."""
    assert fills_of(trade([0.5, 0.75, 0.75, 0.75], units=100, rebalance_threshold=0.25)) == [(1, 50.0, 10.0)]


@pytest.mark.parametrize(("lot", "expected"), [(30.0, 90.0), (7.0, 98.0), (100.0, 100.0), (0.1, 100.0)])
def test_quantities_are_whole_lots(lot: float, expected: float) -> None:
    """100 wanted are rounded to whole lots towards zero, long and short."""
    assert fills_of(trade([1.0] * 4, lot=lot)) == [(1, expected, 10.0)]
    assert fills_of(trade([-1.0] * 4, lot=lot)) == [(1, -expected, 10.0)]


def test_three_tenths_hold_three_lots_of_a_tenth() -> None:
    """0.3 / 0.1 is a little under 3 in binary and still three lots."""
    ((_, quantity, _),) = fills_of(trade([1.0] * 4, units=0.3, lot=0.1))
    assert quantity == 3 * 0.1


def test_a_wish_under_one_lot_buys_nothing() -> None:
    """A signal that comes to no whole lot is counted as such, once."""
    result = trade([0.1, 0.1, 0.1, 0.1], lot=30.0)
    assert fills_of(result) == []
    assert result.to_dict()["signals"]["without_a_whole_lot"] == 1
    assert result.equity_values.tolist() == [1000.0] * 4


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_max_notional_caps_a_position(side: float) -> None:
    """At a close of 10, a position of at most 255 is 25 whole lots."""
    assert fills_of(trade([side] * 4, max_notional=255)) == [(1, side * 25.0, 10.0)]


def test_an_order_over_a_long_gap_is_abandoned_and_asked_again() -> None:
    """Five bars later is too old: the order is given up, and the wish that still stands is ordered again."""
    bars = bars_of([10.0, 10.0, 20.0, 20.0, 20.0], hours=[0, 1, 6, 7, 8])
    result = trade([0.0, 1.0, 1.0, 1.0, 1.0], bars)
    assert fills_of(result) == [(3, 50.0, 20.0)]
    assert result.to_dict()["signals"] == {"warm_up_bars": 0, "seen": 2, "fills": 1} | NOT_REFUSED | {"too_old": 1}


def test_an_order_of_just_the_age_still_fills() -> None:
    """Three bars are allowed by default; with max_order_age_bars=2 the same order is abandoned."""
    bars = bars_of([10.0, 10.0, 20.0], hours=[0, 1, 4])
    assert fills_of(trade([0.0, 1.0, 1.0], bars)) == [(2, 100.0, 10.0)]
    assert fills_of(trade([0.0, 1.0, 1.0], bars, max_order_age_bars=2)) == []


def test_after_a_total_loss_nothing_is_bought() -> None:
    """A share of no equity is nothing: the short is closed, and the next wish finds no whole lot."""
    bars = bars_of([10.0, 10.0, 30.0, 30.0, 30.0])
    result = trade([-1.0, -1.0, 1.0, 1.0, 1.0], bars)
    assert fills_of(result) == [(1, -100.0, 10.0), (3, 100.0, 30.0)]
    assert result.final_equity == -1000.0


def test_wishes_may_be_any_sequence_of_numbers() -> None:
    """A list, integers and a strided view trade as the array of floats does, and the input is left alone."""
    expected = bits(trade([1.0, 1.0, 0.0, 0.0]))
    for wishes in ([1, 1, 0, 0], np.array([1, 1, 0, 0]), np.repeat([1.0, 1.0, 0.0, 0.0], 2)[::2], (True, True, 0, 0)):
        assert bits(bs.backtest(four_bars(), wishes, **FREE)) == expected


def test_options_may_be_numpy_numbers() -> None:
    """Numbers out of an array are numbers, and come out as plain ones."""
    result = trade([1.0, 1.0, 0.0, 0.0], fee_bps=np.int64(10), slippage_bps=np.float32(5.0))
    assert bits(result) == bits(trade([1.0, 1.0, 0.0, 0.0], fee_bps=10.0, slippage_bps=5.0))
    assert result.to_dict()["execution"]["fee_bps"] == 10.0
    assert type(result.execution.fee_bps) is float


def test_no_bars_and_one_bar() -> None:
    """Without a next open nothing is traded: the capital stays, and every table is there."""
    for n in (0, 1):
        result = trade([1.0] * n, bars_of([10.0] * n))
        assert result.final_equity == 1000.0
        assert result.equity_values.tolist() == [1000.0] * n
        assert [t.height for t in (result.equity, result.columns, result.trades, result.fills)] == [n, n, 0, 0]


def test_an_engine_by_name_by_itself_and_in_a_catalog_is_the_same() -> None:
    """Three ways to name an engine give the same bits; numbers may come as text."""
    bars, engine = walk_bars(500), bs.DEFAULT_STRATEGY_CATALOG["mean_reversion"]
    expected = bits(bs.backtest(bars, "mean_reversion", lookback=20, fee_bps=5))
    assert bits(bs.backtest(bars, engine, lookback="20", fee_bps=5)) == expected
    assert bits(bs.backtest(bars, "mean_reversion", catalog=bs.StrategyCatalog([engine]), lookback=20, fee_bps=5)) == (
        expected
    )


@pytest.mark.parametrize("name", ["mean_reversion", "grid_trading", "volatility_target", "sma_crossover"])
def test_an_engine_trades_like_its_wishes(name: str) -> None:
    """The wishes of an engine, given as an array, trade to the same bits."""
    bars = walk_bars(700, gaps=0.05)
    result = bs.backtest(bars, name, **QUICK[name])
    wishes = rows_of(bs.DEFAULT_STRATEGY_CATALOG[name], bars, **QUICK[name])[0]
    assert bits(bs.backtest(bars, wishes)) == bits(result)
    assert result.fill_table.shape[1] > 10


def test_an_engines_own_threshold_is_not_the_accounts() -> None:
    """`rebalance_threshold` goes to the engine where it has one; the account then follows every wish."""
    result = bs.backtest(walk_bars(300), "volatility_target", rebalance_threshold=0.3)
    assert result.to_dict()["parameters"]["rebalance_threshold"] == 0.3
    assert result.execution.rebalance_threshold == 0.0
    result = bs.backtest(walk_bars(300), "mean_reversion", rebalance_threshold=0.3)
    assert result.execution.rebalance_threshold == 0.3


def arbitrage(first: Bars, second: Bars, **options: Any) -> Result:
    chosen = {"spread_entry": 0.05, "spread_exit": 0.01} | FREE | options
    return bs.backtest(first, "cross_exchange_arbitrage", secondary=second, **chosen)


def test_a_pair_sells_the_dearer_and_buys_the_cheaper() -> None:
    """1000 over 11 + 10 are 47 whole lots of each; both legs fill at their venues' opens and leave together."""
    result = arbitrage(bars_of([10.0, 11.0, 10.0, 10.0]), bars_of([10.0] * 4, venue="w"))
    assert result.fills["venue"].to_list() == ["v", "w", "v", "w"]
    assert fills_of(result) == [(2, -47.0, 11.0), (2, 47.0, 10.0), (3, 47.0, 10.0), (3, -47.0, 10.0)]
    assert result.equity_values.tolist() == [1000.0, 1000.0, 1047.0, 1047.0]
    assert result.trades["profit"].to_list() == [47.0, 0.0]


def test_a_pair_waits_for_both_venues() -> None:
    """Where the second venue has no bar to fill in, both legs are given up and asked again."""
    second = bars_of([10.0, 10.0, 10.0, 10.0], hours=[0, 1, 3, 4], venue="w")
    result = arbitrage(bars_of([10.0, 11.0, 11.0, 11.0, 11.0]), second)
    assert fills_of(result) == [(3, -47.0, 11.0), (3, 47.0, 10.0)]
    assert result.to_dict()["signals"]["too_old"] == 1


def test_max_notional_of_an_arbitrage_caps_each_leg() -> None:
    """The engine's own max_notional is the account's: at a close of 11, at most 121 is 11 lots a leg."""
    result = arbitrage(bars_of([10.0, 11.0, 11.0]), bars_of([10.0] * 3, venue="w"), max_notional=121)
    assert fills_of(result) == [(2, -11.0, 11.0), (2, 11.0, 10.0)]
    assert result.execution.max_notional == 121.0


def test_a_pair_on_a_walk_trades_two_legs_alike() -> None:
    """Legs come in twos, with opposite lots at the same bar."""
    bars = walk_bars(2000, gaps=0.02)
    result = arbitrage(bars, second_venue(bars), spread_entry=0.004, spread_exit=0.001, lot=1e-8)
    table = result.fill_table
    assert table.shape[1] > 200
    assert table[1].tolist() == [0.0, 1.0] * (table.shape[1] // 2)
    np.testing.assert_array_equal(table[0, ::2], table[0, 1::2])
    np.testing.assert_array_equal(table[2, ::2], -table[2, 1::2])
