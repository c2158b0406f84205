"""The public face: light to import, and all there."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import barstep
import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = {"kernels", "engine", "data", "cli", "report", "ops", "replay", "config", "errors"}
SOURCES = sorted(
    path
    for path in ROOT.rglob("*.py")
    if not any(part.startswith(".") or part in ("build", "site-packages") for part in path.relative_to(ROOT).parts)
)


def test_importing_barstep_imports_nothing_heavy() -> None:
    """`import barstep` takes in neither numba nor numpy, polars, pyarrow or typer."""
    code = "import sys, barstep; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "barstep" in printed
    assert {"numba", "llvmlite", "numpy", "polars", "pyarrow", "typer", "rich"} & set(printed) == set()


def test_every_public_name_is_there() -> None:
    """Each name that is promised resolves to something of that name, and `dir` shows it."""
    assert set(barstep.__all__) <= set(dir(barstep))
    for name in barstep.__all__:
        found = getattr(barstep, name)
        assert getattr(found, "__name__", name).rpartition(".")[2] == name
    assert sorted(barstep.__all__) == sorted(set(barstep.__all__))


def test_public_names_are_those_of_their_home() -> None:
    """A lazily loaded name is the very object of the module it lives in."""
    from barstep.engine.backtest import backtest  # noqa: PLC0415
    from barstep.errors import BarstepError, DataError, UsageError  # noqa: PLC0415

    assert barstep.backtest is backtest
    assert barstep.DataError is DataError
    assert issubclass(UsageError, BarstepError)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """What is not there says so, as in any module."""
    with pytest.raises(AttributeError, match=r"^module 'barstep' has no attribute 'back_test'$"):
        barstep.back_test  # noqa: B018


def test_a_star_import_gives_all_names() -> None:
    """`from barstep import *` gives what `__all__` lists."""
    names: dict[str, object] = {}
    exec("from barstep import *", names)  # noqa: S102
    assert set(barstep.__all__) <= set(names)


def imported_roots(path: Path) -> set[str]:
    """First parts of the modules that a file imports absolutely."""
    roots = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            roots |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            roots.add((node.module or "").partition(".")[0])
    return roots


def test_no_file_imports_a_room_by_its_bare_name() -> None:
    """`import kernels` would make a second module and a second cache: files say barstep.kernels, or are relative."""
    assert ROOT / "engine/backtest.py" in SOURCES
    assert ROOT / "tests/test_package.py" in SOURCES
    wrong = {str(path.relative_to(ROOT)): found for path in SOURCES if (found := imported_roots(path) & ROOMS)}
    assert wrong == {}
