"""Fifty schedules on twenty pairs beside the kernels of their engines alone: time a cell, ratio, memory.

Each round runs every case once, in a process of its own, with the yardstick and the engines beside it; figures are
medians of the rounds' own ratios. `python benchmarks/scheduler/run.py --bars 100000 --rounds 9`.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time  # noqa: TID251 - a benchmark times things
from pathlib import Path
from typing import Any

import barstep as bs
import numpy as np
from barstep.engine.pairing import pair
from barstep.engine.simulation import EngineRun
from making import make_bars, make_config

SCHEDULES_AN_ENGINE, INSTRUMENTS = 10, 20
CASES: dict[str, dict[str, Any]] = {
    "all due, signals cut": {"mixed": False, "max_signals": 1, "rebalance_seconds": 900},
    "mixed cadences, signals cut": {"mixed": True, "max_signals": 1, "rebalance_seconds": 900},
    "all due, weights at every bar": {"mixed": False, "max_signals": 1, "rebalance_seconds": 60},
}
_COPIED, _TOUCHED = 8_000_000, 800 * 2**20


def measure(case: str, count: int) -> dict[str, float]:
    """One case in this process: seconds of yardstick, engines and scheduler, and its memory above the bars."""
    yardstick = _yardstick()
    bars = make_bars(INSTRUMENTS, count)
    _run(case, {name: tuple(_first(one, 500) for one in pair) for name, pair in bars.items()})  # loads the kernels
    _have_memory_at_hand()
    before = _resident_bytes()
    began = time.perf_counter()
    result = _run(case, bars)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
    signals = result.signals
    return {
        "yardstick": yardstick,
        "engines": min(_seconds(lambda: _run_engines(result)) for _ in range(2)),
        "scheduler": seconds,
        "mib": peak / 2**20,
        "signals": signals["seen"],
        "cut": signals["limit"],
        "fills": result.fill_table.shape[1],
    }


def _yardstick() -> float:
    source, target = np.ones(_COPIED), np.empty(_COPIED)
    return min(_seconds(lambda: np.copyto(target, source)) for _ in range(5))


def _have_memory_at_hand() -> None:
    """Touch more memory than a run of 100,000 bars takes, in a process that ends.

    A virtual machine's host takes back what is free, and gives a page again only when it is touched, which costs many
    times what the kernel does for it: how long a round took depended on what had run before it.
    """
    subprocess.run([sys.executable, "-c", f"b'x' * {_TOUCHED}"], check=True)


def _run(case: str, bars: Any) -> bs.SchedulerResult:
    config = make_config(SCHEDULES_AN_ENGINE, INSTRUMENTS, **CASES[case])
    return bs.backtest_scheduler(config, bars=bars, fee_bps=1)


def _run_engines(result: bs.SchedulerResult) -> None:
    """The kernels of all engines over the same cells, with their telemetry."""
    setup = result.setup
    legs, count = setup.history.instruments, len(setup.instruments)
    pairs = [pair(legs[i], legs[setup.others[i]]).values for i in range(count)]
    for one in setup.resolved:
        engine = one.strategy.engine
        for i in range(count):
            values = pairs[i] if engine.needs_secondary else legs[i].values
            run = EngineRun(engine, dict(one.strategy.parameters), legs[i], values, 365.0)
            for _ in run.outputs(16_384, with_telemetry=True):
                pass


def _first(bars: bs.Bars, count: int) -> bs.Bars:
    return bs.Bars.from_arrays(
        bars.ts_us[:count], *bars.values[:5, :count], interval_seconds=60, symbol=bars.symbol, venue=bars.venue
    )


def _seconds(work: Any) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def main() -> None:
    """Run the rounds and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bars", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--case", choices=CASES, help="measure one case in this process and print JSON")
    options = parser.parse_args()
    if options.case:
        print(json.dumps(measure(options.case, options.bars)))
        return
    rows: dict[str, list[dict[str, float]]] = {case: [] for case in CASES}
    for _ in range(options.rounds):
        for case in CASES:
            command = [sys.executable, __file__, "--case", case, "--bars", str(options.bars)]
            rows[case].append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    cells = options.bars * SCHEDULES_AN_ENGINE * 5 * INSTRUMENTS
    print(
        f"{'case':<32}{'ns/cell':>9}{'× engines':>11}{'× copyto':>10}{'× first':>9}{'MiB':>7}{'signals':>12}{'cut':>12}"
        f"{'fills':>12}"
    )
    first = next(iter(rows.values()))
    for case, rounds in rows.items():
        middle = {key: statistics.median(row[key] for row in rounds) for key in rounds[0]}
        ratio, yard = (
            statistics.median(row["scheduler"] / row[beside] for row in rounds) for beside in ("engines", "yardstick")
        )
        to_first = statistics.median(
            row["scheduler"] / one["scheduler"] for row, one in zip(rounds, first, strict=True)
        )
        print(
            f"{case:<32}{middle['scheduler'] / cells * 1e9:>9.1f}{ratio:>11.2f}{yard:>10.0f}{to_first:>9.3f}"
            f"{middle['mib']:>7.0f}{middle['signals']:>12,.0f}{middle['cut']:>12,.0f}{middle['fills']:>12,.0f}"
        )


if __name__ == "__main__":
    main()
