"""Engines from files and from installed packages."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import barstep as bs
import pytest
from barstep.engine.own_engines import engine_from_file, installed_engines

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "donchian.py"


def test_an_engine_from_a_file_runs() -> None:
    """It is the engine that the file defines, ready for a backtest."""
    engine = engine_from_file(EXAMPLE)
    assert engine.name == "donchian"
    bars = bs.load(Path(bs.__file__).parent / "data" / "backtests" / "normalized" / "binance_BTCUSDT_1h.parquet")
    assert bs.backtest(bars, engine, window=55).metrics["trades"] > 0


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("json.py", "", "a module named 'json' is loaded already; give the file another name"),
        ("a.py", "ENGINE = 3\n", "defines no StrategyEngine named ENGINE"),
        ("a.py", "", "defines no StrategyEngine named ENGINE"),
        ("a.py", "1 / 0\n", "cannot be loaded: ZeroDivisionError: division by zero"),
        ("a.py", "def (:\n", "cannot be loaded: SyntaxError: "),
        ("a.py", "import absent_package\n", "cannot be loaded: ModuleNotFoundError: "),
        ("a.txt", "", "is no Python file; its name must end in .py"),
    ],
)
def test_a_file_that_is_no_engine(
    name: str, text: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is wrong with it is one line with its name."""
    monkeypatch.delitem(sys.modules, "a", raising=False)
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(bs.UsageError) as refused:
        engine_from_file(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def offer(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """Make an installed package offer one entry point."""
    found = EntryPoints([EntryPoint(name="mine", value=value, group="barstep.engines")])
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: found.select(group=group))


def test_installed_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry point of the group is an engine of the catalog of a configuration."""
    monkeypatch.syspath_prepend(str(EXAMPLE.parent))
    offer(monkeypatch, "donchian:ENGINE")
    assert [engine.name for engine in installed_engines()] == ["donchian"]


@pytest.mark.parametrize(
    ("value", "says"),
    [("absent_module:ENGINE", "cannot be loaded: ModuleNotFoundError"), ("json:dumps", "defines no StrategyEngine")],
)
def test_an_entry_point_that_is_no_engine(value: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The entry point is named, with what is wrong."""
    offer(monkeypatch, value)
    with pytest.raises(bs.UsageError, match=rf"the entry point 'mine' \({value}\).* ?{says}"):
        list(installed_engines())


def test_a_file_is_loaded_once_and_named_as_an_import_would() -> None:
    """The cache of compiled kernels knows a module by its name, so that both ways must give one."""
    assert engine_from_file(EXAMPLE) is engine_from_file(EXAMPLE)
    assert sys.modules["donchian"].ENGINE is engine_from_file(EXAMPLE)
