"""The report of `barstep metrics watch`: each schedule's telemetry against the bounds of its risk profile."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from ..config.risk import Bounds
from ..data.whole_file import write_json
from ..errors import DataError
from ..replay.bounds import ACCOUNT, BOUND_STATUSES, OF_ACCOUNT, BoundStatus, bound_status
from ..replay.metrics.catalog import PREFIX

ALWAYS = ("avg_abs_zscore", "allocation_error_pct", "spread_capture_bps")
"""Metrics that a report says something of in any case."""


class Bounded(NamedTuple):
    """One metric of one schedule, or of the account (`ACCOUNT`) under a profile, and its bounds."""

    schedule: str
    risk_profile: str
    metric: str
    value: float
    bounds: Bounds

    @property
    def status(self) -> BoundStatus:
        """How it stands."""
        return bound_status(self.value, self.bounds)


def headers_report(bounded: Iterable[Bounded], source: Mapping[str, Any]) -> dict[str, Any]:
    """The report: `status`, `source`, and by schedule, profile and metric what was measured.

    Args:
        bounded: What was measured and is bounded.
        source: Where it comes from.
    """
    found = list(bounded)
    schedules: dict[str, dict[str, Any]] = {}
    profiles: dict[str, dict[str, Any]] = {}
    for one in found:
        entry = {"value": one.value, "warn": one.bounds.warn, "fail": one.bounds.fail, "status": one.status}
        if one.schedule != ACCOUNT:
            own = schedules.setdefault(one.schedule, {"risk_profile": one.risk_profile, "status": "ok", "metrics": {}})
            own["metrics"][one.metric] = entry
            own["status"] = _worse(own["status"], one.status)
        profile = profiles.setdefault(one.risk_profile, {"status": "ok", "metrics": {}})
        profile["status"] = _worse(profile["status"], one.status)
        before = profile["metrics"].get(one.metric)
        if before is None or _is_worse(one, before):
            profile["metrics"][one.metric] = {**entry, "schedule": one.schedule or None}
    measured = {one.metric for one in found}
    return {
        "status": max((one.status for one in found), key=BOUND_STATUSES.index, default="ok"),
        "source": dict(source),
        "schedules": schedules,
        "risk_profiles": profiles,
        "not_measured": [name for name in ALWAYS if name not in measured],
    }


def write_report(report: Mapping[str, Any], path: Path) -> None:
    """Write a report as a whole."""
    write_json(path, report, sort_keys=True)


def _worse(one: BoundStatus, other: BoundStatus) -> BoundStatus:
    return max(one, other, key=BOUND_STATUSES.index)


def _is_worse(one: Bounded, before: Mapping[str, Any]) -> bool:
    """Whether a schedule's value is nearer to its `fail`, or further beyond it, than another's of the same profile."""
    return bool((one.value < before["value"]) == (one.bounds.fail < one.bounds.warn))


def bounded_of_scrape(text: str) -> Iterator[Bounded]:
    """What a scrape has of metrics that are bounded.

    Raises:
        DataError: It is no exposition of metrics, or not barstep's.
    """
    try:
        families = list(text_string_to_metric_families(text))
    except ValueError as error:
        raise DataError(f"what the endpoint answers is no exposition of metrics: {error}") from None
    samples = [sample for family in families for sample in family.samples if sample.name.startswith(PREFIX)]
    if not samples:
        raise DataError(f"the endpoint shows no metric whose name begins with {PREFIX}; is it a barstep loop's?")
    levels: dict[tuple[str, str], dict[str, float]] = {}
    for labels, value in _of(samples, "telemetry_bound"):
        levels.setdefault((labels["risk_profile"], labels["metric"]), {})[labels["level"]] = value
    for (profile, metric), level in levels.items():
        bounds = Bounds(warn=level["warn"], fail=level["fail"])
        if metric == OF_ACCOUNT:
            found = [(ACCOUNT, value) for _, value in _of(samples, "drawdown_pct")]
        else:
            found = [(own["schedule"], value) for own, value in _of(samples, metric) if own["risk_profile"] == profile]
        for schedule, value in found:
            yield Bounded(schedule, profile, metric, value, bounds)


def _of(samples: Iterable[Sample], name: str) -> Iterator[tuple[Mapping[str, str], float]]:
    """Labels and value of each sample of a metric."""
    return ((sample.labels, sample.value) for sample in samples if sample.name == PREFIX + name)
