"""A portfolio's report: the same from memory and from its folder, whole, small, and safe."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import barstep as bs
import numpy as np
import polars as pl
import pytest
from barstep.report.page import page
from barstep.report.printed import printed
from barstep.report.reading import read_sheet, result_folder
from barstep.report.saving import save_results
from barstep.report.sheet import sheet_of
from barstep.report.tables import trades
from barstep.report.texts import metric
from pages import HOSTILE, Reader, script_data

Made = Callable[..., bs.Result]


@pytest.fixture(scope="module")
def three_page(three: bs.PortfolioResult) -> str:
    """The page of three embedded instruments."""
    return page(sheet_of(three))


def flat(
    made: Made, lengths: list[int], names: str | list[str] = "ABCDEFGH", *, weight: float = 0.1
) -> bs.PortfolioResult:
    """Instruments with so many bars each, all held by the same weight."""
    bars = [replace(made(n).bars, symbol=name) for n, name in zip(lengths, names, strict=False)]
    return bs.portfolio(bars, np.full((max(lengths), len(lengths)), weight))


def test_what_stands_in_it(three: bs.PortfolioResult, three_page: str) -> None:
    """Names, metrics, attribution, trades with their owners, costs and what became of signals."""
    words = Reader(three_page).words
    assert "on BTCUSDT, ETHUSDT, SOLUSDT" in words
    assert "Portfolio: mean_reversion, volatility_target " in words
    for name, value in three.metrics.items():
        assert metric(name, value) in words
    for heading in ("By schedule", "By instrument", "By tag", "Exposure", "Weights", "Costs", "Where signals went"):
        assert any(each.startswith(heading) for each in words), heading
    for row in three.attribution("instrument").iter_rows(named=True):
        assert f"{row['profit']:+,.2f}".replace("-", "−") in words
    table = trades(sheet_of(three))
    assert table.headings[:3] == ("schedule", "instrument", "entry")
    assert [row[1] for row in table.rows] == three.trades["instrument"].to_list()[: len(table.rows)]


def test_prices_are_told_as_their_instrument_asks(made: Made) -> None:
    """A coin of a hundredth has more decimals than one of a hundred."""
    bars = [made(40).bars, made(41).bars]
    columns = bars[1].values[:5] * 1e-4
    small = bs.Bars.from_arrays(bars[1].ts_us, *columns, interval_seconds=3600, symbol="SMALL")
    table = trades(sheet_of(bs.portfolio([bars[0], small], np.full((41, 2), 0.1))))
    place = table.headings.index("entry price")
    digits = {row[1]: len(row[place].split(".")[1]) for row in table.rows}
    assert digits["SMALL"] > digits["X"] + 2


def test_what_the_script_draws(three_page: str) -> None:
    """Each chart has its box, each weight its columns, and candles their instruments."""
    drawn = script_data(three_page)
    boxes = {attributes.get("id") for _, attributes in Reader(three_page).tags}
    names = ("equity", "equity_log", "drawdown", "exposure", "weights", "candles")
    assert set(drawn["items"][0]["roots"].values()) == {f"chart-{name}" for name in names} <= boxes
    assert drawn["series"]["weights"].keys() == {"x", "height0", "height1", "height2"}
    assert {each["name"] for each in drawn["candles"]} == {"BTCUSDT", "ETHUSDT", "SOLUSDT"}


@pytest.mark.parametrize("lengths", [[0, 0], [1, 0], [2, 5], [700, 300, 0]])
def test_both_ways_give_the_same_page(made: Made, tmp_path: Path, lengths: list[int]) -> None:
    """What was saved and read again makes the very page and print that the result in memory makes."""
    result = flat(made, lengths)
    assert result.save(tmp_path / "out") == tmp_path / "out"
    again = read_sheet(result_folder(tmp_path / "out"))
    text = page(sheet_of(result))
    assert page(again) == text
    assert printed(again, "png") == printed(sheet_of(result), "png")
    assert ("There are no bars" in text) == (max(lengths) == 0)


def test_the_page_of_the_embedded_hours_comes_back(three: bs.PortfolioResult, three_page: str, tmp_path: Path) -> None:
    """Also beside another result, of a single backtest, in one folder; saved bars can be loaded."""
    save_results({"three": three}, tmp_path / "out")
    folder = result_folder(tmp_path / "out")
    assert page(read_sheet(folder)) == three_page
    again = [bs.load(folder / "bars" / f"{k}_{name}.parquet") for k, name in enumerate(three.panel.names)]
    assert [bars.content_digest for bars in again] == [bars.content_digest for bars in three.panel.instruments]
    assert sorted(entry.name for entry in folder.iterdir()) == [
        "bars", "columns.parquet", "equity.parquet", "fills.parquet", "monthly_returns.parquet", "result.json",
        "trades.parquet", "weights.parquet",
    ]  # fmt: skip


@pytest.mark.parametrize("names", [["A/B", "A_B"], ["../../up", "."], ["a", "A"]])
def test_names_that_are_no_file_names(made: Made, tmp_path: Path, names: list[str]) -> None:
    """Symbols with slashes and dots, or that differ in case alone, are saved inside the folder and come back."""
    result = flat(made, [30, 30], names)
    result.save(tmp_path / "out")
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]
    assert len({entry.name.lower() for entry in (tmp_path / "out" / "bars").iterdir()}) == 2
    assert page(read_sheet(tmp_path / "out")) == page(sheet_of(result))


def test_a_folder_is_replaced_only_when_asked(made: Made, tmp_path: Path) -> None:
    """`save` leaves what is there, of a single backtest too."""
    for result in (made(20), flat(made, [20])):
        result.save(tmp_path / "out", overwrite=True)
        with pytest.raises(bs.UsageError, match="there already"):
            result.save(str(tmp_path / "out"))
        assert page(read_sheet(tmp_path / "out")) == page(sheet_of(result))


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no weights": (lambda f: (f / "weights.parquet").unlink(), "weights.parquet: cannot be read: no such file"),
    "weights of another": (
        lambda f: pl.read_parquet(f / "weights.parquet").drop("B").write_parquet(f / "weights.parquet"),
        "weights.parquet: cannot be read",
    ),
    "fewer weights": (
        lambda f: pl.read_parquet(f / "weights.parquet").head(9).write_parquet(f / "weights.parquet"),
        "has 9 rows for 40 bars",
    ),
    "bars of one alone": (lambda f: (f / "bars" / "1_B.parquet").unlink(), "1_B.parquet: no such file"),
    "bars changed round": (
        lambda f: (f / "bars" / "1_B.parquet").write_bytes((f / "bars" / "0_A.parquet").read_bytes()),
        "these are not the bars that result.json names",
    ),
    "no attribution": (lambda f: _without(f, "attribution"), "it lacks attribution"),
    "no strategies": (lambda f: _without(f, "strategies"), "it lacks strategies"),
}


def _without(folder: Path, name: str) -> None:
    document = json.loads((folder / "result.json").read_text())
    del document[name]
    (folder / "result.json").write_text(json.dumps(document))


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_folder_is_refused(made: Made, tmp_path: Path, damage: str) -> None:
    """A folder that lacks a file, or whose files do not belong together, is refused with the file's name."""
    harm, text = DAMAGES[damage]
    harm(flat(made, [40, 30]).save(tmp_path / "out"))
    with pytest.raises(bs.DataError) as caught:
        read_sheet(tmp_path / "out")
    assert text in str(caught.value)
    assert str(tmp_path / "out") in str(caught.value)


def test_hostile_names_are_text(made: Made) -> None:
    """Instruments and schedules that are written as markup are shown as they are written; tooltips escape them too."""
    bars = [replace(made(60).bars, symbol=name) for name in (HOSTILE, "@x $x")]
    plan = [bs.Allocation(strategy="sma_crossover", name=HOSTILE, tag=HOSTILE, parameters={"fast_ma": 3, "slow_ma": 9})]
    text = page(sheet_of(bs.portfolio(bars, plan)))
    read = Reader(text)
    assert {tag for tag, _ in read.tags} <= {tag for tag, _ in Reader(page(sheet_of(flat(made, [60])))).tags}
    assert not any("alert(" in script for script in read.scripts)
    tooltips = [words for words in _strings(script_data(text)["docs"]) if "height1" in words and "<b>" in words]
    assert tooltips
    assert all("<img" not in words and "&lt;img" in words and "&#64;x &#36;x" in words for words in tooltips)


def _strings(part: object) -> list[str]:
    """All texts in JSON."""
    if isinstance(part, str):
        return [part]
    inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else []
    return [text for each in inner for text in _strings(each)]


def test_ten_instruments_are_small() -> None:
    """10 instruments of 50,000 bars with tens of thousands of trades fit 3 MB, and the page says what it leaves out."""
    rng = np.random.default_rng(3)
    n = 50_000
    bars = []
    for k in range(10):
        close = 10.0 ** (k % 5) * np.exp(np.cumsum(rng.standard_normal(n) * 0.006))
        opens = np.append(close[:1], close[:-1])
        high, low = np.maximum(opens, close) * 1.002, np.minimum(opens, close) * 0.998
        times = 1_577_836_800_000_000 + np.arange(n) * 3_600_000_000
        bars.append(bs.Bars.from_arrays(times, opens, high, low, close, interval_seconds=3600, symbol=f"COIN{k}USDT"))
    plan = [
        bs.Allocation(strategy="mean_reversion", weight=0.4, options={"stop_loss_pct": 3.0}, tag="fast"),
        bs.Allocation(strategy="daily_trend_momentum", weight=0.4, tag="slow"),
        bs.Allocation(strategy="sma_crossover", weight=0.15, tag="slow"),
    ]
    result = bs.portfolio(bars, plan, fee_bps=1)
    assert result.trades.height > 20_000
    text = page(sheet_of(result))
    assert len(text.encode()) <= 3_000_000
    drawn = script_data(text)
    words = " ".join(Reader(text).words)
    assert f"of the {len(drawn['candles'])} most traded of 10 instruments" in words
    assert "2 others" in words
    assert "are in trades.parquet of the saved result" in words


@pytest.mark.parametrize("kind", ["html", "pdf", "png"])
def test_a_portfolio_reports_itself(made: Made, tmp_path: Path, kind: str) -> None:
    """`result.report` writes what the ending says and returns where."""
    path = tmp_path / "new" / f"sheet.{kind}"
    assert flat(made, [40, 20]).report(path) == path
    assert path.read_bytes().startswith({"html": b"<!doctype html>", "pdf": b"%PDF-", "png": b"\x89PNG"}[kind])


def test_prints_of_many_names(made: Made) -> None:
    """Twelve instruments and strategies with long names that look like mathematics are one page too."""
    names = [f"$x_{{^$ \\frac of a very long name {k}" for k in range(12)]
    bars = [replace(made(40 + k).bars, symbol=name) for k, name in enumerate(names)]
    plan = [
        bs.Allocation(strategy="sma_crossover", name=name, weight=0.05, parameters={"fast_ma": 3, "slow_ma": 9})
        for name in names
    ]
    assert printed(sheet_of(bs.portfolio(bars, plan)), "pdf").startswith(b"%PDF")
