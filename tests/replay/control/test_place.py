"""Where a loop says that it listens."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from barstep.errors import DataError, HeldError, JournalError
from barstep.replay.control.place import Place, find_place, told_place

PLACE = Place(environment="demo", scheduler="core_multi", address="grpc://127.0.0.1:4000", pid=os.getpid())


def test_it_is_there_while_the_loop_runs_and_nobody_else_reads_it(tmp_path: Path) -> None:
    """Private, replaced where a killed loop left one, gone at the end."""
    folder = tmp_path / "run"
    with told_place(PLACE, folder) as path:
        assert path.stat().st_mode & 0o777 == 0o600 and folder.stat().st_mode & 0o777 == 0o700
        assert find_place("demo", folder) == PLACE
        with told_place(PLACE, folder):
            pass
    with pytest.raises(HeldError, match="no loop of environment 'demo' says that it listens"):
        find_place("demo", folder)


def test_another_loop_s_file_is_left_alone(tmp_path: Path) -> None:
    """One that took the place meanwhile."""
    other = Place(environment="demo", scheduler="s", address="grpc://127.0.0.1:4001", pid=1)
    with told_place(PLACE, tmp_path / "run"), told_place(other, tmp_path / "run"):
        pass
    assert find_place("demo", tmp_path / "run") == other


def test_a_file_that_others_may_write_is_refused(tmp_path: Path) -> None:
    """It would send an operator's token elsewhere."""
    with told_place(PLACE, tmp_path / "run") as path:
        path.chmod(0o666)
        with pytest.raises(JournalError, match="has mode 0666"):
            find_place("demo", tmp_path / "run")
        path.chmod(0o600)
        path.write_text("{}")
        with pytest.raises((DataError, HeldError)):
            find_place("demo", tmp_path / "run")
        path.unlink()
