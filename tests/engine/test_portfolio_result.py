"""What a portfolio's backtest gives: tables, metrics, costs, attribution, and JSON."""

from __future__ import annotations

import json
import math

import barstep as bs
import numpy as np
import polars as pl
import pytest
from barstep.engine.metrics import DESCRIPTIONS
from barstep.engine.strategy import bars_per_year
from making import QUICK, walk_bars
from panels import NAN, attributed, free, named, random_weights, speaking, walks


@pytest.fixture(scope="module")
def by_hand() -> bs.PortfolioResult:
    """A is bought at 10 and sold at 12 by `up`; `down` sells B short at 20 at hour 1 and holds it.

    A: 50 bought and sold, fees of 1 % are 5 and 6, profit 100 - 11 = 89. B: 12 sold short for 240 at a fee of 2.4; at
    the last close of 25 they have lost 60, with the fee 62.4.
    """
    bars = [
        named("A", [10.0, 10.0, 12.0, 12.0], wishes=[1.0, 1.0, 0.0, 0.0]),
        named("B", [20.0, 20.0, 20.0, 25.0], wishes=[1.0, 1.0, 1.0, 1.0]),
    ]
    plan = [
        speaking("up", weight=0.5, instruments=["A"], tag="long"),
        speaking("down", -1.0, weight=0.25, instruments=["B"], tag="short"),
    ]
    return bs.portfolio(bars, plan, **free(fee_bps=100.0))


@pytest.fixture(scope="module")
def random() -> bs.PortfolioResult:
    """Three walks with random weights, slippage and borrow."""
    bars = walks(3, 400, gaps=0.05)
    n = len({int(ts) for each in bars for ts in each.ts_us})
    return bs.portfolio(bars, random_weights(n, 3), slippage_bps=5, borrow_pct=20, stop_loss_pct=2)


def test_the_equity_of_each_bar(by_hand: bs.PortfolioResult) -> None:
    """Fees of 5 and 2.4 at hour 1, a gain of 100 at hour 2, a fee of 6 and a loss of 60 at hour 3."""
    frame = by_hand.equity
    assert frame["equity"].to_list() == pytest.approx([1000.0, 992.6, 1092.6, 1026.6], rel=1e-12)
    falls = [0.0, 0.74, 0.0, (1 - 1026.6 / 1092.6) * 100]
    assert frame["drawdown_pct"].to_list() == pytest.approx(falls, rel=1e-9, abs=1e-12)
    assert frame["timestamp"].dtype == pl.Datetime("us", "UTC")
    assert frame["timestamp"].dt.replace_time_zone(None).to_list() == by_hand.panel.times.tolist()
    assert by_hand.final_equity == frame["equity"][-1]
    assert [part.tolist() for _, part in by_hand.equity_chunks(3)] == [
        by_hand.equity_values[:3].tolist(),
        by_hand.equity_values[3:].tolist(),
    ]


def test_exposures_and_weights(by_hand: bs.PortfolioResult) -> None:
    """50 of A are held for two hours, 12 of B are owed from hour 1 on; each close sets them against equity."""
    equity = np.array([1000.0, 992.6, 1092.6, 1026.6])
    a, b = np.array([0.0, 500.0, 600.0, 0.0]) / equity, np.array([0.0, -240.0, -240.0, -300.0]) / equity
    columns, weights = by_hand.columns, by_hand.weights
    assert weights.columns == ["timestamp", "A", "B"]
    np.testing.assert_allclose(weights["A"], a, rtol=1e-12)
    np.testing.assert_allclose(weights["B"], b, rtol=1e-12)
    np.testing.assert_allclose(columns["gross_exposure"], a - b, rtol=1e-12)
    np.testing.assert_allclose(columns["net_exposure"], a + b, rtol=1e-12)
    assert columns["benchmark"].to_list() == pytest.approx([1000.0, 1000.0, 1100.0, 1225.0])
    assert columns["equity"].equals(by_hand.equity["equity"])


def test_what_is_not_held_is_cash(random: bs.PortfolioResult) -> None:
    """At the last close, equity less the net exposure is the account's cash, and weights add up to that exposure."""
    net = random.columns["net_exposure"]
    assert random.final_equity * (1.0 - net[-1]) == pytest.approx(random.cash, rel=1e-9)
    np.testing.assert_allclose(random.weights.drop("timestamp").sum_horizontal(), net, atol=1e-12)
    assert (random.columns["gross_exposure"] >= net.abs() - 1e-12).all()


def test_positions_against_each_other_are_gross() -> None:
    """Two schedules, one long and one short of the same instrument, hold nothing net and both of it gross."""
    bars = [named("A", [10.0] * 3, wishes=[1.0] * 3)]
    plan = [speaking("up", weight=0.4), speaking("down", -1.0, weight=0.4)]
    columns = bs.portfolio(bars, plan, **free()).columns
    assert columns["gross_exposure"].to_list() == [0.0, 0.8, 0.8]
    assert columns["net_exposure"].to_list() == [0.0, 0.0, 0.0]


def test_the_table_of_fills(by_hand: bs.PortfolioResult) -> None:
    """Each says whose it is, when, how much and at which price."""
    fills = by_hand.fills
    assert fills.columns == [
        "schedule", "tag", "instrument", "time", "quantity", "price", "reference_price", "fee", "kind"
    ]  # fmt: skip
    assert fills.drop("time", "fee", "reference_price").rows() == [
        ("up", "long", "A", 50.0, 10.0, "market"),
        ("down", "short", "B", -12.0, 20.0, "market"),
        ("up", "long", "A", -50.0, 12.0, "market"),
    ]
    assert fills["fee"].to_list() == pytest.approx([5.0, 2.4, 6.0], rel=1e-12)
    assert fills["time"].dt.hour().to_list() == [1, 1, 3]


def test_the_table_of_trades(by_hand: bs.PortfolioResult) -> None:
    """One is closed with a profit of 89, one is open and has lost 62.4."""
    trades = by_hand.trades.sort("schedule", descending=True)
    assert trades["schedule"].to_list() == ["up", "down"]
    assert trades["side"].to_list() == ["long", "short"]
    assert trades["quantity"].to_list() == [50.0, 12.0]
    assert trades["profit"].to_list() == pytest.approx([89.0, -62.4], rel=1e-12)
    assert trades["return_pct"].to_list() == pytest.approx([17.8, -26.0], rel=1e-12)
    assert trades["bars_held"].to_list() == [2, 2]
    assert trades["is_open"].to_list() == [False, True]
    assert trades["exit_reason"].to_list() == ["market", "open"]


def test_what_was_never_written_is_not_computed_with(monkeypatch: pytest.MonkeyPatch) -> None:
    """Room that is left in the table of trades may hold any number: a lot of 100 times the largest would overflow."""
    result = bs.portfolio([named("A", [10.0] * 4)], np.array([[0.5], [0.0], [NAN], [NAN]]), lot=100.0)
    monkeypatch.setattr(np, "empty", lambda shape: np.full(shape, 1.7e308))
    assert result.trades["quantity"].to_list() == [5000.0]


def test_positions_that_are_closed_leave_no_rest() -> None:
    """In floats 3, then 6, less 9 tenths are not 0, but a position of these is closed: one trade, none open."""
    bars = [named("A", [10.0] * 5)]
    weights = np.array([[0.3], [0.9], [0.0], [NAN], [NAN]])
    result = bs.portfolio(bars, weights, capital=10.0, fee_bps=0, lot=0.1)
    assert result.fills["quantity"].to_list() == pytest.approx([0.3, 0.6, -0.9], rel=1e-12)
    assert result.fills["quantity"].sum() != 0.0
    assert result.trades.select("quantity", "is_open").rows() == [(pytest.approx(0.9, rel=1e-12), False)]
    assert result.bars_held == 2.0


def test_attribution(by_hand: bs.PortfolioResult) -> None:
    """Profit, fees and trades of each schedule, instrument and tag add up to those of the whole."""
    for by, names in (("schedule", ["down", "up"]), ("instrument", ["B", "A"]), ("tag", ["short", "long"])):
        table = by_hand.attribution(by).sort("profit")
        assert table[by].to_list() == names
        assert table["profit"].to_list() == pytest.approx([-62.4, 89.0], rel=1e-12)
        assert table["fees"].to_list() == pytest.approx([2.4, 11.0], rel=1e-12)
        assert table["trades"].to_list() == [1, 1]
        assert table["win_rate_pct"].to_list() == [0.0, 100.0]
        assert table["slippage"].to_list() == [0.0, 0.0]
        assert table["traded_value"].to_list() == pytest.approx([240.0, 1100.0], rel=1e-12)
        assert table["contribution_pct"].to_list() == pytest.approx([-6.24, 8.9], rel=1e-12)


def test_what_holding_and_trading_cost(random: bs.PortfolioResult) -> None:
    """Capital and profit at reference prices less all costs is the final equity."""
    costs, f = random.costs, random.fills
    at_reference = (f["quantity"] * f["reference_price"]).sum()
    held = random.cells[:, :, 1] * random.setup.rules[:, :, 2]
    value = float((held * [each.close[-1] for each in random.panel.instruments]).sum())
    assert random.final_equity == pytest.approx(100_000.0 - at_reference + value - sum(costs.values()), rel=1e-9)
    assert costs["fees"] == pytest.approx(f.filter(pl.col("kind") != "borrow")["fee"].sum(), rel=1e-9)
    assert costs["borrow"] == pytest.approx(f.filter(kind="borrow")["fee"].sum(), rel=1e-9)
    for by in ("schedule", "instrument"):
        assert random.attribution(by)["slippage"].sum() == pytest.approx(costs["slippage"], rel=1e-9)
    assert min(costs["fees"], costs["slippage"], costs["borrow"]) > 0.0
    assert random.trades["fees"].sum() == pytest.approx(costs["fees"] + costs["borrow"], rel=1e-9)


def test_the_extra_fee_of_a_liquidation_is_that_of_its_instrument() -> None:
    """Ten times leveraged, A is liquidated at 9 at a fee of 2 % on top, and B at one of 1 %."""
    bars = [named(name, [10.0, 10.0, 5.0, 5.0]) for name in "AB"]
    weights = np.array([[0.5, 0.5], [NAN, NAN], [NAN, NAN], [NAN, NAN]])
    result = bs.portfolio(
        bars, weights, **free(leverage=10, liquidation_fee_bps=100), by_instrument={"A": {"liquidation_fee_bps": 200}}
    )
    assert result.fills["kind"].to_list() == ["market", "market", "liquidation", "liquidation"]
    assert result.costs["liquidation"] == pytest.approx(50 * 9 * 0.03, rel=1e-12)
    assert result.costs["fees"] == pytest.approx(0.0, abs=1e-9)


def test_metrics_are_those_of_plain_numpy(random: bs.PortfolioResult) -> None:
    """Return, volatility, Sharpe, Sortino, drawdown, tail, turnover and time in the market by their formulas."""
    equity, year = random.equity_values, bars_per_year(3600, 365.0)
    before = np.concatenate(([100_000.0], equity[:-1]))
    r, n = equity / before - 1.0, equity.size
    peak = np.maximum.accumulate(np.maximum(equity, 100_000.0))
    f = random.fills
    held = np.zeros((3, n))
    for (name,), own in f.group_by("instrument"):
        place = np.searchsorted(random.panel.times, own["time"].dt.replace_time_zone(None).to_numpy())
        np.add.at(held["ABC".index(str(name))], place, own["quantity"].to_numpy())
    expected = {
        "total_return_pct": (equity[-1] / 100_000.0 - 1.0) * 100.0,
        "annual_return_pct": ((equity[-1] / 100_000.0) ** (year / n) - 1.0) * 100.0,
        "annual_volatility_pct": r.std(ddof=1) * math.sqrt(year) * 100.0,
        "sharpe": r.mean() / r.std(ddof=1) * math.sqrt(year),
        "sortino": r.mean() / math.sqrt((np.minimum(r, 0.0) ** 2).sum() / (n - 1)) * math.sqrt(year),
        "omega": np.maximum(r, 0.0).sum() / np.maximum(-r, 0.0).sum(),
        "max_drawdown_pct": (1.0 - equity / peak).max() * 100.0,
        "value_at_risk_95_pct": -np.percentile(r, 5) * 100.0,
        "tail_ratio": np.percentile(r, 95) / abs(np.percentile(r, 5)),
        "turnover": (f["quantity"].abs() * f["price"]).sum() / equity.mean(),
        "benchmark_return_pct": np.mean([b.close[-1] / b.close[0] - 1.0 for b in random.panel.instruments]) * 100.0,
        "exposure_pct": (np.abs(held.cumsum(axis=1)) > 1e-6).any(axis=0).mean() * 100.0,
        "trades": random.trades.filter(~pl.col("is_open")).height,
        "open_trades": random.trades.filter("is_open").height,
        "win_rate_pct": (random.trades.filter(~pl.col("is_open"))["profit"] > 0.0).mean() * 100.0,
        "expectancy": random.trades.filter(~pl.col("is_open"))["profit"].mean(),
    }
    assert {name: random.metrics[name] for name in expected} == pytest.approx(expected, rel=1e-9)
    assert list(random.metrics) == list(DESCRIPTIONS)


def test_one_of_one_has_the_metrics_of_its_backtest() -> None:
    """One instrument with one strategy of weight 1 has its trades, costs and every metric, stops included."""
    bars, options = walk_bars(600), {"stop_loss_pct": 2.0, "slippage_bps": 3.0, "lot": 0.1}
    single = bs.backtest(bars, "sma_crossover", **QUICK["sma_crossover"], **options)
    plan = [bs.Allocation(strategy="sma_crossover", parameters=QUICK["sma_crossover"])]
    one = bs.portfolio([bars], plan, **options)
    assert dict(one.metrics) == pytest.approx(dict(single.metrics), rel=1e-9, nan_ok=True)
    assert one.costs == pytest.approx(single.costs, rel=1e-9)
    assert one.trades.drop("schedule", "tag", "instrument").equals(single.trades.drop("venue"))


def test_json(by_hand: bs.PortfolioResult) -> None:
    """It is valid, strictly: names, data, settings, metrics without a NaN, counts, attribution, provenance."""
    read = json.loads(by_hand.to_json(), parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert read["strategies"] == ["up", "down"]
    assert read["instruments"] == ["A", "B"]
    assert [each["symbol"] for each in read["data"]] == ["A", "B"]
    assert read["execution"]["capital"] == 1000.0
    assert read["execution"]["max_notional"] is None
    assert read["final_equity"] == pytest.approx(1026.6, rel=1e-12)
    assert read["metrics"].keys() == DESCRIPTIONS.keys()
    assert read["signals"]["fills"] == 3
    assert read["signals"]["seen"] == 3
    assert {row["schedule"]: row["trades"] for row in read["attribution"]["schedule"]} == {"up": 1, "down": 1}
    assert read["provenance"]


def test_orders_that_the_data_does_not_fill_are_counted() -> None:
    """One of the last bar, and one that its instrument has no later bar for."""
    bars = [named("A", [10.0] * 3), named("B", [10.0])]
    weights = np.array([[NAN, 0.5], [NAN, NAN], [0.5, NAN]])
    result = bs.portfolio(bars, weights, **free())
    assert result.fills.height == 0
    assert result.refusals["end_of_data"] == 2


@pytest.mark.parametrize("n", [0, 1, 4])
@pytest.mark.parametrize("strategies", [False, True])
def test_a_portfolio_that_does_nothing(n: int, strategies: bool) -> None:
    """No bars, one bar, or no wish: tables are empty and typed, equity stays, and JSON is made."""
    bars = [named(name, [10.0] * n, wishes=[0.0] * n) for name in "AB"]
    result = bs.portfolio(bars, [speaking()] if strategies else np.zeros((n, 2)))
    assert result.final_equity == 100_000.0
    assert result.equity["equity"].to_list() == [100_000.0] * n
    assert (result.fills.height, result.trades.height, result.attribution("tag").height) == (0, 0, 0)
    assert result.trades.schema["profit"] == pl.Float64
    assert result.columns["gross_exposure"].to_list() == [0.0] * n
    assert (result.weights.columns, result.weights.height) == (["timestamp", "A", "B"], n)
    assert result.metrics["total_return_pct"] == 0.0
    assert result.metrics["exposure_pct"] == 0.0
    assert math.isnan(result.metrics["win_rate_pct"])
    assert sum(result.costs.values()) == 0.0
    assert json.loads(result.to_json())["metrics"]["win_rate_pct"] is None


def test_an_instrument_without_bars_does_not_matter() -> None:
    """Beside one that has bars it is never traded, and changes nothing."""
    bars = walk_bars(50)
    weights = np.where(np.arange(50) % 5, NAN, np.linspace(0.1, 0.9, 50))
    alone = bs.portfolio([bars], weights[:, None])
    beside = bs.portfolio([bars, named("EMPTY", [])], np.column_stack((weights, weights)))
    assert alone.fills.height == 10
    assert beside.fills.equals(alone.fills)
    assert attributed(beside, "instrument") == attributed(alone, "instrument")
    assert beside.equity.equals(alone.equity)


def test_a_frame_of_no_weights() -> None:
    """An empty frame, on bars or without, says nothing."""
    for n in (0, 3):
        frame = pl.DataFrame(schema={"timestamp": pl.Datetime("us"), "A": pl.Float64})
        assert bs.portfolio([named("A", [10.0] * n)], frame).fills.height == 0
