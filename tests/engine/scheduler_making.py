"""Small schedulers for the tests: configurations from mappings, and bars that say what is wished at each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from barstep.config.core import CoreConfig
from barstep.engine.bars import Bars
from making import HOUR_US, START_US, bars_of
from told_engine import volume_of

TOLD = str(Path(__file__).with_name("told_engine.py"))
CAPITAL = 1000.0


def config_of(
    schedules: Mapping[str, Mapping[str, Any]],
    instruments: Sequence[str] = ("X",),
    profiles: Mapping[str, Mapping[str, Any]] | None = None,
    strategies: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    capital: float = CAPITAL,
    engine_files: Sequence[str] = (TOLD,),
    **scheduler: Any,
) -> CoreConfig:
    """One scheduler `s` in one environment `e`; schedules run `told` every hour unless they say otherwise.

    The profile is `p`, which has no limits where none are given.
    """
    usual = {"strategy": "told", "cadence_seconds": 3600.0}
    written = {"capital_policy": "equal_weight", **scheduler}
    written["schedules"] = {name: {**usual, **schedule} for name, schedule in schedules.items()}
    document = {
        "runtime": {"multi_strategy_schedulers": {"s": written}},
        "risk_profiles": {"p": {}} if profiles is None else profiles,
        "strategies": strategies or {},
        "environments": {
            "e": {
                "type": "demo", "offline": True, "feed": "embedded", "venue": "v", "risk_profile": "p",
                "instrument_universe": "u", "scheduler": "s", "capital": capital,
            }
        },
        "instrument_universes": {
            "u": {"instruments": {name: {"primary": "v", "secondary": "w"} for name in instruments}}
        },
        "engine_files": list(engine_files),
    }  # fmt: skip
    return msgspec.convert(document, CoreConfig)


def told_bars(
    closes: Sequence[float],
    wishes: Sequence[float],
    confidence: Sequence[float] | float = 0.5,
    **given: Any,
) -> Bars:
    """Bars of an hour that open at the close before and tell `wishes`."""
    surest = [confidence] * len(wishes) if isinstance(confidence, float) else confidence
    volume = [volume_of(wish, sure) for wish, sure in zip(wishes, surest, strict=True)]
    return bars_of(closes, volume=volume, **given)


def hour(number: float) -> int:
    """Microseconds of an hour after the first bar's open."""
    return START_US + round(number * HOUR_US)


def at(number: float) -> datetime:
    """The same as a datetime."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=hour(number))
