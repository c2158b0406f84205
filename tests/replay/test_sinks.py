"""Where signals go."""

from __future__ import annotations

import json

import polars as pl
from barstep.replay.journal.record import at_text
from barstep.replay.sinks import InMemoryStrategySignalSink, StrategySignal
from journal_making import records
from replays import FILES
from runtime_making import small_runtime
from simulated_disk import SimulatedDisk


def test_a_sink_is_told_every_signal_once_and_in_order() -> None:
    """Those of the result's decisions, with the same words for what was dropped."""
    sink = InMemoryStrategySignalSink()
    runtime = small_runtime(sinks=[sink])
    runtime.configure_signal_limit("hare", "p", 1)
    runtime.run_until("2024-01-01T20:00Z")
    runtime.suspend_tag("calm")
    expected = runtime.run().decisions
    told = sink.to_frame()
    shared = ["due_time", "schedule", "strategy", "risk_profile", "instrument", "side", "exposure", "weight", "reason"]
    assert told.select(shared).equals(expected.select(shared))
    assert (told["status"] == "accepted").equals(expected["status"] == "accepted")
    assert set(told["reason"].unique()) >= {"", "limit", "suspended"}
    assert len(sink.accepted) == (told["status"] == "accepted").sum()


def test_a_sink_hears_of_a_signal_after_the_journal_has_it() -> None:
    """Whatever is submitted is on the disk by then, also for a sink of a user's own."""
    disk = SimulatedDisk()

    class OwnSink:
        heard = 0

        def submit(self, signals: list[StrategySignal]) -> None:
            durable = [record for _, record in records(disk.after_power_loss(names_kept=True), FILES)]
            written = {(one["schedule_run_id"], one["instrument"]) for one in durable if one["kind"] == "decision"}
            assert {(one.schedule_run_id, one.instrument) for one in signals} <= written
            assert len({one.schedule_run_id for one in signals}) == 1
            self.heard += len(signals)

    sink = OwnSink()
    small_runtime(disk, sinks=[sink]).run_until("2024-01-01T12:00Z")
    assert sink.heard > 0


def test_a_restart_submits_nothing_again() -> None:
    """What the journal has was told before."""
    disk, first, second = SimulatedDisk(), InMemoryStrategySignalSink(), InMemoryStrategySignalSink()
    small_runtime(disk, sinks=[first]).run_until("2024-01-02T00:00Z")
    result = small_runtime(disk.after_kill(), sinks=[second]).run()
    assert len(first.signals) > 0
    assert [*first.signals, *second.signals] == sink_of(result.decisions.height).signals


def sink_of(count: int) -> InMemoryStrategySignalSink:
    """What one run without a break submits."""
    sink = InMemoryStrategySignalSink()
    small_runtime(sinks=[sink]).run()
    assert len(sink.signals) == count
    return sink


def test_signals_are_exported_as_they_are() -> None:
    """As JSON and as a frame; an empty sink has the same columns."""
    signal = StrategySignal(
        due_us=1_704_067_200_000_000, schedule="a", strategy="b", schedule_run_id="s/a/t", risk_profile="p",
        instrument="X", side=-1, exposure=0.5, confidence=None, weight=0.25, status="dropped", reason="limit",
    )  # fmt: skip
    sink = InMemoryStrategySignalSink()
    empty = sink.to_frame()
    assert sink.to_json() == "[]"
    sink.submit([signal])
    (plain,) = json.loads(sink.to_json())
    assert plain["due_time"] == at_text(signal.due_us)
    assert {name: plain[name] for name in ("side", "exposure", "confidence", "status", "reason")} == {
        "side": -1, "exposure": 0.5, "confidence": None, "status": "dropped", "reason": "limit",
    }  # fmt: skip
    frame = sink.to_frame()
    assert (frame.schema, frame.height) == (empty.schema, 1)
    assert frame.schema["due_time"] == pl.Datetime("us", "UTC")
