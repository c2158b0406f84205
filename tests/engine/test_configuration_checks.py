"""What only the engines can tell of a configuration."""

from __future__ import annotations

from pathlib import Path

import pytest
from barstep.config.problems import written
from barstep.engine.configured import examine

PROFILES = "risk_profiles: {balanced: {}, aggressive: {}}\n"
STRATEGIES = "strategies: {trend_engine: {engine: daily_trend_momentum}, fade: {engine: mean_reversion}}\n"
SCHEDULER = "multi_strategy_schedulers: {one: {schedules: {a: {strategy: trend_engine, cadence_seconds: 60}}, %s}}\n"


def told(text: str, folder: Path) -> list[str]:
    """The problems as lines, with their severity and without their place."""
    path = folder / "core.yaml"
    path.write_text(text)
    return [f"{problem.severity}: {written(problem.path)}: {problem.text}" for problem in examine(path).problems]


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ("{lookbak: 96}", "lookbak: unknown parameter of mean_reversion 'lookbak'. Did you mean 'lookback'? Allowed: "),
        ("{lookback: 1}", "lookback: is 1; allowed is a whole number, 2 to 10,000,000 (bars of the rolling mean, "),
        ("{lookback: 9.5}", "lookback: is 9.5; allowed is a whole number, "),
        ("{lookback: '96'}", "lookback: is '96'; allowed is a whole number, "),
        ("{entry_zscore: true}", "entry_zscore: is True; allowed is a number, 0 to 100 "),
        ("{entry_zscore: .nan}", "entry_zscore: is nan; allowed is a number."),
        ("{entry_zscore: .inf}", "entry_zscore: is inf; allowed is a number."),
        ("{allow_short: no}", "allow_short: is 'no'; allowed is true or false "),
        ("{allow_short: 1}", "allow_short: is 1; allowed is true or false "),
    ],
)
def test_a_wrong_parameter(parameters: str, says: str, tmp_path: Path) -> None:
    """Names, kinds and ranges are the engine's; in YAML a number is a number, and `no` is a word."""
    (line,) = told(f"strategies: {{one: {{engine: mean_reversion, parameters: {parameters}}}}}", tmp_path)
    assert line.startswith(f"error: strategies.one.parameters.{says}")


def test_all_wrong_parameters_are_told(tmp_path: Path) -> None:
    """Not only the first of them."""
    text = "strategies: {one: {engine: mean_reversion, parameters: {lookback: 0, exit_zscore: -1, x: 1}}}"
    assert len(told(text, tmp_path)) == 3


def test_parameters_that_contradict_each_other(tmp_path: Path) -> None:
    """The engine's own rule is held, defaults included."""
    text = "strategies: {one: {engine: mean_reversion, parameters: {exit_zscore: 2.5}}}"
    assert told(text, tmp_path) == [
        "error: strategies.one.parameters: exit_zscore is 2.5; it must be less than entry_zscore, which is 1.8."
    ]


def test_text_parameters(tmp_path: Path) -> None:
    """A venue is text; a number is not."""
    text = "strategies: {one: {engine: cross_exchange_arbitrage, parameters: {primary_exchange: %s}}}"
    assert told(text % "binance", tmp_path) == []
    (line,) = told(text % 12, tmp_path)
    assert "primary_exchange: is 12; allowed is any text " in line


@pytest.mark.parametrize(
    ("text", "path", "says"),
    [
        ("signal_limits: {trend_engin: {balanced: 1}}", "signal_limits.trend_engin", "Did you mean 'trend_engine'?"),
        ("initial_signal_limits: {x: {balanced: 1}}", "initial_signal_limits.x", "unknown strategy 'x'."),
        (
            "capital_policy: {name: fixed_weight, weights: {trend_engin: 1}}",
            "capital_policy.weights.trend_engin",
            "unknown schedule, strategy or risk profile 'trend_engin'. Did you mean 'trend_engine'?",
        ),
        (
            "capital_policy: {name: fixed_weight, weights: {fade: {agressive: 1}}}",
            "capital_policy.weights.fade.agressive",
            "Did you mean 'aggressive'?",
        ),
        (
            "capital_policy: {name: smoothed, base: {name: metric_weighted, metrics: {avg_zscor: {weight: 1}}}}",
            "capital_policy.base.metrics.avg_zscor",
            "unknown metric 'avg_zscor'. Did you mean 'avg_zscore'?",
        ),
    ],
)
def test_a_scheduler_that_refers_to_nothing(text: str, path: str, says: str, tmp_path: Path) -> None:
    """Strategies of limits and weights, and metrics, are told of where they stand."""
    (line,) = told(PROFILES + STRATEGIES + SCHEDULER % text, tmp_path)
    assert line.startswith(f"error: runtime.multi_strategy_schedulers.one.{path}: ")
    assert says in line


@pytest.mark.parametrize("weights", ["{a: 1}", "{fade: 1}", "{mean_reversion: {balanced: 1}}", "{balanced: 1}"])
def test_what_weights_may_refer_to(weights: str, tmp_path: Path) -> None:
    """A schedule, a strategy, an engine under its own name, or a risk profile."""
    text = f"capital_policy: {{name: fixed_weight, weights: {weights}}}"
    assert told(PROFILES + STRATEGIES + SCHEDULER % text, tmp_path) == []


def test_profiles(tmp_path: Path) -> None:
    """Ceilings are of known strategies, bounds of known metrics."""
    text = "risk_profiles: {p: {strategy_allocations: {fad: 0.1}, telemetry_bounds: {latency: {warn: 1, fail: 2}}}}\n"
    first, second = told(STRATEGIES + text, tmp_path)
    assert first.startswith("error: risk_profiles.p.strategy_allocations.fad: unknown strategy 'fad'. Did you mean")
    assert second.startswith("error: risk_profiles.p.telemetry_bounds.latency: unknown metric 'latency'. Did you mean")


def test_a_limit_that_has_no_effect_is_a_warning(tmp_path: Path) -> None:
    """`fade` is known, but no schedule runs it: the configuration passes, and it is said."""
    text = PROFILES + STRATEGIES + SCHEDULER % "signal_limits: {fade: {balanced: 1}}"
    assert told(text, tmp_path) == [
        "warning: runtime.multi_strategy_schedulers.one.signal_limits.fade: limits 'fade', which no schedule of one "
        "runs; it has no effect."
    ]


def test_a_strategy_beside_an_engine_of_nearly_its_name_is_a_warning(tmp_path: Path) -> None:
    """A schedule that runs the bare engine where a strategy was probably meant is not passed over in silence."""
    text = "strategies: {mean_reversio: {engine: mean_reversion}}\nmulti_strategy_schedulers: {one: {schedules: "
    (line,) = told(f"{text}{{a: {{strategy: mean_reversion, cadence_seconds: 60}}}}}}}}", tmp_path)
    assert line.startswith("warning: strategies.mean_reversio: no schedule runs 'mean_reversio'; one runs an engine of")
    assert line.endswith("Did you mean 'mean_reversion'?")


ENVIRONMENT = (
    "environments: {demo: {type: demo, offline: true, feed: embedded, venue: binance, risk_profile: balanced, "
    "instrument_universe: majors, scheduler: one, capital: 1}}\n"
)
OTHERS = """
instrument_universes:
  majors: {instruments: {BTCUSDT: {primary: a}}}
  others: {instruments: {SOLUSDT: {primary: a}}}
"""
UNIVERSE = (
    "instrument_universes: {majors: {instruments: {BTCUSDT: {primary: a, secondary: b}, ETHUSDT: {primary: a}}}}\n"
)


def test_a_schedule_with_nothing_to_trade(tmp_path: Path) -> None:
    """No bucket of its profile holds an instrument of its universe."""
    text = "risk_profiles: {balanced: {instrument_buckets: {x: [SOLUSDT]}}, free: {}}\n" + STRATEGIES + ENVIRONMENT
    assert told(text + OTHERS + SCHEDULER % "health_check_interval: 60", tmp_path) == [
        "error: runtime.multi_strategy_schedulers.one.schedules.a: has nothing to trade: no bucket of 'balanced' holds "
        "an instrument of 'majors' (in environment 'demo')."
    ]


def test_arbitrage_needs_a_second_venue(tmp_path: Path) -> None:
    """Instruments without a `secondary` feed are named."""
    scheduler = SCHEDULER.replace("trend_engine", "cross_exchange_arbitrage") % "health_check_interval: 60"
    assert told(PROFILES + ENVIRONMENT + UNIVERSE + scheduler, tmp_path) == [
        "error: runtime.multi_strategy_schedulers.one.schedules.a: needs a second venue; 'majors' gives no 'secondary' "
        "for ETHUSDT (in environment 'demo')."
    ]


def test_an_instrument_that_no_profile_may_trade_is_a_warning(tmp_path: Path) -> None:
    """Where all profiles have buckets, an instrument in none of them is told of with the near one."""
    text = "risk_profiles: {balanced: {instrument_buckets: {x: [BTCUSDT]}}}\n" + UNIVERSE
    (line,) = told(text, tmp_path)
    assert line.startswith("warning: instrument_universes.majors.instruments.ETHUSDT: 'ETHUSDT' is in no bucket")


def test_what_the_licence_does_not_grant(tmp_path: Path) -> None:
    """A strategy that a schedule runs, by the capability that it names; one that no schedule runs may stand there."""
    named = "{engine: daily_trend_momentum, capability: strategy.gold}"
    scheduler = SCHEDULER % "b: {strategy: fade, cadence_seconds: 60}"
    text = PROFILES + STRATEGIES.replace("{engine: daily_trend_momentum}", named) + scheduler
    told_of = [line for line in told(text, tmp_path) if "licence" in line]
    assert len(told_of) == 1
    assert told_of[0].startswith(
        "error: runtime.multi_strategy_schedulers.one.schedules.a.strategy: trend_engine: the licence does not grant "
        "'strategy.gold'."
    )
    idle = text.replace("strategy: trend_engine", "strategy: fade")
    assert not [line for line in told(idle, tmp_path) if "licence" in line]
