"""Write the dashboards of a configuration into a folder."""

from __future__ import annotations

import sys
from pathlib import Path

from ...engine.configured import load_core_config
from .writing import write_dashboards

config, folder = map(Path, sys.argv[1:])
write_dashboards(load_core_config(config), folder)
