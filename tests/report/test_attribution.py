"""Tables of who had which part in a portfolio's result."""

from __future__ import annotations

import barstep as bs
import numpy as np
from barstep.report.attribution import attribution
from barstep.report.sheet import sheet_of


def test_each_table_adds_up(three: bs.PortfolioResult) -> None:
    """By schedule, instrument and tag: profits add up to the portfolio's, trades to all of them."""
    tables = attribution(sheet_of(three))
    assert [table.title for table in tables] == ["By schedule", "By instrument", "By tag"]
    assert [row[0] for row in tables[1].rows] == ["BTCUSDT", "ETHUSDT", "SOLUSDT"]
    for table in tables:
        column = {name: [row[place] for row in table.rows] for place, name in enumerate(table.headings)}
        numbers = [float(text.replace(",", "").replace("−", "-")) for text in column["profit"]]
        assert abs(sum(numbers) - (three.final_equity - 100_000.0)) < 0.05
        assert sum(int(text.replace(",", "")) for text in column["trades"]) == three.trades.height
        assert {"fees, borrow", "slippage", "traded value"} <= column.keys()


def test_no_tags_no_table(three: bs.PortfolioResult) -> None:
    """Where nothing is tagged, nothing is told by tag; where one is not, it has a dash."""
    bars = list(three.panel.instruments)
    plain = bs.portfolio(bars, np.full((len(three.panel), 3), 0.1), every=500)
    assert [table.title for table in attribution(sheet_of(plain))] == ["By schedule", "By instrument"]
    plan = [
        bs.Allocation(strategy="mean_reversion", weight=0.2, tag="a"),
        bs.Allocation(strategy="sma_crossover", weight=0.2),
    ]
    assert {row[0] for row in attribution(sheet_of(bs.portfolio(bars, plan)))[2].rows} == {"a", "–"}
