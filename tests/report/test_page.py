"""The page holds the numbers of its result, asks the network for nothing, and trusts no text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import barstep as bs
import pytest
from barstep.engine.metrics import DESCRIPTIONS
from barstep.report.page import page
from barstep.report.sheet import sheet_of
from barstep.report.tables import HELD_TRADES, SHOWN_TRADES
from barstep.report.texts import metric

ASSETS = Path(bs.__path__[0]) / "report" / "assets"
HOSTILE = "</script><script>alert(1)</script>\"'&{{ 7 * 7 }}<img src=x onerror=alert(2)>"
Made = Callable[..., bs.Result]


class Reader(HTMLParser):
    """What a browser would see: tags with their attributes, and the text outside scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.scripts: list[str] = []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, _tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        (self.scripts if self._inside in ("script", "style") else self.words).append(data)


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
    assert not re.search(r"@import|url\(", (ASSETS / "page.css").read_text())
    assert not re.search(r"https?:|fetch\(|XMLHttpRequest|import\(", (ASSETS / "page.js").read_text())
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


def test_data_for_the_script_is_json(hours_page: str, hours: bs.Result) -> None:
    """What the script reads is strict JSON, and each chart has its box."""
    found = re.search(r'<script type="application/json" id="charts">(.*?)</script>', hours_page, re.DOTALL)
    assert found is not None
    charts = json.loads(found.group(1), parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    boxes = {attributes.get("id") for _, attributes in Reader(hours_page).tags}
    assert set(charts["items"][0]["roots"].values()) == {
        f"chart-{name}" for name in ("equity", "equity_log", "drawdown", "position", "candles")
    }
    assert set(charts["items"][0]["roots"].values()) <= boxes
    assert len(charts["windows"]) == 7
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
    found = re.search(r'<script type="application/json" id="more-trades">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    assert len(json.loads(found.group(1))) == HELD_TRADES - SHOWN_TRADES


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
    for name in ("page.js", "page.css"):
        assert "</" not in (ASSETS / name).read_text()
