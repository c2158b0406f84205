"""Programs of others that some tests need."""

import os
import shutil

import pytest


def the_program(name: str) -> str:
    """Where a program is; the test is skipped where it is not installed, and fails under BARSTEP_STRICT=1."""
    found = shutil.which(name)
    if found is None:
        assert os.environ.get("BARSTEP_STRICT") != "1", f"{name} is not installed, and BARSTEP_STRICT is 1"
        pytest.skip(f"{name} is not installed")
    return found
