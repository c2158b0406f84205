"""After one warm-up no process compiles anything."""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import barstep.kernels
import pytest
from barstep.kernels import _jit

USE_EVERYTHING = """
import json, sys
from barstep.cli import demo
from barstep.kernels import _jit
import barstep as bs
from barstep.config.reading import PACKAGED
from barstep.data.presets import EMBEDDED_FOLDER

sys.argv = ["barstep", "demo"]
from barstep.cli.app import main
main()
bars = bs.load(EMBEDDED_FOLDER / "binance_BTCUSDT_1m.parquet")
for name in ("mean_reversion", "sma_crossover"):
    result = bs.backtest(bars, name, units=1.0)
    result.equity, result.trades, result.fills, result.columns, result.to_json()
bs.backtest(bars, (bars.close > bars.open).astype(float)).to_json()
for method in ("stationary", "moving_block", "trades", "shuffled_trades"):
    bs.montecarlo(result, paths=3, method=method).to_json()
hours = bs.load(EMBEDDED_FOLDER / "binance_BTCUSDT_1h.parquet").part(0, 2000)
for name, axes in (("mean_reversion", {"lookback": [24, 48]}), ("volatility_target", {"stop_loss_pct": [1.0, 2.0]})):
    bs.walk_forward(hours, name, axes, train_bars=900, test_bars=400).to_json()
levels = {"stop_loss_pct": 2.0, "leverage": 2.0, "max_volume_share": 0.1}
for scheduler, begin, options in (("hedged_multi", None, {}), ("core_multi", "2023-06-01", levels)):
    run = bs.backtest_scheduler(PACKAGED, scheduler, start=begin, end="2023-06-08", without=("limits",), **options)
    run.to_json(), run.tables
runtime = bs.build_demo_multi_strategy_runtime(
    PACKAGED, start="2023-06-01", end="2023-06-03", emitters=[bs.InMemoryTelemetryEmitter()]
)
runtime.suspend_tag("trend", flatten=True)
runtime.run()
print(json.dumps({"compiled_now": _jit.compiled_now(), "loaded": _jit.loaded_from_cache()}))
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder without kernels: this machine's own where it has none yet, so that all later tests find them."""
    own = _jit.CACHE_FOLDER
    is_empty = own is not None and not any(own.rglob("*.nbi"))
    return own.parent if own is not None and is_empty else tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def cache(base: Path) -> Mapping[str, str]:
    """An environment with that folder."""
    return {**os.environ, "BARSTEP_CACHE_DIR": str(base)}


@pytest.fixture(scope="module")
def warmed(cache: Mapping[str, str]) -> dict[str, object]:
    """What `barstep warmup` says when nothing was compiled before."""
    ran = subprocess.run(
        [sys.executable, "-m", "barstep", "warmup", "--json"], env=cache, capture_output=True, text=True, check=True
    )
    said: dict[str, object] = json.loads(ran.stdout)
    return said


def test_the_warm_up_compiles_every_kernel(base: Path, warmed: dict[str, object]) -> None:
    """Each function that is marked as a kernel lies in the cache afterwards, but for those that are parts of others."""
    folder = Path(str(warmed["folder"]))
    assert folder.parent == base
    compiled = {path.name.removeprefix("inner-").split("-")[0] for path in folder.rglob("*.nbi")}
    for found in pkgutil.walk_packages(barstep.kernels.__path__, "barstep.kernels."):
        importlib.import_module(found.name)
    kernels = {
        f"{kernel.py_func.__module__.rsplit('.', 1)[1]}.{kernel.py_func.__qualname__}"
        for kernel in _jit.registry
        if kernel.py_func.__module__.startswith("barstep.") and kernel.targetoptions["inline"] == "never"
    }
    assert len(kernels) > 200
    assert kernels <= compiled
    assert int(str(warmed["compiled_now"])) >= len(kernels)


def test_what_python_and_kernels_both_call_is_compiled_once(warmed: dict[str, object]) -> None:
    """It is marked as shared: otherwise kernels have code of their own, without what takes Python's arguments apart."""
    names = {path.name for path in Path(str(warmed["folder"])).rglob("*.nbi")}
    inner = {name for name in names if name.startswith("inner-")}
    assert inner
    assert names - inner
    assert not {name.removeprefix("inner-") for name in inner} & names


def test_the_second_process_compiles_nothing(cache: Mapping[str, str], warmed: dict[str, object]) -> None:
    """All engines, metrics, tables, own wishes and schedulers run on what the warm-up kept."""
    assert warmed["compiled_now"]
    ran = subprocess.run([sys.executable, "-c", USE_EVERYTHING], env=cache, capture_output=True, text=True, check=True)
    said = json.loads(ran.stdout.splitlines()[-1])
    assert said["compiled_now"] == 0
    assert said["loaded"] > 0
