"""Lets the engine tests import what they share, from this folder; and says where recorded market data lies.

pytest runs in importlib mode, which puts no test folder on the path.
"""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of recorded market data, which is not part of the repository."""
    named = os.environ.get("BARSTEP_SHARED_DATA")
    folder = Path(named) if named else Path(__file__).resolve().parents[3] / "shared" / "data"
    if not (folder / "raw").is_dir():
        pytest.skip(f"no recorded market data at {folder}; set BARSTEP_SHARED_DATA to its folder")
    return folder
