"""Lets these tests import what they share, from this folder, from that of event time and from the engine's tests."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1] / "engine")]
