"""`barstep backtest` gives what the Python call gives, in tables, in JSON and in files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import barstep as package
import numpy as np
import polars as pl
import pytest
from barstep.data.dataset import read_dataset, write_dataset
from barstep.data.funding import read_funding
from barstep.data.presets import EMBEDDED_FOLDER

Run = Callable[..., Any]


def test_json_is_what_python_gives(barstep: Run, hours: Path) -> None:
    """Options of the command line are the keywords of `backtest`."""
    ran = barstep(
        "backtest", "mean_reversion", hours, "--set", "lookback=48", "--set", "allow_short=false",
        "--fee-bps", 4, "--slippage-bps", 1.5, "--capital", 5e4, "--json",
    )  # fmt: skip
    result = package.backtest(
        package.load(hours), "mean_reversion",
        lookback=48, allow_short=False, fee_bps=4.0, slippage_bps=1.5, capital=5e4,
    )  # fmt: skip
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out) == {"results": {"binance_BTCUSDT_1h": json.loads(result.to_json())}}


def test_an_engine_of_a_file_is_one_among_others(barstep: Run, hours: Path) -> None:
    """The documents' own example runs by its name, is listed with its parameters, and is near when it is mistyped."""
    path = Path(__file__).parents[2] / "docs" / "examples" / "donchian.py"
    ran = barstep("backtest", "donchian", hours, "--engine-file", path, "--set", "window=20", "--json")
    catalog = package.DEFAULT_STRATEGY_CATALOG.with_file(path)
    result = package.backtest(package.load(hours), "donchian", window=20, catalog=catalog)
    assert (ran.code, json.loads(ran.out)) == (0, {"results": {hours.stem: json.loads(result.to_json())}})
    listed = json.loads(barstep("backtest", "--list", "--engine-file", path, "--json").out)["engines"]
    assert [engine["name"] for engine in listed] == [engine.name for engine in catalog]
    mistyped = barstep("backtest", "donchain", hours, "--engine-file", path)
    assert mistyped.code == 2
    assert "Did you mean 'donchian'?" in mistyped.err
    assert "donchian" not in barstep("backtest", "--list").out


def test_every_execution_option_reaches_the_account(barstep: Run, hours: Path) -> None:
    """Each option of the execution arrives, by its flag where it has one and by `--set` where not."""
    flags = {
        "capital": 5e4, "fee_bps": 1.0, "maker_fee_bps": 0.5, "slippage_bps": 2.0, "units": 0.5, "stop_loss_pct": 3.0,
        "take_profit_pct": 4.0, "trailing_stop_pct": 5.0, "leverage": 2.0, "year_days": 252.0,
    }  # fmt: skip
    others = {
        "volume_slippage_bps": 7.0, "impact_bps": 8.0, "max_volume_share": 0.1, "carry_rest": False, "lot": 0.01,
        "tick": 0.1, "min_notional": 5.0, "rebalance_threshold": 0.1, "max_notional": 9e4, "max_order_age_bars": 5.0,
        "limit_offset_bps": 1.0, "maintenance_margin_pct": 0.5, "liquidation_fee_bps": 50.0, "borrow_pct": 3.0,
        "ambiguous_fills": "optimistic",
    }  # fmt: skip
    words = [word for name, value in flags.items() for word in (f"--{name.replace('_', '-')}", value)]
    words += [word for name, value in others.items() for word in ("--set", f"{name}={value}")]
    ran = barstep("backtest", "sma_crossover", hours, *words, "--json")
    assert json.loads(ran.out)["results"]["binance_BTCUSDT_1h"]["execution"] == flags | others


def test_funding_is_read_from_a_file(barstep: Run, hours: Path, tmp_path: Path) -> None:
    """Rates of a perpetual are paid at their times, and the sum is said."""
    rates = tmp_path / "funding.csv"
    rates.write_text(
        "calc_time,last_funding_rate\n" + "".join(f"{1704067200000 + 28_800_000 * k},0.0001\n" for k in range(90))
    )
    ran = barstep("backtest", "volatility_target", hours, "--funding", rates, "--json")
    result = package.backtest(package.load(hours), "volatility_target", funding=read_funding(rates))
    costs = json.loads(ran.out)["results"]["binance_BTCUSDT_1h"]["costs"]
    assert costs == result.costs
    assert costs["funding"] > 0.0
    assert (result.fills["kind"] == "funding").sum() == 90


def test_ambiguous_bars_are_told(barstep: Run) -> None:
    """Where the order inside bars mattered, both ends of the interval are printed."""
    minutes = EMBEDDED_FOLDER / "binance_BTCUSDT_1m.parquet"
    ran = barstep("backtest", "mean_reversion", minutes, "--trailing-stop-pct", 0.1)
    ambiguity = package.backtest(package.load(minutes), "mean_reversion", trailing_stop_pct=0.1).fill_ambiguity
    assert ambiguity.bars > 0
    assert f"  {ambiguity.bars:,} ambiguous bars" in ran.out
    assert f"{ambiguity.optimistic_equity:,.2f} optimistic" in ran.out


def test_the_table_shows_every_metric(barstep: Run, hours: Path) -> None:
    """Without `--json` all metrics of all files are one table, and what was read and done is said."""
    other = hours.with_name("binance_ETHUSDT_1h.parquet")
    ran = barstep("backtest", "sma_crossover", hours, other)
    result = package.backtest(package.load(other), "sma_crossover")
    for name in result.metrics:
        assert f"\n  {name} " in ran.out
    assert f"{result.metrics['total_return_pct']:,.2f}" in ran.out
    assert "binance ETHUSDT 1h, 17,544 bars, 2023-01-01T00:00Z to 2024-12-31T23:00Z" in ran.out


def test_two_venues(barstep: Run, hours: Path) -> None:
    """The arbitrage engine takes its second venue by `--secondary`."""
    kraken = hours.with_name("kraken_BTCUSDT_1h.parquet")
    ran = barstep("backtest", "cross_exchange_arbitrage", hours, "--secondary", kraken, "--json")
    document = json.loads(ran.out)["results"]["binance_BTCUSDT_1h"]
    assert [source["venue"] for source in document["data"]] == ["binance", "kraken"]
    assert document["metrics"]["trades"] > 0


def test_output_holds_the_result(barstep: Run, hours: Path, tmp_path: Path) -> None:
    """`--output` makes a folder with the document and the tables of each file."""
    ran = barstep("backtest", "sma_crossover", hours, "--output", tmp_path / "out")
    folder = tmp_path / "out" / "binance_BTCUSDT_1h"
    result = package.backtest(package.load(hours), "sma_crossover")
    assert ran.code == 0
    document = json.loads((folder / "result.json").read_text())
    assert document | json.loads(result.to_json()) == document
    for name in ("equity", "trades", "fills", "columns"):
        assert pl.read_parquet(folder / f"{name}.parquet").equals(getattr(result, name))


def test_a_folder_is_replaced_only_when_asked(barstep: Run, hours: Path, tmp_path: Path) -> None:
    """A folder that is there stays as it is without `--overwrite`, and is replaced whole with it."""
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "mine").write_text("")
    refused = barstep("backtest", "sma_crossover", hours, "--output", folder)
    assert refused.code == 2
    assert "--overwrite" in refused.err
    assert [entry.name for entry in folder.iterdir()] == ["mine"]
    assert barstep("backtest", "sma_crossover", hours, "--output", folder, "--overwrite").code == 0
    assert [entry.name for entry in folder.iterdir()] == ["binance_BTCUSDT_1h"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("words", [["--json"], []])
def test_the_list_shows_engines_with_their_ranges(barstep: Run, words: list[str]) -> None:
    """`--list` shows every engine and parameter; the JSON has the bounds."""
    ran = barstep("backtest", "--list", *words)
    for engine in package.DEFAULT_STRATEGY_CATALOG:
        assert engine.name in ran.out
        for parameter in engine.parameters:
            assert parameter.name in ran.out
    if words:
        (mean_reversion,) = [e for e in json.loads(ran.out)["engines"] if e["name"] == "mean_reversion"]
        lookback = mean_reversion["parameters"][0]
        assert (lookback["name"], lookback["default"], lookback["minimum"]) == ("lookback", 96, 2)


def _damaged(tmp_path: Path, change: Callable[[pl.DataFrame], pl.DataFrame]) -> Path:
    path = tmp_path / "binance_BTCUSDT_1h.parquet"
    change(read_dataset(EMBEDDED_FOLDER / path.name).frame.head(500)).write_parquet(path)
    return path


DAMAGES: dict[str, tuple[Callable[[pl.DataFrame], pl.DataFrame], str]] = {
    "a missing column": (lambda f: f.drop("low"), "no column 'low'"),
    "an unsorted file": (lambda f: f.reverse(), "row 2 goes back from"),
    "a NaN price": (
        lambda f: f.with_columns(pl.when(pl.int_range(pl.len()) == 7).then(np.nan).otherwise("close").alias("close")),
        "close is not a number (nan) at 2023-01-01T07:00",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_data_is_refused_before_anything_is_written(barstep: Run, tmp_path: Path, damage: str) -> None:
    """A damaged file among good ones: one line, exit code 3, and no output."""
    change, text = DAMAGES[damage]
    bad = _damaged(tmp_path, change)
    good = EMBEDDED_FOLDER / "binance_ETHUSDT_1h.parquet"
    ran = barstep("backtest", "sma_crossover", good, bad, "--output", tmp_path / "out")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.count("\n") == 1
    assert text in ran.err
    assert [entry.name for entry in tmp_path.iterdir()] == [bad.name]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--set", "lookback=20000"], "needs 20,001 bars before its first wish (lookback=20000); the data has 17,544"),
        (["--set", "lookback=1"], "lookback is 1; allowed is 2 to 10,000,000"),
        (["--set", "lookback=9.5"], "lookback is 9.5; it must be a whole number"),
        (["--set", "lookbak=9"], "Did you mean 'lookback'?"),
        (["--set", "lookback"], "write NAME=VALUE"),
        (["--set", "lookback=9", "--set", "lookback=8"], "lookback: given twice"),
        (["--set", "fee_bps=9", "--fee-bps", "8"], "given as --fee-bps and by --set"),
        (["--set", "exit_zscore=3"], "exit_zscore is 3.0; it must be less than entry_zscore"),
        (["--fee-bps", "-1"], "fee_bps is -1.0; allowed is 0 or more"),
        (["--set", "lot=0"], "lot is 0; allowed is more than 0"),
        (["--capital", "nan"], "capital is nan"),
    ],
)
def test_values_out_of_range(barstep: Run, hours: Path, words: list[str], text: str) -> None:
    """A value that is not allowed is named with what is: one line, exit code 2."""
    ran = barstep("backtest", "mean_reversion", hours, *words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.count("\n") == 1
    assert text in ran.err


def test_files_of_one_name_are_refused(barstep: Run, hours: Path, tmp_path: Path) -> None:
    """Two files of one name would give one result."""
    copy = tmp_path / hours.name
    dataset = read_dataset(hours)
    write_dataset(dataset.frame, dataset.info, copy)
    ran = barstep("backtest", "sma_crossover", hours, copy)
    assert ran.code == 2
    assert "two files are named 'binance_BTCUSDT_1h'" in ran.err


def test_a_second_venue_goes_with_one_file(barstep: Run, hours: Path) -> None:
    """`--secondary` with several files would pair all with one venue."""
    ran = barstep("backtest", "cross_exchange_arbitrage", hours, hours, "--secondary", hours)
    assert ran.code == 2
    assert "--secondary goes with one dataset; 2 were given" in ran.err
