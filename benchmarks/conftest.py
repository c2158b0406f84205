"""Lets the benchmarks import what they share with the comparison of peers and with the tests: work, inputs, references.

pytest runs in importlib mode, which puts no test folder on the path.
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "peers"), str(HERE.parent / "tests" / "engine")]
