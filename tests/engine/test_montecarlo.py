"""Monte Carlo of results: what does not depend on threads, what theory says, and what is refused."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import barstep as bs
import numpy as np
import polars as pl
import pytest
from barstep.engine import montecarlo as module
from barstep.engine.bars import Floats
from barstep.engine.montecarlo import METHODS, montecarlo, survivals
from barstep.engine.montecarlo_result import QUANTILES, quantiles_of
from barstep.kernels import bootstrap
from making import walk_bars
from numpy.typing import ArrayLike
from scheduler_making import config_of, told_bars

OF_BARS = ("stationary", "block", "moving_block")


@pytest.fixture(scope="module")
def traded() -> bs.Result:
    """A thousand hours with some thirty trades, the last one still open."""
    return bs.backtest(walk_bars(1040), "sma_crossover", fast_ma=5, slow_ma=20, fee_bps=4)


def of_returns(returns: ArrayLike, capital: float = 1000.0) -> bs.Result:
    """A result whose equity has these returns: all of it is held at prices that have them, at no cost."""
    moves = np.array(returns, dtype=float)
    close = 100.0 * np.cumprod(np.concatenate(([1.0, 1.0], 1.0 + moves)))
    times = np.arange(close.size) * 3_600_000_000
    opens = np.concatenate((close[:1], close[:-1]))
    bars = bs.Bars.from_arrays(
        times, opens, np.maximum(opens, close), np.minimum(opens, close), close, interval_seconds=3600
    )
    return bs.backtest(bars, np.ones(close.size), capital=capital, fee_bps=0, lot=1e-12)


def means(result: bs.MonteCarloResult) -> Floats:
    """Mean return of each path."""
    return result.path_results[:, bootstrap.MEAN]


@pytest.mark.parametrize("method", METHODS)
def test_paths_do_not_depend_on_threads_or_batches(
    traded: bs.Result, method: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One thread or five, many paths at once or three: the same bits. Fewer paths are the first of more."""
    whole = montecarlo(traded, paths=40, method=method, seed=3, threads=1)
    monkeypatch.setattr(module, "_STEPS_AT_ONCE", 3 * whole.resampled.returns.size)
    parts = montecarlo(traded, paths=40, method=method, seed=3, threads=5)
    assert parts.digests == whole.digests
    assert (parts.path_results == whole.path_results).all()
    fewer = montecarlo(traded, paths=7, method=method, seed=3)
    assert (fewer.path_results == whole.path_results[:7]).all()
    assert not (montecarlo(traded, paths=40, method=method, seed=4).path_results == whole.path_results).all()


@pytest.mark.parametrize("method", METHODS)
def test_every_value_is_a_number(traded: bs.Result, method: Any) -> None:
    """Neither paths nor bands nor metrics have a null or NaN where returns differ."""
    found = montecarlo(traded, paths=50, method=method)
    for table in (found.path_table, found.bands):
        assert not sum(table.null_count().row(0))
        assert all(column.is_finite().all() for column in table.select(pl.col(pl.Float64)))
    assert all(math.isfinite(value) for row in found.metrics.values() for value in row.values())
    assert found.path_table.height == found.paths == 50


@pytest.mark.parametrize("method", OF_BARS)
def test_observed_metrics_are_the_result_s(traded: bs.Result, method: Any) -> None:
    """Of bars, the original's metrics are those of `result.metrics`, and its curve is its equity at the marks."""
    found = montecarlo(traded, paths=2, method=method)
    for name, value in found.observed.items():
        expected = traded.final_equity if name == "final_equity" else traded.metrics[name]
        assert value == pytest.approx(expected, rel=1e-9), name
    steps = found.bands["step"].to_numpy()
    assert steps[-1] == 1040
    assert found.bands["observed"].to_numpy() == pytest.approx(traded.equity_values[steps - 1], rel=1e-11)
    assert (found.bands["timestamp"] == traded.equity["timestamp"].gather(steps - 1)).all()


def test_quantiles_are_those_of_the_paths(traded: bs.Result) -> None:
    """Bands rise from the 5th to the 95th percentile, end at the final equities', and each is a path's value."""
    found = montecarlo(traded, paths=101)
    bands = found.bands.select(*QUANTILES).to_numpy()
    assert (np.diff(bands, axis=1) >= 0.0).all()
    final = np.sort(found.path_table["final_equity"].to_numpy())
    assert bands[-1].tolist() == [final[k] for k in (5, 25, 50, 75, 95)]
    assert found.metrics["final_equity"]["p50"] == final[50]
    assert found.metrics["final_equity"]["mean"] == pytest.approx(final.mean())
    assert found.probability_of_loss_pct == (final < 1e5).mean() * 100.0
    drawdowns = found.path_table["max_drawdown_pct"].to_numpy()
    level = float(np.sort(drawdowns)[60])
    assert montecarlo(traded, paths=101, ruin_drawdown_pct=level).probability_of_ruin_pct == 40 / 101 * 100.0


@pytest.mark.parametrize(
    ("count", "places"),
    [(1, [0, 0, 0, 0, 0]), (20, [0, 4, 9, 14, 18]), (100, [4, 24, 49, 74, 94]), (101, [5, 25, 50, 75, 95])],
)
def test_a_percentile_is_the_least_value_that_reaches_it(count: int, places: list[int]) -> None:
    """Of 20 values the first is five percent already; an infinite one is as good as any other."""
    assert quantiles_of(np.arange(count, dtype=float)[::-1]).tolist() == places
    assert quantiles_of(np.append(np.zeros(9), np.inf)).tolist() == [0.0, 0.0, 0.0, 0.0, np.inf]


def test_a_block_of_all_bars(traded: bs.Result) -> None:
    """A moving one is the history itself; circular ones are the history begun elsewhere, which ends alike."""
    whole = montecarlo(traded, paths=5, method="moving_block", block_bars=1040)
    assert whole.path_results == pytest.approx(np.tile(whole.observed_results, (5, 1)), rel=1e-12)
    turned = montecarlo(traded, paths=5, method="block", block_bars=1040)
    assert turned.path_table["final_equity"].to_numpy() == pytest.approx(traded.final_equity, rel=1e-11)
    assert turned.path_table["max_drawdown_pct"].n_unique() == 5


def test_a_shuffle_keeps_what_all_trades_made(traded: bs.Result) -> None:
    """The product of the same factors is the final equity in every order; drawdowns differ."""
    found = montecarlo(traded, paths=200, method="shuffled_trades")
    assert traded.trades["is_open"].any()
    assert found.path_table["final_equity"].to_numpy() == pytest.approx(traded.final_equity, rel=1e-11)
    assert found.path_table["max_drawdown_pct"].n_unique() > 100
    assert "max_drawdown_trades" in found.metrics
    assert found.block_bars is None


@pytest.mark.parametrize("method", OF_BARS)
def test_independent_returns_keep_their_mean_and_its_error(method: Any) -> None:
    """Of independent normal returns the paths' means lie about that of the sample, as far as σ / √n."""
    n = 600
    result = of_returns(np.random.default_rng(5).standard_normal(n) * 0.01)
    found = montecarlo(result, paths=2000, method=method, block_bars=4)
    returns = found.resampled.returns
    error = returns.std() / math.sqrt(returns.size)
    assert means(found).mean() == pytest.approx(returns.mean(), abs=5.0 * error / math.sqrt(2000) + 0.02 * error)
    assert means(found).std() == pytest.approx(error, rel=0.15)  # √(2 / 600) of the sample, √(2 / 2000) of the paths
    assert found.metrics["annual_volatility_pct"]["mean"] == pytest.approx(
        found.observed["annual_volatility_pct"], rel=0.01
    )


@pytest.mark.parametrize(("method", "allowed"), [("stationary", 0.25), ("block", 0.25), ("moving_block", 0.25)])
def test_blocks_keep_what_binds_neighbours(method: Any, allowed: float) -> None:
    """The mean of x[t] = 0.6 x[t-1] + e has a deviation of σ(e) / (1 - 0.6) / √n; single draws miss it by a half."""
    n, share = 3000, 0.6
    noise = np.random.default_rng(8).standard_normal(n) * 0.004
    values = np.zeros(n)
    for t in range(1, n):
        values[t] = share * values[t - 1] + noise[t]
    result = of_returns(values)
    theory = 0.004 / (1.0 - share) / math.sqrt(n)
    found = montecarlo(result, paths=1500, method=method)
    assert found.block_bars is not None
    assert 5.0 <= found.block_bars <= 60.0
    assert means(found).std() == pytest.approx(theory, rel=allowed)
    alone = montecarlo(result, paths=1500, method=method, block_bars=1)
    assert means(alone).std() == pytest.approx(values.std() / math.sqrt(n), rel=0.1)
    assert means(alone).std() < 0.6 * theory


def test_chances_of_longer_blocks() -> None:
    """Squares of each other down to one step, and as few as a number of 53 bits can tell apart."""
    assert survivals(1.0).size == 0
    chances = survivals(20.0)
    assert chances[-1] == 0.95
    assert (chances[:-1] == chances[1:] ** 2).all()
    assert chances[0] > 2.0**-60 >= chances[0] ** 2


@pytest.mark.parametrize("method", OF_BARS)
def test_one_bar_is_a_path(method: Any) -> None:
    """All paths of one bar are that bar; what needs two has no value, and JSON says null."""
    found = montecarlo(bs.backtest(walk_bars(1), np.ones(1)), paths=3, method=method)
    assert found.path_table["final_equity"].to_list() == [1e5] * 3
    assert found.path_table["sharpe"].null_count() == 3
    document = json.loads(found.to_json())
    assert document["metrics"]["sharpe"] == dict.fromkeys(("observed", "mean", *QUANTILES))
    assert document["block_bars"] == 1.0
    assert found.bands.height == 1


def test_a_result_that_never_trades() -> None:
    """Its bars are paths that stay where they are; it has no trades to resample."""
    result = bs.backtest(walk_bars(50), np.zeros(50))
    found = montecarlo(result, paths=5)
    assert found.path_table["final_equity"].to_list() == [1e5] * 5
    assert found.path_table["max_drawdown_pct"].to_list() == [0.0] * 5
    assert math.isnan(found.metrics["sharpe"]["mean"])
    assert (found.probability_of_loss_pct, found.probability_of_ruin_pct) == (0.0, 0.0)
    for method in ("trades", "shuffled_trades"):
        with pytest.raises(bs.UsageError, match="the result has no trades"):
            montecarlo(result, method=method)  # type: ignore[arg-type]
    with pytest.raises(bs.UsageError, match="the result has no bars"):
        montecarlo(bs.backtest(walk_bars(0), np.zeros(0)))


@pytest.mark.parametrize("method", METHODS)
def test_a_result_that_loses_all(method: Any) -> None:
    """Paths that lose everything end at nothing, with a drawdown of 100 %, and no value is NaN."""
    bars = walk_bars(300, step=0.08)
    result = bs.backtest(bars, np.where(np.arange(300) % 20 < 10, 20.0, -20.0), leverage=20.0, fee_bps=0)
    found = montecarlo(result, paths=60, method=method)
    assert result.final_equity < 0.0
    assert found.observed["final_equity"] == pytest.approx(result.final_equity, rel=1e-9)
    if found.resampled.unit == "bar":
        assert found.observed["max_drawdown_pct"] == pytest.approx(result.metrics["max_drawdown_pct"], rel=1e-9)
    drawdowns = found.path_table["max_drawdown_pct"].to_numpy()
    assert (drawdowns > 100.0).mean() > (0.99 if method == "shuffled_trades" else 0.3)
    assert found.probability_of_ruin_pct >= found.probability_of_loss_pct > 30.0
    for table in (found.path_table, found.bands):
        assert not any(column.is_nan().any() for column in table.select(pl.col(pl.Float64)))


@pytest.mark.parametrize("kind", ["portfolio", "scheduler"])
def test_a_saved_result_is_resampled_as_it_is_in_memory(kind: str, tmp_path: Path) -> None:
    """Portfolios and schedulers too: folder, its document and the result itself give the same digests."""
    result: bs.PortfolioResult
    if kind == "portfolio":
        result = bs.portfolio([walk_bars(300)], [bs.Allocation(strategy="mean_reversion", weight=0.9)])
    else:
        closes, wishes = 100.0 + np.sin(np.arange(200)), np.sign(np.cos(np.arange(200)))
        bars = {"X": told_bars(closes.tolist(), wishes.tolist())}
        result = bs.backtest_scheduler(config_of({"a": {}}), bars=bars)
    folder = result.save(tmp_path / "saved")
    for method in METHODS:
        expected = montecarlo(result, paths=9, method=method)  # type: ignore[arg-type]
        for source in (folder, str(folder / "result.json")):
            assert montecarlo(source, paths=9, method=method).to_dict() == expected.to_dict()  # type: ignore[arg-type]


def test_what_is_saved(traded: bs.Result, tmp_path: Path) -> None:
    """A document and two tables, and nothing is replaced unasked."""
    found = bs.montecarlo(traded, paths=20)
    folder = found.save(tmp_path / "out")
    assert sorted(path.name for path in folder.iterdir()) == ["bands.parquet", "montecarlo.json", "paths.parquet"]
    assert pl.read_parquet(folder / "paths.parquet").equals(found.path_table)
    assert json.loads((folder / "montecarlo.json").read_text()) == json.loads(found.to_json())
    with pytest.raises(bs.UsageError, match="is there already"):
        found.save(folder)
    assert found.save(folder, overwrite=True) == folder


def test_progress_counts_the_paths(traded: bs.Result, monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to all of them; what a progress raises ends the run."""
    monkeypatch.setattr(module, "_STEPS_AT_ONCE", 2000)
    told: list[tuple[int, int]] = []
    montecarlo(traded, paths=9, threads=2, progress=lambda done, total: told.append((done, total)))
    assert len(told) == 9  # of 1,040 bars each
    assert told[-1] == (9, 9)
    assert [done for done, _ in told] == sorted(done for done, _ in told)

    def stop(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        montecarlo(traded, paths=500, threads=2, progress=stop)


def test_marks_are_fewer_where_paths_are_many() -> None:
    """So that what is kept for the bands is bounded; the last step is always one of them."""
    assert module._marks(10, 5).tolist() == list(range(1, 11))
    assert module._marks(10**6, 10_000).size == 256
    assert module._marks(10**6, 200_000).size == 41
    assert module._marks(10**6, 10**7).size == 32
    assert module._marks(10**6, 10**7)[-1] == 10**6


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"paths": 0}, "paths is 0; allowed is a whole number from 1 to 10,000,000"),
        ({"paths": 2.5}, "paths is 2.5;"),
        ({"paths": True}, "paths is True;"),
        ({"seed": -1}, "seed is -1; allowed is a whole number from 0"),
        ({"seed": 2**63}, "seed is 9223372036854775808;"),
        ({"threads": 0}, "threads is 0;"),
        ({"method": "stationery"}, "unknown method 'stationery'. Did you mean 'stationary'?"),
        ({"block_bars": 0.5}, "block_bars is 0.5; allowed is 1 to 1,040"),
        ({"block_bars": 1041}, "block_bars is 1041;"),
        ({"block_bars": math.nan}, "block_bars is nan;"),
        ({"block_bars": "7"}, "block_bars is '7';"),
        ({"block_bars": 2.5, "method": "block"}, "whole bars (method block)"),
        ({"block_bars": 2, "method": "trades"}, "leave it out"),
        ({"ruin_drawdown_pct": 0.0}, "ruin_drawdown_pct is 0.0; allowed is above 0 to 100"),
        ({"ruin_drawdown_pct": math.nan}, "ruin_drawdown_pct is nan;"),
    ],
)
def test_what_is_out_of_range_is_one_line(traded: bs.Result, given: dict[str, Any], text: str) -> None:
    """With the value and what is allowed."""
    with pytest.raises(bs.UsageError) as refused:
        montecarlo(traded, **{"paths": 2, **given})
    assert text in str(refused.value)
    assert "\n" not in str(refused.value)
