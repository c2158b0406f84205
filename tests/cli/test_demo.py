"""`barstep demo` backtests every engine on the embedded datasets."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import barstep as package
from barstep.data.presets import EMBEDDED_FOLDER

Run = Callable[..., Any]


def test_the_demo_shows_every_engine_on_every_instrument(barstep: Run) -> None:
    """One table an instrument, one row an engine, whole names on 80 columns."""
    ran = barstep("demo")
    assert ran.code == 0
    for engine in package.DEFAULT_STRATEGY_CATALOG:
        assert ran.out.count(f"\n {engine.name} ") == 3
    assert max(map(len, (line for line in ran.out.splitlines() if line.startswith(" ")))) <= 80


def test_its_json_is_what_python_gives(barstep: Run) -> None:
    """The figures are those of the public call on the same file."""
    documents = json.loads(barstep("demo", "--json").out)["results"]
    result = package.backtest(package.load(EMBEDDED_FOLDER / "binance_SOLUSDT_1h.parquet"), "grid_trading")
    assert documents["SOLUSDT"]["grid_trading"] == json.loads(result.to_json())
    assert {name for by_engine in documents.values() for name in by_engine} == {
        engine.name for engine in package.DEFAULT_STRATEGY_CATALOG
    }
