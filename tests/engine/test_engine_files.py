"""Engines of one's own, from a file or an installed package: found by name, and refused for what is wrong with them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import barstep as bs
import pytest
from barstep.engine.catalog import DEFAULT_STRATEGY_CATALOG, ENTRY_POINT_GROUP, StrategyCatalog
from making import ENGINE_NAMES, walk_bars

ROOT = Path(__file__).resolve().parents[2]
DONCHIAN = ROOT / "docs" / "examples" / "donchian.py"

ENGINE = """
import barstep as bs
from barstep.engine.catalog import DEFAULT_STRATEGY_CATALOG
from dataclasses import replace

ENGINE = replace(DEFAULT_STRATEGY_CATALOG["sma_crossover"], name={name!r})
AGAIN = ENGINE
"""


def engine_file(folder: Path, name: str = "mine", text: str = ENGINE) -> Path:
    """A file with one engine, which has two names in it."""
    path = folder / "mine.py"
    path.write_text(text.replace("{name!r}", repr(name)))
    return path


def package(folder: Path, monkeypatch: pytest.MonkeyPatch, points: str, text: str = ENGINE) -> None:
    """A package installed in `folder` that offers these entry points, from a module `offered`."""
    (folder / "offered.py").write_text(text.replace("{name!r}", "'mine'"))
    info = folder / "nice_engines-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: nice-engines\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{ENTRY_POINT_GROUP}]\n{points}\n")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "offered", raising=False)


def test_engines_of_a_file_join_the_catalog(tmp_path: Path) -> None:
    """Each once, however many names it has there; the catalog that was asked stays as it is."""
    larger = DEFAULT_STRATEGY_CATALOG.with_file(engine_file(tmp_path))
    assert [engine.name for engine in larger] == [*ENGINE_NAMES, "mine"]
    assert [engine.name for engine in DEFAULT_STRATEGY_CATALOG] == ENGINE_NAMES
    bars = walk_bars(300, 1)
    own, built_in = (bs.backtest(bars, name, catalog=larger) for name in ("mine", "sma_crossover"))
    assert own.fill_table.tobytes() == built_in.fill_table.tobytes()
    assert own.strategy == "mine"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("mine.py", "x = 1", "no StrategyEngine in it; docs/own-engine.md shows one"),
        ("mine.py", "def broken(:", "cannot be run: SyntaxError: invalid syntax"),
        ("mine.py", "import no_such_library", "cannot be run: ModuleNotFoundError: No module named 'no_such_library'"),
        ("mine.txt", "x = 1", "is no Python file; its name must end in .py"),
        ("mine.py", ENGINE.replace("{name!r}", "'grid_trading'"), "two strategy engines are named 'grid_trading'"),
    ],
)
def test_a_file_is_refused_for_what_is_wrong_with_it(tmp_path: Path, name: str, text: str, message: str) -> None:
    """The message says which file, and what is the matter; a file that failed can be mended and read again."""
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(bs.UsageError) as refused:
        DEFAULT_STRATEGY_CATALOG.with_file(path)
    assert message in str(refused.value)


def test_a_file_that_is_not_there() -> None:
    """It is named."""
    with pytest.raises(bs.UsageError, match=r"^nowhere\.py: no such file; an engine file is a Python file"):
        DEFAULT_STRATEGY_CATALOG.with_file("nowhere.py")


def test_an_installed_package_offers_engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found by name, beside those of barstep, and imported only when asked for; by near names too."""
    package(tmp_path, monkeypatch, "mine = offered:ENGINE")
    catalog = StrategyCatalog(DEFAULT_STRATEGY_CATALOG, with_installed=True)
    assert catalog["mean_reversion"].name == "mean_reversion"
    assert "offered" not in sys.modules
    with pytest.raises(bs.UsageError, match=r"unknown strategy engine 'mime'\. Did you mean 'mine'\?"):
        _ = catalog["mime"]
    assert catalog["mine"].name == "mine"
    assert [engine.name for engine in catalog] == [*ENGINE_NAMES, "mine"]
    assert "mine" not in [engine.name for engine in StrategyCatalog(DEFAULT_STRATEGY_CATALOG)]


@pytest.mark.parametrize(
    ("points", "name", "message"),
    [
        ("yours = offered:ENGINE", "yours", "offered:ENGINE is an engine named 'mine'; it must be an engine named"),
        ("mine = offered:bs", "mine", "offered:bs is module; it must be an engine named 'mine'"),
        ("mine = offered:NOTHING", "mine", "engine 'mine' of the package nice-engines cannot be loaded: AttributeErr"),
        ("grid_trading = offered:ENGINE", "mine", "the package nice-engines offers an engine named 'grid_trading'; th"),
    ],
)
def test_a_package_is_refused_for_what_is_wrong_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, points: str, name: str, message: str
) -> None:
    """Only when its engine is asked for: those of barstep are found all the same."""
    package(tmp_path, monkeypatch, points)
    catalog = StrategyCatalog(DEFAULT_STRATEGY_CATALOG, with_installed=True)
    assert catalog["grid_trading"] is DEFAULT_STRATEGY_CATALOG["grid_trading"]
    with pytest.raises(bs.UsageError) as refused:
        _ = catalog[name]
    assert message in str(refused.value)


def test_a_second_process_compiles_none_of_a_files_kernels(tmp_path: Path) -> None:
    """Neither where it is read by its path again, nor is one of another name of the same file in its way."""
    by_path = f"catalog = bs.DEFAULT_STRATEGY_CATALOG.with_file({str(DONCHIAN)!r}); engine = catalog['donchian']"
    by_name = "from donchian import ENGINE as engine"
    code = (
        "import sys, numpy as np, barstep as bs\nfrom barstep.kernels import _jit\n{0}\n"
        "engine.kernel(np.ones((6, 9)), np.full(9, 3.0), np.zeros(2), np.ones((5, 9)), 0, 9, 0)\n"
        "print(len(engine.kernel.stats.cache_misses), len(engine.kernel.stats.cache_hits))"
    )
    settings = {"BARSTEP_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(DONCHIAN.parent), "PATH": "", "HOME": "/nowhere"}
    counts = [
        subprocess.run(
            [sys.executable, "-c", code.format(way)], env=settings, capture_output=True, text=True, check=True
        ).stdout.split()
        for way in (by_name, by_path, by_path)
    ]
    assert counts == [["1", "0"], ["1", "0"], ["0", "1"]]
