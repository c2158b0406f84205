"""Walks forward, against backtests put together by hand: choices, one account, and statistics of luck."""

from __future__ import annotations

import json
import math
from typing import Any

import barstep as bs
import numpy as np
import polars as pl
import pytest
from barstep.engine.bars import Bars
from barstep.engine.overfitting import block_moments, cross_validate
from barstep.engine.sweep.axes import Span
from barstep.engine.walk_forward import walk_forward
from barstep.engine.walk_forward_result import WalkForwardResult
from making import HOUR_US, START_US, bars_of, second_venue, walk_bars, with_rows
from numpy.typing import NDArray

BARS = walk_bars(1000, gaps=0.01)
AXES: dict[str, Any] = {"fast_ma": [3, 6], "slow_ma": [12, 20, 30]}
FIXED: dict[str, Any] = {"allow_short": True, "fee_bps": 3.0}
LENGTHS = {"train_bars": 300, "test_bars": 120}


def walked(bars: Bars = BARS, axes: dict[str, Any] = AXES, **given: Any) -> WalkForwardResult:
    return walk_forward(bars, "sma_crossover", axes, **{**FIXED, **LENGTHS, **given})


def sets_of(axes: dict[str, Any] = AXES) -> list[dict[str, Any]]:
    first, second = axes
    return [{first: a, second: b} for a in axes[first] for b in axes[second]]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"anchored": True, "purge_bars": 15, "embargo_bars": 10},
        {"select": "max_drawdown_pct", "lowest": True, "step_bars": 150},
    ],
)
def test_the_best_set_of_each_training_is_chosen(given: dict[str, Any]) -> None:
    """Each choice is that of backtests of every set over the training alone, and so are its metrics."""
    result = walked(**given)
    select = given.get("select", "sharpe")
    assert len(result.tested) > 3
    for one in result.tested:
        window = one.choice.window
        training = window.training(BARS)
        tried = [bs.backtest(training, "sma_crossover", **FIXED, **each) for each in sets_of()]
        values = [each.metrics[select] for each in tried]
        best = int(np.argmin(values) if given.get("lowest") else np.argmax(values))
        assert (one.choice.row, one.choice.varied) == (best, sets_of()[best])
        for name in (select, "total_return_pct", "trades"):
            assert one.choice.metrics[name] == pytest.approx(tried[best].metrics[name], rel=1e-12)


def chained(result: WalkForwardResult, **engine: Any) -> NDArray[np.float64]:
    """Equity of the tests, each a backtest of its own that begins with what the one before left."""
    capital, pieces = 100_000.0, []
    for one in result.tested:
        window, varied = one.choice.window, one.choice.varied
        own = {name: value for name, value in varied.items() if name in AXES}
        levels = {name: value for name, value in varied.items() if name not in AXES}
        seen = BARS.part(window.train_start, window.test_stop)
        columns = bs.backtest(seen, "sma_crossover", allow_short=True, **engine, **own).columns
        wishes = (columns["side"] * columns["exposure"]).to_numpy()[window.test_start - window.train_start :].copy()
        wishes[-2:] = 0.0
        own_bars = BARS.part(window.test_start, window.test_stop)
        test = bs.backtest(own_bars, wishes, fee_bps=3.0, capital=capital, **levels)
        assert one.metrics["sharpe"] == pytest.approx(test.metrics["sharpe"])
        assert one.final_equity == pytest.approx(test.final_equity)
        capital = test.final_equity
        pieces.append(test.equity_values)
    return np.concatenate(pieces)


@pytest.mark.parametrize("given", [{}, {"step_bars": 150, "purge_bars": 7}, {"anchored": True, "embargo_bars": 20}])
def test_tests_are_traded_one_after_another(given: dict[str, Any]) -> None:
    """The one account is that of a backtest a test, with an engine that goes on from its training."""
    result = walked(**given)
    np.testing.assert_allclose(result.equity_values, chained(result), rtol=1e-12)
    assert result.metrics["trades"] > 10
    assert result.columns["window"].to_list() == np.repeat(np.arange(len(result.tested)) + 1, 120).tolist()


def test_an_option_of_the_execution_may_be_varied() -> None:
    """A take-profit that is chosen in a training holds in its test, and not in the next one's."""
    result = walked(axes={"take_profit_pct": [1.0, 3.0, 30.0], "slow_ma": [12, 30]}, fast_ma=3)
    assert len({one.choice.varied["take_profit_pct"] for one in result.tested}) > 1
    np.testing.assert_allclose(result.equity_values, chained(result, fast_ma=3), rtol=1e-12)
    assert result.execution.take_profit_pct == 0.0


def test_each_test_starts_and_ends_flat() -> None:
    """No order is made before a test begins, and none of its positions is left at its end."""
    result = walked()
    position = result.columns["position"].to_numpy().reshape(-1, 120)
    assert (position[:, 0] == 0.0).all()
    assert (position[:, -1] == 0.0).all()
    assert (position[:, 1:-1] != 0.0).any(axis=1).all()
    assert result.metrics["open_trades"] == 0.0


@pytest.mark.parametrize("given", [{}, {"anchored": True, "purge_bars": 12, "embargo_bars": 8}])
def test_what_comes_later_changes_no_choice_and_no_test(given: dict[str, Any]) -> None:
    """With other bars after a test, all choices up to it and the equity of its tests stay, bit for bit."""
    whole = walked(**given)
    for number, one in enumerate(whole.tested[:-1], start=1):
        other = walked(with_rows(BARS, slice(one.choice.window.test_stop, None), price=3.0), **given)
        assert [each.choice for each in other.tested[:number]] == [each.choice for each in whole.tested[:number]]
        bars = number * 120
        assert other.equity_values[:bars].tobytes() == whole.equity_values[:bars].tobytes()
        assert other.equity_values[bars:].tobytes() != whole.equity_values[bars:].tobytes()


@pytest.mark.parametrize("name", ["purge_bars", "embargo_bars"])
def test_purge_and_embargo_hide_bars_from_trainings(name: str) -> None:
    """What happens in bars that are purged, or under embargo, moves no metric of the training."""
    whole = walked(**{name: 10})
    last = whole.tested[-1].choice
    hidden = last.window.embargoes[-1] if name == "embargo_bars" else (last.window.train_stop, last.window.test_start)
    other = walked(with_rows(BARS, slice(*hidden), price=1.5), **{name: 10}).tested[-1].choice
    assert other.metrics == last.metrics
    seen = walked(with_rows(BARS, slice(last.window.train_stop - 10, last.window.train_stop), price=1.5), **{name: 10})
    assert seen.tested[-1].choice.metrics != last.metrics


def test_where_no_set_has_a_value_nothing_is_traded() -> None:
    """Sets that never trade have no Sharpe ratio: none is chosen, and the account keeps its money."""
    result = walk_forward(BARS, "mean_reversion", {"entry_zscore": [20.0, 21.0]}, lookback=20, **LENGTHS)
    assert result.windows["row"].to_list() == [None] * len(result.tested)
    assert result.windows["chosen_entry_zscore"].to_list() == [None] * len(result.tested)
    assert (result.equity_values == 100_000.0).all()
    told = result.to_dict()["walk_forward"]
    assert math.isnan(told["efficiency"])
    assert math.isnan(told["significance"]["deflated_sharpe_ratio"])
    assert told["overfitting"]["probability_of_backtest_overfitting"] == 1.0
    assert '"efficiency": null' in result.to_json()


def test_the_statistics_are_those_of_their_parts() -> None:
    """Trials are backtests of the whole span; their blocks give the overfitting, their ratios deflate the account's."""
    bars = walk_bars(300 + 5 * 101)
    result = walk_forward(bars, "sma_crossover", AXES, train_bars=300, test_bars=101, **FIXED)
    tried = [bs.backtest(bars, "sma_crossover", **FIXED, **each) for each in sets_of()]
    curves = np.array([np.concatenate(([100_000.0], each.equity_values)) for each in tried])
    returns = curves[:, 1:] / curves[:, :-1] - 1.0
    told = result.to_dict()["walk_forward"]
    assert told["overfitting"]["probability_of_backtest_overfitting"] == pytest.approx(
        cross_validate(*block_moments(returns, 16)).probability
    )
    ratios = returns.mean(axis=1) / returns.std(axis=1, ddof=1)
    np.testing.assert_allclose(result.trials["sharpe_per_bar"].to_numpy(), ratios, rtol=1e-9)
    significance = told["significance"]
    assert significance["trials"] == 6
    assert significance["trial_sharpe_variance"] == pytest.approx(ratios.var(ddof=1))
    own = np.diff(np.concatenate(([100_000.0], result.equity_values))) / np.concatenate(
        ([100_000.0], result.equity_values[:-1])
    )
    assert significance["sharpe_per_bar"] == pytest.approx(own.mean() / own.std(ddof=1))
    assert 0.0 <= significance["deflated_sharpe_ratio"] < significance["probabilistic_sharpe_ratio"] <= 1.0
    inside = sum(one.choice.metrics["total_return_pct"] for one in result.tested) / (5 * 300)
    outside = sum((one.final_equity / one.capital - 1.0) * 100.0 for one in result.tested) / (5 * 101)
    assert told["efficiency"] == pytest.approx(outside / inside)


def test_noise_is_overfitted_and_an_edge_is_not() -> None:
    """A market that comes back is told from noise by the probability of overfitting and by the deflated ratio."""
    noise, steps = walk_bars(2200, seed=8), np.random.default_rng(8).standard_normal(2200) * 0.01
    away = np.zeros(2200)
    for k in range(1, 2200):
        away[k] = 0.9 * away[k - 1] + steps[k]
    edge = bars_of(100.0 * np.exp(away))
    axes = {"lookback": [10, 20, 40, 80], "entry_zscore": [0.5, 1.0, 2.5, 4.0]}
    lengths = {"train_bars": 600, "test_bars": 200, "fee_bps": 0.0}
    lucky, able = (walk_forward(bars, "mean_reversion", axes, **lengths) for bars in (noise, edge))
    assert able.overfitting is not None
    assert lucky.overfitting is not None
    assert able.overfitting.probability <= 0.05 < lucky.overfitting.probability
    assert able.significance["deflated_sharpe_ratio"] > 0.95 > lucky.significance["deflated_sharpe_ratio"]


def test_one_set_is_not_judged() -> None:
    """Where nothing was chosen among others there is no probability of overfitting, and nothing is deflated."""
    result = walked(axes={"fast_ma": [3]}, slow_ma=20)
    assert result.overfitting is None
    assert result.splits.height == 0
    assert result.significance["expected_maximum_sharpe"] == 0.0
    assert result.significance["deflated_sharpe_ratio"] == result.significance["probabilistic_sharpe_ratio"]


def test_after_ruin_nothing_is_measured() -> None:
    """A short that loses more than there was ends the account: later tests have no metrics, and the rest goes on."""
    falling = 100.0 * np.exp(-0.002 * np.arange(700.0) + 0.003 * np.random.default_rng(1).standard_normal(700))
    falling[400:] *= 5.0
    result = walked(bars_of(falling), {"fast_ma": [3, 6]}, slow_ma=20, test_bars=150)
    assert [one.capital > 0.0 for one in result.tested] == [True, False]
    assert math.isnan(result.tested[1].metrics["sharpe"])
    assert math.isnan(result.tested[1].return_pct)
    told = json.loads(result.to_json())
    assert told["final_equity"] < 0.0
    assert told["walk_forward"]["efficiency"] is None


def test_threads_and_repeated_axes_change_nothing() -> None:
    """One thread or two, a list or what is walked through once: the same bits. All trainings draw the same sets."""
    first = walked(threads=1)
    second = walked(axes={name: iter(values) for name, values in AXES.items()}, threads=2)
    assert first.digests == second.digests
    assert first.windows.equals(second.windows, null_equal=True)
    drawn = walked(axes={"fast_ma": Span(3, 9), "slow_ma": Span(12, 40)}, sampling="random", sets=5, seed=4)
    rows = {one.choice.row: one.choice.varied for one in drawn.tested}
    assert all(rows[one.choice.row] == one.choice.varied for one in drawn.tested)
    assert drawn.trials.height == 5


def test_two_venues_and_funding() -> None:
    """An arbitrage is walked with the second venue's bars, a perpetual with its rates, paid in the tests alone."""
    bars = walk_bars(700)
    arbitrage = walk_forward(
        bars, "cross_exchange_arbitrage", {"spread_entry": [0.002, 0.004]}, secondary=second_venue(bars),
        spread_exit=0.0005, max_open_seconds=20_000.0, **LENGTHS,
    )  # fmt: skip
    assert arbitrage.metrics["trades"] > 2
    assert arbitrage.to_dict()["data"][1]["venue"] == "w"
    rates = pl.DataFrame({"timestamp": [START_US + 8 * k * HOUR_US for k in range(80)], "rate": [0.001] * 80})
    paid = walked(bars, funding=rates)
    kinds = paid.fills.filter(pl.col("kind") == "funding")
    assert kinds.height > 5
    assert (kinds["time"] >= paid.windows["test_start"][0]).all()


def test_progress_is_told_to_the_end() -> None:
    """It rises and ends with all of it."""
    told: list[tuple[int, int]] = []
    walked(progress=lambda done, total: told.append((done, total)), threads=1)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1][0] == told[-1][1] == 6 * (5 * 300 + 900)


def test_tables() -> None:
    """Windows tell times, choices and metrics; the tests' months and trades are those of the one account."""
    result = walked()
    windows = result.windows
    assert windows.columns == [
        "window", "train_start", "train_end", "test_start", "test_end", "train_bars", "test_bars", "row",
        "chosen_fast_ma", "chosen_slow_ma", "train_sharpe", "test_sharpe", "train_total_return_pct",
        "test_total_return_pct", "train_max_drawdown_pct", "test_max_drawdown_pct", "train_trades", "test_trades",
        "equity",
    ]  # fmt: skip
    assert (windows["train_end"] < windows["test_start"]).all()
    assert windows["test_trades"].sum() == result.metrics["trades"]
    assert windows["equity"][-1] == result.final_equity
    assert set(result.tables) == {
        "equity", "columns", "trades", "fills", "monthly_returns", "windows", "trials", "splits",
    }  # fmt: skip
    assert result.splits.height == 12_870


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"axes": {"capital": [1e4, 1e5]}}, "capital is one for the account"),
        ({"bars": [BARS, BARS]}, "the bars are a list; a walk forward takes the Bars of one instrument"),
        ({"axes": {"fats_ma": [3]}}, "unknown parameter to vary 'fats_ma'. Did you mean 'fast_ma'"),
        ({"axes": {}}, "nothing is varied"),
        ({"axes": {"fast_ma": 3}}, "the values are 3; they must be a list"),
        ({"select": "sharp"}, "unknown metric 'sharp'. Did you mean 'sharpe'"),
        ({"train_bars": 20}, "needs 30 bars before its first wish"),
        ({"test_bars": 5000}, "need 5,300 bars; the data has 1,000"),
        ({"fast_ma": 4}, "fast_ma is varied and given as 4"),
        ({"sampling": "sobbol"}, "unknown sampling 'sobbol'"),
        ({"fee": 4}, "unknown option 'fee'"),
        ({"threads": 0}, "threads is 0"),
    ],
)
def test_refusals(given: dict[str, Any], text: str) -> None:
    """What cannot be is refused in one line."""
    with pytest.raises(bs.UsageError, match=text):
        walked(**given)
