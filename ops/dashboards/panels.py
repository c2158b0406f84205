"""Panels as Grafana's schema has them (dashboard model 41, Grafana 11.6), and the queries that fill them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Json = dict[str, Any]

WIDTH = 24
"""Columns that Grafana divides a dashboard into."""

OF_RUN = 'environment=~"$environment", scheduler=~"$scheduler"'
"""What the variables choose of metrics that are said of a run."""
OF_PROFILE = f'{OF_RUN}, risk_profile=~"$risk_profile"'
"""Of metrics that are said of a risk profile."""
OF_SCHEDULE = f'{OF_PROFILE}, schedule=~"$schedule"'
"""Of metrics that are said of a schedule."""

VARIABLES: Mapping[str, str] = {
    "environment": "label_values(barstep_equity, environment)",
    "scheduler": 'label_values(barstep_equity{environment=~"$environment"}, scheduler)',
    "risk_profile": f"label_values(barstep_signals{{{OF_RUN}}}, risk_profile)",
    "schedule": f"label_values(barstep_signals{{{OF_PROFILE}}}, schedule)",
}
"""Variables by name, each chosen among by those before it."""

_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_GREEN = {"mode": "absolute", "steps": [{"color": "green", "value": None}]}


def query(expr: str, legend: str = "", *, is_table: bool = False) -> Json:
    """One query; a table asks for the last value alone."""
    asked: Json = {"datasource": _SOURCE, "expr": expr, "legendFormat": legend or "__auto"}
    return asked | ({"format": "table", "instant": True} if is_table else {"range": True})


def panel(
    kind: str,
    title: str,
    queries: Iterable[Json],
    *,
    unit: str = "short",
    width: int = 8,
    height: int = 8,
    text: str = "",
    thresholds: Json | None = None,
    overrides: Sequence[Json] = (),
    **defaults: Any,
) -> Json:
    """A panel that has no place yet.

    Args:
        kind: `timeseries`, `stat`, `table` or `state-timeline`.
        title: Its title.
        queries: What it shows.
        unit: Grafana's word for the unit of the values.
        width: In columns.
        height: In rows.
        text: What it shows, in a sentence.
        thresholds: From which value on which colour; by default all is green.
        overrides: What is otherwise for some of the series.
        defaults: Further settings of all series.
    """
    field_defaults = {"unit": unit, "thresholds": thresholds or _GREEN, **defaults}
    targets = [one | {"refId": chr(ord("A") + i)} for i, one in enumerate(queries)]
    return {
        "type": kind,
        "title": title,
        "description": text,
        "datasource": _SOURCE,
        "gridPos": {"w": width, "h": height, "x": 0, "y": 0},
        "targets": targets,
        "fieldConfig": {"defaults": field_defaults, "overrides": list(overrides)},
        "options": _OPTIONS.get(kind, {}),
    }


_LEGEND = {"displayMode": "table", "placement": "bottom", "showLegend": True, "calcs": ["lastNotNull"]}
_OPTIONS: Mapping[str, Json] = {
    "timeseries": {"legend": _LEGEND, "tooltip": {"mode": "multi", "sort": "desc"}},
    "stat": {
        "colorMode": "background",
        "graphMode": "none",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    },
    "state-timeline": {"legend": {"showLegend": False}, "mergeValues": True, "showValue": "never"},
}


def steps(*colours: tuple[float | None, str]) -> Json:
    """Thresholds: from which value on which colour; the first value is None, from the least on."""
    return {"mode": "absolute", "steps": [{"color": colour, "value": value} for value, colour in colours]}


def named(pattern: str, **properties: Any) -> Json:
    """What is otherwise for the series whose names fit a pattern."""
    return {
        "matcher": {"id": "byRegexp", "options": f"/{pattern}/"},
        "properties": [{"id": name.replace("__", "."), "value": value} for name, value in properties.items()],
    }


def words(*meanings: tuple[str, str, str]) -> list[Json]:
    """Values as words: the value, the word and its colour."""
    options = {value: {"text": text, "color": colour, "index": i} for i, (value, text, colour) in enumerate(meanings)}
    return [{"type": "value", "options": options}]


def dashboard(uid: str, title: str, text: str, panels: Iterable[Json]) -> Json:
    """A dashboard: panels are put side by side in their order, and numbered."""
    return {
        "uid": uid,
        "title": title,
        "description": text,
        "tags": ["barstep"],
        "timezone": "utc",
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "schemaVersion": 41,
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [_datasource(), *(_variable(name, of) for name, of in VARIABLES.items())]},
        "annotations": {"list": [_alerts()]},
        "panels": _placed(panels),
    }


def _placed(panels: Iterable[Json]) -> list[Json]:
    placed: list[Json] = []
    x = y = tallest = 0
    for number, one in enumerate(panels, start=1):
        width, height = one["gridPos"]["w"], one["gridPos"]["h"]
        if x + width > WIDTH:
            x, y, tallest = 0, y + tallest, 0
        placed.append(one | {"id": number, "gridPos": {"w": width, "h": height, "x": x, "y": y}})
        x, tallest = x + width, max(tallest, height)
    return placed


def _datasource() -> Json:
    return {"type": "datasource", "name": "datasource", "label": "Prometheus", "query": "prometheus", "refresh": 1}


def _variable(name: str, of: str) -> Json:
    return {
        "type": "query",
        "name": name,
        "label": name.replace("_", " "),
        "datasource": _SOURCE,
        "query": {"query": of, "refId": name},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"], "selected": True},
    }


def _alerts() -> Json:
    """Alerts that fire are drawn into every panel."""
    return {
        "name": "alerts that fire",
        "datasource": _SOURCE,
        "enable": True,
        "iconColor": "red",
        "expr": f'ALERTS{{alertstate="firing", {OF_RUN}}}',
    }
