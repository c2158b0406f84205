"""Lets the tests of the scheduler import what the engine's tests share.

pytest runs in importlib mode, which puts no test folder on the path.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
