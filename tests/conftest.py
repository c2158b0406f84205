"""Hypothesis: quick and the same on every run; `SEEDS=10` searches ten times as many examples, new ones each time.

And where recorded market data lies, for the tests that read it; and what all tests may import lies beside this file.
"""

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).parent))
SEEDS = int(os.environ.get("SEEDS", "1"))

settings.register_profile(
    "seeds",
    max_examples=12 * SEEDS,
    deadline=None,  # the first call of a kernel compiles it
    derandomize=SEEDS == 1,
    database=None,
    print_blob=True,  # what is needed to see a found example again
    suppress_health_check=[HealthCheck.too_slow],  # the suite is also run with the JIT off
)
settings.load_profile("seeds")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of recorded market data, which is not part of the repository."""
    named = os.environ.get("BARSTEP_SHARED_DATA")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "data"
    if not (folder / "raw").is_dir():
        pytest.skip(f"no recorded market data at {folder}; set BARSTEP_SHARED_DATA to its folder")
    return folder


@pytest.fixture
def no_rings() -> Iterator[None]:
    """Python does not look for rings meanwhile: what is kept in one stays."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


_STAGE4 = frozenset((Path(__file__).parent / "stage4.txt").read_text().split())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what an acceptance looks at: the files and tests that `stage4.txt` names."""
    for item in items:
        file, _, name = item.nodeid.partition("[")[0].partition("::")
        if _STAGE4 & {file, f"{file}::{name}"}:
            item.add_marker("stage4")
