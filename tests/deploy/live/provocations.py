"""What goes wrong, and which alerts that must set off."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitors import CLOCK
from stage import Stage, hours_with_a_silent_feed, scheduler_of

ENGINES = Path(__file__).resolve().parent / "engines"

Core = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Provocation:
    """One loop at one venue.

    Attributes:
        name: What is wrong.
        alerts: Those that must fire, each with how it is provoked.
        change: Of the shipped configuration.
        venue: Options of the stub venue; a name in braces is a folder of its own.
        act: What is done while it runs; it waits for the alerts.
    """

    name: str
    alerts: Mapping[str, str]
    change: Callable[[Core], object]
    venue: Sequence[str]
    act: Callable[[Stage], object]


def _limits(core: Core) -> None:
    core["runtime"]["resource_limits"] = {"cpu_pct": 0.1, "memory_mb": 1, "warning_share": 0.8}
    core["strategies"]["cross_exchange"]["parameters"] |= {"spread_entry": 0.000_2, "spread_exit": 0.000_1}
    for profile in core["risk_profiles"].values():
        profile["max_drawdown_pct"] = 0.01
        profile["telemetry_bounds"] = {
            "avg_abs_zscore": {"warn": 0.0, "fail": 0.0},
            "pnl_drawdown_pct": {"warn": 0.0, "fail": 50.0},
            "spread_capture_bps": {"warn": 1000.0, "fail": 900.0},
        }


LIMITS = Provocation(
    name="limits that every loop is over",
    alerts={
        "ResourceOverLimit": "memory_mb: 1",
        "ResourceOverLimitRollback": "memory_mb: 1",
        "CpuFarOverLimit": "cpu_pct: 0.1",
        "DrawdownNearLimit": "max_drawdown_pct: 0.01",
        "DrawdownOverLimit": "max_drawdown_pct: 0.01",
        "TelemetryWarn": "telemetry_bounds from 0 on",
        "TelemetryFail": "telemetry_bounds from 0 on",
        "NoSignals": "a profile that only reduces; three hours are 1.5 seconds at 7200x",
    },
    change=_limits,
    venue=["--dataset", "embedded", "--speed", "7200x", "--exact"],
    act=lambda stage: stage.wait_for(list(LIMITS.alerts), 90),
)


def _paced(core: Core) -> None:
    core["runtime"]["resource_limits"] = {"memory_mb": 100_000, "warning_share": 0.000_1}
    scheduler_of(core)["shadow_parity"] = {"every": "1h"}
    for profile in core["risk_profiles"].values():
        profile["daily_risk_budget_pct"] = 0.001


PACED = Provocation(
    name="a slow and dear venue",
    alerts={
        "OrdersNotFilled": "--latency 90m",
        "ShadowDivergence": "--slippage-bps 300, daily_risk_budget_pct: 0.001",
        "ResourceNearLimit": "warning_share: 0.0001",
    },
    change=_paced,
    venue=["--dataset", "embedded", "--speed", "3600x", "--latency", "90m", "--slippage-bps", "300"],
    act=lambda stage: stage.wait_for(list(PACED.alerts), 90),
)


def _with_engine(name: str) -> Callable[[Core], None]:
    """One engine of our own, which is all that the scheduler has, looked at by the shadow."""

    def change(core: Core) -> None:
        core["engine_files"] = [str(ENGINES / f"{name}.py")]
        core["strategies"][name] = {"engine": name, "risk_profile": "balanced"}
        own = scheduler_of(core)
        own["shadow_parity"] = {"every": "12h"}
        own["schedules"] = {name: {"strategy": name, "cadence_seconds": "1h", "interval": "1h", "warmup_bars": 2}}
        del own["signal_limits"]

    return change


RAISING = Provocation(
    name="an engine that raises",
    alerts={"ScheduleFailing": "an engine that raises at each live bar"},
    change=_with_engine("raising"),
    venue=["--dataset", "embedded", "--speed", "3600x", "--exact"],
    act=lambda stage: stage.wait_for(list(RAISING.alerts), 60),
)

UNLIKE = Provocation(
    name="an engine that is not the same in pieces",
    alerts={"ShadowDifference": "an engine that wishes otherwise where bars come many at once"},
    change=_with_engine("unlike"),
    venue=["--dataset", "embedded", "--speed", "3600x", "--exact"],
    act=lambda stage: stage.wait_for(list(UNLIKE.alerts), 60),
)


def _lose_one_after_the_other(stage: Stage) -> None:
    CLOCK.sleep_us(4_000_000)  # connected and warm
    stage.starve(12)
    stage.wait_for(["InstantSlow", "RunsLate"], 30)
    stage.wait_for(["FeedStalled"], 60)
    stage.typed("halt", "--reason", "proof")
    stage.wait_for(["LoopHalted"], 30)
    stage.venue.kill()
    stage.wait_for(["LoopNotConnected"], 30)
    stage.loop.stop()
    stage.seen.pop("TargetDown", None)  # a starved loop is one, too
    stage.wait_for(["TargetDown"], 30)


LOSSES = Provocation(
    name="one thing after the other is lost",
    alerts={
        "InstantSlow": "the loop is given no processor: SIGSTOP for 2.5 s, SIGCONT for 20 ms",
        "RunsLate": "the same, and the shipped max_drift_seconds",
        "FeedStalled": "ETHUSDT of binance ends a day after the start",
        "LoopHalted": "barstep halt --connect",
        "LoopNotConnected": "the venue is killed",
        "TargetDown": "the loop is stopped",
    },
    change=lambda core: None,  # noqa: ARG005 - the shipped configuration
    venue=["--dataset", "{silent}", "--speed", "3600x"],
    act=_lose_one_after_the_other,
)


PROVOCATIONS = (LIMITS, PACED, RAISING, UNLIKE, LOSSES)
"""In this order."""


def venue_words(provocation: Provocation, folder: Path) -> list[str]:
    """The venue's options, the folder of data made where one is named."""
    return [
        str(hours_with_a_silent_feed(folder, "2023-01-12")) if word == "{silent}" else word
        for word in provocation.venue
    ]
