"""A scheduler replayed in event time: beside nautilus_trader without a strategy, and beside the disk with its journal.

Every case is held to the vectorised run first. Then each round runs all of them once, each in a process of its own with
the yardstick in it; ratios are medians of the rounds' own. `python benchmarks/replay/run.py --bars 1000000 --rounds 9`.
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
from cases import CASES, DisagreementError
from inputs import minutes

HERE = Path(__file__).parent
NAUTILUS = Path(".venv-nautilus/bin/python")
PEERS = {"nautilus_trader, bars matched": "executes", "nautilus_trader, bars only heard": "listens"}
Figures = dict[str, float]


def main() -> int:
    """Check, run the rounds and print the tables; 1 where something disagrees or is missing."""
    options = _options()
    if options.case:
        print(json.dumps(CASES[options.case].measure(_bars(options.case, options.bars), options.folder)))
        return 0
    chosen = [name for name in (*CASES, *PEERS) if not options.names or any(word in name for word in options.names)]
    if not chosen:
        sys.exit(f"nothing is named like {', '.join(options.names)}; there are {', '.join((*CASES, *PEERS))}")
    if PEERS.keys() & chosen and not options.nautilus.exists():
        sys.exit(f"{options.nautilus}: no such file; `make .venv-nautilus/ready` makes it, --nautilus names another")
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="replay-bench-") as name:
        folder = Path(name)
        for case in (one for one in chosen if one in CASES):
            try:
                CASES[case].check(_bars(case, options.bars), folder)
            except DisagreementError as error:
                print(f"{case}: {error}", file=sys.stderr)
                return 1
        rows = _rounds(options, chosen, folder)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))
    _print(rows, options.bars)
    print("load at the end:", ", ".join(f"{load:.1f}" for load in os.getloadavg()))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of the names of cases and peers; all where none is given")
    parser.add_argument("--bars", type=int, default=1_000_000, help="of one schedule; fifty and journals have fewer")
    parser.add_argument("--json", type=Path, help="write every round to this file")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--folder", type=Path, default=Path(), help="on the disk whose rate is meant")
    parser.add_argument("--nautilus", type=Path, default=NAUTILUS, help="the Python that has nautilus_trader")
    parser.add_argument("--case", help="measure one case in this process and print JSON")
    return parser.parse_args()


def _bars(name: str, bars: int) -> int:
    """Bars of a case or a peer, where one schedule without a journal has `bars`."""
    return bars // CASES[name].fewer if name in CASES else bars


def _rounds(options: argparse.Namespace, chosen: list[str], folder: Path) -> dict[str, list[Figures]]:
    written = folder / "bars.npz"
    np.savez(written, **minutes(options.bars))
    commands = {
        case: [sys.executable, __file__, "--case", case, "--bars", str(options.bars), "--folder", str(folder)]
        for case in CASES
    }
    commands |= {
        peer: [str(options.nautilus), str(HERE / "with_nautilus.py"), str(written), how] for peer, how in PEERS.items()
    }
    rows: dict[str, list[Figures]] = {name: [] for name in chosen}
    for _ in range(options.rounds):
        for name in chosen:
            ran = subprocess.run(commands[name], check=True, stdout=subprocess.PIPE, text=True)
            rows[name].append(json.loads(ran.stdout))
    return rows


def _print(rows: dict[str, list[Figures]], bars: int) -> None:
    print(f"{'case':<36}{'bars/s':>12}{'least':>12}{'most':>12}{'× copyto':>10}{'MiB':>7}")
    for name, rounds in rows.items():
        rates = [_bars(name, bars) / row["seconds"] for row in rounds]
        copies = statistics.median(row["seconds"] / row["yardstick"] for row in rounds)
        mib = statistics.median(row["mib"] for row in rounds)
        middle = statistics.median(rates)
        print(f"{name:<36}{middle:>12,.0f}{min(rates):>12,.0f}{max(rates):>12,.0f}{copies:>10,.0f}{mib:>7,.0f}")
    for peer in filter(rows.__contains__, PEERS):
        for case in filter(rows.__contains__, ("one schedule, single steps", "one schedule, bursts")):
            times = statistics.median(
                theirs["seconds"] / own["seconds"] for own, theirs in zip(rows[case], rows[peer], strict=True)
            )
            print(f"{case}: {times:.1f} times as fast as {peer}")
    for case in (name for name in rows if name.endswith("journal")):
        share = statistics.median(row["disk"] / row["seconds"] for row in rows[case])
        rate = statistics.median(row["decisions"] / row["seconds"] for row in rows[case])
        kib = statistics.median(row["kib"] for row in rows[case])
        print(f"{case}: {share:.2f} of the disk's own rate, groups of {kib:.1f} KiB; {rate:,.0f} decisions/s durable")


if __name__ == "__main__":
    sys.exit(main())
