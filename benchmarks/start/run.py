"""What a new process costs: help beside the import of Typer, and a first backtest with kernels that are compiled.

Seconds of processor time, medians of interleaved rounds. `python benchmarks/start/run.py --rounds 9`.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys

TYPER = [sys.executable, "-c", "import typer"]
HELP = [sys.executable, "-m", "barstep", "--help"]
BACKTEST = """
import barstep as bs, numpy as np
times = np.arange(10_000, dtype=np.int64) * 60_000_000
close = 100.0 * np.exp(np.cumsum(1e-3 * np.random.default_rng(1).standard_normal(10_000)))
bars = bs.Bars.from_arrays(times, close, close * 1.001, close * 0.999, close, interval_seconds=60)
bs.backtest(bars, "sma_crossover", fast_ma=25, slow_ma=100, units=1, fee_bps=10).metrics
"""
COMPILED_NOTHING = """
from barstep.kernels import _jit
assert _jit.compiled_now() == 0, "kernels were compiled"
"""
FIRST = [sys.executable, "-c", BACKTEST + COMPILED_NOTHING]
WITHOUT_SCIPY = [sys.executable, "-c", "import sys; sys.modules['scipy'] = None" + BACKTEST + COMPILED_NOTHING]
CASES = {"import typer": TYPER, "--help": HELP, "first backtest": FIRST, "first backtest, no SciPy": WITHOUT_SCIPY}


def processor_seconds(command: list[str]) -> float:
    """Processor time of a command and what it started."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Run the rounds and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    subprocess.run([sys.executable, "-c", BACKTEST], check=True)  # compiles what is needed
    times: dict[str, list[float]] = {case: [] for case in CASES}
    for _ in range(rounds):
        for case, command in CASES.items():
            times[case].append(processor_seconds(command))
    print(f"{'case':<28}{'CPU s':>8}{'least':>8}{'× import typer':>17}")
    for case, each in times.items():
        ratio = statistics.median(one / typer for one, typer in zip(each, times["import typer"], strict=True))
        print(f"{case:<28}{statistics.median(each):>8.3f}{min(each):>8.3f}{ratio:>17.2f}")


if __name__ == "__main__":
    main()
