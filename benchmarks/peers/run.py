"""Compare barstep with its peers: `python benchmarks/peers/run.py --help`."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from cases import BARS, CASES, Case
from figures import figures, table
from rich.console import Console
from rounds import PeerError, measure

LEAST_ROUNDS = 9
DISTRIBUTIONS = (
    "backtesting", "bottleneck", "numba", "numbagg", "numpy", "pandas", "polars", "TA-Lib", "vectorbt", "vectorbt-rust",
)  # fmt: skip


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", help="parts of the names of cases; all where none is given")
    parser.add_argument("--rounds", type=int, default=LEAST_ROUNDS, help="rounds of each case")
    parser.add_argument("--bars", type=int, default=BARS, help="bars of the kernels; backtests have a tenth")
    parser.add_argument("--json", type=Path, help="write every round, and what it ran on, to this file")
    parser.add_argument("--list", action="store_true", help="name the cases and leave")
    return parser.parse_args()


def _chosen(words: list[str]) -> list[Case]:
    chosen = [case for case in CASES if not words or any(word in case.title for word in words)]
    if not chosen:
        sys.exit(f"no case is named like {', '.join(words)}; `--list` names them")
    return chosen


def _surroundings() -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "load_at_start": os.getloadavg(),
        "versions": {name: _version(name) for name in DISTRIBUTIONS},
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def main() -> int:
    arguments = _arguments()
    chosen = _chosen(arguments.cases)
    if arguments.list:
        print(*(case.title for case in chosen), sep="\n")
        return 0
    console = Console(width=None if sys.stdout.isatty() else 165)
    report: dict[str, Any] = {**_surroundings(), "rows": [], "measured": {}, "failures": []}
    for case in (case.scaled(arguments.bars) for case in chosen):
        console.print(f"{case.title} …", style="dim")
        try:
            measured = measure(case, arguments.rounds)
        except PeerError as failure:
            report["failures"].append(f"{case.title}: {failure}")
            console.print(report["failures"][-1], style="red", markup=False)
            continue
        report["measured"][case.title] = measured
        report["rows"] += figures(case, measured)
    report["load_at_end"] = os.getloadavg()
    console.print(table(report["rows"]))
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1))
    for failure in report["failures"]:
        console.print(failure, style="red", markup=False)
    return 1 if report["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
