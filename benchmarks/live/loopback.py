"""A live run at a stub venue in another process, over mTLS: from the closed bar to the orders on their way.

The venue goes in lock step, as fast as the loop. *Bar in* is when the bar's `complete` is out of the stream, *orders
out* when they have been handed to it, durable; *turn* is from one such hand-over to the next, with the venue's part and
two ways over the wire. `python benchmarks/live/loopback.py --bars 1000 --folder DISK`.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time  # noqa: TID251 - a benchmark times things
from pathlib import Path
from typing import Any

import numpy as np
from barstep.data.dataset import DatasetInfo, write_dataset
from barstep.ops.live_place import JOURNALS, LivePlace, make_place
from barstep.ops.live_processes import live_process
from barstep.replay.channel.messages import Complete
from barstep.replay.clock import SystemClock
from barstep.replay.journal.disk import RealDisk
from barstep.replay.live.opening import LivePlaces, open_live
from cases import CASES, PAST_BARS, WARM_BARS, Case, _legs

VENUE_SECONDS = 120.0


def main() -> None:
    """Run every case and print its line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bars", type=int, default=1_000, help="closed bars that are counted")
    parser.add_argument("--folder", type=Path, default=Path(), help="on the disk whose time is meant")
    options = parser.parse_args()
    print(f"{'microseconds':<28}{'bar in, orders out':>26}{'of it the disk':>26}{'turn':>26}")
    for name, case in CASES.items():
        with tempfile.TemporaryDirectory(dir=options.folder, prefix="live-loopback-") as folder:
            parts = _measured(case, options.bars, Path(folder).resolve())
        told = "".join(f"{_shown(parts[part]):>26}" for part in ("answer", "disk", "turn"))
        print(f"{name:<28}{told}")
    print("load at the end:", ", ".join(f"{load:.1f}" for load in os.getloadavg()))


def _shown(seconds: list[float]) -> str:
    p50, p99 = np.percentile(np.array(seconds) * 1e6, (50, 99))
    return f"p50 {p50:,.0f}  p99 {p99:,.0f}"


def _measured(case: Case, count: int, folder: Path) -> dict[str, list[float]]:
    clock, bars = SystemClock(), case.bars(PAST_BARS + WARM_BARS + count + 2)
    folder.chmod(0o700)
    data = folder / "data"
    for leg in _legs(bars):
        info = DatasetInfo(symbol=leg.symbol, venue=leg.venue, interval_seconds=leg.interval_seconds)
        write_dataset(leg.to_frame(), info, data / f"{leg.venue}_{leg.symbol}_1m.parquet")
    start = np.datetime64(int(next(_legs(bars)).ts_us[PAST_BARS]), "us")
    scheduler = case.config.environments["demo"].scheduler
    place = make_place(folder, case.config, "demo", scheduler, clock)
    words = ["stub-server", "--dataset", str(data), "--address", "grpc+tls://localhost:0", "--mtls-bundle",
             str(place.bundle), "--start", f"{start}Z", "--json"]  # fmt: skip
    with live_process("venue", words, folder, place.environ, clock) as venue:
        venue.wait_until(lambda: bool(venue.address), "its address", VENUE_SECONDS)
        return _traded(place.at(venue.address), count, clock)


def _traded(place: LivePlace, count: int, clock: SystemClock) -> dict[str, list[float]]:
    """Trade the bars, timed at the loop's side of the stream."""
    places = LivePlaces(journal=place.folder / JOURNALS, recordings=place.folder / "recordings", secrets=place.secrets)
    parts: dict[str, list[float]] = {"answer": [], "disk": [], "turn": []}
    disk_seconds = _time_disk()
    run = open_live(place.config, place.environment, None, places, clock, environ=place.environ)
    connected = run.connected
    listen, last = connected._listen, [time.perf_counter()]

    def timed() -> None:
        link = connected._link
        plain, came = link.receive, [0.0]

        def receive(timeout_us: int) -> Any:
            message = plain(timeout_us)
            came[0] = time.perf_counter() if isinstance(message, Complete) else 0.0
            disk_seconds[0] = 0.0
            return message

        link.receive = receive
        try:
            listen()
        finally:
            link.receive = plain
        if came[0]:
            now = time.perf_counter()
            parts["answer"].append(now - came[0])
            parts["disk"].append(disk_seconds[0])
            parts["turn"].append(now - last[0])
            last[0] = now

    connected._listen = timed  # type: ignore[method-assign]
    run.run(lambda: len(parts["turn"]) >= WARM_BARS + count, lambda: None)
    run.close()
    return {name: seconds[WARM_BARS:] for name, seconds in parts.items()}


def _time_disk() -> list[float]:
    """Have all that is written and synced counted in the number that is given back."""
    spent = [0.0]
    for name in ("write", "fdatasync"):
        plain = getattr(RealDisk, name)

        def measured(self: RealDisk, *given: Any, _plain: Any = plain) -> Any:
            began = time.perf_counter()
            try:
                return _plain(self, *given)
            finally:
                spent[0] += time.perf_counter() - began

        setattr(RealDisk, name, measured)
    return spent


if __name__ == "__main__":
    main()
