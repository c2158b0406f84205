"""Verifying a journal beside signing its lines again with bare `hmac.digest`: records a second, and their ratio.

Every round runs both over the same journal, with the yardstick beside them; figures are medians of the rounds' own
ratios. `python benchmarks/journal/verify.py --records 200000 --rounds 9`.
"""

from __future__ import annotations

import argparse
import hmac
import json
import statistics
import sys
import tempfile
import time  # noqa: TID251 - a benchmark times things
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from barstep.replay.journal.files import JournalFiles
from barstep.replay.journal.lines import open_segments
from barstep.replay.journal.verification import verify
from barstep.replay.key_files import KeyRing
from barstep.replay.keys import EpochKey

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "replay"))
from plain_journal import PlainJournal

ROOT = bytes(range(32))
SEGMENT_RECORDS = 65_536
_COPIED = 8_000_000
DECISION = {
    "schedule": "trend_schedule", "strategy": "trend_engine", "schedule_run_id": "trend_schedule-2024-01-01T00:00:00Z",
    "risk_profile": "balanced", "primary_exchange": "binance", "risk_budget_bucket": "balanced",
    "instrument": "BTCUSDT", "side": "long", "exposure": 0.25, "confidence": 0.7312, "weight": 0.1875,
    "latency_ms": 1.25, "telemetry_namespace": "runtime.core", "status": "accepted", "reason": "",
    "category": "decision",
}  # fmt: skip


def make(folder: Path, records: int) -> None:
    """A journal of decisions, in segments as long as they get."""
    journal = PlainJournal(folder, ROOT)
    journal.write("genesis", environment="demo")
    while journal.seq + 1 < records:
        journal.write("decision", **DECISION)
        if len(journal.lines) == SEGMENT_RECORDS - 1:
            journal.seal()
    journal.save()


def read_lines(folder: Path) -> list[tuple[bytes, list[bytes]]]:
    """Each segment's key and its lines."""
    key, segments = EpochKey.first(ROOT), []
    with open_segments(JournalFiles(folder=folder, environment="demo")) as found:
        for path, _ in found:
            segments.append((key.key, path.read_bytes().split(b"\n")[:-1]))
            key = key.evolved()
    return segments


def sign_all(segments: list[tuple[bytes, list[bytes]]]) -> None:
    """What no verification can leave out: a signature over every line."""
    digest = hmac.digest
    for key, lines in segments:
        for line in lines:
            digest(key, line, "sha384")


def seconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    """Run the rounds and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", type=Path, help="write the rounds into this file")
    options = parser.parse_args()
    source, target = np.ones(_COPIED), np.empty(_COPIED)
    rounds: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "logs"
        make(folder, options.records)
        paths, ring = JournalFiles(folder=folder, environment="demo"), KeyRing(EpochKey.first(ROOT))
        found = verify(paths, ring)
        assert found.is_good(strict=False) and found.signed == found.records >= options.records, found.faults
        segments = read_lines(folder)
        size = statistics.mean(len(line) for _, lines in segments for line in lines)
        for number in range(options.rounds):
            works = {"verify": lambda: verify(paths, ring), "hmac": lambda: sign_all(segments)}
            turn = list(works) if number % 2 else list(works)[::-1]
            row = {name: seconds(works[name]) for name in turn}
            rounds.append({**row, "copyto": min(seconds(lambda: np.copyto(target, source)) for _ in range(5))})
    middle = {key: statistics.median(row[key] for row in rounds) for key in rounds[0]}
    ratio = statistics.median(row["hmac"] / row["verify"] for row in rounds)
    yard = statistics.median(row["verify"] / row["copyto"] for row in rounds)
    print(f"{found.records:,} records of {size:,.0f} bytes in {found.segments} segments, {options.rounds} rounds")
    print(f"verify      {found.records / middle['verify']:>10,.0f} records/s   {yard:>6.1f} × copyto of 8 M float64")
    print(f"bare hmac   {found.records / middle['hmac']:>10,.0f} records/s")
    print(f"verify reaches {ratio:.2f} of bare hmac")
    if options.json is not None:
        options.json.write_text(json.dumps({"records": found.records, "rounds": rounds}, indent=2))


if __name__ == "__main__":
    main()
