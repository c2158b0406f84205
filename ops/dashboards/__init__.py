"""Grafana's dashboards, written from the configuration: `python -m barstep.ops.dashboards CONFIG FOLDER`."""

from .overview import overview
from .stage4 import stage4
from .writing import dashboards, write_dashboards

__all__ = ["dashboards", "overview", "stage4", "write_dashboards"]
