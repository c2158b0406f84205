"""The step of the marked tests runs pytest under coverage in a clone, and says what failed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from barstep.ops.acceptance.stage import Asked, FailedError, Stage
from barstep.ops.acceptance.tested import run_marked_tests
from barstep.replay.clock import SystemClock

MARKED = """
import pytest

@pytest.mark.stage4
{mark}
def test_one():
    from {room} import one
    assert one.value() == {value}
"""


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a room each of engines and kernels, and a marked test of each."""
    monkeypatch.chdir(tmp_path)
    for room, mark in (("kernels", "@pytest.mark.unit_kernel"), ("engine", "")):
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").touch()
        (tmp_path / room / "one.py").write_text("def value():\n    return 1\n")
        (tmp_path / "tests" / room).mkdir(parents=True)
        (tmp_path / f"tests/{room}/test_{room}.py").write_text(MARKED.format(mark=mark, room=room, value=1))
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    stage4\n    unit_kernel\n")
    return tmp_path


def stage(timestamp: str) -> Stage:
    """An acceptance in the working folder."""
    asked = Asked(
        config=Path("core.yaml"), environment="demo", timestamp=timestamp, run_id="r", environ=dict(os.environ)
    )
    return Stage(asked=asked, clock=SystemClock())


def test_marked_tests_are_run_and_measured(clone: Path) -> None:
    """Both runs go into one report; a test that fails is told by its run."""
    told = run_marked_tests(stage("T1"))
    assert "engine 100.0 %, kernels 100.0 % covered" in told
    assert (clone / "var/audit/acceptance/T1/stage4_smoke/coverage.xml").is_file()
    assert not list(clone.glob(".coverage*"))
    (clone / "tests/kernels/test_kernels.py").write_text(
        MARKED.format(mark="@pytest.mark.unit_kernel", room="kernels", value=2)
    )
    with pytest.raises(FailedError, match=r"stage4 and unit_kernel.*exit code 1.*1 failed"):
        run_marked_tests(stage("T2"))
