"""A Monte Carlo in the report: its bands, words, table and histograms are those of its paths."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import barstep as bs
import numpy as np
import pytest
from barstep.engine.montecarlo import METHODS
from barstep.engine.scheduler.result import SchedulerResult
from barstep.report.histograms import BINS, histograms
from barstep.report.montecarlo import fan, quantile_table, words
from barstep.report.page import page
from barstep.report.sheet import sheet_of
from barstep.report.texts import metric
from pages import Reader, script_data

Made = Callable[..., bs.Result]
BOXES = {"chart-montecarlo", "chart-montecarlo_final_equity", "chart-montecarlo_max_drawdown_pct"}


@pytest.fixture(scope="module")
def small(made: Made) -> bs.Result:
    """Some trades in 300 hours."""
    return made(300)


def page_of(found: bs.MonteCarloResult) -> str:
    assert not isinstance(found.origin, str)
    return page(replace(sheet_of(found.origin), montecarlo=found))  # type: ignore[arg-type]


def columns_of(figure: Any, glyph: str) -> dict[str, Any]:
    """The numbers that a glyph of a figure draws."""
    return next(dict(r.data_source.data) for r in figure.renderers if type(r.glyph).__name__ == glyph)


def test_the_page_has_bands_distributions_and_quantiles(small: bs.Result) -> None:
    """Each chart has its box and its data, and the table every metric with the result's own value."""
    found = bs.montecarlo(small, paths=60)
    text = page_of(found)
    read, charts = Reader(text), script_data(text)
    boxes = {attributes.get("id") for _, attributes in read.tags}
    assert set(charts["items"][0]["roots"].values()) >= BOXES
    assert boxes >= BOXES
    assert charts["series"]["montecarlo"].keys() == {"x", "p5", "p25", "p50", "p75", "p95"}
    for name, spread in found.metrics.items():
        for value in spread.values():
            assert metric(name, value) in read.words, name
    assert words(found) in read.words


def test_without_a_monte_carlo_nothing_of_it_is_there(small: bs.Result) -> None:
    """No box, no series, no word."""
    text = page(sheet_of(small))
    assert not any("Monte Carlo" in each for each in Reader(text).words)
    assert "montecarlo" not in script_data(text)["series"]
    assert not any(name.startswith("chart-montecarlo") for name in script_data(text)["items"][0]["roots"].values())


def test_the_bands_begin_with_the_capital(small: bs.Result) -> None:
    """At the first bar, and end with the quantiles of the final equities at the last one."""
    found = bs.montecarlo(small, paths=60)
    first_us = int(sheet_of(small).ts_us[0])
    times, quantiles = fan(found, first_us)
    assert (times[0], times[-1]) == (first_us, int(sheet_of(small).ts_us[-1]))
    assert (np.diff(times) >= 0).all()
    for name, values in quantiles.items():
        assert values[0] == 1e5
        assert values[-1] == found.metrics["final_equity"][name]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "3 paths of 300 bars: stationary bootstrap, blocks of 7 bars on average, seed 0."),
        ({"block_bars": 1.5}, "stationary bootstrap, blocks of 1.5 bars on average, seed 0."),
        ({"method": "block", "block_bars": 1}, "circular block bootstrap, blocks of 1 bar, seed 0."),
        ({"method": "moving_block", "seed": 4}, "moving block bootstrap, blocks of 7 bars, seed 4."),
        ({"method": "trades"}, "trades: trades drawn with replacement, seed 0."),
        ({"method": "shuffled_trades"}, "each trade once, in another order, seed 0."),
    ],
)
def test_words_say_how_the_paths_were_made(small: bs.Result, given: dict[str, Any], told: str) -> None:
    """And how many lost money; where trades were drawn, what their places in time are."""
    found = bs.montecarlo(small, paths=3, **{"block_bars": None if "trades" in str(given) else 7, **given})
    assert told in words(found)
    assert "% of the paths lost money" in words(found)
    assert ("at the exit of the one" in words(found)) == (found.resampled.unit == "trade")


@pytest.mark.parametrize("method", METHODS)
def test_histograms_hold_the_paths(small: bs.Result, method: Any) -> None:
    """Bars add up to all paths but the outermost, and the result's own value is marked within them."""
    found = bs.montecarlo(small, paths=1000, method=method)
    for each, name in zip(histograms(found), ("final_equity", "max_drawdown_pct"), strict=True):
        bars, mark = columns_of(each.figure, "Quad"), columns_of(each.figure, "Line")
        assert len(bars["top"]) == BINS
        assert 98.8 <= sum(bars["top"]) <= 100.0 + 1e-9
        assert bars["left"][0] <= mark["x"][0] == mark["x"][1] == found.observed[name] <= bars["right"][-1]
        values = found.path_table[name].to_numpy()
        inside = (values >= bars["left"][30]) & (values < bars["right"][30])
        assert bars["top"][30] == pytest.approx(inside.mean() * 100.0)


def test_a_value_without_a_number_is_a_dash(made: Made) -> None:
    """Of a result that never trades: no ratio, one bar of the histogram, and no NaN for the script."""
    found = bs.montecarlo(made(50, busy=0.0), paths=20)
    rows = {row[0]: row[1:] for row in quantile_table(found).rows}
    assert rows["Sharpe"] == ["–"] * 7
    assert rows["Final equity"] == ["100,000.00"] * 7
    assert columns_of(histograms(found)[0].figure, "Quad")["top"][BINS // 2] == 100.0
    script_data(page_of(found))


def test_one_bar_is_a_page(made: Made) -> None:
    """It has bands too."""
    text = page_of(bs.montecarlo(made(1, busy=0.6), paths=5))
    assert set(script_data(text)["items"][0]["roots"].values()) >= BOXES


def test_paths_past_counting_are_a_page(small: bs.Result) -> None:
    """An infinite final equity is left out of the histogram and told as a dash."""
    found = bs.montecarlo(small, paths=20)
    endless = replace(found, path_results=found.path_results.copy())
    endless.path_results[:5, 0] = math.inf
    assert sum(columns_of(histograms(endless)[0].figure, "Quad")["top"]) <= 75.0 + 1e-9
    script_data(page_of(endless))


def test_schedulers_have_it_too(core: SchedulerResult) -> None:
    """Between drawdown and what else they show."""
    text = page_of(bs.montecarlo(core, paths=10))
    assert {attributes.get("id") for _, attributes in Reader(text).tags} >= BOXES


def test_it_is_the_same_every_time(small: bs.Result) -> None:
    """The same paths give the same bytes, on one thread or two."""
    assert len({page_of(bs.montecarlo(small, paths=40, threads=threads)) for threads in (1, 2)}) == 1


def test_a_year_of_minutes_is_small(made: Made) -> None:
    """With its bands it fits 3 MB."""
    assert len(page_of(bs.montecarlo(made(525_600, busy=0.02, interval_seconds=60), paths=10)).encode()) <= 3_000_000
