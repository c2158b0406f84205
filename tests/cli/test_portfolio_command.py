"""`barstep portfolio` gives what the Python call gives, from tables, from strategies and from settings by owner."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import barstep as package
import numpy as np
import polars as pl
import pytest
from barstep.data.presets import EMBEDDED_FOLDER

Run = Callable[..., Any]

FILES = [EMBEDDED_FOLDER / f"binance_{symbol}USDT_1h.parquet" for symbol in ("BTC", "ETH")]
ROOT = Path(__file__).parents[2]


def loaded() -> list[package.Bars]:
    return [package.load(path) for path in FILES]


def saved(frame: pl.DataFrame, path: Path) -> Path:
    """The frame as a file of its ending."""
    {".csv": frame.write_csv, ".parquet": frame.write_parquet, ".feather": frame.write_ipc}[path.suffix](path)
    return path


def weights(bars: list[package.Bars]) -> pl.DataFrame:
    return pl.DataFrame({"timestamp": bars[0].times[::24], "BTCUSDT": 0.5, "ETHUSDT": 0.3})


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".feather"])
def test_weights_from_a_file(barstep: Run, tmp_path: Path, ending: str) -> None:
    """The same as the frame in Python, with what is set for all and for one instrument."""
    bars = loaded()
    path = saved(weights(bars), tmp_path / f"weights{ending}")
    ran = barstep(
        "portfolio", *FILES, "--weights", path, "--every", 48, "--sizing-price", "fill", "--set", "fee_bps=4",
        "--set", "BTCUSDT.lot=0.01", "--json",
    )  # fmt: skip
    result = package.portfolio(
        bars, weights(bars), every=48, sizing_price="fill", fee_bps=4, by_instrument={"BTCUSDT": {"lot": 0.01}}
    )
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out) == json.loads(result.to_json())


def test_strategies_with_shares_and_settings_of_their_own(barstep: Run) -> None:
    """A parameter and a stop of one strategy, the share of another, an engine of a file."""
    donchian = ROOT / "docs" / "examples" / "donchian.py"
    ran = barstep(
        "portfolio", *FILES, "--strategy", "mean_reversion=0.5", "--strategy", "donchian", "--engine-file", donchian,
        "--set", "mean_reversion.lookback=48", "--set", "mean_reversion.stop_loss_pct=3", "--set", "slippage_bps=1",
        "--json",
    )  # fmt: skip
    plan = [
        package.Allocation(
            strategy="mean_reversion", weight=0.5, parameters={"lookback": 48}, options={"stop_loss_pct": 3}
        ),
        package.Allocation(strategy="donchian"),
    ]
    catalog = package.DEFAULT_STRATEGY_CATALOG.with_file(donchian)
    result = package.portfolio(loaded(), plan, slippage_bps=1, catalog=catalog)
    assert json.loads(ran.out) == json.loads(result.to_json())


def test_attribution_is_not_cut_in_a_narrow_terminal(barstep: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names and headings stand whole in 60 columns, one row each."""
    monkeypatch.setenv("COLUMNS", "60")
    ran = barstep("portfolio", *FILES, "--strategy", "mean_reversion=0.5", "--strategy", "volatility_target=0.3")
    rows = [line.split() for line in ran.out.splitlines()]
    assert ["schedule", "profit", "contribution", "%", "fees", "trades", "wins", "%"] in rows
    first = {row[0]: len(row) for row in rows if row}
    assert (first["mean_reversion"], first["volatility_target"], first["BTCUSDT"]) == (6, 6, 6)


def test_orders_and_funding_from_files(barstep: Run, tmp_path: Path) -> None:
    """Times as words, limits of which none is given, funding of one instrument."""
    bars = loaded()
    at = [str(time) for time in bars[0].times[[100, 200]]]
    orders = {"timestamp": at, "instrument": ["BTCUSDT", "ETHUSDT"], "quantity": [0.5, -2.0], "limit_price": [None] * 2}
    rates = pl.DataFrame({"timestamp": bars[0].ts_us[::8], "rate": np.full(bars[0].ts_us[::8].size, 1e-4)})
    ran = barstep(
        "portfolio", *FILES, "--orders", saved(pl.DataFrame(orders), tmp_path / "orders.csv"), "--json",
        "--funding", f"BTCUSDT={saved(rates, tmp_path / 'rates.csv')}",
    )  # fmt: skip
    plan = pl.DataFrame(orders).with_columns(pl.col("timestamp").str.to_datetime(time_unit="us"))
    result = package.portfolio(bars, plan, size_type="order", funding={"BTCUSDT": rates})
    assert result.costs["funding"] > 0.0
    assert json.loads(ran.out) == json.loads(result.to_json())


def test_shares_are_told_in_tables(barstep: Run, tmp_path: Path) -> None:
    """Metrics, what each schedule and instrument had in it, signals and costs."""
    bars = loaded()
    frame = weights(bars).with_columns(BTCUSDT=pl.lit(1.0), ETHUSDT=pl.lit(5.0))
    ran = barstep("portfolio", *FILES, "--shares", saved(frame, tmp_path / "shares.csv"))
    assert (ran.code, ran.err) == (0, "")
    result = package.portfolio(bars, frame, size_type="shares")
    assert f"{result.metrics['total_return_pct']:,.2f}" in ran.out
    for name in ("shares", "BTCUSDT", "ETHUSDT"):
        assert name in ran.out
    assert f"{result.attribution('instrument')['profit'][0]:,.2f}" in ran.out
    assert "portfolio: Panel(BTCUSDT, ETHUSDT 1h, 17,544 bars, 2023-01-01T00:00Z to " in ran.out
    assert "2 fills" in ran.out
    assert f"costs: fees {result.costs['fees']:,.2f}" in ran.out


def test_a_saved_portfolio_makes_a_report(barstep: Run, tmp_path: Path) -> None:
    """The folder holds what the document says; a second run does not replace it unasked; a page is made of it."""
    folder = tmp_path / "both"
    words = ["portfolio", *FILES, "--strategy", "mean_reversion=0.5", "--output", folder]
    ran = barstep(*words, "--json")
    document = json.loads((folder / "result.json").read_text())
    assert document | json.loads(ran.out) == document
    again = barstep(*words)
    assert (again.code, again.out) == (2, "")
    assert "is there already; add --overwrite" in again.err
    assert f"wrote {folder}" in barstep(*words, "--overwrite").out
    report = barstep("report", folder)
    assert report.code == 0, report.err
    assert (folder / "report.html").stat().st_size > 100_000


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ([], 2, "give one plan: --weights FILE"),
        (["--strategy", "mean_reversion", "--weights", "{table}"], 2, "give one plan: --weights FILE"),
        (["--strategy", "mean_revertion"], 2, "Did you mean 'mean_reversion'?"),
        (["--strategy", "mean_reversion=much"], 2, "write NAME or NAME=SHARE"),
        (["--strategy", "mean_reversion=-1"], 2, "mean_reversion: weight is -1.0; allowed is 0 or more"),
        (["--strategy", "mean_reversion", "--set", "mean_revision.lookback=4"], 2, "Did you mean 'mean_reversion'?"),
        (["--strategy", "mean_reversion", "--set", "mean_reversion.lookbak=4"], 2, "unknown option 'lookbak'"),
        (["--weights", "{table}", "--set", "BTCUSDT.lots=1"], 2, "unknown option 'lots'. Did you mean 'lot'?"),
        (["--weights", "{table}", "--set", "fee_bp=1"], 2, "Did you mean 'fee_bps'?"),
        (["--weights", "{table}", "--every", 0], 2, "every is 0; it must be a whole number"),
        (["--weights", "{table}", "--sizing-price", "open"], 2, "allowed is close or fill"),
        (["--weights", "{table}", "--funding", "BTCUSD=x.csv"], 2, "Did you mean 'BTCUSDT'?"),
        (["--weights", "{table}", "--funding", "BTCUSDT"], 2, "write INSTRUMENT=FILE"),
        (["--weights", "nowhere.csv"], 3, "nowhere.csv: no such file"),
        (["--weights", "{table}.txt"], 3, "a plan is read from .parquet, .feather, .csv; this is .txt"),
        (["--weights", "{timeless}"], 3, "no column 'timestamp'. Found: BTCUSDT."),
        (["--weights", "{garbled}"], 3, "the time in row 1 is missing or cannot be read"),
        (["--orders", "{table}"], 2, "the orders"),
    ],
)
def test_one_line_for_what_is_wrong(barstep: Run, tmp_path: Path, words: list[str], code: int, message: str) -> None:
    """The option or file, the value, what is allowed, the near name; nothing on stdout."""
    late = pl.DataFrame({"timestamp": ["2030-01-01T00:00:00"], "BTCUSDT": [0.5]})
    paths = {
        "table": saved(weights(loaded()), tmp_path / "table.csv"),
        "timeless": saved(pl.DataFrame({"BTCUSDT": [0.5]}), tmp_path / "timeless.csv"),
        "garbled": saved(pl.DataFrame({"timestamp": ["2023-01-01", "soon"], "BTCUSDT": [1, 2]}), tmp_path / "g.csv"),
    }
    (tmp_path / "table.csv.txt").write_text("x")
    if words[:1] == ["--orders"]:
        paths["table"] = saved(late, tmp_path / "late.csv")
    ran = barstep("portfolio", *FILES, *(str(word).format(**paths) for word in words))
    assert (ran.code, ran.out) == (code, "")
    assert message in ran.err
    assert ran.err.count("\n") == 1
