"""What held a scheduler back, listed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from barstep.config.commands import Halt, Resume, SetSignalLimit, SuspendTag
from barstep.engine.scheduler_result import SchedulerResult
from barstep.report import interventions
from barstep.report.sheet import Sheet, sheet_of
from barstep.report.stretches import KINDS, Stretch
from schedulers import governed, walks


def found(sheet: Sheet) -> list[Stretch]:
    assert sheet.governed is not None
    return interventions.stretches(sheet, sheet.governed)


def at(hour: int) -> datetime:
    return datetime(2024, 1, 2, hour, tzinfo=UTC)


def test_every_kind_of_the_configured_run(core: SchedulerResult) -> None:
    """Each intervention is a stretch with its words, reason, source and ends, by kind."""
    told = found(sheet_of(core))
    assert len(told) >= core.interventions.height
    assert [KINDS.index(each.kind) for each in told] == sorted(KINDS.index(each.kind) for each in told)
    by_what = {each.what: each for each in told}
    suspended = by_what["tag trend suspended"]
    assert (suspended.reason, suspended.source, suspended.until) == ("liquidations", "tag", "2023-08-19 21:40")
    assert by_what["limit of mean_reversion:balanced"].told == "1 signal a run"
    assert by_what["loop halted"].kind == "halted"
    assert by_what["strategy volatility_target disabled"].until == "still held"
    configured = by_what["limit of grid_engine:aggressive, configured"]
    assert (configured.told, configured.reason, configured.is_drawn) == ("2 signals a run", "inventory_cap", False)


def test_the_table_has_a_row_each(core: SchedulerResult) -> None:
    """In the order of the stretches, with a dash where nothing was said."""
    told = found(sheet_of(core))
    table = interventions.interventions(told)
    assert [row[0] for row in table.rows] == [each.what for each in told]
    assert all(text for row in table.rows for text in row)
    assert interventions.left_out(told) == ""


def test_a_long_table_is_cut_and_says_so(core: SchedulerResult) -> None:
    """It holds the first 500, and tells how many there are more and where."""
    many = found(sheet_of(core))[:1] * 501
    assert len(interventions.interventions(many).rows) == 500
    assert interventions.left_out(many).startswith("1 more")


@pytest.mark.parametrize(("without", "left_out"), [("suspensions", ["halted", "suspended"]), ("limits", ["limit"])])
def test_what_was_left_out_of_the_run(without: str, left_out: list[str]) -> None:
    """It is listed as such and not drawn."""
    commands = [
        SuspendTag(at=at(1), tag="t"),
        SetSignalLimit(at=at(2), strategy="fast_averages", profile="all", limit=1),
        Halt(at=at(3)),
        Resume(at=at(4)),
    ]
    told = found(sheet_of(governed(walks(["A"], 60), commands=commands, without=[without])))
    assert {each.kind for each in told if each.is_left_out} == set(left_out)
    assert not any(each.is_drawn for each in told if each.kind in left_out)
    rows = {row[0]: row for row in interventions.interventions(told).rows}
    assert ("left out of this run" in rows["tag t suspended"]) == (without == "suspensions")


def test_none(core: SchedulerResult) -> None:
    """Without interventions there are no rows."""
    sheet = sheet_of(core)
    assert sheet.governed is not None
    empty = replace(
        sheet.governed,
        interventions=sheet.governed.interventions.clear(),
        governance=sheet.governed.governance.clear(),
    )
    assert interventions.stretches(sheet, empty) == []
    assert interventions.interventions([]).rows == []
