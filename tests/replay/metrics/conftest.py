"""Lets the tests of metrics import what those of event time share."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
