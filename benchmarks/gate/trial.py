"""Does the gate tell a slow-down from a busy machine? `python benchmarks/gate/trial.py --planted 20 --unplanted 20`.

Runs of the whole gate as it is must pass, and runs in which one case does its work 1.3 times must fail by that case,
while another process is busy half of the time. Each run is a process of its own. Exits with 1 where one run says
something else.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time  # noqa: TID251 - it measures how long the trial takes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from barstep.ops.gate import Asked, gate
from barstep.ops.gate_case import Case
from barstep.ops.gate_cases import CASES

FACTOR = 1.3
NOT_IN_PROPORTION = ("backtest", "backtest with levels", "portfolio")
"""A call of these has a share that does not grow with its bars: 1.3 times the bars is less than 1.3 times the work."""

LOAD = """
import numpy, time
source, target = numpy.ones(4_000_000), numpy.zeros(4_000_000)
while True:
    until = time.monotonic() + 0.25
    while time.monotonic() < until:
        numpy.copyto(target, source)
        numpy.multiply(target[:100_000], 1.1, out=source[:100_000])
    time.sleep(0.25)
"""


def planted(case: Case) -> Case:
    """The same with 1.3 times the work, said to be as much as before."""
    return replace(case, prepare=lambda bars: case.prepare(round(FACTOR * bars)))


@contextmanager
def busy_half_of_the_time() -> Iterator[None]:
    """Another process that copies and multiplies for a quarter of a second, and rests as long."""
    load = subprocess.Popen([sys.executable, "-c", LOAD])
    try:
        yield
    finally:
        load.kill()
        load.wait()


def run_once(plant: str, baseline: Path | None) -> dict[str, object]:
    """One gate in this process; what is planted is timed alone."""
    cases = [planted(case) if case.name == plant else case for case in CASES]
    report = gate(Asked(baseline=baseline, only=(plant,) if plant else ()), cases=cases)
    return {
        "over": [row.case for row in report.over],
        "greatest": max(
            row.timed.times_arithmetic.middle / (row.limits.times_arithmetic or 1e9) for row in report.rows
        ),
    }


def main() -> int:
    """Run the trial, or one run of it."""
    options = _options()
    if options.once is not None:
        print(json.dumps(run_once(options.once, options.baseline)))
        return 0
    names = [case.name for case in CASES if case.name not in NOT_IN_PROPORTION]
    plants = [names[(7 * k) % len(names)] for k in range(options.planted)]
    runs = [*plants, *[""] * options.unplanted]
    wrong = 0
    with busy_half_of_the_time():
        for plant in runs:
            began = time.monotonic()
            command = [sys.executable, __file__, "--once", plant]
            command += ["--baseline", str(options.baseline)] if options.baseline else []
            found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
            right = found["over"] == ([plant] if plant else [])
            wrong += not right
            print(
                f"{'right' if right else 'WRONG'}: planted {plant or 'nothing'}, over {found['over']}, greatest time "
                f"over budget {found['greatest']:.3f}, {time.monotonic() - began:.0f} s, load {os.getloadavg()[0]:.1f}",
                flush=True,
            )
    print(f"{len(runs) - wrong} of {len(runs)} runs said what is so")
    return 1 if wrong else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--planted", type=int, default=20, help="runs with a slow-down")
    parser.add_argument("--unplanted", type=int, default=20, help="runs of the whole gate as it is")
    parser.add_argument("--baseline", type=Path, help="a file of `barstep bench gate --save-baseline`")
    parser.add_argument("--once", help="one run in this process, with this case planted, or none where it is empty")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
