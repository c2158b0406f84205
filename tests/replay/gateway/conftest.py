"""Lets the tests of the gateway import what they share, and gives them a world with an exchange in it.

pytest runs in importlib mode, which puts no test folder on the path.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def private(tmp_path: Path) -> Path:
    """A folder that nobody else may look into."""
    folder = tmp_path / "private"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def world(private: Path) -> Iterator[object]:
    """An exchange, a gateway, and a wall clock that is wrong by minutes."""
    from gateway_making import World  # noqa: PLC0415 - this folder is on the path only now

    made = World(private)
    yield made
    made.close()
