"""Sweeps of whole schedulers: each row is the backtest of the configuration with its values written in."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import barstep as bs
import msgspec
import numpy as np
import polars as pl
import pytest
from barstep.config.commands import SuspendSchedule
from barstep.config.core import CoreConfig
from barstep.engine.scheduler.result import SchedulerResult
from barstep.engine.sweep.axes import Span, When
from barstep.engine.sweep.kinds import StoppedError
from barstep.engine.sweep.running import run_sweep
from barstep.engine.sweep.scheduler_plan import SchedulerSweepPlan, plan_scheduler_sweep
from barstep.engine.sweep.scheduler_rows import SchedulerRowRunner
from barstep.errors import BarstepError, ConfigError, UsageError
from making import walk_bars
from scheduler_making import at, config_of
from sweeping import same

METRICS = ("total_return_pct", "sharpe", "trades", "value_at_risk_95_pct")
BARS = {"X": walk_bars(260, 4, step=0.02), "Y": walk_bars(260, 5, step=0.02)}
STRATEGIES = {
    "fade": {"engine": "mean_reversion", "parameters": {"lookback": 12, "entry_zscore": 1, "volatility_cap": 1000.0}},
    "cross": {"engine": "sma_crossover", "parameters": {"fast_ma": 4, "slow_ma": 15, "allow_short": True}},
}
POLICIES: list[Any] = [
    "equal_weight",
    {"name": "fixed_weight", "weights": {"one": 0.7, "two": 0.1}},
    {"name": "smoothed", "base": {"name": "drawdown_guard", "panic_pct": 9.0}, "alpha": 0.5, "label": "slow"},
]


def config(**scheduler: Any) -> CoreConfig:
    """Two schedules of barstep's engines over two instruments."""
    given = {"capital_policy": {"name": "fixed_weight", "weights": {"one": 0.5, "two": 0.5}}, **scheduler}
    schedules = {"one": {"strategy": "fade"}, "two": {"strategy": "cross", "cadence_seconds": 7200.0}}
    return config_of(
        schedules, ("X", "Y"), strategies=STRATEGIES, allocation_rebalance_seconds=86400.0, engine_files=(), **given
    )


def planned(axes: dict[str, Any], core: CoreConfig | None = None, **asked: Any) -> SchedulerSweepPlan:
    given = {"environment": "e", "bars": BARS, "metrics": METRICS}
    return plan_scheduler_sweep(core or config(), "s", axes, **{**given, **asked})


def edited(**values: Any) -> CoreConfig:
    """The configuration with values written in by hand, at paths of the scheduler or from the top."""
    document = msgspec.to_builtins(config())
    for name, value in values.items():
        inside: Any = document
        *steps, last = name.split("__")
        for step in steps:
            inside = inside[step]
        inside[last] = value
    return msgspec.convert(document, CoreConfig)


def alone(core: CoreConfig, **asked: Any) -> SchedulerResult:
    return bs.backtest_scheduler(core, "s", environment="e", bars=BARS, **asked)


NIGHT = """
commands:
  - at: 2024-01-05T00:00Z
    command: suspend_schedule
    schedule: one
    reason: {reason}
"""
S = "runtime__multi_strategy_schedulers__s__"


def test_each_row_is_the_backtest_of_the_edited_configuration() -> None:
    """Its policy, a key of a schedule, a parameter of a strategy, and a fee."""
    axes = {
        "capital_policy": POLICIES,
        "schedules.one.cadence_seconds": [3600.0, 10800.0],
        "fade.lookback": [12, 20],
        "fee_bps": [0.0, 20.0],
    }
    plan = planned(axes, sampling="latin_hypercube", sets=6, seed=2)
    values = run_sweep(plan, threads=2).values
    labels = dict(zip(["equal_weight", "fixed_weight", "slow"], POLICIES, strict=True))
    for place, row in enumerate(plan.sets.iter_rows(named=True)):
        core = edited(
            **{
                f"{S}capital_policy": labels[row["capital_policy"]],
                f"{S}schedules__one__cadence_seconds": row["schedules.one.cadence_seconds"],
                "strategies__fade__parameters__lookback": row["fade.lookback"],
            }
        )
        metrics = alone(core, fee_bps=row["fee_bps"]).metrics
        assert same(values[:, place], np.array([metrics[name] for name in METRICS]))
    assert len({column.tobytes() for column in values.T}) == plan.count, "the sets do not differ"


def test_what_is_not_varied_is_given() -> None:
    """A span, an operator's commands, interventions left out, costs; and any row is a result."""
    asked: dict[str, Any] = {
        "start": at(100), "end": at(240), "fee_bps": 3.0, "without": ("governor",),
        "commands": [SuspendSchedule(at=at(150), schedule="one", reason="news")],
    }  # fmt: skip
    plan = planned({"capital_policy": ["equal_weight", "risk_parity"]}, **asked)
    result = run_sweep(plan)
    expected = alone(edited(**{f"{S}capital_policy": "risk_parity"}), **asked)
    assert result.result(1).digests == expected.digests
    assert result.table["scheduler"].to_list() == ["s", "s"]
    assert same(result.values[:, 1], np.array([expected.metrics[name] for name in METRICS]))


def test_threads_and_stops_change_no_bit() -> None:
    """Rows are portions by themselves; one that is stopped is not there."""
    plan = planned({"fade.lookback": [12, 16, 20], "cross.fast_ma": [3, 4]})
    first = run_sweep(plan, threads=1)
    told: list[tuple[int, int]] = []
    assert same(run_sweep(plan, threads=3, progress=lambda *cells: told.append(cells)).values, first.values)
    assert told[-1] == (plan.cells, plan.cells)
    with pytest.raises(StoppedError):
        SchedulerRowRunner(plan).run(0, 2, lambda _: False)


def test_policies_are_told_by_their_labels() -> None:
    """In the table by label, in the document as they are written; those that are not varied are not."""
    plan = planned({"capital_policy": POLICIES})
    assert plan.sets["capital_policy"].to_list() == ["equal_weight", "fixed_weight", "slow"]
    told = json.loads(json.dumps(plan.describe()))
    assert list(told["policies"]) == ["equal_weight", "fixed_weight", "slow"]
    assert told["policies"]["slow"]["base"]["panic_pct"] == 9.0
    assert told["axes"]["capital_policy"] == {"values": ["equal_weight", "fixed_weight", "slow"]}


def test_a_policy_of_the_kind_that_is_there_may_be_tried() -> None:
    """Two of one kind need labels; the one of the configuration is none of them."""
    other = {"name": "fixed_weight", "weights": {"one": 0.9, "two": 0.1}}
    assert planned({"capital_policy": [other]}).policies["fixed_weight"].weights == {"one": 0.9, "two": 0.1}


def test_a_policy_under_a_condition_keeps_the_configurations_elsewhere() -> None:
    """The one that is there, by its label."""
    plan = planned({"fade.lookback": [12, 20], "capital_policy": When(["equal_weight"], **{"fade.lookback": 12})})
    assert plan.sets.rows() == [(12, "equal_weight"), (20, "fixed_weight")]
    assert same(
        run_sweep(plan).values[:, 1],
        np.array([alone(edited(strategies__fade__parameters__lookback=20)).metrics[name] for name in METRICS]),
    )


def test_spans_are_drawn_by_what_the_engine_takes() -> None:
    """A number that is written without a point is no whole one because of that, and a window is, written or not."""
    axes = {"fade.entry_zscore": Span(1.1, 1.9), "fade.lookback": Span(10, 20), "fade.max_holding_period": Span(5, 9)}
    plan = planned(axes, sampling="random", sets=12)
    assert plan.sets.dtypes == [pl.Float64, pl.Int64, pl.Int64]
    assert plan.sets["fade.entry_zscore"].is_between(1.1, 1.9).all()


def test_a_parameter_that_is_not_written_keeps_its_default_elsewhere() -> None:
    """Where a condition does not hold it is the engine's own."""
    axes = {"fade.lookback": [12, 20], "fade.exit_zscore": When([0.1, 0.2], **{"fade.lookback": 12})}
    plan = planned(axes)
    default = bs.DEFAULT_STRATEGY_CATALOG["mean_reversion"].read_parameters({})["exit_zscore"]
    assert plan.sets.rows() == [(12, 0.1), (12, 0.2), (20, default)]


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: planned({"fade.lookbak": [12]}), "lookbak"),
        (lambda: planned({"fad.lookback": [12]}), "fad"),
        (lambda: planned({"schedules.three.cadence_seconds": [60.0]}), "there is no 'three'; there is one, two"),
        (lambda: planned({"alocation_rebalance_seconds": [60.0]}), "alocation_rebalance_seconds"),
        (lambda: planned({"fade.lookback": [12, -3]}), "lookback is -3"),
        (lambda: planned({"fade.lookback": ["long"]}), "lookback is 'long'"),
        (lambda: planned({"cross.fast_ma": [3, 40]}), "fast_ma"),
        (lambda: planned({"schedules.one.cadence_seconds": [-1.0]}), "cadence_seconds"),
        (lambda: planned({"capital_policy": ["equal_weigth"]}), "Did you mean 'equal_weight'"),
        (lambda: planned({"capital_policy": [{"name": "smoothed", "base": "risk_parity", "alpha": 3}]}), "alpha"),
        (
            lambda: planned(
                {
                    "capital_policy": [
                        {"name": "smoothed", "base": "risk_parity", "alpha": share} for share in (0.1, 0.2)
                    ]
                }
            ),
            "capital_policy: two policies are called 'smoothed'; give one of them another label",
        ),
        (lambda: planned({"fee_bps": [-1.0]}), "fee_bps is -1.0; allowed is 0 or more"),
        (lambda: planned({"fee_bps": [1.0]}, fee_bps=2.0), "fee_bps is varied and given as 2.0; leave one out"),
        (lambda: planned({"units": [1.0, 2.0]}), "units is not for schedulers"),
        (lambda: planned({"fade.lookback": [12]}, metrics=["sharp"]), "unknown metric 'sharp'"),
        (lambda: planned({"fade.lookback": [12]}, environment="f"), "'f'"),
        (lambda: plan_scheduler_sweep(config(), "t", {"fade.lookback": [12]}, environment="e", bars=BARS), "'t'"),
        (lambda: planned({}), "nothing is varied"),
    ],
)
def test_refusals(make: Callable[[], object], text: str) -> None:
    """Before anything runs, with what is wrong."""
    with pytest.raises(BarstepError, match=text) as refused:
        make()
    assert isinstance(refused.value, UsageError | ConfigError)


def test_the_digest_is_of_all_that_rows_depend_on() -> None:
    """Configuration, bars, span, values, policies, costs, commands, funding."""
    axes: dict[str, Any] = {"fade.lookback": [12, 20]}
    rates = [
        {"X": pl.DataFrame({"timestamp": BARS["X"].ts_us, "rate": np.where(np.arange(260) == 130, rate, 0.0)})}
        for rate in (1e-4, 2e-4)
    ]
    suspending = [SuspendSchedule(at=at(hour), schedule="one", reason="news") for hour in (150, 160)]
    plans = [
        planned(axes), planned({"fade.lookback": [20, 12]}), planned(axes, fee_bps=1.0), planned(axes, end=at(200)),
        planned(axes, start=at(20)), planned(axes, bars={**BARS, "Y": walk_bars(260, 6)}),
        planned(axes, config(health_check_interval=90.0)), planned(axes, metrics=["sharpe"]),
        planned({**axes, "capital_policy": ["equal_weight"]}), planned({**axes, "capital_policy": POLICIES[1:2]}),
        planned(axes, funding=rates[0]), planned(axes, funding=rates[1]),
        planned(axes, commands=suspending[:1]), planned(axes, commands=suspending[1:]),
    ]  # fmt: skip
    assert len({plan.digest for plan in plans}) == len(plans)
    assert planned(axes).digest == plans[0].digest


def test_commands_of_a_file_are_in_the_digest(tmp_path: Any) -> None:
    """As they stand there, not by the file's name."""
    path, digests = tmp_path / "night.yaml", set()
    for reason in ("news", "weather"):
        path.write_text(NIGHT.format(reason=reason))
        digests.add(planned({"fade.lookback": [12]}, commands=path).digest)
    assert len(digests) == 2
