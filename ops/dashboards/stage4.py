"""Five metrics of every schedule, against what its risk profile allows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...config.core import CoreConfig
from ...config.risk import Bounds
from ...replay.bounds import OF_ACCOUNT
from .panels import OF_PROFILE, OF_SCHEDULE, Json, dashboard, named, panel, query, steps

UNITS: Mapping[str, str] = {
    "avg_abs_zscore": "short",
    "allocation_error_pct": "percent",
    "spread_capture_bps": "suffix: bps",
    "secondary_delay_ms": "ms",
    OF_ACCOUNT: "percent",
}
"""The metrics, each with Grafana's word for its unit."""

_TEXTS: Mapping[str, str] = {
    "avg_abs_zscore": "Mean absolute z-score over the schedule's instruments.",
    "allocation_error_pct": "How far positions are from what the engine wants, of what it wants.",
    "spread_capture_bps": "What the open spread has come together by since it was entered.",
    "secondary_delay_ms": "How much older the second venue's bar is than the first's.",
    OF_ACCOUNT: "Fall of the account from its highest.",
}
_HEIGHT = 10


def stage4(config: CoreConfig) -> Json:
    """The dashboard; what each profile warns of and what it fails at are colours, and dashed lines of the scrape."""
    return dashboard(
        "barstep-stage4",
        "Stage4 – Multi-Strategy Operations",
        "A line is green within its risk profile's bounds, yellow from `warn` on, red from `fail` on.",
        (_panel(config, metric) for metric in UNITS),
    )


def _panel(config: CoreConfig, metric: str) -> Json:
    bounds = {
        name: profile.telemetry_bounds[metric]
        for name, profile in config.risk_profiles.items()
        if metric in profile.telemetry_bounds
    }
    return panel(
        "timeseries",
        metric,
        [
            _values(metric),
            query(f'barstep_telemetry_bound{{{OF_PROFILE}, metric="{metric}"}}', "{{risk_profile}} {{level}}"),
        ],
        unit=UNITS[metric],
        height=_HEIGHT,
        text=" ".join([_TEXTS[metric], *_told(bounds)]),
        overrides=[*_coloured(bounds), *_bound_lines()],
        color={"mode": "thresholds"},
        custom={"gradientMode": "scheme", "lineWidth": 2, "showPoints": "auto", "spanNulls": True},
    )


def _values(metric: str) -> Json:
    """What is held against the bounds: of each schedule, but for the account's fall, which each profile bounds."""
    if metric != OF_ACCOUNT:
        return query(f"barstep_{metric}{{{OF_SCHEDULE}}}", "{{risk_profile}}: {{schedule}}")
    return query(f'barstep:telemetry{{{OF_PROFILE}, metric="{metric}"}}', "{{risk_profile}}: account")


def _told(bounds: Mapping[str, Bounds]) -> Iterator[str]:
    for profile, bound in bounds.items():
        way = "down" if bound.fail < bound.warn else "up"
        yield f"{profile}: yellow from {bound.warn:g} {way}, red from {bound.fail:g} {way}."


def _coloured(bounds: Mapping[str, Bounds]) -> Iterator[Json]:
    for profile, bound in bounds.items():
        if bound.fail < bound.warn:
            colours = steps((None, "red"), (bound.fail, "yellow"), (bound.warn, "green"))
        else:
            colours = steps((None, "green"), (bound.warn, "yellow"), (bound.fail, "red"))
        yield named(f"^{profile}: ", thresholds=colours)


def _bound_lines() -> Iterator[Json]:
    for level, colour in (("warn", "yellow"), ("fail", "red")):
        yield named(
            f" {level}$",
            color={"mode": "fixed", "fixedColor": colour},
            custom__lineStyle={"fill": "dash", "dash": [8, 8]},
            custom__lineWidth=1,
        )
