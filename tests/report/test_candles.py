"""Which bars of which instruments are held as candles, and what is told of them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import replace

import barstep as bs
import numpy as np
import polars as pl
import pytest
from barstep.engine.reasons import FILL_KINDS
from barstep.report import candles
from barstep.report.sheet import sheet_of
from barstep.report.windows import window_bars

Made = Callable[..., bs.Result]


def portfolio_of(made: Made, lengths: Sequence[int], weights: Sequence[float]) -> bs.PortfolioResult:
    """Instruments named I0, I1, … with bars of these lengths, held by these weights from the second bar on."""
    bars = [replace(made(n).bars, symbol=f"I{k}") for k, n in enumerate(lengths)]
    table = np.full((max(lengths), len(lengths)), np.nan)
    table[0] = weights
    return bs.portfolio(bars, table, capital=1e6)


def test_all_bars_where_there_is_room(made: Made) -> None:
    """Few bars and few trades are all held, the most traded instrument first, and the words say so."""
    sheet = sheet_of(portfolio_of(made, [50, 80, 60], [0.1, 0.5, 0.3]))
    assert candles.holds_all(sheet)
    assert [(each.instrument.name, each.places.size) for each in candles.shown(sheet)] == [
        ("I1", 80), ("I2", 60), ("I0", 50)
    ]  # fmt: skip
    assert candles.words(sheet).startswith("They follow the charts above")


def test_windows_where_there_is_not(made: Made) -> None:
    """Of longer histories the windows alone are held, of every instrument that there is room for."""
    sheet = sheet_of(portfolio_of(made, [9_000, 9_001], [0.1, 0.5]))
    assert not candles.holds_all(sheet)
    found = candles.shown(sheet)
    assert [each.instrument.name for each in found] == ["I1", "I0"]
    for each in found:
        np.testing.assert_array_equal(each.places, window_bars(each.instrument))
    assert "around the stretches to choose from; all are in bars/ of the saved result" in candles.words(sheet)


def test_the_least_traded_are_left_out(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where not even the windows have room, the page says how many instruments it has; one without bars is none."""
    monkeypatch.setattr(candles, "_MOST_BARS", 100)
    monkeypatch.setattr(candles, "_MOST_BARS_IN_WINDOWS", 900)
    sheet = sheet_of(portfolio_of(made, [400, 400, 400, 0], [0.1, 0.3, 0.2, np.nan]))
    assert [each.instrument.name for each in candles.shown(sheet)] == ["I1", "I2"]
    assert "of the 2 most traded of 3 instruments" in candles.words(sheet)


def test_a_single_backtest_names_its_file(made: Made) -> None:
    """Of a long history, too, the words say where all bars are."""
    assert "all are in bars.parquet of the saved result" in candles.words(sheet_of(made(20_000)))


def test_points_of_trades(three: bs.PortfolioResult) -> None:
    """Each trade among the shown bars is one point, its exit a square where a level made it, with its schedule."""
    sheet = sheet_of(three)
    each = candles.shown(sheet)[0]
    first = int(sheet.ts_us[0])
    points = candles.candle_data(each, first)["points"]
    times = three.equity["timestamp"][each.places].implode()
    own = three.trades.filter(
        pl.col("instrument") == each.instrument.name,
        pl.col("entry_time").is_in(times),
        pl.col("exit_time").is_in(times),
    )
    assert own.height > 10
    for name, part in (("gain", own.filter(pl.col("profit") > 0)), ("loss", own.filter(pl.col("profit") <= 0))):
        stops = (part["exit_reason"] == "stop").to_list()
        assert points[name]["exit_marker"] == ["square" if stop else "diamond" for stop in stops]
        assert points[name]["schedule"] == part["schedule"].to_list()
        seconds = np.frombuffer(base64.b64decode(points[name]["x_exit"]), "<u4").astype(np.int64)
        assert (first + seconds * 1_000_000).tolist() == part["exit_time"].to_physical().to_list()
    assert "square" in points["loss"]["exit_marker"]
    assert sum(len(base64.b64decode(points[name]["x"])) // 4 for name in ("rise", "fall")) == each.places.size


def test_of_many_trades_the_largest_are_marked(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where windows hold more trades than there is room for, the largest gains and losses stay; the words say so."""
    monkeypatch.setattr(candles, "_MOST_MARKED", 20)
    sheet = sheet_of(made(20_000, busy=0.5))
    each = candles.shown(sheet)[0]
    times = sheet.equity["timestamp"][each.places].implode()
    among = sheet.trades.filter(pl.col("entry_time").is_in(times) & pl.col("exit_time").is_in(times))
    assert each.trades.height == 20
    assert each.unmarked == among.height - 20 > 0
    assert each.trades["profit"].abs().min() >= sorted(among["profit"].abs())[-20]
    assert f"{each.unmarked:,} are not" in candles.words(sheet)
    monkeypatch.setattr(candles, "_MOST_BARS", 30_000)
    monkeypatch.setattr(candles, "_MOST_TRADES", 30_000)
    assert candles.shown(sheet)[0].trades.height == sheet.trades.height


def test_levels_are_reasons_of_fills() -> None:
    """What makes a square are words that fills have."""
    assert set(candles._LEVELS) <= set(FILL_KINDS.values())
