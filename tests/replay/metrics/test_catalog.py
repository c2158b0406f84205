"""That the page of metrics says what the catalog says."""

from __future__ import annotations

import re
from pathlib import Path

from barstep.replay.metrics.catalog import METRICS, RUN, SCHEDULE, Metric

PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"
ROW = re.compile(r"^\| `(barstep_\w+)` \| (.+) \| (.+) \| (.+) \| (.+) \|$", re.MULTILINE)


def told_labels(metric: Metric) -> str:
    """Labels as the page writes them: E and S stand for those of a run and of a schedule."""
    for short, labels in (("S", SCHEDULE), ("E", RUN)):
        if metric.labels[: len(labels)] == labels:
            return " ".join([short, *(f"`{name}`" for name in metric.labels[len(labels) :])])
    return " ".join(f"`{name}`" for name in metric.labels)


def test_the_page_lists_every_metric_with_unit_and_labels() -> None:
    """A row each, in the catalog's order, word for word."""
    rows = ROW.findall(PAGE.read_text())
    assert rows == [(one.shown, one.kind, one.unit, told_labels(one), one.help) for one in METRICS.values()]


def test_names_say_what_they_count() -> None:
    """Counters end in _total and nothing else does; every metric has a unit and a text of one line."""
    for one in METRICS.values():
        assert one.name.endswith("_total") == (one.kind == "counter"), one.name
        assert one.unit and one.labels and one.help.endswith(".") and "\n" not in one.help
