"""`barstep demo` backtests every engine, and a whole scheduler, on the embedded datasets."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import barstep as package
import pytest
from barstep.config.reading import PACKAGED
from barstep.data.presets import EMBEDDED_FOLDER
from barstep.ops import proof

Run = Callable[..., Any]


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own, where the demo makes its secrets."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


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


def test_the_demo_proves_its_replay(barstep: Run, working_folder: Path) -> None:
    """Keys and a token are made once; the journal is verified, done again, and gives the backtest's bits."""
    first, second = barstep("demo").out, json.loads(barstep("demo", "--json").out)["replay"]
    assert "as the backtest, bit for bit: yes" in first and "in its place: yes" in first
    assert "all the same: yes" in first and "made for the demonstration: secrets/journal/demo/root.key" in first
    assert second["secrets"] == [] and second["bars"] == 744 and second["compared"] > 5_000
    assert (working_folder / "secrets/journal/demo/epoch.key").stat().st_mode & 0o777 == 0o600


def test_a_replay_that_is_another_run_fails_the_demo(barstep: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says NO, and exits with 1."""
    simulate = proof.simulate
    monkeypatch.setattr(proof, "simulate", lambda setup: simulate(replace(setup, drift_seconds=50.0)))
    ran = barstep("demo")
    assert ran.code == 1
    assert "bit for bit: NO" in ran.out
