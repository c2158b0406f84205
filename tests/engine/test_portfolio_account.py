"""A portfolio is one cash account over many positions: by hand, against a plain loop, and cut anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import barstep as bs
import numpy as np
import polars as pl
import pytest
from barstep.engine import portfolio as portfolio_module
from barstep.engine.bars import Bars, Floats
from hypothesis import given
from hypothesis import strategies as st
from making import START_NUMBER, bars_of, part_of, walk_bars

NOTHING = float("nan")


def named(bars: Bars, symbol: str) -> Bars:
    """The same bars of another instrument."""
    return replace(bars, symbol=symbol)


def two(first: Sequence[float], second: Sequence[float]) -> list[Bars]:
    """Instruments A and B that open at the close before."""
    return [named(bars_of(first), "A"), named(bars_of(second), "B")]


def walks(n: int, seed: int, gaps: float = 0.0) -> list[Bars]:
    """Three random walks, each with its own gaps."""
    return [named(walk_bars(n, seed + k, gaps=gaps), name) for k, name in enumerate("ABC")]


def weights_at(n: int, rows: dict[int, Sequence[float]], instruments: int = 2) -> Floats:
    """Weights that are said at some bars only."""
    table = np.full((n, instruments), NOTHING)
    for at, row in rows.items():
        table[at] = row
    return table


def fills_of(result: bs.PortfolioResult) -> list[tuple[str, float, float]]:
    return list(result.fills.select("instrument", "quantity", "price").iter_rows())


def test_shares_of_equity_at_the_close() -> None:
    """Half of 1,000 at a close of 100 buys 5, a quarter at 50 buys 5, both at the next open."""
    bars = two([100, 110, 110], [50, 40, 40])
    result = bs.portfolio(bars, weights_at(3, {0: [0.5, 0.25]}), capital=1000.0, fee_bps=0.0, lot=1.0)
    assert fills_of(result) == [("A", 5.0, 100.0), ("B", 5.0, 50.0)]
    assert result.equity["equity"].to_list() == [1000.0, 1000.0 + 5 * 10 - 5 * 10, 1000.0]
    assert result.final_equity == 250.0 + 5 * 110.0 + 5 * 40.0


def test_sized_at_the_fill() -> None:
    """By the equity at the opens that fill: 0.5 of 1,000 at an open of 125 is 4."""
    bars = [named(bars_of([100, 120], opens=[100, 125]), "A")]
    result = bs.portfolio(bars, weights_at(2, {0: [0.5]}, 1), capital=1000.0, fee_bps=0.0, lot=1.0, sizing_price="fill")
    assert fills_of(result) == [("A", 4.0, 125.0)]


def test_a_weight_said_again_trades_drift_back() -> None:
    """A doubled: of 1,500 the half is 750, at 200 that is 3 whole lots, so 2 are sold."""
    bars = [named(bars_of([100, 200, 200]), "A")]
    again = bs.portfolio(bars, weights_at(3, {0: [0.5], 1: [0.5]}, 1), capital=1000.0, fee_bps=0.0, lot=1.0)
    once = bs.portfolio(bars, weights_at(3, {0: [0.5]}, 1), capital=1000.0, fee_bps=0.0, lot=1.0)
    assert fills_of(again) == [("A", 5.0, 100.0), ("A", -2.0, 200.0)]
    assert fills_of(once) == [("A", 5.0, 100.0)]


def test_sales_pay_for_purchases() -> None:
    """All is moved from B to A in one bar: B, declared later, is sold first, and A finds the cash."""
    bars = two([100] * 4, [50] * 4)
    result = bs.portfolio(bars, weights_at(4, {0: [0.0, 1.0], 2: [1.0, 0.0]}), capital=1000.0, fee_bps=0.0, lot=1.0)
    assert fills_of(result) == [("B", 20.0, 50.0), ("B", -20.0, 50.0), ("A", 10.0, 100.0)]
    assert result.refusals["cut_by_cash"] == 0


def test_what_cash_does_not_allow_is_cut_in_declared_order() -> None:
    """Three quarters each of 1,000: A gets 7 of 100, B finds 300 and gets 6 of 50 instead of 15."""
    result = bs.portfolio(
        two([100] * 2, [50] * 2), weights_at(2, {0: [0.75, 0.75]}), capital=1000.0, fee_bps=0.0, lot=1.0
    )
    assert fills_of(result) == [("A", 7.0, 100.0), ("B", 6.0, 50.0)]
    assert result.refusals["cut_by_cash"] == 1
    assert result.cash == 0.0


def test_an_instrument_without_a_bar_waits_and_counts_at_its_last_close() -> None:
    """B has no second bar: its order waits for the third, and meanwhile nothing of it is held."""
    a = named(bars_of([100, 100, 100, 100]), "A")
    b = named(bars_of([50, 60, 70], opens=[50, 55, 60], hours=[0, 2, 3]), "B")
    result = bs.portfolio([a, b], weights_at(4, {0: [0.5, 0.5]}), capital=1000.0, fee_bps=0.0, lot=1.0)
    assert list(result.fills.select("instrument", "price").iter_rows()) == [("A", 100.0), ("B", 55.0)]
    # 0.5 of 1,000 at the close of 50 is 10; at 55 they cost 550, and 500 of cash buy 9.
    assert fills_of(result)[1] == ("B", 9.0, 55.0)
    assert result.equity["equity"].to_list() == [1000.0, 1000.0, 505.0 - 500.0 + 500.0 + 540.0, 5.0 + 500.0 + 630.0]


def test_every_counts_bars_since_the_epoch() -> None:
    """Weights count where the bar's number is a multiple of `every`, wherever the history begins."""
    bars = [named(walk_bars(30, 3), "A")]
    weights = np.linspace(0.1, 0.9, 30)[:, None]
    result = bs.portfolio(bars, weights, every=7)
    decided = [int(time.timestamp()) // 3600 - 1 for time in result.fills["time"]]
    assert decided == [k for k in range(START_NUMBER, START_NUMBER + 29) if k % 7 == 0]


def test_a_frame_says_weights_at_its_times() -> None:
    """Columns by name in any order, nulls and columns left out say nothing."""
    bars = two([100] * 4, [50] * 4)
    frame = pl.DataFrame({"timestamp": [bars[0].ts_us[1]], "B": [0.5]})
    result = bs.portfolio(bars, frame, capital=1000.0, fee_bps=0.0, lot=1.0)
    assert fills_of(result) == [("B", 10.0, 50.0)]
    same = bs.portfolio(bars, weights_at(4, {1: [NOTHING, 0.5]}), capital=1000.0, fee_bps=0.0, lot=1.0)
    assert fills_of(same) == fills_of(result)


def test_options_by_instrument() -> None:
    """A lot of its own rounds one instrument, and not the other."""
    result = bs.portfolio(
        two([100] * 2, [50] * 2), weights_at(2, {0: [0.4, 0.45]}),
        capital=1000.0, fee_bps=0.0, lot=1.0, by_instrument={"B": {"lot": 5.0}},
    )  # fmt: skip
    assert fills_of(result) == [("A", 4.0, 100.0), ("B", 5.0, 50.0)]


def _plain(
    bars: list[Bars], weights: Floats, *, fee: float, at_fill: bool, capital: float
) -> tuple[list[float], Floats]:
    """The account in a few lines: no lots, no limits to cash, every instrument has every bar."""
    opens, closes = np.array([b.open for b in bars]), np.array([b.close for b in bars])
    cash, held, wanted = capital, np.zeros(len(bars)), None
    traded, curve = [], np.empty(closes.shape[1])
    for t in range(closes.shape[1]):
        if wanted is not None:
            if at_fill:
                wanted = weights[t - 1] * (cash + held @ opens[:, t]) / opens[:, t]
            change = np.where(np.isnan(wanted), 0.0, wanted - held)
            for i in sorted(range(len(bars)), key=lambda i: change[i] * held[i] >= 0.0):
                if change[i]:
                    traded.append(float(change[i]))
                    cash -= change[i] * opens[i, t] + abs(change[i]) * opens[i, t] * fee
            held = held + change
        curve[t] = cash + held @ closes[:, t]
        wanted = None if np.isnan(weights[t]).all() else weights[t] * curve[t] / closes[:, t]
    return traded, curve


@given(
    seed=st.integers(0, 999),
    n=st.integers(2, 60),
    said=st.floats(0.0, 1.0),
    fee_bps=st.sampled_from([0.0, 10.0]),
    sizing_price=st.sampled_from(["close", "fill"]),
)
def test_a_plain_loop_agrees(seed: int, n: int, said: float, fee_bps: float, sizing_price: str) -> None:
    """Random weights, long and short, that money allows: the same trades and equity as a few lines of numpy."""
    rng = np.random.default_rng(seed)
    bars = walks(n, seed)
    weights = rng.uniform(-0.3, 0.3, (n, 3))
    weights[rng.random(n) > said] = NOTHING
    result = bs.portfolio(bars, weights, fee_bps=fee_bps, sizing_price=sizing_price, lot=1e-12)
    traded, curve = _plain(bars, weights, fee=fee_bps / 1e4, at_fill=sizing_price == "fill", capital=100_000.0)
    np.testing.assert_allclose(result.fills["quantity"].to_numpy(), traded, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(result.equity_values, curve, rtol=1e-9)


PLAN = (
    bs.Allocation(strategy="sma_crossover", weight=0.5, parameters={"fast_ma": 2, "slow_ma": 5}, tag="fast"),
    bs.Allocation(
        strategy="mean_reversion", weight=0.6, parameters={"lookback": 5, "entry_zscore": 1.0},
        options={"stop_loss_pct": 1.0, "trailing_stop_pct": 2.0, "borrow_pct": 9.0}, tag="slow",
    ),
)  # fmt: skip


def bits_of(result: bs.PortfolioResult) -> tuple[bytes, bytes]:
    return result.fill_table.tobytes(), result.equity_values.tobytes()


@pytest.mark.parametrize("chunk", [1, 2, 7, 1000])
@pytest.mark.parametrize("gaps", [0.0, 0.2])
def test_bits_do_not_depend_on_chunks(monkeypatch: pytest.MonkeyPatch, chunk: int, gaps: float) -> None:
    """Strategies with stops and borrow cost, and weights, give the same fills and equity however time is cut."""
    bars = walks(300, 5, gaps)
    n = len(bs.portfolio(bars, PLAN).panel)
    weights = weights_at(n, {k: [0.2, 0.3, 0.1 + k / 1e4] for k in range(0, n, 9)}, 3)
    whole = [bits_of(bs.portfolio(bars, plan, slippage_bps=2.0)) for plan in (PLAN, weights)]
    monkeypatch.setattr(portfolio_module, "_CHUNK", chunk)
    assert [bits_of(bs.portfolio(bars, plan, slippage_bps=2.0)) for plan in (PLAN, weights)] == whole


@pytest.mark.parametrize("plan", ["strategies", "weights"])
def test_what_follows_changes_nothing_before(plan: str) -> None:
    """Other bars from some time on leave fills and equity before it as they were, bit for bit."""
    bars = walks(200, 8)
    weights = np.random.default_rng(8).uniform(0.0, 0.3, (200, 3))
    changed = [bars_after(b, 120) for b in bars]
    one, other = (bs.portfolio(b, PLAN if plan == "strategies" else weights) for b in (bars, changed))
    before = [result.fill_table[:, result.fill_table[0] < 120].tobytes() for result in (one, other)]
    assert before[0] == before[1]
    assert one.equity_values[:120].tobytes() == other.equity_values[:120].tobytes()
    assert one.final_equity != other.final_equity


def bars_after(bars: Bars, at: int) -> Bars:
    """The same bars, three times as dear from `at` on."""
    values = bars.values[:5].copy()
    values[:4, at:] *= 3.0
    return Bars.from_arrays(bars.ts_us, *values, interval_seconds=bars.interval_seconds, symbol=bars.symbol)


@given(seed=st.integers(0, 999), gaps=st.sampled_from([0.0, 0.3]), leverage=st.sampled_from([1.0, 3.0]))
def test_nothing_is_lost_or_made(seed: int, gaps: float, leverage: float) -> None:
    """Capital and the profits of all trades are the final equity, which is cash and what is held at the last closes."""
    bars = walks(120, seed, gaps)
    result = bs.portfolio(bars, PLAN, slippage_bps=3.0, leverage=leverage, maintenance_margin_pct=1.0, impact_bps=20.0)
    closes = [result.panel.closes(i)[-1] for i in range(3)]
    lots = result.cells[:, :, 1].sum(axis=0) * 1e-8
    assert result.final_equity == pytest.approx(100_000.0 + result.trades["profit"].sum(), rel=1e-9)
    assert result.final_equity == pytest.approx(result.cash + float(lots @ closes), rel=1e-9)
    for by in ("schedule", "instrument", "tag"):
        assert result.attribution(by)["profit"].sum() == pytest.approx(result.trades["profit"].sum(), rel=1e-9)


@given(seed=st.integers(0, 999), n=st.integers(2, 80))
def test_cash_is_never_negative_without_margin(seed: int, n: int) -> None:
    """Long weights that ask for far more than there is leave cash at 0 or more after every fill."""
    weights = np.random.default_rng(seed).uniform(0.0, 2.0, (n, 3))
    result = bs.portfolio(walks(n, seed), weights, slippage_bps=10.0)
    f = result.fills
    cash = 100_000.0 - np.cumsum((f["quantity"] * f["price"] + f["fee"]).to_numpy())
    assert (cash >= -1e-4).all()


@pytest.mark.parametrize("options", [{}, {"stop_loss_pct": 1.0, "take_profit_pct": 2.0}])
def test_one_position_is_a_backtest(options: dict[str, float]) -> None:
    """A portfolio of one strategy in one instrument has the fills of that strategy's backtest, bit for bit."""
    bars = walk_bars(400, 4, gaps=0.05)
    parameters = {"lookback": 8, "entry_zscore": 1.0}
    alone = bs.backtest(bars, "mean_reversion", slippage_bps=2.0, **parameters, **options)
    (plan,) = [bs.Allocation(strategy="mean_reversion", parameters=parameters)]
    result = bs.portfolio([bars], [plan], slippage_bps=2.0, **options)
    assert result.fills.select("time", "quantity", "price", "fee", "kind").equals(
        alone.fills.select("time", "quantity", "price", "fee", "kind")
    )
    np.testing.assert_allclose(result.equity_values, alone.equity_values, rtol=1e-12)


def test_a_strategy_of_no_weight_changes_nothing_of_the_others() -> None:
    """A schedule that may have nothing and one that is not there leave the others the same bits."""
    bars = walks(300, 2)
    idle = bs.Allocation(strategy="volatility_target", weight=0.0, parameters={"lookback": 5})
    with_idle, without = bs.portfolio(bars, [*PLAN, idle]), bs.portfolio(bars, PLAN)
    assert bits_of(with_idle) == bits_of(without)


def test_opposite_positions_are_not_netted() -> None:
    """Two strategies hold one instrument long and short, each with its own profit."""
    bars = [named(bars_of([100.0, 101.0] * 5 + [102.0 + k for k in range(30)]), "A")]
    plan = [
        bs.Allocation(strategy="sma_crossover", weight=0.5, parameters={"fast_ma": 2, "slow_ma": 4}),
        bs.Allocation(strategy="mean_reversion", weight=0.5, parameters={"lookback": 4, "entry_zscore": 1.2}),
    ]
    result = bs.portfolio(bars, plan, fee_bps=0.0)
    held = result.cells[:, 0, 1]
    assert (result.trades["side"].unique().sort().to_list(), held[0] > 0.0) == (["long", "short"], True)
    by = dict(result.attribution("schedule").select("schedule", "profit").iter_rows())
    assert by["sma_crossover"] > 0.0 > by["mean_reversion"]


def test_wishes_that_add_up_to_more_than_all_are_scaled() -> None:
    """One strategy that wants all of three instruments gets a third of each."""
    bars = [named(bars_of(100.0 + np.arange(10.0)), name) for name in "ABC"]
    plan = [bs.Allocation(strategy="sma_crossover", parameters={"fast_ma": 2, "slow_ma": 4})]
    result = bs.portfolio(bars, plan, fee_bps=0.0, capital=3000.0, sizing_price="fill")
    assert result.fills["quantity"].to_list() == pytest.approx([1000.0 / result.fills["price"][0]] * 3, rel=1e-6)


def test_an_allocation_trades_its_own_instruments() -> None:
    """Instruments that are not named are not traded by it."""
    plan = [bs.Allocation(strategy="mean_reversion", parameters={"lookback": 5}, instruments=["B"])]
    result = bs.portfolio(walks(200, 1), plan)
    assert result.trades["instrument"].unique().to_list() == ["B"]


def test_a_late_listing() -> None:
    """An instrument whose first bar comes later is traded from then on, and counts nothing before."""
    bars = walks(100, 6)
    late = [bars[0], named(part_of(bars[1], 40, 100), "B")]
    weights = np.full((100, 2), 0.4)
    result = bs.portfolio(late, weights)
    first = result.fills.filter(pl.col("instrument") == "B")["time"][0]
    assert int(first.timestamp() * 1e6) == bars[0].ts_us[41]
    assert np.isfinite(result.equity_values).all()


def test_result_tells_itself() -> None:
    """Metrics, JSON and tables of a portfolio have the names of a single backtest."""
    result = bs.portfolio(walks(300, 2), PLAN)
    single = bs.backtest(walk_bars(300, 2), "sma_crossover", fast_ma=2, slow_ma=5)
    assert list(result.metrics) == list(single.metrics)
    curve = np.append(100_000.0, result.equity_values)
    returns = curve[1:] / curve[:-1] - 1.0
    assert result.metrics["sharpe"] == pytest.approx(returns.mean() / returns.std(ddof=1) * np.sqrt(8760), rel=1e-9)
    assert result.metrics["trades"] + result.metrics["open_trades"] == result.trades.height
    assert '"mean_reversion"' in result.to_json()


@pytest.mark.parametrize("n", [0, 1])
def test_no_time_to_trade(n: int) -> None:
    """Of no bar or one nothing comes, and the figures say so."""
    bars = [named(part_of(walk_bars(3, 1), 0, n), "A")]
    result = bs.portfolio(bars, np.full((n, 1), 0.5))
    assert (result.final_equity, result.trades.height, result.metrics["trades"]) == (100_000.0, 0, 0.0)


REFUSED = {
    "no instrument": (lambda: bs.portfolio([], np.zeros((0, 0))), "needs the bars of at least one instrument"),
    "two intervals": (
        lambda: bs.portfolio([bars_of([1, 2]), bars_of([1, 2], interval_seconds=60)], np.zeros((2, 2))),
        "60, 3600 seconds long",
    ),
    "one name twice": (lambda: bs.portfolio([bars_of([1]), bars_of([1])], np.zeros((1, 2))), "named 'v:X'"),
    "shape": (lambda: bs.portfolio(two([1, 1], [1, 1]), np.zeros((3, 2))), r"have shape \(3, 2\)"),
    "infinite": (lambda: bs.portfolio(two([1], [1]), np.full((1, 2), np.inf)), "a weight is infinite"),
    "every": (lambda: bs.portfolio(two([1], [1]), np.zeros((1, 2)), every=0), "every is 0"),
    "sizing": (lambda: bs.portfolio(two([1], [1]), np.zeros((1, 2)), sizing_price="open"), "allowed is close or fill"),
    "limits at the fill": (
        lambda: bs.portfolio(two([1], [1]), np.zeros((1, 2)), sizing_price="fill", limit_offset_bps=1),
        "for orders that fill at once",
    ),
    "option": (lambda: bs.portfolio(two([1], [1]), np.zeros((1, 2)), fee_bp=1), "Did you mean 'fee_bps'"),
    "instrument": (
        lambda: bs.portfolio(two([1], [1]), np.zeros((1, 2)), by_instrument={"a": {}}),
        "unknown instrument 'a'",
    ),
    "column": (
        lambda: bs.portfolio(two([1], [1]), pl.DataFrame({"timestamp": [0], "AB": [1.0]})),
        "unknown column of the weights 'AB'",
    ),
    "no times": (lambda: bs.portfolio(two([1], [1]), pl.DataFrame({"A": [1.0]})), "no column 'timestamp'"),
    "a time of no bar": (
        lambda: bs.portfolio(two([1], [1]), pl.DataFrame({"timestamp": [5], "A": [1.0]})),
        "each be the open of a bar",
    ),
    "empty plan": (lambda: bs.portfolio(two([1], [1]), []), "the plan is empty"),
    "strategy": (lambda: bs.portfolio(two([1], [1]), [bs.Allocation(strategy="sma")]), "unknown strategy engine 'sma'"),
    "two venues": (
        lambda: bs.portfolio(two([1], [1]), [bs.Allocation(strategy="cross_exchange_arbitrage")]),
        "trades two venues",
    ),
    "one name for two": (
        lambda: bs.portfolio(two([1], [1]), [bs.Allocation(strategy="sma_crossover")] * 2),
        "two allocations are named",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str) -> None:
    """A plan that cannot be meant is refused by what is wrong with it."""
    call, text = REFUSED[name]
    with pytest.raises(bs.UsageError, match=text):
        call()
