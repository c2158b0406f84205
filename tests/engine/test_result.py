"""What a backtest gives: tables with their names and types, and JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import barstep as bs
import numpy as np
import polars as pl
import pytest
from barstep.engine.metrics import DESCRIPTIONS
from barstep.engine.reasons import REFUSALS
from barstep.engine.result import Result
from barstep.kernels.columns import CONFIDENCE, DIAGNOSTICS, TARGET, VOLATILITY
from hypothesis import given
from hypothesis import strategies as st
from making import (
    ENGINE_NAMES,
    QUICK,
    bars_of,
    random_wishes,
    rows_of,
    second_venue,
    six_bars_by_hand,
    walk_bars,
)
from plain import follow, round_trips

TIME = pl.Datetime("us", "UTC")
EQUITY = {"timestamp": TIME, "equity": pl.Float64, "drawdown_pct": pl.Float64}
FILLS = {
    "venue": pl.String, "time": TIME, "quantity": pl.Float64, "price": pl.Float64, "reference_price": pl.Float64,
    "fee": pl.Float64, "kind": pl.String,
}  # fmt: skip
TRADES = {
    "venue": pl.String, "entry_time": TIME, "exit_time": TIME, "side": pl.String, "quantity": pl.Float64,
    "entry_price": pl.Float64, "exit_price": pl.Float64, "fees": pl.Float64, "profit": pl.Float64,
    "return_pct": pl.Float64, "bars_held": pl.Int64, "is_open": pl.Boolean, "exit_reason": pl.String,
}  # fmt: skip
HELD = {
    "timestamp": TIME, "position": pl.Float64, "equity": pl.Float64, "other_order_equity": pl.Float64,
    "benchmark": pl.Float64,
}  # fmt: skip


def hour(k: int) -> datetime:
    return datetime(2024, 1, 1, k, tzinfo=UTC)


def engine_result(name: str, n: int = 600) -> Result:
    bars = walk_bars(n, gaps=0.02)
    two = bs.DEFAULT_STRATEGY_CATALOG[name].needs_secondary
    return bs.backtest(bars, name, secondary=second_venue(bars) if two else None, **QUICK[name])


def strict_json(text: str) -> dict[str, Any]:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    document = json.loads(text, parse_constant=refuse)
    assert isinstance(document, dict)
    return document


def test_equity_by_hand() -> None:
    """One row a bar: its open time, the equity at its close, and how far that is under the peak so far."""
    table = six_bars_by_hand().equity
    assert table.schema == EQUITY
    assert table["timestamp"].to_list() == [hour(k) for k in range(6)]
    assert table["equity"].to_list() == [1000.0, 1020.0, 1010.0, 1010.0, 1020.0, 990.0]
    expected = [0.0, 0.0, 1000 / 1020, 1000 / 1020, 0.0, 3000 / 1020]
    np.testing.assert_allclose(table["drawdown_pct"], expected, rtol=1e-12, atol=0)


def test_a_drawdown_begins_at_the_capital() -> None:
    """What is lost before the first profit is a drawdown too."""
    result = bs.backtest(bars_of([10.0, 9.0, 9.0]), [1, 1, 1], capital=1000, fee_bps=0, lot=1)
    assert result.equity["drawdown_pct"].to_list() == pytest.approx([0.0, 10.0, 10.0])


def test_fills_by_hand() -> None:
    """One row a fill: the bar at whose open it filled, the signed quantity, prices, fee, and what made it."""
    table = six_bars_by_hand().fills
    assert table.schema == FILLS
    assert table.rows() == [
        ("v", hour(1), 10.0, 10.0, 10.0, 0.0, "market"),
        ("v", hour(3), -10.0, 11.0, 11.0, 0.0, "market"),
        ("v", hour(4), -10.0, 13.0, 13.0, 0.0, "market"),
    ]


def test_trades_by_hand() -> None:
    """A closed long trade, and a short one that is still open at the last close."""
    table = six_bars_by_hand().trades
    assert table.schema == TRADES
    assert table.rows() == [
        ("v", hour(1), hour(3), "long", 10.0, 10.0, 11.0, 0.0, 10.0, 10.0, 2, False, "market"),
        ("v", hour(4), hour(5), "short", 10.0, 13.0, 15.0, 0.0, -20.0, pytest.approx(-2000 / 130), 1, True, "open"),
    ]


def test_a_partial_exit_and_a_flip_share_out_the_fees() -> None:
    """A fee on an entry goes with the lots that leave; a fill that flips pays for both of its trades."""
    bars = bars_of([10.0, 10.0, 20.0, 20.0, 20.0], [10.0, 10.0, 20.0, 20.0, 20.0])
    result = bs.backtest(bars, [1.0, 0.5, -0.5, -0.5, -0.5], units=8, lot=1, fee_bps=100)
    assert result.fill_table[4].tolist() == pytest.approx([0.8, 0.8, 1.6])
    trades = result.trades.select("quantity", "entry_price", "exit_price", "fees", "profit", "is_open").rows()
    assert trades == [
        (4.0, 10.0, 20.0, pytest.approx(0.4 + 0.8), pytest.approx(38.8), False),
        (4.0, 10.0, 20.0, pytest.approx(0.4 + 0.8), pytest.approx(38.8), False),
        (4.0, 20.0, 20.0, pytest.approx(0.8), pytest.approx(-0.8), True),
    ]


def test_entries_at_two_prices_have_their_average() -> None:
    """Four units at 10 and four at 20 were entered at 15, at the bar of the first."""
    bars = bars_of([10.0, 10.0, 20.0, 30.0, 30.0], [10.0, 10.0, 20.0, 30.0, 30.0])
    result = bs.backtest(bars, [0.5, 1.0, 0.0, 0.0, 0.0], units=8, lot=1, fee_bps=0)
    ((entry, quantity, price, profit, held),) = result.trades.select(
        "entry_time", "quantity", "entry_price", "profit", "bars_held"
    ).rows()
    assert (entry, quantity, price, profit, held) == (hour(1), 8.0, 15.0, 120.0, 2)


def test_trades_at_random_are_those_of_a_plain_loop() -> None:
    """Average cost kept as sums gives the same trades, fees and profits."""
    bars, wishes = walk_bars(3000, gaps=0.02), random_wishes(3000)
    result = bs.backtest(bars, wishes, slippage_bps=2, lot=0.01)
    fills, _ = follow(bars, wishes, result.execution)
    expected = round_trips(fills, 2999, float(bars.close[-1]))
    assert result.trades.height == len(expected) > 300
    assert result.trades["is_open"].to_list() == [t.is_open for t in expected]
    assert result.trades["side"].to_list() == ["long" if t.quantity > 0 else "short" for t in expected]
    assert result.trades["bars_held"].to_list() == [t.exit_bar - t.entry_bar for t in expected]
    for column in ("entry_price", "exit_price", "fees", "profit"):
        np.testing.assert_allclose(
            result.trades[column], [getattr(t, column) for t in expected], rtol=1e-7, atol=1e-6, err_msg=column
        )
    np.testing.assert_allclose(result.trades["quantity"], [abs(t.quantity) for t in expected], rtol=1e-9)


def test_without_trades_the_tables_are_empty_and_typed() -> None:
    """Where nothing was traded the tables have their columns and no rows; equity is the capital."""
    result = bs.backtest(bars_of([10.0, 11.0]), [0, 0], capital=500)
    assert (result.trades.schema, result.trades.height) == (TRADES, 0)
    assert (result.fills.schema, result.fills.height) == (FILLS, 0)
    assert result.equity["equity"].to_list() == [500.0, 500.0]
    assert result.columns["position"].to_list() == [0.0, 0.0]


def test_no_bars_give_empty_tables_of_the_same_types() -> None:
    """Zero bars change no name and no type."""
    result = bs.backtest(bars_of([]), [])
    tables = ((result.equity, EQUITY), (result.fills, FILLS), (result.trades, TRADES), (result.columns, HELD))
    for table, schema in tables:
        assert (table.schema, table.height) == (schema, 0)


def test_columns_of_own_wishes() -> None:
    """Without an engine there is what was held at each close, what it was worth, and what buy and hold would be."""
    table = six_bars_by_hand().columns
    assert table.schema == HELD
    assert table["position"].to_list() == [0.0, 10.0, 10.0, 0.0, -10.0, -10.0]
    assert table["equity"].to_list() == [1000.0, 1020.0, 1010.0, 1010.0, 1020.0, 990.0]
    assert table["other_order_equity"].to_list() == table["equity"].to_list()
    assert table["benchmark"].to_list() == [1000.0, 1200.0, 1100.0, 1300.0, 1200.0, 1500.0]


@pytest.mark.parametrize("name", ENGINE_NAMES)
def test_columns_are_the_rows_of_the_engine(name: str) -> None:
    """Side and exposure are the wish taken apart; confidence, volatility and diagnostics are the engine's very bits."""
    result, engine = engine_result(name), bs.DEFAULT_STRATEGY_CATALOG[name]
    rows = rows_of(engine, result.bars, result.setup.secondary, **QUICK[name])
    table = result.columns
    assert table.columns == [
        "timestamp", "side", "exposure", "confidence", "volatility", *engine.diagnostics, *list(HELD)[1:],
    ]  # fmt: skip
    np.testing.assert_array_equal(table["side"] * table["exposure"], rows[TARGET])
    assert set(table["side"]) <= {-1.0, 0.0, 1.0}
    for column, row in (("confidence", CONFIDENCE), ("volatility", VOLATILITY)):
        assert table[column].to_numpy().tobytes() == rows[row].tobytes()
    for k, column in enumerate(engine.diagnostics):
        assert table[column].to_numpy().tobytes() == rows[DIAGNOSTICS + k].tobytes()
    assert table["equity"].to_numpy().tobytes() == result.equity_values.tobytes()


@pytest.mark.parametrize("name", ENGINE_NAMES)
def test_a_position_is_the_sum_of_the_fills_of_the_first_leg(name: str) -> None:
    """What is held at a close is what the first venue's fills up to that bar come to."""
    result = engine_result(name)
    filled = result.fills.filter(pl.col("venue") == "v")
    until = [filled.filter(pl.col("time") <= time)["quantity"].sum() for time in result.columns["timestamp"]]
    assert filled.height > 5
    np.testing.assert_allclose(result.columns["position"], until, rtol=1e-9, atol=1e-9)


@given(st.integers(1, 3100))
def test_equity_comes_in_pieces_of_any_length(length: int) -> None:
    """Equity in pieces is the equity at once, to the last bit."""
    result = bs.backtest(walk_bars(3000), random_wishes(3000))
    pieces = [(start, part.copy()) for start, part in result.equity_chunks(length)]
    assert [start for start, _ in pieces] == list(range(0, 3000, length))
    assert np.concatenate([part for _, part in pieces]).tobytes() == result.equity_values.tobytes()


def test_json_of_an_engine_says_how_to_get_it_again() -> None:
    """Parameters, costs, data digests, counts and software stand in it; what has no number is null."""
    result = engine_result("cross_exchange_arbitrage")
    document = strict_json(result.to_json())
    assert document["strategy"] == "cross_exchange_arbitrage"
    assert document["parameters"] == result.to_dict()["parameters"]
    assert document["parameters"]["spread_entry"] == 0.002
    assert document["execution"]["units"] is None
    assert document["execution"]["max_notional"] == 1e12
    assert document["bars_per_year"] == 8760.0
    assert [source["venue"] for source in document["data"]] == ["v", "w"]
    assert [source["sha384"] for source in document["data"]] == [
        result.bars.content_digest, result.setup.secondary.content_digest,
    ]  # fmt: skip
    assert document["signals"]["fills"] == result.fills.height
    assert document["final_equity"] == result.final_equity
    assert list(document["metrics"]) == list(DESCRIPTIONS)
    assert set(document["provenance"]) == {"barstep", "numba", "numpy", "kernels", "arithmetic", "data_sha384"}


def test_json_has_null_for_what_is_no_number() -> None:
    """NaN and infinity are null in JSON and themselves in the dict."""
    result = six_bars_by_hand()
    assert strict_json(result.to_json())["metrics"]["profit_factor"] is None
    assert strict_json(result.to_json())["execution"]["max_notional"] is None
    assert result.to_dict()["execution"]["max_notional"] == float("inf")


def test_json_describes_the_data() -> None:
    """Venue, instrument, interval, count, first and last open and digest say which bars they were."""
    bars = bars_of([10.0, 11.0, 12.0])
    assert strict_json(bs.backtest(bars, [0, 0, 0]).to_json())["data"] == [
        {
            "venue": "v",
            "symbol": "X",
            "interval_seconds": 3600,
            "bars": 3,
            "first": "2024-01-01T00:00:00.000000Z",
            "last": "2024-01-01T02:00:00.000000Z",
            "sha384": bars.content_digest,
        }
    ]
    (empty,) = strict_json(bs.backtest(bars_of([]), []).to_json())["data"]
    assert (empty["bars"], empty["first"], empty["last"]) == (0, None, None)


def test_own_wishes_are_named_so() -> None:
    """Without an engine the strategy is called what it is and has no parameters."""
    document = six_bars_by_hand().to_dict()
    assert (document["strategy"], document["parameters"]) == ("own wishes", {})
    assert document["signals"] == {"warm_up_bars": 0, "seen": 3, "fills": 3, **dict.fromkeys(REFUSALS, 0)}


def test_year_days_scale_what_is_annual() -> None:
    """A year of 252 days has fewer bars, and every annual figure follows: metrics, volatility, bars per year."""
    bars = walk_bars(500)
    long, short = (bs.backtest(bars, "sma_crossover", fast_ma=5, slow_ma=20, year_days=days) for days in (365, 252))
    assert short.to_dict()["bars_per_year"] == 252 * 24
    root = (252 / 365) ** 0.5
    assert short.metrics["sharpe"] == pytest.approx(long.metrics["sharpe"] * root)
    np.testing.assert_allclose(short.columns["volatility"], long.columns["volatility"].to_numpy() * root, rtol=1e-12)
