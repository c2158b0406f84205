"""A lane for each thing that held a scheduler back."""

from __future__ import annotations

from typing import Any

from barstep.engine.scheduler_result import SchedulerResult
from barstep.report.charts import Chart, time_charts
from barstep.report.lanes import AXIS, LANE, lanes
from barstep.report.series import SPANS, series_of
from barstep.report.sheet import Sheet, sheet_of
from barstep.report.stretches import Stretch


def stretch(sheet: Sheet, bar: int, *, bars: int | None = 1, **more: Any) -> Stretch:
    """From the open of a bar on, for so many bars."""
    held = {"kind": "limit", "what": "w", "told": "", "reason": "r", "source": "override", **more}
    begin_us, step_us = int(sheet.ts_us[bar]), sheet.interval_seconds * 1_000_000
    return Stretch(begin_us=begin_us, end_us=None if bars is None else begin_us + bars * step_us, **held)


def chart_of(sheet: Sheet) -> Chart:
    return next(chart for chart in time_charts(sheet, series_of(sheet)) if "interventions" in chart.figures)


def test_one_lane_for_one_thing(core: SchedulerResult) -> None:
    """Stretches of the same words share a lane; what is not drawn has none."""
    sheet = sheet_of(core)
    found = lanes(
        sheet,
        [
            stretch(sheet, 3, kind="suspended", what="b"),
            stretch(sheet, 1),
            stretch(sheet, 9, bars=None),
            stretch(sheet, 0, what="c", is_left_out=True),
        ],
    )
    assert [[each.what for each in lane] for lane in found] == [["b"], ["w", "w"]]


def test_sixty_lanes_and_thousands_of_stretches(core: SchedulerResult) -> None:
    """A lane has no more bars than can be told apart; others stay as they are."""
    sheet = sheet_of(core)
    busy = [stretch(sheet, bar % 1_000, what="busy") for bar in range(0, 1_000, 2)]
    others = [stretch(sheet, 5, what=f"lane {k}") for k in range(59)]
    found = lanes(sheet, [*busy, *others])
    assert len(found) == 60
    assert len(found[0]) == len(busy)
    span_us = int(sheet.ts_us[-1] - sheet.ts_us[0])
    instants = [sheet.ts_us[0] + k * span_us // 20_000 for k in range(20_000)]
    dense = [
        Stretch(kind="governor", what="g", told="", reason="", source="governor", begin_us=each, end_us=each + 1)
        for each in map(int, instants)
    ]
    assert len(lanes(sheet, dense)[0]) <= SPANS


def test_what_the_chart_says(core: SchedulerResult) -> None:
    """A name for each lane, a bar for each stretch with its reason, and room for all."""
    figure = chart_of(sheet_of(core)).figures["interventions"]
    names = [each.text for each in figure.center if hasattr(each, "text")]
    assert "tag trend suspended" in names
    assert figure.height == LANE * len(names) + AXIS
    columns = [bars.data_source.data for bars in figure.renderers]
    told = [row for each in columns for row in zip(each["what"], each["reason"], strict=True)]
    assert {what for what, _ in told} == set(names)
    assert ("tag trend suspended", "liquidations") in told
    for each in columns:
        assert all(left <= right for left, right in zip(each["left"], each["right"], strict=True))
