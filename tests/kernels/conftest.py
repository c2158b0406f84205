"""Lets the kernel tests import what they share: `inputs`, `references`, `contract` and `cases`, from this folder.

pytest runs in importlib mode, which puts no test folder on the path.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def _quiet_arithmetic() -> Iterator[None]:
    """Compiled code divides by zero without a word. With the JIT off numpy would warn, and warnings are errors here."""
    with np.errstate(all="ignore"):
        yield
