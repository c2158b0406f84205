"""What held a scheduler back, listed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from barstep.config.commands import Halt, Resume, SetSignalLimit, SuspendTag
from barstep.engine.scheduler.result import SchedulerResult
from barstep.report import interventions
from barstep.report.series import SPANS
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


def test_a_halt_of_the_governor_is_not_left_out_with_suspensions() -> None:
    """It is the governor's: a run without suspensions is halted by it all the same."""
    halted = Stretch(
        kind="halted", what="loop halted", told="", reason="drawdown", source="governor", begin_us=0, end_us=None
    )
    assert not interventions._is_left_out(halted, ["suspensions"])
    assert interventions._is_left_out(replace(halted, source="operator"), ["suspensions"])


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


def stretch(sheet: Sheet, bar: int, *, bars: int | None = 1, **more: Any) -> Stretch:
    """From the open of a bar on, for so many bars."""
    held = {"kind": "limit", "what": "w", "told": "", "reason": "r", "source": "override", **more}
    begin_us, step_us = int(sheet.ts_us[bar]), sheet.interval_seconds * 1_000_000
    return Stretch(begin_us=begin_us, end_us=None if bars is None else begin_us + bars * step_us, **held)


def test_one_lane_for_one_thing(core: SchedulerResult) -> None:
    """Stretches of the same words share a lane; what is not drawn has none."""
    sheet = sheet_of(core)
    told = interventions.lanes(
        sheet,
        [
            stretch(sheet, 3, kind="suspended", what="b"),
            stretch(sheet, 1),
            stretch(sheet, 9, bars=None),
            stretch(sheet, 0, what="c", is_left_out=True),
        ],
    )
    assert [[each.what for each in lane] for lane in told] == [["b"], ["w", "w"]]


def test_sixty_lanes_and_thousands_of_stretches(core: SchedulerResult) -> None:
    """A lane has no more bars than can be told apart; others stay as they are."""
    sheet = sheet_of(core)
    busy = [stretch(sheet, bar % 1_000, what="busy") for bar in range(0, 1_000, 2)]
    others = [stretch(sheet, 5, what=f"lane {k}") for k in range(59)]
    told = interventions.lanes(sheet, [*busy, *others])
    assert len(told) == 60
    assert len(told[0]) == len(busy)
    span_us = int(sheet.ts_us[-1] - sheet.ts_us[0])
    instants = [sheet.ts_us[0] + k * span_us // 20_000 for k in range(20_000)]
    dense = [
        Stretch(kind="governor", what="g", told="", reason="", source="governor", begin_us=each, end_us=each + 1)
        for each in map(int, instants)
    ]
    assert len(interventions.lanes(sheet, dense)[0]) <= SPANS
