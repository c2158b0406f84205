"""The journal's writer beside the disk alone: groups of one record, and groups of fifty.

Each round puts the same records on one disk three times, a hundred at a time in turn, as disks have moods: one write
and fdatasync a record by nothing but the disk, one record a group by the journal, fifty records a group by the journal;
with the yardstick beside them. Figures are medians of the rounds' own figures.
`python benchmarks/journal/run.py --records 2000 --rounds 15 --folder DISK`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time  # noqa: TID251 - a benchmark times things
from collections.abc import Callable
from pathlib import Path

import numpy as np
from barstep.replay.journal.disk import RealDisk
from barstep.replay.journal.files import JournalFiles
from barstep.replay.journal.reading import read_payloads
from barstep.replay.journal.record import at_text, members
from barstep.replay.journal.writer import TradingDecisionJournal
from barstep.replay.keys import EpochKey

GROUP, TURN = 50, 100
_COPIED = 8_000_000
_NOW_US = 1_704_067_200_000_000


class OneKey:
    """A store of one key; nothing is sealed here."""

    def current(self) -> EpochKey:
        return EpochKey.first(bytes(32))

    def advance(self, key: EpochKey) -> None:
        raise NotImplementedError


def decision(number: int) -> bytes:
    """A record of the common kind, with all its fields."""
    return members(
        {
            "kind": "decision", "at": at_text(_NOW_US + number), "schedule": "momentum_btc", "strategy": "trend",
            "schedule_run_id": f"momentum_btc-{number}", "risk_profile": "balanced", "primary_exchange": "binance",
            "risk_budget_bucket": "majors", "instrument": "BTC/USDT", "side": "long", "exposure": number / 7,
            "confidence": number / 11, "weight": number / 13, "latency_ms": 0.0, "telemetry_namespace": "demo.trend",
            "status": "accepted", "reason": "",
        }
    )  # fmt: skip


def measure(folder: Path, payloads: list[bytes]) -> dict[str, float]:
    """One round: seconds of each case, and how many bytes a record takes."""
    seconds = {"copy": _yardstick(), "disk": 0.0, "single": 0.0, "grouped": 0.0}
    single, grouped, plain = _open(folder / "single"), _open(folder / "grouped"), RealDisk().open(folder / "disk")
    written = (folder / "single" / "bench.jsonl").open("rb")
    written.readline()
    for begin in range(0, len(payloads), TURN):
        turn = payloads[begin : begin + TURN]
        seconds["single"] += _seconds(lambda turn=turn: _commit(single, turn, 1))
        lines = written.readlines()
        seconds["grouped"] += _seconds(lambda turn=turn: _commit(grouped, turn, GROUP))
        seconds["disk"] += _seconds(lambda lines=lines: _write(plain, lines))
    for name, journal in (("single", single), ("grouped", grouped)):
        journal.close()
        assert (
            sum(1 for _ in read_payloads(JournalFiles(folder=folder / name, environment="bench"))) == len(payloads) + 1
        )
    seconds["bytes"] = (folder / "disk").stat().st_size / len(payloads)
    return seconds


def _open(folder: Path) -> TradingDecisionJournal:
    genesis = members({"kind": "genesis", "at": at_text(_NOW_US)})
    return TradingDecisionJournal.open(folder, "bench", OneKey(), log_id="0" * 32, genesis=genesis, now_us=_NOW_US)


def _commit(journal: TradingDecisionJournal, payloads: list[bytes], group: int) -> None:
    for begin in range(0, len(payloads), group):
        for payload in payloads[begin : begin + group]:
            journal.append(payload)
        journal.commit()


def _write(descriptor: int, lines: list[bytes]) -> None:
    for line in lines:
        os.write(descriptor, line)
        os.fdatasync(descriptor)


def _yardstick() -> float:
    source, target = np.ones(_COPIED), np.empty(_COPIED)
    return min(_seconds(lambda: np.copyto(target, source)) for _ in range(5))


def _seconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    """Run the rounds and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--folder", type=Path, default=Path(), help="on the disk to measure; default: here")
    options = parser.parse_args()
    payloads = [decision(number) for number in range(options.records)]
    rounds = []
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory(prefix=".bench-", dir=options.folder) as folder:
            rounds.append(measure(Path(folder), payloads))
    print(f"{options.records:,} records of {rounds[0]['bytes']:.0f} bytes, {options.rounds} rounds, medians")
    print(f"{'case':<34}{'records/s':>12}{'µs/record':>12}{'× disk':>9}{'copyto a record':>17}")
    cases = {
        "disk alone, write + fdatasync": "disk",
        "1 record a group": "single",
        f"{GROUP} records a group": "grouped",
    }
    for case, key in cases.items():
        seconds = statistics.median(row[key] for row in rounds) / options.records
        ratio = statistics.median(row["disk"] / row[key] for row in rounds)
        copies = statistics.median(row[key] / options.records / row["copy"] for row in rounds)
        print(f"{case:<34}{1 / seconds:>12,.0f}{seconds * 1e6:>12.1f}{ratio:>9.2f}{copies:>17.5f}")


if __name__ == "__main__":
    main()
