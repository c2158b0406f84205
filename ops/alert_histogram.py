"""How often the bounds of telemetry would have fired, by risk profile: what thresholds are tuned by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..config.risk import RiskProfile
from ..engine.configured import ResolvedSchedule
from ..replay.bounds import BOUND_STATUSES, BoundsWatch
from ..replay.journal.files import JournalFiles
from ..replay.journal.reading import read_payloads
from ..replay.journal.record import at_us, fields_of

QUANTILES = (0.5, 0.95, 0.99)
"""Of the values, so that a bound can be put where it seldom fires."""


def watch_journal(files: JournalFiles, watch: BoundsWatch) -> None:
    """Hold the runs and marks that a journal tells of against bounds. Of runs it has what engines measured.

    Raises:
        JournalError: There is no such journal, or a line is no record.
    """
    peak = 0.0
    for place, payload in read_payloads(files):
        if place.kind == "genesis":
            peak = float(fields_of(payload)["execution"].get("capital", 0.0))
        elif place.kind == "run":
            record = fields_of(payload)
            if record["schedule"] in watch.runs:
                watch.take(record["schedule"], at_us(record["at"]), _named(record))
        elif place.kind == "bars":
            record = fields_of(payload)
            peak = max(peak, record["equity"])
            watch.take_account(at_us(record["at"]), 100.0 * (1.0 - record["equity"] / peak))


def _named(record: Mapping[str, Any]) -> dict[str, float]:
    """What a record of a run measured, by the names of telemetry."""
    told = record["telemetry"]
    bare = {name.removeprefix("avg_"): value for name, value in told.items() if not name.startswith("avg_abs_")}
    return {**bare, **told, "signals": float(record["signals"]), "drift_seconds": record["drift_seconds"]}


def alert_histogram(
    watch: BoundsWatch,
    profiles: Mapping[str, RiskProfile],
    resolved: Iterable[ResolvedSchedule],
    source: Mapping[str, Any],
) -> dict[str, Any]:
    """By profile and metric: runs that measured it, by status, how often it began to be beyond a bound, and quantiles.

    Args:
        watch: What has seen every run.
        profiles: Risk profiles by name.
        resolved: The schedules.
        source: Where the runs come from.
    """
    schedules, found = list(resolved), {}
    for name in sorted({one.risk_profile for one in schedules}):
        own = [one.name for one in schedules if one.risk_profile == name]
        metrics = {
            metric: {**_of_metric(watch, name, metric), "warn_at": bounds.warn, "fail_at": bounds.fail}
            for metric, bounds in profiles[name].telemetry_bounds.items()
        }
        found[name] = {"runs": sum(watch.runs[one] for one in own), "metrics": metrics}
    return {"source": dict(source), "risk_profiles": found}


def _of_metric(watch: BoundsWatch, profile: str, metric: str) -> dict[str, Any]:
    seen = {one: each for (one, under, name), each in watch.seen.items() if (under, name) == (profile, metric)}
    values = np.array([value for one in seen.values() for value in one.values])
    quantiles = np.quantile(values, QUANTILES).tolist() if values.size else [None] * len(QUANTILES)
    return {
        "measured": int(values.size),
        "counts": {status: sum(one.counts[status] for one in seen.values()) for status in BOUND_STATUSES},
        "episodes": {level: sum(one.episodes[level] for one in seen.values()) for level in ("warn", "fail")},
        "by_schedule": {name or "account": dict(one.counts) for name, one in seen.items()},
        "least": float(values.min()) if values.size else None,
        "greatest": float(values.max()) if values.size else None,
        "quantiles": {f"p{round(100 * share)}": value for share, value in zip(QUANTILES, quantiles, strict=True)},
    }
