"""A configuration with other values at some paths is held to the rules of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from barstep.config.changing import changed
from barstep.config.core import CoreConfig
from barstep.config.reading import read_config
from barstep.errors import ConfigError
from written import CORE, read, scheduler

SCHEDULER = ("runtime", "multi_strategy_schedulers", "core_multi")


@pytest.fixture
def config(tmp_path: Path) -> CoreConfig:
    """A scheduler with three schedules."""
    found = read(
        scheduler("capital_policy: {name: smoothed, base: risk_parity}\nallocation_rebalance_seconds: 30\n"), tmp_path
    )
    assert not [problem for problem in found.problems if problem.severity == "error"]
    return found.config


def test_nothing_changed_is_the_same(config: CoreConfig) -> None:
    """The one that is shipped, too."""
    assert changed(config, {}) == config
    shipped = read_config(CORE).config
    assert changed(shipped, {}) == shipped


def test_values_stand_where_they_were_put(config: CoreConfig) -> None:
    """Several at once; the rest stays, and so does the configuration that was given."""
    schedules = (*SCHEDULER, "schedules")
    found = changed(
        config,
        {
            (*schedules, "trend_schedule", "cadence_seconds"): 600,
            (*SCHEDULER, "capital_policy"): "equal_weight",
            ("strategies", "mean_reversion", "parameters", "lookback"): 48,
        },
    )
    one, before = (each.runtime.multi_strategy_schedulers["core_multi"] for each in (found, config))
    assert one.schedules["trend_schedule"].cadence_seconds == 600
    assert type(one.capital_policy).__name__ == "EqualWeight"
    assert found.strategies["mean_reversion"].parameters == {"lookback": 48}
    assert one.schedules["grid_schedule"] == before.schedules["grid_schedule"]
    assert before.schedules["trend_schedule"].cadence_seconds == 300
    assert config.strategies["mean_reversion"].parameters == {}


def test_inside_a_policy(config: CoreConfig) -> None:
    """A key of it, and what it is based on."""
    policy = (*SCHEDULER, "capital_policy")
    found = changed(config, {(*policy, "alpha"): 0.9, (*policy, "base"): {"name": "drawdown_guard", "panic_pct": 20}})
    made: Any = found.runtime.multi_strategy_schedulers["core_multi"].capital_policy
    assert (made.alpha, made.base.panic_pct) == (0.9, 20.0)


def test_it_is_read_as_from_a_file(config: CoreConfig, tmp_path: Path) -> None:
    """Durations, too; the same as a file with that value."""
    found = changed(config, {(*SCHEDULER, "allocation_rebalance_seconds"): "2m"})
    written = read(
        scheduler("capital_policy: {name: smoothed, base: risk_parity}\nallocation_rebalance_seconds: 2m\n"), tmp_path
    )
    assert found == written.config


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        ((*SCHEDULER, "schedules", "trend", "cadence_seconds"), 600, "there is no 'trend'; there is trend_schedule, "),
        (("runtimes", "x"), 1, "there is no 'runtimes'; there is "),
        ((*SCHEDULER, "allocation_rebalance_seconds", "x"), 1, "nothing can stand there"),
        ((*SCHEDULER, "allocation_rebalance_seconds", "x", "y"), 1, "there is no 'x'; there is nothing"),
        ((*SCHEDULER, "allocation_rebalance_second"), 30, "allocation_rebalance_second"),
        ((*SCHEDULER, "schedules", "trend_schedule", "cadence_seconds"), -5, "cadence_seconds"),
        ((*SCHEDULER, "schedules", "trend_schedule", "cadence_seconds"), "often", "cadence_seconds"),
        ((*SCHEDULER, "capital_policy"), "equal_weigth", "Did you mean 'equal_weight'"),
        ((*SCHEDULER, "capital_policy", "alpha"), 1.5, "alpha"),
        ((*SCHEDULER, "schedules", "trend_schedule", "risk_profile"), "bold", "bold"),
    ],
)
def test_refusals(path: tuple[str, ...], value: Any, text: str, config: CoreConfig) -> None:
    """What is not there, not allowed, or refers to nothing."""
    with pytest.raises(ConfigError, match=text):
        changed(config, {path: value})


def test_every_error_is_told(config: CoreConfig) -> None:
    """Not the first alone."""
    schedules = (*SCHEDULER, "schedules")
    with pytest.raises(ConfigError) as refused:
        changed(config, {(*schedules, name, "cadence_seconds"): -1 for name in ("trend_schedule", "grid_schedule")})
    assert "trend_schedule" in str(refused.value)
    assert "grid_schedule" in str(refused.value)
