"""Lets the tests of event time import what they share, from this folder and from the engine's tests.

pytest runs in importlib mode, which puts no test folder on the path.
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "engine")]
