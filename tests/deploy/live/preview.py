"""What the dashboards' queries have given, drawn without Grafana: a page of small charts, to be looked at."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

Ranges = Callable[[str], Sequence[Mapping[str, Any]]]

_COLUMNS = 4


def draw(dashboard: Mapping[str, Any], fill: Callable[[str], str], ranges: Ranges, path: Path) -> None:
    """One chart a panel.

    dashboard: as its file says. fill: puts values in the place of variables. ranges: asks Prometheus. path: of the PNG.
    """
    panels = dashboard["panels"]
    rows = -(-len(panels) // _COLUMNS)
    figure = Figure(figsize=(6 * _COLUMNS, 3.4 * rows), layout="constrained")
    figure.suptitle(dashboard["title"])
    places = list(figure.subplots(rows, _COLUMNS, squeeze=False).flat)
    for empty in places[len(panels) :]:
        empty.remove()
    for axes, panel in zip(places, panels, strict=False):
        axes.set_title(f"{panel['title']} [{panel['fieldConfig']['defaults']['unit']}]", fontsize=9)
        axes.tick_params(labelsize=7)
        for target in panel["targets"]:
            for one in ranges(fill(target["expr"])):
                times, values = zip(*((float(at), float(value)) for at, value in one["values"]), strict=True)
                is_bound = one["metric"].get("__name__") == "barstep_telemetry_bound"
                axes.plot(times, values, label=_legend(target, one["metric"]), linestyle="--" if is_bound else "-")
        if axes.lines:
            axes.legend(fontsize=5, loc="upper left", ncols=2)
    figure.savefig(path, dpi=70)


def _legend(target: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    if target["legendFormat"] == "__auto":
        return " ".join(labels.get(name, "") for name in ("__name__", "schedule")).removeprefix("barstep_")
    return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), target["legendFormat"])
