"""Lets the tests of sweeps import what they share, and what the engine's tests do.

pytest runs in importlib mode, which puts no test folder on the path.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))
