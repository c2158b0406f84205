"""What orders, levels and ambiguous bars made of a result is told in its report."""

from __future__ import annotations

from dataclasses import replace

import barstep as bs
import pytest
from barstep.data.presets import EMBEDDED_FOLDER
from barstep.engine.reasons import DECISION_TEXTS, REFUSALS
from barstep.report.costs import band_words, costs, signals
from barstep.report.heading import heading
from barstep.report.sheet import sheet_of


@pytest.fixture(scope="module")
def result() -> bs.Result:
    """A backtest with a tight trailing stop and slippage by volume."""
    bars = bs.load(EMBEDDED_FOLDER / "binance_BTCUSDT_1m.parquet")
    return bs.backtest(bars, "mean_reversion", trailing_stop_pct=0.1, impact_bps=5.0)


def test_costs_and_counts(result: bs.Result) -> None:
    """Costs that were paid and counts that are not 0 are told under words, the others are not."""
    sheet = sheet_of(result)
    told = dict(costs(sheet))
    assert told["Slippage cost"] == f"{result.costs['slippage']:,.2f}"
    assert "Borrow cost" not in told
    counts = {name: (count, meaning) for name, count, meaning in signals(sheet)}
    assert counts["Orders cut by cash"] == (f"{result.refusals['cut_by_cash']:,}", REFUSALS["cut_by_cash"])
    assert "Orders that grew too old" not in counts


def test_every_count_has_words(result: bs.Result) -> None:
    """Each reason that a signal or an order can be refused for has a name and a meaning of its own."""
    document = sheet_of(result).document
    names = [*document["signals"], "accepted", *DECISION_TEXTS]
    counted = {**document, "signals": dict.fromkeys(names, 7)}
    told = signals(replace(sheet_of(result), document=counted))
    assert len({name for name, _, _ in told}) == len(told) == len(names)
    assert all("_" not in name and count == "7" and meaning for name, count, meaning in told)


@pytest.mark.parametrize(("taken", "word"), [("pessimistic", "worse"), ("optimistic", "better")])
def test_the_band_in_words(taken: str, word: str) -> None:
    """Bars, their share, both final equities and which order was taken are told where bars were ambiguous."""
    bars = bs.load(EMBEDDED_FOLDER / "binance_BTCUSDT_1m.parquet")
    result = bs.backtest(bars, "mean_reversion", trailing_stop_pct=0.1, ambiguous_fills=taken)
    found, words = result.fill_ambiguity, band_words(sheet_of(result))
    assert words.startswith(f"In {found.bars:,} bars ({found.share_pct:.2g} %)")
    assert f"worse order in each of them final equity is {found.pessimistic_equity:,.2f}" in words
    assert f"better one {found.optimistic_equity:,.2f}; the {word} one was taken." in words


def test_no_band_no_words(hours: bs.Result) -> None:
    """Where no bar was ambiguous there is nothing to tell."""
    assert band_words(sheet_of(hours)) == ""


def test_options_that_were_chosen_are_told(result: bs.Result) -> None:
    """Of the execution's options those that differ from their defaults are shown, with the usual ones."""
    names = {name for name, _ in heading(sheet_of(result))["execution"]}
    assert names == {"capital", "fee_bps", "slippage_bps", "year_days", "impact_bps", "trailing_stop_pct"}
