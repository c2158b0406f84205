"""Which schedule's signals were refused, and why."""

from __future__ import annotations

from barstep.engine.scheduler.result import SchedulerResult
from barstep.report.refusals import by_schedule, refusals
from barstep.report.sheet import sheet_of


def test_rows_are_the_decisions(core: SchedulerResult) -> None:
    """Each count of the table is that of the decisions themselves; reasons that never came about have no column."""
    table = by_schedule(sheet_of(core))
    assert {"suspended", "disabled", "limit"} <= set(table.headings)
    assert "capability" not in table.headings
    assert [row[0] for row in table.rows] == list(core.setup.schedules)
    for row in table.rows:
        own = core.decisions.filter(schedule=row[0])
        told = dict(zip(table.headings[1:], (int(text.replace(",", "")) for text in row[1:]), strict=True))
        assert told.pop("signals") == own.height
        assert told.pop("accepted") == own.filter(status="accepted").height
        assert told == {reason: own.filter(reason=reason).height for reason in told}


def test_a_sentence_for_the_print(core: SchedulerResult) -> None:
    """How many signals were accepted, and how many each reason met."""
    words = refusals(sheet_of(core))
    assert words.startswith(f"{core.signals['accepted']:,} of {core.signals['seen']:,} signals accepted; ")
    assert f"suspended {core.signals['suspended']:,}" in words
    assert "capability" not in words
