"""Lets the tests of the journal import what they and the tests of event time share.

pytest runs in importlib mode, which puts no test folder on the path.
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
