"""A walk forward's report: the same from memory and from its folder, with its windows and what may be luck."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import barstep as bs
import numpy as np
import polars as pl
import pytest
from barstep.data.presets import EMBEDDED_FOLDER
from barstep.errors import DataError
from barstep.report.logits import BINS, logit_chart
from barstep.report.page import page
from barstep.report.printed import printed
from barstep.report.reading import read_sheet
from barstep.report.sheet import Walked, sheet_of
from barstep.report.walked_windows import walked_windows
from pages import Reader, script_data

AXES = {"fast_ma": [6, 12], "slow_ma": [24, 48, 72]}


def walked(bars: int = 2500, axes: dict[str, Any] = AXES, **given: Any) -> bs.WalkForwardResult:
    history = bs.load(EMBEDDED_FOLDER / "binance_BTCUSDT_1h.parquet").part(0, bars)
    return bs.walk_forward(history, "sma_crossover", axes, **{"train_bars": 1000, "test_bars": 300, **given})


@pytest.fixture(scope="module")
def result() -> bs.WalkForwardResult:
    return walked()


def test_what_stands_in_it(result: bs.WalkForwardResult) -> None:
    """Heading, how windows were cut, what each came to, and what tells skill from luck."""
    text = page(sheet_of(result))
    words = Reader(text).words
    assert "Walk forward: sma_crossover " in words
    assert {"train_bars", "1,000", "test_bars", "300", "select", "sharpe", "sets"} <= set(words)
    assert "purge_bars" not in words
    for heading in ("How much of it may be luck", "Windows", "Best in one half, ranked in the other", "Equity"):
        assert any(each.strip() == heading for each in words), heading
    told = result.to_dict()["walk_forward"]
    over = told["overfitting"]["probability_of_backtest_overfitting"]
    assert {f"{over * 100:,.1f} %", f"{told['significance']['deflated_sharpe_ratio'] * 100:,.1f} %"} <= set(words)
    for equity in result.windows["equity"]:
        assert f"{equity:,.2f}" in words
    assert "made no whole test" not in text, "2,500 bars are a training and five tests"


def test_both_ways_give_the_same_page(result: bs.WalkForwardResult, tmp_path: Path) -> None:
    """What was saved, with all its bars, and read again makes the very page and print of the result in memory."""
    again = read_sheet(result.save(tmp_path / "out"))
    assert page(again) == page(sheet_of(result))
    assert printed(again, "png") == printed(sheet_of(result), "png")
    assert bs.load(tmp_path / "out" / "bars.parquet").content_digest == result.asked.bars.content_digest


def test_bars_of_trainings_are_left_out(tmp_path: Path) -> None:
    """Also where tests do not follow each other closely; bars that made no test are counted."""
    result = walked(2600, step_bars=400, purge_bars=24)
    sheet = read_sheet(result.save(tmp_path / "out"))
    assert sheet.bars[0].height == sheet.equity.height == 300 * 4
    text = page(sheet)
    assert text == page(sheet_of(result))
    assert "76 bars at the end made no whole test" in text
    assert "purge_bars" in text


def test_the_histogram_has_its_box_and_all_splits(result: bs.WalkForwardResult) -> None:
    """Its bars add up to all splits; what is no better than the middle is on the left, 0 among it."""
    text = page(sheet_of(result))
    boxes = {attributes.get("id") for _, attributes in Reader(text).tags}
    assert "chart-logits" in set(script_data(text)["items"][0]["roots"].values()) & boxes
    logits = np.array([0.0, 0.0, -1.5, 0.3, 2.4])
    chart = logit_chart(Walked(windows=pl.DataFrame(), splits=pl.DataFrame({"logit": logits})))
    sources = {each.name: each.data_source.data for each in chart.renderers}
    assert sum(sources["loss"]["share"]) == pytest.approx(60.0)
    assert sum(sources["gain"]["share"]) == pytest.approx(40.0)
    assert sources["loss"]["share"][-1] == pytest.approx(40.0)
    assert sources["loss"]["right"][-1] == pytest.approx(0.0)
    assert len(sources["loss"]["left"]) == len(sources["gain"]["left"]) == BINS // 2


def test_an_axis_may_be_named_like_a_column(tmp_path: Path) -> None:
    """An engine's parameter `window` stands beside the number of the window."""
    catalog = bs.DEFAULT_STRATEGY_CATALOG.with_file(Path(__file__).parents[2] / "docs" / "examples" / "donchian.py")
    history = bs.load(EMBEDDED_FOLDER / "binance_BTCUSDT_1h.parquet").part(0, 1000)
    result = bs.walk_forward(history, "donchian", {"window": [20, 30]}, train_bars=400, test_bars=200, catalog=catalog)
    sheet = read_sheet(result.save(tmp_path / "out"))
    assert sheet.walked is not None
    table = walked_windows(sheet, sheet.walked)
    assert table.headings.count("window") == 2
    chosen = result.windows["chosen_window"].to_list()
    assert [(row[0], row[3]) for row in table.rows] == [(str(k + 1), str(value)) for k, value in enumerate(chosen)]


def test_one_set_and_no_choice(tmp_path: Path) -> None:
    """Where nothing was chosen there is no histogram; a test without a choice has dashes."""
    single = walked(axes={"fast_ma": [6]}, slow_ma=30)
    text = page(read_sheet(single.save(tmp_path / "out")))
    assert text == page(sheet_of(single))
    assert "Best in one half" not in text
    idle = bs.walk_forward(
        single.asked.bars, "mean_reversion", {"entry_zscore": [20.0, 21.0]}, train_bars=1000, test_bars=600
    )
    rows = Reader(page(sheet_of(idle))).words
    assert rows.count("–") > 4
    assert "100,000.00" in rows


def _without(folder: Path, name: str) -> None:
    document = json.loads((folder / "result.json").read_text())
    del document["walk_forward"][name]
    (folder / "result.json").write_text(json.dumps(document))


def _shortened(folder: Path) -> None:
    equity = pl.read_parquet(folder / "equity.parquet")
    equity.head(1400).write_parquet(folder / "equity.parquet")


@pytest.mark.parametrize(
    ("damage", "text"),
    [
        (lambda folder: (folder / "windows.parquet").unlink(), "windows.parquet: cannot be read: no such file"),
        (lambda folder: pl.DataFrame({"a": [1]}).write_parquet(folder / "splits.parquet"), "splits.parquet: cannot"),
        (lambda folder: _without(folder, "significance"), "it lacks walk_forward.significance"),
        (_shortened, "has 1,500 rows for 1,400 bars"),
    ],
)
def test_a_folder_that_was_damaged(result: bs.WalkForwardResult, tmp_path: Path, damage: Any, text: str) -> None:
    """One line says what is missing."""
    folder = result.save(tmp_path / "out")
    damage(folder)
    with pytest.raises(DataError, match=text):
        read_sheet(folder)
