"""The page of a sweep says what was swept, holds what fits, asks the network for nothing, and trusts no text."""

from __future__ import annotations

import base64
import math
import re
from itertools import combinations
from pathlib import Path

import barstep as bs
import numpy as np
import polars as pl
import pytest
from barstep.data.presets import EMBEDDED_FOLDER
from barstep.errors import UsageError
from barstep.ops.sweep_folder import read_sweep
from barstep.report.sweep.page import page
from barstep.report.sweep.printed import printed
from barstep.report.sweep.sheet import SweepSheet, sheet_of
from pages import HOSTILE, Reader, script_data
from swept import drawn, grid, gridded, noise, sheet_with

AXES = {"lookback": [24, 48, 96], "entry_zscore": [1.2, 1.8], "stop_loss_pct": [0, 2.0]}


@pytest.fixture(scope="module")
def swept() -> bs.SweepResult:
    """Twelve sets on the embedded hours."""
    bars = bs.load(EMBEDDED_FOLDER / "binance_BTCUSDT_1h.parquet")
    return bs.sweep(bars, "mean_reversion", AXES, slippage_bps=1)


@pytest.fixture(scope="module")
def swept_page(swept: bs.SweepResult) -> str:
    """Its page."""
    return page(sheet_of(swept, "sharpe"))


def _numbers(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype="<f4")


def test_what_was_swept_stands_in_it(swept: bs.SweepResult, swept_page: str) -> None:
    """Strategy, data, span, axes, what was fixed, versions, digests, and how many were tried."""
    read = Reader(swept_page)
    text = " ".join(" ".join(read.words).split())
    assert "Sweep of mean_reversion on binance BTCUSDT" in text
    assert "12 parameter sets. All combinations of the values. 17,544 bars of 1h" in text
    for words in ("24, 48, 96", "1.2, 1.8", "0, 2", "slippage_bps", "The best of 12 rows", "barstep walk-forward"):
        assert words in text
    titles = {attributes.get("title") for _, attributes in read.tags}
    assert {swept.plan.digest, swept.plan.describe()["data"][0]["sha384"]} <= titles
    assert bs.__version__ in read.words


def test_rows_stand_in_it(swept: bs.SweepResult, swept_page: str) -> None:
    """Every row of a small sweep is a row of the table, with all of its metrics."""
    read = Reader(swept_page)
    assert sum(tag == "tr" for tag, _ in read.tags) == 1 + 12
    for name in ("sharpe", "total_return_pct", "profit_factor"):
        for value in swept.table[name]:
            assert f"{value:,.2f}".replace("-", "−") in read.words


def test_charts_have_their_boxes_and_numbers(swept: bs.SweepResult, swept_page: str) -> None:
    """Maps of each pair, a line for each axis, lines of all rows; a cell is the median of its rows."""
    charts = script_data(swept_page)
    boxes = {attributes.get("id") for _, attributes in Reader(swept_page).tags}
    names = {f"chart-{name}" for name in ("distribution", "map", "line", "parallel")}
    assert set(charts["items"][0]["roots"].values()) == names <= boxes
    assert charts["metrics"][0]["label"] == "Sharpe"
    assert {frozenset((each["x"], each["y"])) for each in charts["maps"]} == {
        frozenset(pair) for pair in combinations(AXES, 2)
    }
    each = next(one for one in charts["maps"] if {one["x"], one["y"]} == {"lookback", "stop_loss_pct"})
    assert (each["x_labels"], each["y_labels"]) == (["24", "48", "96"], ["0", "2"])
    own = swept.table.filter((pl.col("lookback") == 48) & (pl.col("stop_loss_pct") == 2.0))
    medians = _numbers(each["values"][0][each["aggregates"].index("median")])
    assert medians[1 * 3 + 1] == np.float32(own["sharpe"].median())
    assert [line["axis"] for line in charts["lines"]] == list(AXES)
    assert sorted(charts["parallel"]["rows"]) == list(range(12))


def test_folder_and_memory_give_the_same_bytes(swept: bs.SweepResult, swept_page: str, tmp_path: Path) -> None:
    """What is read from a folder is reported as what is in memory, today and tomorrow."""
    bars = bs.load(EMBEDDED_FOLDER / "binance_BTCUSDT_1h.parquet")
    bs.sweep(bars, "mean_reversion", AXES, slippage_bps=1, folder=tmp_path / "swept")
    saved = read_sweep(tmp_path / "swept")
    assert page(SweepSheet(document=saved.document, table=saved.table, by="sharpe")) == swept_page
    assert swept.report(tmp_path / "page.html").read_text("utf-8") == swept_page


def test_it_asks_the_network_for_nothing(swept_page: str) -> None:
    """No tag of the page loads anything, and its policy forbids scripts to."""
    read = Reader(swept_page)
    for tag, attributes in read.tags:
        assert tag not in ("link", "img", "iframe", "object", "embed", "base")
        assert not {"src", "href", "srcset", "action", "data"} & set(attributes)
    policy = next(a["content"] for tag, a in read.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert not re.search(r"http|unsafe-eval", policy)


def test_hostile_names_are_text() -> None:
    """Symbols, values and names of axes that are written as markup are shown as they are written, and nowhere else."""
    sets, axes = grid(**{HOSTILE: [HOSTILE, "x"], "b": [1, 2]})
    text = page(sheet_with(sets, axes, noise(8), symbols=(HOSTILE, "Y"), strategy=HOSTILE, fixed={HOSTILE: HOSTILE}))
    sets, axes = grid(a=["w", "x"], b=[1, 2])
    plain = page(sheet_with(sets, axes, noise(8), symbols=("X", "Y"), strategy="made", fixed={"a": "b"}))
    read = Reader(text)
    assert HOSTILE in read.words
    assert f"Sweep of {HOSTILE} " in read.words
    assert [tag for tag, _ in read.tags] == [tag for tag, _ in Reader(plain).tags]
    assert not any("alert(" in script for script in read.scripts)
    assert HOSTILE in {each["x"] for each in script_data(text)["maps"]}


@pytest.mark.parametrize("symbols", [("X",), tuple(f"S{k}" for k in range(20))], ids=["one", "twenty"])
def test_a_hundred_thousand_rows_are_small(symbols: tuple[str, ...]) -> None:
    """They fit 3 MB; no more than a thousand of them are in the file, and the page says which."""
    text = page(drawn(100_000 // len(symbols), symbols))
    assert len(text.encode()) <= 3_000_000
    assert len(script_data(text)["parallel"]["rows"]) == 1_000
    told = " ".join(" ".join(Reader(text).words).split())
    assert "50 of 100,000" in told
    assert "the best 100 are drawn, and 900 spread evenly" in told


def test_one_axis() -> None:
    """One parameter has a line, and neither maps nor lines across axes."""
    charts = script_data(text := page(gridded(a=[1, 2, 3])))
    assert (charts["maps"], charts["parallel"], len(charts["lines"])) == ([], None, 1)
    assert set(charts["items"][0]["roots"].values()) == {"chart-distribution", "chart-line"}
    assert "chart-map" not in {attributes.get("id") for _, attributes in Reader(text).tags}


def test_several_instruments_are_an_axis_and_a_choice() -> None:
    """A map of instruments against each parameter, and maps of each instrument alone."""
    charts = script_data(page(gridded(symbols=("A", "B"), a=[1, 2, 3], b=[1, 2])))
    told = [({each["x"], each["y"]}, each["group"]) for each in charts["maps"]]
    assert told[-2:] == [({"a", "b"}, "A"), ({"a", "b"}, "B")]
    assert ({"a", "instrument"}, "") in told


def test_conditional_axes_and_drawn_spans() -> None:
    """The head says when an axis counts, how sets were drawn, and what was left out."""
    sets = pl.DataFrame({"short": [True, True, False], "exit": [0.21, 0.35, 0.5]})
    axes = {
        "short": {"values": [True, False]},
        "exit": {"low": 0.1, "high": 0.4, "log": True, "when": {"short": True}},
    }
    sheet = sheet_with(sets, axes, noise(3), sampling="sobol", left_out=4)
    text = " ".join(" ".join(Reader(page(sheet)).words).split())
    assert "0.1 to 0.4, drawn evenly in its logarithm, where short is yes" in text
    assert "Drawn by Sobol' points, seed 7." in text
    assert "4 sets left out, since their parameters contradict each other." in text
    lines = {line["axis"]: line for line in script_data(page(sheet))["lines"]}
    assert lines["exit"]["labels"][-1] == "not varied (0.5)"
    assert lines["exit"]["ordered"] == len(lines["exit"]["labels"]) - 1
    assert lines["short"]["ordered"] == 0


def test_a_single_row() -> None:
    """One row is a page and a sheet too, and nothing is claimed of a choice."""
    sheet = gridded(a=[1])
    assert "nothing was chosen" in page(sheet)
    assert printed(sheet, "pdf").startswith(b"%PDF")


def test_no_value_at_all() -> None:
    """Where no row has a value, the page says so and draws nothing; the printed sheet stands."""
    made = gridded(a=[1, 2], b=[1, 2])
    table = made.table.with_columns(sharpe=pl.lit(math.nan))
    sheet = SweepSheet(document=made.document, table=table, by="sharpe")
    text = page(sheet)
    assert "No row has a value of Sharpe" in text
    assert 'id="charts"' not in text
    assert printed(sheet, "png").startswith(b"\x89PNG")


def test_a_sweep_of_a_scheduler() -> None:
    """Its rows are of one account over all instruments, and a policy is a word."""
    sets, axes = grid(capital_policy=["equal_weight", "risk_parity"], lookback=[48, 96])
    made = sheet_with(sets, axes, noise(4))
    table = made.table.drop("symbol", "venue").with_columns(scheduler=pl.lit("core"))
    sheet = SweepSheet(document=made.document, table=table, by="sharpe")
    assert sheet.varied == ["capital_policy", "lookback"]
    (only,) = script_data(page(sheet))["maps"]
    assert ["equal_weight", "risk_parity"] in (only["x_labels"], only["y_labels"])


@pytest.mark.parametrize("kind", ["png", "pdf"])
def test_the_printed_page_is_the_same_every_time(kind: str) -> None:
    """No clock is in it."""
    sheet = drawn(40, ("A", "B"))
    assert printed(sheet, kind) == printed(sheet, kind)


def test_a_metric_that_was_not_measured_is_refused(swept: bs.SweepResult, tmp_path: Path) -> None:
    """With the near name; and nothing is written."""
    with pytest.raises(UsageError, match="Did you mean 'calmar'"):
        swept.report(tmp_path / "page.html", by="calmer")
    with pytest.raises(UsageError, match="the ending says the format"):
        swept.report(tmp_path / "page.htm")
    assert not list(tmp_path.iterdir())
