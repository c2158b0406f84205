"""The table of a scheduler's schedules."""

from __future__ import annotations

from dataclasses import replace

import pytest
from barstep.engine.scheduler.result import SchedulerResult
from barstep.report.schedules import refreshed, schedules
from barstep.report.sheet import sheet_of


def test_what_each_runs_and_its_share(core: SchedulerResult) -> None:
    """Strategy, engine, parameters, cadence, and both weights of the last refresh."""
    table = schedules(sheet_of(core))
    rows = {row[0]: dict(zip(table.headings, row, strict=True)) for row in table.rows}
    assert list(rows) == list(core.setup.schedules)
    told = rows["trend_schedule"]
    assert (told["strategy"], told["engine"], told["every"]) == ("trend_engine", "daily_trend_momentum", "1h")
    assert "slow_ma 72" in told["parameters"]
    assert told["tags"] == "trend, core"
    for name, row in rows.items():
        assert float(row["weight, %"]) == pytest.approx(core.capital_weights[name][-1] * 100.0, abs=0.006)
        assert float(row["raw weight, %"]) == pytest.approx(core.raw_capital_weights[name][-1] * 100.0, abs=0.006)


def test_when_weights_were_computed(core: SchedulerResult) -> None:
    """The last refresh and how many there were, or that there was none."""
    governed = sheet_of(core).governed
    assert governed is not None
    assert f"{core.capital_weights.height:,} refreshes, 2023-10-01 00:00 UTC" in refreshed(governed)
    assert refreshed(replace(governed, capital_weights=governed.capital_weights.clear())) == "No weights were computed."
