"""An installation that is accepted, and what is planted in it; the tests import what they share from this folder."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
