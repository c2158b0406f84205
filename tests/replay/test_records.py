"""What the records of a run say is what its tables hold, bit for bit."""

from __future__ import annotations

import hashlib
import json
import math
import struct
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from barstep.config.reading import PACKAGED
from barstep.engine.reasons import FILL_KINDS
from barstep.engine.scheduler.backtest import set_up_scheduler
from barstep.engine.scheduler.machine import SchedulerMachine
from barstep.engine.scheduler.result import SchedulerResult
from barstep.engine.scheduler.wishes import NOT_GIVEN
from barstep.kernels import account
from barstep.kernels.scheduler.loop import CLOSING
from barstep.replay.event_loop import EventLoop
from barstep.replay.records import BarDigests
from barstep.replay.scribe import Scribe

SPAN = {"start": "2023-08-14", "end": "2023-08-17"}


class _Ledger(list[bytes]):
    """Records in memory."""

    is_full = False

    def end_group(self) -> None:
        pass

    def commit(self) -> None:
        pass

    def seal(self, checkpoint: bytes) -> None:
        pass


class _Means:
    """What was measured at each close, by schedule."""

    def __init__(self, machine: SchedulerMachine) -> None:
        self.machine, self.at = machine, {}  # type: ignore[var-annotated]

    def event(self, *_: object) -> None:
        pass

    def block(self, _: int) -> None:
        pass

    def instant(self, now_us: int, place: int) -> None:
        column = int(self.machine.timeline[CLOSING, place])
        if column >= 0:
            self.at[now_us] = self.machine.wishes.means[:, :, column].copy()


@pytest.fixture(scope="module")
def written() -> tuple[SchedulerResult, list[dict[str, Any]], _Means]:
    """Three days of `core_multi`: the result, its records, and what was measured."""
    machine = SchedulerMachine(set_up_scheduler(PACKAGED, **SPAN), observed=True)
    ledger, means = _Ledger(), _Means(machine)
    loop = EventLoop(machine, (), [means], writer=Scribe(machine, ledger))
    while loop.step():
        pass
    return machine.result(), [json.loads(b"{" + payload + b"}") for payload in ledger], means


def _of(kind: str, records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [record for record in records if record["kind"] == kind]


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def test_fills(written: tuple[SchedulerResult, list[dict[str, Any]], _Means]) -> None:
    """Every fill, in order, with all of its numbers; what has none is null."""
    result, records, _ = written
    names, legs = result.setup.panel.names, len(result.setup.panel.names)
    rows = [
        {
            "schedule": result.setup.schedules[int(fill[account.FILL_LEG]) // legs],
            "instrument": names[int(fill[account.FILL_LEG]) % legs],
            "status": "filled",
            "cause": FILL_KINDS[int(fill[account.FILL_KIND])],
            "lots": fill[account.FILL_LOTS],
            "price": fill[account.FILL_PRICE],
            "fee": fill[account.FILL_FEE],
            "reference": _number(fill[account.FILL_REFERENCE]),
            "bar": int(fill[account.FILL_BAR]),
        }
        for fill in result.fill_table.T.tolist()
    ]
    assert len(rows) > 50
    assert [{name: one[name] for name in rows[0]} for one in _of("fill", records)] == rows


def test_weights(written: tuple[SchedulerResult, list[dict[str, Any]], _Means]) -> None:
    """Every refresh, raw and after the ceilings, by the schedules' names."""
    result, records, _ = written
    count = len(result.setup.schedules)
    refreshes = result.refresh_table[1:].T.tolist()
    assert len(refreshes) > 50
    told = _of("weights", records)
    assert all(list(one["raw"]) == list(one["weights"]) == list(result.setup.schedules) for one in told)
    assert [[*one["raw"].values(), *one["weights"].values()] for one in told] == refreshes
    assert len(refreshes[0]) == 2 * count


def test_decisions(written: tuple[SchedulerResult, list[dict[str, Any]], _Means]) -> None:
    """Every signal, with exposure, confidence and weight."""
    result, records, _ = written
    order = ("due_time", "schedule", "instrument")
    columns = ("schedule", "instrument", "side", "exposure", "confidence", "weight", "reason")
    rows = result.decisions.sort(order).select(columns).rows()
    told = sorted(_of("decision", records), key=lambda one: (one["at"], one["schedule"], one["instrument"]))
    assert len(rows) > 50
    assert [tuple(one[name] for name in columns) for one in told] == rows


def test_runs(written: tuple[SchedulerResult, list[dict[str, Any]], _Means]) -> None:
    """The telemetry of a run is what was measured for its schedule; what gave no number is left out."""
    result, records, means = written
    machine = means.machine
    moments = {at: np.datetime64(at, "us").item().isoformat(timespec="microseconds") + "Z" for at in means.at}
    at_us = {text: at for at, text in moments.items()}
    runs = [one for one in _of("run", records) if one["at"] in at_us]
    assert len(runs) > 100
    for one in runs:
        s = result.setup.schedules.index(one["schedule"])
        engine = result.setup.resolved[s].strategy.engine
        values = {
            measure.full_name: means.at[at_us[one["at"]]][m, s]
            for m, measure in enumerate(machine.measures)
            if measure.row(engine) != NOT_GIVEN
        }
        assert one["telemetry"] == {name: value for name, value in values.items() if not math.isnan(value)}
    assert any("avg_spread_capture_bps" not in one["telemetry"] for one in runs if one["schedule"][:3] == "arb")


def _digests(result: SchedulerResult, bars: range) -> Iterator[tuple[str, int]]:
    """By hand: the time of the bar, then for each leg five numbers."""
    history = result.setup.history
    for bar in bars:
        opened = int(history.ts_us[bar])
        content, count = struct.pack("<q", opened), 0
        for leg in history.instruments:
            place = int(np.searchsorted(leg.ts_us, opened))
            has = place < len(leg) and int(leg.ts_us[place]) == opened
            content += struct.pack("<5d", *(leg.values[:5, place] if has else [math.nan] * 5))
            count += has
        yield hashlib.sha384(content).hexdigest(), count


def test_digests_of_bars(written: tuple[SchedulerResult, list[dict[str, Any]], _Means]) -> None:
    """A bar's digest is over its time and the five numbers of each leg, wherever the block begins."""
    result = written[0]
    for bars in (range(5), range(100, 103)):
        digests = BarDigests(result.setup.history, bars)
        assert [digests.of(bar) for bar in bars] == list(_digests(result, bars))
