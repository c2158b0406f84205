"""Bokeh charts as JSON that a page puts into its boxes, the same on every run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bokeh.document import Document
from bokeh.resources import Resources

_ID = re.compile(r"p\d+")


def embedded(charts: Mapping[str, Any]) -> dict[str, Any]:
    """What `Bokeh.embed.embed_items` takes: the documents, and which chart goes into the box `chart-<name>`."""
    document = Document()
    for chart in charts.values():
        document.add_root(chart)
    known: dict[str, str] = {}
    content = _renumbered(document.to_json(deferred=False), known)
    roots = {known[chart.id]: f"chart-{name}" for name, chart in charts.items()}
    return {"docs": {"report": content}, "items": [{"docid": "report", "roots": roots, "root_ids": list(roots)}]}


def _renumbered(part: Any, known: dict[str, str]) -> Any:
    """The same JSON with models numbered as they occur: Bokeh counts on from one document to the next."""
    if isinstance(part, dict):
        return {
            key: known.setdefault(inner, f"m{len(known)}")
            if key == "id" and isinstance(inner, str) and _ID.fullmatch(inner)
            else _renumbered(inner, known)
            for key, inner in part.items()
        }
    return [_renumbered(inner, known) for inner in part] if isinstance(part, list) else part


def library() -> str:
    """The script of the charts' library, to stand in the page."""
    script, *_ = Resources(mode="inline", components=["bokeh"]).js_raw  # then comes a line that talks to the console
    return script
