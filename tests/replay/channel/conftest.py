"""Lets the tests of the channel import what they share.

pytest runs in importlib mode, which puts no test folder on the path.
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
