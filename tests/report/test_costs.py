"""What orders, levels and ambiguous bars made of a result is told in its report."""

from __future__ import annotations

import barstep as bs
import pytest
from barstep.data.presets import EMBEDDED_FOLDER
from barstep.report import tables
from barstep.report.sheet import sheet_of


@pytest.fixture(scope="module")
def result() -> bs.Result:
    """A backtest with a tight trailing stop and slippage by volume."""
    bars = bs.load(EMBEDDED_FOLDER / "binance_BTCUSDT_1m.parquet")
    return bs.backtest(bars, "mean_reversion", trailing_stop_pct=0.1, impact_bps=5.0)


def test_costs_and_counts(result: bs.Result) -> None:
    """Costs that were paid and counts that are not 0 are told under words, the others are not."""
    told = dict(tables.costs(sheet_of(result)))
    assert told["Slippage cost"] == f"{result.costs['slippage']:,.2f}"
    assert told["Orders cut by cash"] == f"{result.refusals['cut_by_cash']:,}"
    assert "Borrow cost" not in told
    assert "Orders that grew too old" not in told


def test_ambiguity(result: bs.Result) -> None:
    """The interval of final equity is told where bars were ambiguous."""
    told = dict(tables.costs(sheet_of(result)))
    ambiguity = result.fill_ambiguity
    assert ambiguity.bars > 0
    assert told["Ambiguous bars"].startswith(f"{ambiguity.bars:,} (")
    assert told["Final equity, worse order"] == f"{ambiguity.pessimistic_equity:,.2f}"
    assert told["Final equity, better order"] == f"{ambiguity.optimistic_equity:,.2f}"


def test_options_that_were_chosen_are_told(result: bs.Result) -> None:
    """Of the execution's options those that differ from their defaults are shown, with the usual ones."""
    names = {name for name, _ in tables.heading(sheet_of(result))["execution"]}
    assert names == {"capital", "fee_bps", "slippage_bps", "year_days", "impact_bps", "trailing_stop_pct"}
