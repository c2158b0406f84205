"""A live run bar by bar: what the loop takes for itself, and from the closed bar to the orders that are durable.

The venue is the stub's, in the same process, and the journal is on a real disk. *The loop itself* is everything but the
journal, in a run that does not wait for its disk; a process that comes back from a sync finds its caches cold. The
equity at every bar is held to the vectorised run. Where the machine itself interrupts one bar of a hundred, 99 of 100
say how long that takes, and not how long a bar does: how often it interrupts is measured, too. Each round runs every
case in a process of its own with the yardstick in it; figures are medians of the rounds' own.
`python benchmarks/live/run.py --bars 3000 --rounds 5 --folder DISK`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from cases import CASES, DisagreementError, interruptions, yardstick

Figures = dict[str, float]
AIMED_AT_US = {"1 schedule, 1 instrument": 25.0, "50 schedules, 20 pairs": 400.0}
"""The loop itself, 99 of 100 bars."""
PARTS = {
    "unsynced": "the loop itself",
    "compute": "… after a sync",
    "disk": "write and fdatasync",
    "whole": "bar in, orders out",
}


def main() -> int:
    """Run the rounds and print the table; 1 where a run is not as the vectorised one."""
    options = _options()
    if options.case:
        try:
            print(json.dumps(_measured(options.case, options.bars, options.folder)))
        except DisagreementError as error:
            print(f"{options.case}: {error}", file=sys.stderr)
            return 1
        return 0
    rows: dict[str, list[Figures]] = {name: [] for name in CASES}
    for _ in range(options.rounds):
        for name, row in rows.items():
            with tempfile.TemporaryDirectory(dir=options.folder, prefix="live-bench-") as folder:
                command = [sys.executable, __file__, "--case", name, "--bars", str(options.bars), "--folder", folder]
                ran = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
            if ran.returncode:
                return ran.returncode
            row.append(json.loads(ran.stdout))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))
    _print(rows, options)
    print("load at the end:", ", ".join(f"{load:.1f}" for load in os.getloadavg()))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bars", type=int, default=3_000, help="closed bars that are counted")
    parser.add_argument("--json", type=Path, help="write every round to this file")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=Path(), help="on the disk whose time is meant")
    parser.add_argument("--case", choices=CASES, help="measure one case in this process and print JSON")
    return parser.parse_args()


def _measured(case: str, bars: int, folder: Path) -> Figures:
    """Microseconds of each part, of half of the bars and of 99 of 100, with the yardstick and the disk's share."""
    times = CASES[case].measure(bars, folder)
    figures = {
        f"{part} p{share}": float(np.percentile(seconds, share)) * 1e6
        for part, seconds in times.items()
        for share in (50, 99)
    }
    shares = {"disk share": sum(times["disk"]) / sum(times["whole"]), "interruptions": interruptions()}
    return figures | shares | {"yardstick": yardstick() * 1e6}


def _print(rows: dict[str, list[Figures]], options: argparse.Namespace) -> None:
    print(f"{options.bars:,} closed bars, {options.rounds} rounds, medians; microseconds")
    print(f"{'case':<28}{'part':<24}{'p50':>10}{'p99':>10}{'least p99':>11}{'copyto at p50':>15}{'aimed at':>10}")
    for case, rounds in rows.items():
        for part, text in PARTS.items():
            p50, p99 = (statistics.median(row[f"{part} p{share}"] for row in rounds) for share in (50, 99))
            least = min(row[f"{part} p99"] for row in rounds)
            copies = statistics.median(row[f"{part} p50"] / row["yardstick"] for row in rounds)
            aim = f"{AIMED_AT_US[case]:,.0f}" if part == "unsynced" and case in AIMED_AT_US else ""
            print(f"{case:<28}{text:<24}{p50:>10,.1f}{p99:>10,.1f}{least:>11,.1f}{copies:>15,.4f}{aim:>10}")
        share = statistics.median(row["disk share"] for row in rounds)
        print(f"{case:<28}the disk has {share:.0%} of the time from the bar to the orders")
        taken = statistics.median(row["interruptions"] * row["unsynced p50"] * 1e-6 for row in rounds)
        print(f"{case:<28}the machine interrupts {taken:.1%} of its bars for 10 us or more, whatever they do")


if __name__ == "__main__":
    sys.exit(main())
