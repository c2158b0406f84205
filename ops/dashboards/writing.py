"""The dashboards as the files that Grafana reads when it starts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from ...config.core import CoreConfig
from ...data.whole_file import whole_file
from .overview import overview
from .panels import Json
from .stage4 import stage4


def dashboards(config: CoreConfig) -> Mapping[str, Json]:
    """All dashboards, by the names of their files."""
    return {"stage4_multi_strategy.json": stage4(config), "multi_strategy_overview.json": overview()}


def write_dashboards(config: CoreConfig, folder: Path) -> None:
    """Write them into a folder that is there."""
    for name, one in dashboards(config).items():
        with whole_file(folder / name) as path:
            path.write_text(json.dumps(one, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
