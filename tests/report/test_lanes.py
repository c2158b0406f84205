"""A lane for each thing that held a scheduler back."""

from __future__ import annotations

from barstep.engine.scheduler.result import SchedulerResult
from barstep.report.charts import Chart, time_charts
from barstep.report.lanes import AXIS, LANE
from barstep.report.series import series_of
from barstep.report.sheet import Sheet, sheet_of


def chart_of(sheet: Sheet) -> Chart:
    return next(chart for chart in time_charts(sheet, series_of(sheet)) if "interventions" in chart.figures)


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
