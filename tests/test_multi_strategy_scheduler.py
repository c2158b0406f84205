"""The scheduler that is shipped, in event time: what it says of itself, its telemetry and its journal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import barstep as bs
import pytest
from barstep.config.reading import PACKAGED
from barstep.replay.journal.files import JournalFiles
from barstep.replay.journal.reading import read_payloads
from barstep.replay.journal.record import fields_of
from barstep.replay.key_files import KeyFolder
from barstep.replay.multi_strategy_scheduler import MultiStrategyScheduler

Record = dict[str, Any]
SPAN = {"start": "2023-06-01", "end": "2023-06-04"}


def records_of(folders: dict[str, Path], kind: str) -> list[Record]:
    payloads = read_payloads(JournalFiles(folder=folders["journal"], environment="demo"))
    return [fields_of(payload) for place, payload in payloads if place.kind == kind]


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    (tmp_path / "keys").mkdir(mode=0o700)
    KeyFolder(tmp_path / "keys").init()
    return {"journal": tmp_path / "audit", "keys": tmp_path / "keys"}


@pytest.fixture
def emitter() -> bs.InMemoryTelemetryEmitter:
    return bs.InMemoryTelemetryEmitter()


@pytest.fixture
def scheduler(folders: dict[str, Path], emitter: bs.InMemoryTelemetryEmitter) -> Iterator[MultiStrategyScheduler]:
    with bs.build_demo_multi_strategy_runtime(PACKAGED, emitters=[emitter], **folders, **SPAN) as runtime:
        yield runtime


def test_decisions_are_journalled_with_their_fields(
    scheduler: MultiStrategyScheduler, folders: dict[str, Path]
) -> None:
    """Schedule, strategy, confidence, latency, namespace and signature, one record a decision."""
    decisions = scheduler.run().decisions
    written = records_of(folders, "decision")
    assert len(written) == decisions.height > 0
    first = written[0]
    assert (first["schedule"], first["strategy"]) == (decisions["schedule"][0], decisions["strategy"][0])
    assert (first["confidence"], first["telemetry_namespace"]) == (decisions["confidence"][0], "runtime.core")
    assert (first["latency_ms"], first["primary_exchange"]) == (0.0, "binance")


def test_telemetry_is_emitted_for_every_run(
    scheduler: MultiStrategyScheduler, emitter: bs.InMemoryTelemetryEmitter, folders: dict[str, Path]
) -> None:
    """As many emissions as runs in the journal, of the same schedules in the same order."""
    scheduler.run()
    runs = [record["schedule"] for record in records_of(folders, "run")]
    assert [schedule for schedule, _, _ in emitter.runs] == runs


def test_schedules_describe_themselves(scheduler: MultiStrategyScheduler) -> None:
    """In the order of the configuration, with limits and suspensions that hold."""
    scheduler.run_until("2023-06-02")
    scheduler.suspend_tag("experimental", reason="compliance_hold")
    scheduler.configure_signal_limit("trend_engine", "balanced", 1, reason="risk_cap", duration_seconds="2h")
    rows = {row["schedule"]: row for row in scheduler.describe_schedules()}
    assert next(iter(rows)) == "trend_schedule"
    assert [row["reason"] for row in rows["grid_schedule"]["suspensions"]] == ["compliance_hold"]
    assert rows["trend_schedule"]["signal_limit"] == 1
    assert {row["source"] for row in rows["trend_schedule"]["signal_limits"]} == {"configuration", "override"}
    assert rows["volatility_schedule"]["weight"] == scheduler.allocation_snapshot()["volatility_schedule"] > 0.0
    assert rows["grid_schedule"]["weight"] == 0.0


def test_a_restart_has_everything(folders: dict[str, Path]) -> None:
    """Suspensions, limits and policy of the journal; decisions, weights and equity are those of an unbroken run."""
    with bs.build_demo_multi_strategy_runtime(PACKAGED, **folders, **SPAN) as first:
        first.run_until("2023-06-02T03:00Z")
        first.suspend_schedule("grid_schedule", reason="maintenance", duration_seconds="5h")
        first.set_capital_policy("equal_weight")
    with bs.build_demo_multi_strategy_runtime(PACKAGED, **folders, **SPAN) as second:
        assert [row["name"] for row in second.suspension_snapshot()] == ["grid_schedule"]
        assert second.capital_policy_diagnostics()["name"] == "equal_weight"
        broken = second.run()
    unbroken = bs.build_demo_multi_strategy_runtime(PACKAGED, **SPAN)
    unbroken.run_until("2023-06-02T03:00Z")
    unbroken.suspend_schedule("grid_schedule", reason="maintenance", duration_seconds="5h")
    unbroken.set_capital_policy("equal_weight")
    assert unbroken.run().digests == broken.digests
