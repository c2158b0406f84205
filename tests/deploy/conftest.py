"""Lets the tests of what is deployed import what they share, from this folder.

pytest runs in importlib mode, which puts no test folder on the path.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
