"""The page holds the numbers of its result, asks the network for nothing, and trusts no text."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import barstep as bs
import numpy as np
import pytest
from barstep.engine.metrics import DESCRIPTIONS
from barstep.report.page import page
from barstep.report.sheet import sheet_of
from barstep.report.tables import HELD_TRADES, SHOWN_TRADES
from barstep.report.texts import metric
from pages import HOSTILE, Reader, script_data

ASSETS = Path(bs.__path__[0]) / "report" / "assets"
Made = Callable[..., bs.Result]


@pytest.fixture(scope="module")
def hours_page(hours: bs.Result) -> str:
    """The page of the embedded hours."""
    return page(sheet_of(hours))


def test_every_metric_stands_in_it(hours: bs.Result, hours_page: str) -> None:
    """All metrics are there with their value and, as a title, their formula."""
    read = Reader(hours_page)
    titles = {attributes.get("title") for _, attributes in read.tags}
    for name, value in hours.metrics.items():
        assert metric(name, value) in read.words
        assert DESCRIPTIONS[name] in titles


def test_settings_and_origin_stand_in_it(hours: bs.Result, hours_page: str) -> None:
    """Parameters, costs, span, version and digests are told under the names that the result gives them."""
    read = Reader(hours_page)
    text = " ".join(read.words)
    for name in (*hours.to_dict()["parameters"], "capital", "fee_bps", "slippage_bps", "year_days"):
        assert name in read.words
    assert "liquidation_fee_bps" not in read.words, "options left at their defaults are not told"
    assert "17,544 bars of 1h, 2023-01-01 00:00 to 2024-12-31 23:00 UTC" in text
    assert hours.bars.content_digest in {attributes.get("title") for _, attributes in read.tags}
    assert bs.__version__ in read.words


def test_months_and_trades_stand_in_it(hours: bs.Result, hours_page: str) -> None:
    """Each month's return is a cell, and each trade is a row."""
    read = Reader(hours_page)
    for value in hours.monthly_returns["return_pct"]:
        assert f"{value:+.1f}".replace("-", "−") in read.words
    assert sum(tag == "tr" for tag, _ in read.tags) == 1 + 2 + 1 + hours.trades.height
    for value in hours.trades["profit"]:
        assert f"{value:+,.2f}".replace("-", "−") in read.words


def test_it_asks_the_network_for_nothing(hours_page: str) -> None:
    """No tag and no style of the page loads anything, and its policy forbids scripts to."""
    read = Reader(hours_page)
    for tag, attributes in read.tags:
        assert tag not in ("link", "img", "iframe", "object", "embed", "base")
        assert not {"src", "href", "srcset", "action", "data"} & set(attributes)
    for style in ASSETS.glob("*.css"):
        assert not re.search(r"@import|url\(", style.read_text())
    for script in ASSETS.glob("*.js"):
        assert not re.search(r"https?:|fetch\(|XMLHttpRequest|import\(", script.read_text())
    policy = next(a["content"] for tag, a in read.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy
    assert "unsafe-eval" not in policy


def test_hostile_names_are_text(made: Made) -> None:
    """A venue or symbol that is written as markup is shown as it is written, and nowhere else."""
    result = made(60, symbol=HOSTILE, venue=HOSTILE)
    text, plain = page(sheet_of(result)), page(sheet_of(made(60)))
    read = Reader(text)
    assert "49" not in next(words for words in read.words if "alert" in words)
    assert f"on {HOSTILE} {HOSTILE}" in read.words
    assert [tag for tag, _ in read.tags] == [tag for tag, _ in Reader(plain).tags]
    assert not any("alert(" in script for script in read.scripts)
    assert script_data(text)["candles"][0]["name"] == HOSTILE


def test_data_for_the_script_is_json(hours_page: str, hours: bs.Result) -> None:
    """What the script reads is strict JSON, and each chart has its box."""
    charts = script_data(hours_page)
    boxes = {attributes.get("id") for _, attributes in Reader(hours_page).tags}
    assert set(charts["items"][0]["roots"].values()) == {
        f"chart-{name}" for name in ("equity", "equity_log", "drawdown", "position", "candles")
    }
    assert set(charts["items"][0]["roots"].values()) <= boxes
    assert len(charts["candles"][0]["windows"]) == 7
    assert charts["series"].keys() == {"equity", "benchmark", "drawdown", "position"}
    assert charts["interval"] == hours.bars.interval_seconds * 1000


def test_it_is_the_same_every_time(hours: bs.Result, hours_page: str) -> None:
    """The same result gives the same bytes, whatever was drawn before."""
    assert page(sheet_of(hours)) == hours_page


def test_a_year_of_minutes_is_small(made: Made) -> None:
    """A year of minutes with thousands of trades fits 3 MB, and the page says which trades it leaves out."""
    result = made(525_600, busy=0.02, interval_seconds=60)
    text = page(sheet_of(result))
    count = result.trades.height
    assert count > HELD_TRADES
    assert len(text.encode()) <= 3_000_000
    read = Reader(text)
    assert f"{SHOWN_TRADES:,} of {count:,}" in read.words
    assert f"the other {count - HELD_TRADES:,} are in trades.parquet" in " ".join(read.words)
    assert len(script_data(text, "more-trades")) == HELD_TRADES - SHOWN_TRADES


def test_half_a_million_bars_with_a_band_are_small() -> None:
    """500,000 bars, with hundreds of ambiguous ones fit 3 MB; the band is named and told in words."""
    rng = np.random.default_rng(1)
    n = 500_000
    close = 100.0 * np.exp(np.cumsum(rng.standard_normal(n) * 0.002))
    opens = np.append(close[:1], close[:-1])
    bars = bs.Bars.from_arrays(
        1_704_067_200_000_000 + np.arange(n) * 60_000_000, opens, np.maximum(opens, close) * 1.001,
        np.minimum(opens, close) * 0.999, close, interval_seconds=60,
    )  # fmt: skip
    result = bs.backtest(
        bars, "mean_reversion", trailing_stop_pct=0.4, take_profit_pct=0.5, stop_loss_pct=0.5, fee_bps=0
    )
    assert result.fill_ambiguity.bars > 500
    assert result.trades.height > HELD_TRADES
    text = page(sheet_of(result))
    assert len(text.encode()) <= 3_000_000
    words = Reader(text).words
    assert "between the worse and the better order in ambiguous bars" in words
    assert any(f"{result.fill_ambiguity.optimistic_equity:,.2f}" in each for each in words)
    assert script_data(text)["series"]["band"].keys() == {"x", "worse", "better"}


def test_without_ambiguous_bars_there_is_no_band(hours_page: str) -> None:
    """Neither in the legend nor in the data."""
    assert not any("better order" in words for words in Reader(hours_page).words)
    assert "band" not in script_data(hours_page)["series"]


@pytest.mark.parametrize("n", [0, 1, 2, 31])
@pytest.mark.parametrize("busy", [0.0, 0.6])
def test_few_bars_and_no_trades(made: Made, n: int, busy: float) -> None:
    """Nothing to trade, nothing traded and nothing at all are pages too."""
    read = Reader(page(sheet_of(made(n, busy=busy))))
    text = " ".join(read.words)
    assert ("There are no bars" in text) == (n == 0)
    assert "Costs" in text
    if busy == 0.0:
        assert "none" in read.words


def test_assets_are_safe_to_inline() -> None:
    """Neither script nor style ends its own element."""
    for name in ("common.js", "page.js", "sweep.js", "page.css", "sweep.css"):
        assert "</" not in (ASSETS / name).read_text()
