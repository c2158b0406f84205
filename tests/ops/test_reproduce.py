"""A saved result comes out the same again, or what differs is told; a folder that was changed is not run."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import barstep as bs
import numpy as np
import polars as pl
import pytest
from barstep.config.commands import SetCapitalPolicy, SuspendSchedule, UseFeed
from barstep.config.policies import EqualWeight
from barstep.config.reading import PACKAGED
from barstep.data.presets import EMBEDDED_FOLDER
from barstep.engine.bars import Bars
from barstep.engine.seal import file_digest, sealed
from barstep.ops import reproduce as module
from barstep.ops.reproduce import reproduce

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "donchian.py"
Make = Callable[[], Any]


def _bars(count: int = 3000, name: str = "binance_BTCUSDT_1h.parquet") -> Bars:
    bars = bs.load(EMBEDDED_FOLDER / name)
    columns = (row[:count] for row in bars.values[:5])
    interval = bars.interval_seconds
    return Bars.from_arrays(
        bars.ts_us[:count], *columns, interval_seconds=interval, symbol=bars.symbol, venue=bars.venue
    )


def _three() -> list[Bars]:
    return [_bars(2000, f"binance_{name}_1h.parquet") for name in ("BTCUSDT", "ETHUSDT", "SOLUSDT")]


def _funding(bars: Bars) -> pl.DataFrame:
    times = pl.Series("timestamp", bars.times[7::8]).dt.replace_time_zone("UTC")
    return pl.DataFrame([times, pl.Series("rate", np.linspace(-1e-4, 2e-4, len(times)))])


def _single() -> bs.Result:
    levels = {"stop_loss_pct": 2.0, "max_notional": 50_000.0, "units": 1.5, "leverage": 2.0}
    return bs.backtest(_bars(), "mean_reversion", lookback=48, funding=_funding(_bars()), **levels)


def _pair() -> bs.Result:
    return bs.backtest(_bars(), "cross_exchange_arbitrage", secondary=_bars(name="kraken_BTCUSDT_1h.parquet"))


def _own_wishes() -> bs.Result:
    return bs.backtest(_bars(), np.sin(np.arange(3000.0) / 50.0), fee_bps=1.0)


def _strategies() -> bs.PortfolioResult:
    plan = [
        bs.Allocation(strategy="mean_reversion", weight=0.5, instruments=["ETHUSDT"], parameters={"lookback": 30}),
        bs.Allocation(strategy="sma_crossover", weight=0.4, options={"stop_loss_pct": 3.0}, name="cross", tag="trend"),
    ]
    funding = {"SOLUSDT": _funding(_three()[2])}
    return bs.portfolio(_three(), plan, funding=funding, by_instrument={"BTCUSDT": {"fee_bps": 1.0}}, slippage_bps=2.0)


def _weights_array() -> bs.PortfolioResult:
    weights = np.abs(np.sin(np.arange(6000.0).reshape(2000, 3) / 300.0)) / 3.0
    return bs.portfolio(_three(), weights, every=24, sizing_price="fill")


def _orders_table() -> bs.PortfolioResult:
    bars = _three()
    orders = pl.DataFrame(
        {
            "timestamp": pl.Series(bars[0].times[[10, 10, 400]]).dt.replace_time_zone("UTC"),
            "instrument": ["BTCUSDT", "ETHUSDT", "BTCUSDT"],
            "quantity": [0.5, 2.0, -0.25],
            "limit_price": [None, 1.0e6, None],
        }
    )
    return bs.portfolio(bars, orders, size_type="order")


def _scheduler() -> bs.SchedulerResult:
    commands = [
        SuspendSchedule(at=datetime(2023, 2, 5, tzinfo=UTC), schedule="trend_schedule", duration_seconds=7200.0),
        SetCapitalPolicy(at=datetime(2023, 2, 9, tzinfo=UTC), policy=EqualWeight()),
        UseFeed(at=datetime(2023, 2, 12, tzinfo=UTC), feed="fallback", instrument="ETHUSDT"),
    ]
    return bs.backtest_scheduler(
        PACKAGED, "core_multi", start="2023-02-01T05:30Z", end="2023-03-01", without=["limits"], drift_seconds=1.0,
        fee_bps=3.0, commands=commands,
    )  # fmt: skip


def _scheduler_from_the_first_bar() -> bs.SchedulerResult:
    bars = _three()
    return bs.backtest_scheduler(
        PACKAGED, "hedged_multi", end="2023-03-01", funding={"BTCUSDT": _funding(bars[0])}, stop_loss_pct=2.0
    )


def _walk_forward() -> bs.WalkForwardResult:
    axes = {"lookback": bs.Span(20, 90), "stop_loss_pct": bs.When([1.0, 4.0], allow_short=True), "allow_short": [True]}
    return bs.walk_forward(
        _bars(), "mean_reversion", axes, train_bars=900, test_bars=400, anchored=True, purge_bars=10, embargo_bars=5,
        sampling="random", sets=6, seed=3, max_notional=50_000.0, funding=_funding(_bars()),
    )  # fmt: skip


def _walk_of_a_pair() -> bs.WalkForwardResult:
    other = _bars(name="kraken_BTCUSDT_1h.parquet")
    axes = {"spread_entry": [0.001, 0.002]}
    return bs.walk_forward(
        _bars(), "cross_exchange_arbitrage", axes, train_bars=900, test_bars=600, secondary=other, spread_exit=0.0002
    )


MAKES: list[Make] = [
    _single, _pair, _own_wishes, _strategies, _weights_array, _orders_table, _scheduler, _scheduler_from_the_first_bar,
    _walk_forward, _walk_of_a_pair,
]  # fmt: skip


@pytest.mark.parametrize("make", MAKES, ids=lambda make: make.__name__)
def test_a_saved_result_comes_out_the_same(make: Make, tmp_path: Path) -> None:
    """Every table and every value, from nothing but the folder; software is the same, too."""
    result = make()
    folder = result.save(tmp_path / "out")
    assert result.fills.height > 2
    found = reproduce(folder)
    assert found.verdict == "same"
    assert {table.name for table in found.tables} == set(result.tables) - {"feed_changes"}  # goes with the bars
    assert found.differences == found.provenance == ()
    assert found.values > 50


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A small result in a folder."""
    return bs.backtest(_bars(600), "sma_crossover", fast_ma=5, slow_ma=20).save(tmp_path / "out")


def _resealed(folder: Path, **changed: Any) -> None:
    """Write the document anew with a right seal, as if it had been saved like that."""
    document = json.loads((folder / "result.json").read_text())
    files = {name: file_digest(folder / name) for name in document["files"]}
    rest = {key: value for key, value in document.items() if key not in {"files", "sha384"}}
    (folder / "result.json").write_text(json.dumps(sealed({**rest, **changed}, files)))


def test_the_document_may_be_named(saved: Path) -> None:
    """The folder and its `result.json` are the same result."""
    assert reproduce(saved / "result.json") == reproduce(str(saved))


def test_other_values_are_told(saved: Path) -> None:
    """Of the document every value with its path; of a table the first row and column."""
    document = json.loads((saved / "result.json").read_text())
    equity = pl.read_parquet(saved / "equity.parquet")
    row = pl.int_range(pl.len())
    moved = equity.with_columns(equity=pl.when(row >= 37).then(pl.col("equity") + 1.0).otherwise(pl.col("equity")))
    moved.write_parquet(saved / "equity.parquet")
    _resealed(saved, metrics={**document["metrics"], "sharpe": 99.0})
    found = reproduce(saved)
    assert found.verdict == "not the same"
    (difference,) = found.differences
    assert (difference.what, difference.saved, difference.now) == (
        "metrics.sharpe",
        99.0,
        document["metrics"]["sharpe"],
    )
    (table,) = [table for table in found.tables if table.difference]
    told = table.difference
    assert told is not None
    assert (table.name, told.what, told.row) == ("equity", "equity", 37)
    assert told.saved == told.now + 1.0 == moved["equity"][37]


def test_rows_too_few_and_other_columns_are_told(saved: Path) -> None:
    """A shorter table differs by its number of rows, one of other columns by these."""
    fills, trades = (pl.read_parquet(saved / f"{name}.parquet") for name in ("fills", "trades"))
    fills.head(-1).write_parquet(saved / "fills.parquet")
    trades.drop("profit").write_parquet(saved / "trades.parquet")
    _resealed(saved)
    told = {table.name: table.difference for table in reproduce(saved).tables}
    assert told["fills"] is not None
    assert (told["fills"].what, told["fills"].saved, told["fills"].now) == (
        "number of rows", fills.height - 1, fills.height,
    )  # fmt: skip
    assert told["trades"] is not None
    assert told["trades"].what == "columns"
    assert told["equity"] is None


def test_other_parameters_do_not_come_out_the_same(saved: Path) -> None:
    """Where the document says another window than the one that was run, the run differs."""
    _resealed(saved, parameters={"fast_ma": 6, "slow_ma": 20})
    assert reproduce(saved).verdict == "not the same"


def test_other_software_is_told(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version or kernels that are others now stand beside the verdict."""
    other = {**module.software(), "kernels": "f" * 32, "numba": "9.9"}
    monkeypatch.setattr(module, "software", lambda: other)
    found = reproduce(saved)
    assert found.verdict == "same"
    assert {one.what: one.now for one in found.provenance} == {"kernels": "f" * 32, "numba": "9.9"}


def test_an_engine_file_is_run_only_when_it_is_named(tmp_path: Path) -> None:
    """The refusal names the saved text; another text of the same engine is told."""
    catalog = bs.DEFAULT_STRATEGY_CATALOG.with_file(EXAMPLE)
    folder = bs.backtest(_bars(600), "donchian", catalog=catalog).save(tmp_path / "out")
    (text,) = (folder / "engines").iterdir()
    with pytest.raises(bs.UsageError, match=rf"add --engine-file {text}"):
        reproduce(folder)
    assert reproduce(folder, [text]).provenance == ()
    other = tmp_path / "other.py"
    other.write_text(f"{EXAMPLE.read_text()}\n# other\n")
    found = reproduce(folder, [other])
    assert found.verdict == "same"
    assert [one.what for one in found.provenance] == ["text of donchian"]


def test_a_schedulers_engine_file_is_named_too(tmp_path: Path) -> None:
    """The files that its configuration names are not run; the ones that are given are."""
    config = tmp_path / "core.yaml"
    config.write_text(
        f"""
runtime:
  multi_strategy_schedulers:
    own:
      capital_policy: equal_weight
      allocation_rebalance_seconds: 1d
      schedules: {{breakout: {{strategy: donchian, cadence_seconds: 1h, interval: 1h}}}}
risk_profiles: {{free: {{}}}}
environments:
  demo:
    {{type: demo, offline: true, venue: binance, feed: embedded, risk_profile: free, instrument_universe: one,
     scheduler: own, capital: 100000}}
instrument_universes: {{one: {{instruments: {{BTCUSDT: {{primary: binance}}}}}}}}
engine_files: [{EXAMPLE}]
"""
    )
    folder = bs.backtest_scheduler(config, end="2023-02-01").save(tmp_path / "out")
    (text,) = (folder / "engines").iterdir()
    with pytest.raises(bs.UsageError, match="is run only when you say so"):
        reproduce(folder)
    assert reproduce(folder, [text]).verdict == "same"


def test_what_was_edited_is_told_and_not_run(saved: Path) -> None:
    """A changed value, a changed file and a missing one are told in one line each."""
    text = (saved / "result.json").read_text()
    (saved / "result.json").write_text(text.replace('"fee_bps": 10.0', '"fee_bps": 9.0'))
    with pytest.raises(bs.BarstepError, match=r"result\.json was edited") as refused:
        reproduce(saved)
    assert refused.value.exit_code == 5
    (saved / "fills.parquet").unlink()
    pl.DataFrame({"a": [1]}).write_parquet(saved / "bars.parquet")
    with pytest.raises(
        bs.BarstepError, match=r"bars\.parquet is not the one that was saved; fills\.parquet is missing"
    ):
        reproduce(saved)


def test_a_file_beside_is_no_harm(saved: Path) -> None:
    """A report that was written into the folder is not part of the result."""
    (saved / "report.html").write_text("<html>")
    assert reproduce(saved).verdict == "same"


def test_what_is_no_result_is_refused(saved: Path, tmp_path: Path) -> None:
    """A folder without a document, one that is no JSON, and one of a version that kept no digests."""
    with pytest.raises(bs.DataError, match=r"result\.json: cannot be read as JSON"):
        reproduce(tmp_path)
    document = json.loads((saved / "result.json").read_text())
    del document["sha384"]
    (saved / "result.json").write_text(json.dumps(document))
    with pytest.raises(bs.DataError, match="is no result that can be run again"):
        reproduce(saved)
    _resealed(saved, run={"kind": "dream", "engines": []})
    with pytest.raises(bs.DataError, match="is a run of kind 'dream'; known are backtest, portfolio, scheduler"):
        reproduce(saved)
