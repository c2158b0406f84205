"""From the configuration that is shipped to a scheduler that runs: the names that are promised, and what they build."""

from __future__ import annotations

import importlib

import barstep as bs
import pytest
from barstep.config.reading import PACKAGED

SPAN = {"start": "2023-06-01", "end": "2023-06-08"}


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("barstep.replay.multi_strategy_scheduler", "MultiStrategyScheduler"),
        ("barstep.engine.catalog", "StrategyCatalog"),
        ("barstep.engine.capital_policies", "RiskParityAllocation"),
        ("barstep.engine.capital_policies", "RiskProfileBudgetAllocation"),
        ("barstep.engine.strategy", "StrategyEngine"),
        ("barstep.config.core", "CoreConfig"),
        ("barstep.replay.telemetry", "TelemetryEmitter"),
        ("barstep.replay.sinks", "InMemoryStrategySignalSink"),
        ("barstep.replay.builders", "build_multi_strategy_runtime"),
    ],
)
def test_promised_names_are_where_they_are_promised(module: str, name: str) -> None:
    """In their module, and from `barstep` the very same."""
    assert getattr(importlib.import_module(module), name) is getattr(bs, name)


def test_the_demo_pipeline_is_the_backtest() -> None:
    """Bars read, schedules resolved, run in event time: decisions, weights and equity of the vectorised run."""
    sink = bs.InMemoryStrategySignalSink()
    runtime = bs.build_demo_multi_strategy_runtime(PACKAGED, sinks=[sink], **SPAN)
    result = runtime.run()
    assert result.digests == bs.backtest_scheduler(PACKAGED, **SPAN).digests
    assert len(sink.signals) == result.decisions.height > 0


def test_another_scheduler_of_the_environment_can_be_named() -> None:
    """With its own schedules and policy."""
    runtime = bs.build_multi_strategy_runtime(PACKAGED, "local", "hedged_multi", **SPAN)
    runtime.run_once()
    assert [row["schedule"] for row in runtime.describe_schedules()] == ["trend", "arb"]
    assert [row["last_run"]["status"] for row in runtime.describe_schedules()] == ["executed", "executed"]
    assert runtime.capital_policy_diagnostics()["name"] == "drawdown_guard"


@pytest.mark.parametrize("build", [bs.build_paper_multi_strategy_runtime, bs.build_live_multi_strategy_runtime])
def test_paper_and_live_say_what_they_lack(build: object) -> None:
    """There is no live channel yet, and nothing pretends that there is."""
    with pytest.raises(bs.UsageError, match="no live channel in this version"):
        build(PACKAGED)  # type: ignore[operator]
