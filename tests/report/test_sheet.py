"""A sheet is the same from memory and from a folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import barstep as bs
import numpy as np
import polars as pl
import pytest
from barstep.data.presets import EMBEDDED_FOLDER
from barstep.errors import BarstepError
from barstep.report.page import page
from barstep.report.reading import read_sheet, result_folder
from barstep.report.saving import save_results
from barstep.report.sheet import sheet_of


@pytest.mark.parametrize("n", [0, 1, 2, 700])
def test_both_ways_give_the_same_page(made: Callable[..., bs.Result], tmp_path: Path, n: int) -> None:
    """What was saved and read again makes the very page that the result in memory makes."""
    result = made(n)
    save_results({"a": result}, tmp_path / "out")
    assert page(read_sheet(tmp_path / "out" / "a")) == page(sheet_of(result))


def test_two_venues_come_back(tmp_path: Path) -> None:
    """A result of two venues keeps both in its document, and the bars of the first."""
    both = [bs.load(EMBEDDED_FOLDER / f"{venue}_BTCUSDT_1h.parquet") for venue in ("binance", "kraken")]
    result = bs.backtest(both[0], "cross_exchange_arbitrage", secondary=both[1])
    save_results({"a": result}, tmp_path / "out")
    text = page(read_sheet(tmp_path / "out" / "a"))
    assert text == page(sheet_of(result))
    assert "binance BTCUSDT and kraken BTCUSDT" in text


def test_saved_bars_are_a_dataset(hours: bs.Result, tmp_path: Path) -> None:
    """The bars of a saved result can be loaded and run again, with the same outcome."""
    save_results({"a": hours}, tmp_path / "out")
    again = bs.load(tmp_path / "out" / "a" / "bars.parquet")
    assert again.content_digest == hours.bars.content_digest
    assert bs.backtest(again, "mean_reversion", fee_bps=5).to_json() == hours.to_json()


def test_monthly_returns_by_hand() -> None:
    """A month's return is on the equity of the month before, a year's on that of the year before."""
    days = np.array(["2023-11-30", "2023-12-01", "2023-12-31", "2024-02-01"], dtype="datetime64[us]")
    prices = [100.0, 100.0, 110.0, 99.0]
    bars = bs.Bars.from_arrays(days, prices, prices, prices, prices, interval_seconds=86_400)
    result = bs.backtest(bars, [1.0, 1.0, 1.0, 1.0], fee_bps=0, capital=1000, units=10)
    table = result.monthly_returns
    assert result.equity["equity"].to_list() == [1000.0, 1000.0, 1100.0, 990.0]
    assert table.select("year", "month").rows() == [(2023, 11), (2023, 12), (2024, 2)]
    np.testing.assert_allclose(table["return_pct"], [0.0, 10.0, -10.0])
    np.testing.assert_allclose(table["year_to_date_pct"], [0.0, 10.0, -10.0])


def test_monthly_returns_compound_to_the_total(hours: bs.Result) -> None:
    """All months together are the total return, and so are all years."""
    table = hours.monthly_returns
    years = table.group_by("year", maintain_order=True).last()["year_to_date_pct"]
    for parts in (table["return_pct"], years):
        total = (np.prod(1.0 + parts.to_numpy() / 100.0) - 1.0) * 100.0
        assert total == pytest.approx(hours.metrics["total_return_pct"])


@pytest.fixture
def saved(made: Callable[..., bs.Result], tmp_path: Path) -> Path:
    """A folder with one saved result."""
    save_results({"a": made(50)}, tmp_path / "out")
    return tmp_path / "out" / "a"


def test_every_way_to_name_a_result(saved: Path) -> None:
    """A result is named by its folder, its document, or the folder that holds it alone."""
    assert result_folder(saved) == result_folder(saved / "result.json") == result_folder(saved.parent) == saved


def test_names_that_are_no_result(saved: Path, made: Callable[..., bs.Result], tmp_path: Path) -> None:
    """What is missing, not a result, or several is told with what is there."""
    save_results({"a": made(3), "b": made(4)}, tmp_path / "two")
    (tmp_path / "empty").mkdir()
    for path, text in (
        (tmp_path / "ouy", "no such result. Did you mean 'out'?"),
        (saved / "bars.parquet", "is not a result"),
        (tmp_path / "empty", "holds no result"),
        (tmp_path / "two", "holds 2 results; name one"),
        (tmp_path / "no" / "where", "no such result"),
    ):
        with pytest.raises(BarstepError, match=text.replace("?", r"\?")):
            result_folder(path)


def _edit(path: Path, change: Callable[[dict[str, object]], object]) -> None:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no bars": (lambda f: (f / "bars.parquet").unlink(), "bars.parquet: no such file"),
    "no trades": (lambda f: (f / "trades.parquet").unlink(), "trades.parquet: cannot be read: no such file"),
    "a broken table": (lambda f: (f / "equity.parquet").write_bytes(b"PAR1"), "equity.parquet: cannot be read"),
    "a shorter table": (
        lambda f: pl.read_parquet(f / "equity.parquet").head(9).write_parquet(f / "equity.parquet"),
        "has 9 rows for 50 bars",
    ),
    "a table without a column": (
        lambda f: pl.read_parquet(f / "equity.parquet").drop("equity").write_parquet(f / "equity.parquet"),
        "equity.parquet: cannot be read",
    ),
    "no JSON": (lambda f: (f / "result.json").write_text("{"), "cannot be read as JSON"),
    "no object": (lambda f: (f / "result.json").write_text("[1]"), "is not a result of barstep: it lacks strategy"),
    "no metrics": (lambda f: _edit(f / "result.json", lambda d: d.pop("metrics")), "it lacks metrics"),
    "no data": (lambda f: _edit(f / "result.json", lambda d: d.update(data=[])), "it lacks data"),
    "no capital": (lambda f: _edit(f / "result.json", lambda d: d.update(execution={})), "it lacks execution.capital"),
    "other bars": (
        lambda f: _edit(f / "result.json", lambda d: d["data"][0].update(sha384="0")),  # type: ignore[index]
        "these are not the bars that result.json names",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_folder_is_refused(saved: Path, damage: str) -> None:
    """A folder that lacks a file, or whose files do not belong together, is refused with the file's name."""
    harm, text = DAMAGES[damage]
    harm(saved)
    with pytest.raises(bs.DataError) as caught:
        read_sheet(saved)
    assert text in str(caught.value)
    assert str(saved) in str(caught.value)


def test_buy_and_hold_starts_at_the_capital(hours: bs.Result) -> None:
    """Buy and hold ends where the metric says, on the scale of the capital."""
    sheet = sheet_of(hours)
    assert sheet.columns["benchmark"][0] == pytest.approx(100_000.0)
    growth = 1 + hours.metrics["benchmark_return_pct"] / 100.0
    assert sheet.columns["benchmark"][-1] == pytest.approx(100_000.0 * growth)
    assert sheet.bars[0]["timestamp"][0] == datetime(2023, 1, 1, tzinfo=UTC)
