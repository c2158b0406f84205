"""The documented examples of a configuration, put under their parents beside what they refer to."""

from __future__ import annotations

from pathlib import Path

import pytest
from barstep.config import policies
from written import PROFILES, SCHEDULES, STRATEGIES, read, scheduler, told

FOLDER = Path(__file__).parent / "examples"
SECOND_LIMIT = "        balanced: 3\n"
DEFINITIONS = f"{PROFILES}{STRATEGIES}"


def example(name: str) -> str:
    """An example as it is documented."""
    return (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")


def placed(name: str) -> str:
    """An example under its parents, beside what it refers to."""
    text = example(name)
    if name == "strategy":
        return f"{PROFILES}{text}"
    if "multi_strategy_schedulers" not in text:
        text = f"multi_strategy_schedulers:\n  core_multi:\n{text}"
    return f"{DEFINITIONS}{text}{'' if 'schedules:' in text else SCHEDULES.lstrip(chr(10))}"


LOADING = ("strategy", "initial_suspensions", "initial_signal_limits", "drawdown_guard", "smoothed", "metric_weighted",
           "blended", "tag_quota")  # fmt: skip
TWICE = ("profile_budget", "fixed_weight")


def test_these_are_all() -> None:
    """Every example in the folder is tried below."""
    assert {path.stem for path in FOLDER.glob("*.yaml")} == {*LOADING, *TWICE}


@pytest.mark.parametrize("name", LOADING)
def test_an_example_loads_as_written(name: str, tmp_path: Path) -> None:
    """It has no error, and no warning."""
    assert told(read(placed(name), tmp_path, engines=True)) == []


@pytest.mark.parametrize("name", TWICE)
def test_a_limit_given_twice_is_refused(name: str, tmp_path: Path) -> None:
    """`balanced` stands twice under `signal_limits.trend_engine`: refused with its line, loading without the second."""
    text = placed(name)
    line = text[: text.index(SECOND_LIMIT)].count("\n") + 1
    first = text[: text.index("        balanced:\n          limit: 3")].count("\n") + 1
    assert told(read(text, tmp_path, engines=True)) == [
        f"{line}:9: multi_strategy_schedulers.core_multi.signal_limits.trend_engine.balanced: stands twice; "
        f"it is in line {first} already."
    ] + [problem for problem in told(read(text, tmp_path, engines=True)) if "has no effect" in problem]
    found = read(text.replace(SECOND_LIMIT, ""), tmp_path, engines=True)
    assert found.errors == ()
    limit = found.config.runtime.multi_strategy_schedulers["core_multi"].signal_limits["trend_engine"]["balanced"]
    assert limit.limit == 3
    assert limit.reason == "risk_cap"


def test_what_the_examples_say(tmp_path: Path) -> None:
    """Durations, instants and nested policies come out as what they mean."""

    def core(name: str) -> object:
        return read(placed(name), tmp_path).config.runtime.multi_strategy_schedulers["core_multi"]

    suspensions = core("initial_suspensions").initial_suspensions
    assert (suspensions[0].schedule, suspensions[0].duration_seconds) == ("grid_schedule", 3600.0)
    assert (suspensions[1].tag, suspensions[1].until.isoformat()) == ("experimental", "2030-02-01T00:00:00+00:00")
    limits = core("initial_signal_limits").initial_signal_limits
    assert limits["mean_reversion"]["balanced"].duration_seconds == 1800.0
    blended = core("blended").capital_policy
    assert isinstance(blended, policies.Blended)
    assert [component.label for component in blended.components] == ["signals", "drawdown"]
    assert blended.components[1].policy.panic_pct == 15.0
    smoothed = core("smoothed").capital_policy
    assert smoothed == policies.Smoothed(alpha=0.35, min_delta=0.05, base=policies.SignalStrength())
    metrics = core("metric_weighted").capital_policy.metrics
    assert (metrics["last_latency_ms"].weight, metrics["last_latency_ms"].default) == (-0.02, 150.0)


def test_a_scheduler_of_the_tests_is_sound(tmp_path: Path) -> None:
    """What these tests put around an example is right by itself."""
    assert told(read(scheduler(""), tmp_path, engines=True)) == []
