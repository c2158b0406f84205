"""What risk profiles and the governor did by themselves, as stretches of time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import polars as pl

from .stretches import Stretch
from .texts import short


def governance(table: pl.DataFrame, on_breach: str | None) -> Iterator[Stretch]:
    """One for each time that a profile reduced, or the governor scaled or limited.

    Args:
        table: `SchedulerResult.governance`.
        on_breach: What the governor does. Where it halts, each halt is an intervention, and no stretch here.
    """
    held: dict[str, tuple[Stretch, Mapping[str, Any]]] = {}
    for row, now_us in zip(table.iter_rows(named=True), table["time"].to_physical().to_list(), strict=True):
        kind, what = _named(row)
        if row["kind"] == "governor_limits" and on_breach != "limit":
            continue
        if not _holds(row):
            if what in held:
                yield replace(held.pop(what)[0], end_us=now_us)
            continue
        first, before = held.get(what, (None, row))
        strongest = row if row["value"] < before["value"] else before
        began_us = first.begin_us if first is not None else now_us
        held[what] = (_stretch(kind, what, strongest, began_us), strongest)
    yield from (each for each, _ in held.values())


def _named(row: Mapping[str, Any]) -> tuple[str, str]:
    """Kind and words of what an event begins or ends."""
    if row["kind"].startswith("profile"):
        return "profile", f"profile {row['name']} reducing"
    return "governor", "governor scales targets" if row["kind"] == "governor_scales" else "governor limits signals"


def _holds(row: Mapping[str, Any]) -> bool:
    """Whether something holds after an event: it began, or is another scale."""
    if row["kind"] == "governor_scales":
        return bool(row["value"] < 1.0)
    return row["kind"] in ("profile_reduces", "governor_limits")


def _stretch(kind: str, what: str, row: Mapping[str, Any], begin_us: int) -> Stretch:
    value, limit = row["value"], row["limit"]
    match row["kind"]:
        case "governor_scales":
            told, reason = f"× {value:.3g} at the lowest", row["name"]
        case "profile_reduces":  # its limits are a day's loss and a fall from the peak, shares of equity both
            told, reason = f"{value * 100.0:.3g} %, limit {limit * 100.0:.3g} %", "loss"
        case _:
            told, reason = f"{short(round(value, 4))}, limit {short(limit)}", row["name"]
    source = "risk profile" if kind == "profile" else "governor"
    return Stretch(kind=kind, what=what, told=told, reason=reason, source=source, begin_us=begin_us, end_us=None)
