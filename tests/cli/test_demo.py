"""`barstep demo` backtests every engine, and a whole scheduler, on the embedded datasets."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import barstep as package
from barstep.config.reading import PACKAGED
from barstep.data.presets import EMBEDDED_FOLDER

Run = Callable[..., Any]


def test_the_demo_shows_every_engine_on_every_instrument(barstep: Run) -> None:
    """One table an instrument, one row an engine, whole names on 80 columns."""
    ran = barstep("demo")
    assert ran.code == 0
    for engine in package.DEFAULT_STRATEGY_CATALOG:
        assert ran.out.count(f"\n {engine.name} ") == 3
    assert max(map(len, (line for line in ran.out.splitlines() if line.startswith(" ")))) <= 80


def test_the_demo_shows_a_scheduler(barstep: Run) -> None:
    """Behind the tables its metrics, its signals and refreshes, and how to run it alone."""
    lines = [" ".join(line.split()) for line in barstep("demo").out.splitlines()]
    result = package.backtest_scheduler(PACKAGED)
    lines = lines[lines.index("all of them governed, by the shipped config/core.yaml") :]
    row = next(line for line in lines if line.startswith("core_multi "))
    assert row.startswith(f"core_multi {result.metrics['total_return_pct']:,.2f} {result.metrics['sharpe']:,.2f} ")
    assert f" {result.metrics['trades']:,.0f} " in row
    accepted, refreshes = result.decisions.filter(status="accepted").height, result.capital_weights.height
    assert 0 < accepted < result.decisions.height
    signals = f"{result.decisions.height:,} signals, {accepted:,} accepted"
    assert f"{signals}; {refreshes:,} refreshes of capital weights" in lines
    assert any(line.startswith("barstep backtest --scheduler core_multi ") for line in lines)


def test_its_json_is_what_python_gives(barstep: Run) -> None:
    """The figures are those of the public calls on the same files and the same configuration."""
    document = json.loads(barstep("demo", "--json").out)
    documents = document["results"]
    result = package.backtest(package.load(EMBEDDED_FOLDER / "binance_SOLUSDT_1h.parquet"), "grid_trading")
    assert documents["SOLUSDT"]["grid_trading"] == json.loads(result.to_json())
    assert {name for by_engine in documents.values() for name in by_engine} == {
        engine.name for engine in package.DEFAULT_STRATEGY_CATALOG
    }
    assert document["scheduler"] == json.loads(package.backtest_scheduler(PACKAGED).to_json())
