"""The schedules of a scheduler: what each runs, how often, and its share of capital."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..data.durations import format_interval
from .sheet import Governed, Sheet
from .tables import Table
from .texts import NOTHING, decimals, moment, setting

_MINUTE = 60


def schedules(sheet: Sheet) -> Table:
    """A row each, with the shares of capital at the last refresh."""
    headings = (
        "schedule", "strategy", "risk profile", "every", "raw weight, %", "weight, %", "instruments", "tags", "engine",
        "parameters",
    )  # fmt: skip
    rows = [_row(one) for one in sheet.document["schedules"]]
    words = ("schedule", "strategy", "risk profile", "instruments", "tags", "engine", "parameters")
    return Table("Schedules", headings, rows, texts=words)


def refreshed(governed: Governed) -> str:
    """When the weights were last computed, and how often."""
    times = governed.capital_weights["time"]
    if not len(times):
        return "No weights were computed."
    return (
        f"Weights of the last of {len(times):,} refreshes, {moment(times[-1], _MINUTE)} UTC; raw ones are the policy's "
        "before smoothing and before the ceilings of the risk profiles."
    )


def _row(one: Mapping[str, Any]) -> list[str]:
    return [
        one["schedule"],
        one["strategy"],
        one["risk_profile"],
        format_interval(round(one["cadence_seconds"])),
        *(NOTHING if one[name] is None else decimals(one[name] * 100.0, 2) for name in ("raw_weight", "weight")),
        ", ".join(one["instruments"]) or NOTHING,
        ", ".join(one["tags"]) or NOTHING,
        one["engine"],
        ", ".join(f"{name} {setting(name, value)}" for name, value in one["parameters"].items()) or NOTHING,
    ]
