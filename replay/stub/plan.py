"""What a stub server would serve, before it does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from math import inf
from typing import Any

from ...data.durations import format_interval
from ..journal.record import at_text
from .manner import Manner
from .market import Market, Recording


def runtime_plan(
    market: Market, manner: Manner, faults: Sequence[str], *, address: str, tls: str | None
) -> dict[str, Any]:
    """The plan as JSON says it.

    Args:
        market: What is recorded.
        manner: How the venue behaves.
        faults: What goes wrong, as it is written.
        address: Where it listens.
        tls: The bundle of certificates; None: there is none.
    """
    told = asdict(manner)
    times = {name: told.pop(f"{name}_us") for name in ("start", "end")}
    return {
        "address": address,
        "mtls_bundle": tls,
        "mode": "exact" if told.pop("exact") else "paced",
        **told,
        "speed": None if manner.speed == inf else manner.speed,
        **{name: None if us is None else at_text(us) for name, us in times.items()},
        "faults": list(faults),
        "legs": [_leg(recording) for recording in market.recordings],
    }


def _leg(recording: Recording) -> dict[str, Any]:
    bars = recording.bars()
    span = {} if not len(bars) else {"first": at_text(int(bars.ts_us[0])), "last": at_text(int(bars.closes_us[-1]))}
    return {
        "venue": bars.venue,
        "symbol": bars.symbol,
        "interval": format_interval(bars.interval_seconds),
        "bars": len(bars),
        **span,
        "path": None if recording.path is None else str(recording.path),
    }
