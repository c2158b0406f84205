"""The step of the marked tests: pytest under coverage, and what must be covered."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from ..stage4_artifacts import look_at_coverage
from .stage import FailedError, SkippedError, Stage

COVERAGE = "coverage.xml"
_MARKED: tuple[tuple[tuple[str, ...], dict[str, str]], ...] = (
    (("-m", "stage4 and unit_kernel", "tests/kernels"), {"NUMBA_DISABLE_JIT": "1"}),
    (("-m", "stage4 and not unit_kernel", "tests"), {}),
)
"""Runs of pytest: coverage cannot see into compiled kernels, so that their small tests run with the JIT off."""
_MOST_SECONDS = 1_800
_LAST_LINES = 5


def run_marked_tests(stage: Stage) -> str:
    """The tests marked `stage4` pass and cover enough."""
    target = stage.smoke_folder / COVERAGE
    given = stage.asked.coverage
    if given is None:
        _run(Path.cwd(), target, stage)
    elif not given.is_file():
        raise FailedError(f"{given}: no such coverage report.")
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(given, target)
    looked = look_at_coverage(target)
    if looked.findings:
        raise FailedError("; ".join(str(one) for one in looked.findings))
    measured = ", ".join(f"{name.removesuffix('_pct')} {pct:.1f} %" for name, pct in looked.values.items())
    return f"{'judged from ' + str(given) + ': ' if given is not None else ''}{measured} covered"


def _run(root: Path, target: Path, stage: Stage) -> None:
    """Run the tests of a clone, and write what they cover.

    Raises:
        SkippedError: This is no clone, or what runs tests is not installed.
        FailedError: A test failed, or took too long.
    """
    if not (root / "tests").is_dir() or not (root / "kernels").is_dir():
        raise SkippedError("no clone of barstep here: the tests are not part of an installation.")
    for module in ("pytest", "coverage"):
        if find_spec(module) is None:
            raise SkippedError(f"{module} is not installed; pip install 'barstep[dev]'.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="barstep-coverage-") as folder:
        data = {"COVERAGE_FILE": str(Path(folder) / ".coverage")}
        for selection, variables in _MARKED:
            _call(["-m", "coverage", "run", "-p", "-m", "pytest", *selection], {**data, **variables}, stage)
        _call(["-m", "coverage", "combine", "-q"], data, stage)
        _call(["-m", "coverage", "xml", "-q", "-o", str(target.resolve())], data, stage)


def _call(arguments: list[str], variables: dict[str, str], stage: Stage) -> None:
    environ = {**os.environ, **stage.asked.environ, **variables}
    try:
        ran = subprocess.run(  # noqa: S603 - this interpreter, over this clone's tests
            [sys.executable, *arguments], env=environ, check=False, capture_output=True, text=True,
            timeout=_MOST_SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise FailedError(f"{' '.join(arguments[-3:])}: not done after {_MOST_SECONDS} s.") from None
    if ran.returncode:
        last = " / ".join((ran.stdout + ran.stderr).strip().splitlines()[-_LAST_LINES:])
        raise FailedError(f"{' '.join(arguments)}: exit code {ran.returncode}: {last}")
