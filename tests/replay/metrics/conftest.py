"""Lets the tests of metrics import what those of event time, of the live loop and of the engine share."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "live"), str(HERE.parents[1] / "engine")]
