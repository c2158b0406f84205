"""Lets the benchmarks import what they share with the comparison of peers: the work itself and its inputs.

pytest runs in importlib mode, which puts no test folder on the path.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "peers"))
