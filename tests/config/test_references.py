"""What must hold between the parts of a configuration."""

from __future__ import annotations

from pathlib import Path

import pytest
from written import PROFILES, read, scheduler, told

UNIVERSE = "instrument_universes: {majors: {instruments: {BTCUSDT: {primary: binance}, ETHUSDT: {primary: binance}}}}\n"


@pytest.mark.parametrize(
    ("text", "path", "says"),
    [
        ("initial_suspensions: [{schedule: grid_schdule}]", "initial_suspensions[0].schedule", "mean 'grid_schedule'?"),
        ("initial_suspensions: [{tag: tren}]", "initial_suspensions[0].tag", "unknown tag 'tren'. Did you mean 'tr"),
        ("initial_suspensions: [{reason: x}]", "initial_suspensions[0]", "has neither of 'schedule' and 'tag'"),
        ("initial_suspensions: [{schedule: grid_schedule, tag: trend}]", "initial_suspensions[0]", "has both of"),
        (
            "initial_suspensions: [{tag: trend, until: 2030-01-01T00:00:00Z, duration_seconds: 5m}]",
            "initial_suspensions[0]",
            "has both 'until' and 'duration_seconds'; one of them says when it ends.",
        ),
        (
            "signal_limits: {trend_engine: {balanced: {limit: 1, until: 2030-01-01T00:00:00Z, duration_seconds: 5m}}}",
            "signal_limits.trend_engine.balanced",
            "has both 'until' and 'duration_seconds'",
        ),
        ("signal_limits: {trend_engine: {balancd: 1}}", "signal_limits.trend_engine.balancd", "unknown risk profile"),
        ("initial_signal_limits: {trend_engine: {x: 1}}", "initial_signal_limits.trend_engine.x", "risk profile 'x'"),
        ("rbac_tokens: [{id: a, scopes: [runtime.schedule.read]}]", "rbac_tokens[0]", "has neither of 'env' and"),
        (
            f"rbac_tokens: [{{id: a, scopes: [runtime.schedule.read], env: A, sha384: {'a' * 96}}}]",
            "rbac_tokens[0]",
            "has both of 'env' and 'sha384'",
        ),
        (
            "rbac_tokens: [{id: a, scopes: [runtime.schedule.read], env: A},"
            " {id: a, scopes: [runtime.schedule.read], env: B}]",
            "rbac_tokens[1].id",
            "is 'a', as another token's; ids must differ.",
        ),
        ("portfolio_governor: {on_breach: limit}", "portfolio_governor.on_breach", "there is no 'signal_limit'"),
        (
            "capital_policy: {name: smoothed, base: {name: risk_profile, profiles: {balanced: 1, agressive: 1}}}",
            "capital_policy.base.profiles.agressive",
            "unknown risk profile 'agressive'. Did you mean 'aggressive'?",
        ),
        (
            "capital_policy: {name: blended, components: [{policy: {name: tag_quota, tags: {men: 1}}}]}",
            "capital_policy.components[0].policy.tags.men",
            "unknown tag 'men'. Did you mean 'mean'?",
        ),
        (
            "capital_policy: {name: drawdown_guard, warning_pct: 15, panic_pct: 8}",
            "capital_policy.warning_pct",
            "is 15; it must be less than panic_pct, which is 8.",
        ),
        (
            "capital_policy: {name: metric_weighted, metrics: {signals: {weight: 1, min: 2, max: 1}}}",
            "capital_policy.metrics.signals.min",
            "is 2; it must not be over max, which is 1.",
        ),
    ],
)  # fmt: skip
def test_a_scheduler_that_cannot_be(text: str, path: str, says: str, tmp_path: Path) -> None:
    """Names that refer to nothing, and pairs that contradict each other, are told of where they stand."""
    (problem,) = told(read(scheduler(text), tmp_path))
    assert f": runtime.multi_strategy_schedulers.core_multi.{path}: " in problem
    assert says in problem


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "{alternatives: [BTCUSD]}",
            "instrument_buckets.alternatives[0]: unknown instrument 'BTCUSD'. Did you mean 'BTCUSDT'?",
        ),
        (
            "{a: [BTCUSDT], b: [ETHUSDT, BTCUSDT]}",
            "instrument_buckets.b[1]: is 'BTCUSDT', which is in 'a' already; an instrument has one bucket.",
        ),
    ],
)
def test_buckets(text: str, says: str, tmp_path: Path) -> None:
    """An instrument of a bucket is in some universe, and in one bucket of the profile only."""
    (problem,) = told(read(f"{UNIVERSE}risk_profiles: {{balanced: {{instrument_buckets: {text}}}}}", tmp_path))
    assert problem.endswith(says) or f"{says} Allowed" in problem


@pytest.mark.parametrize(("shares", "total"), [("{a: 0.7, b: 0.4}", "1.1"), ("{a: 0.5, b: 0.5, c: 0.000001}", "1")])
def test_shares_that_sum_over_one(shares: str, total: str, tmp_path: Path) -> None:
    """The sum is told, with what it is made of."""
    (problem,) = told(read(f"risk_profiles: {{balanced: {{strategy_allocations: {shares}}}}}", tmp_path))
    assert f"strategy_allocations: sums to {total}" in problem
    assert "shares sum to 1 at most (a 0." in problem


def test_shares_that_sum_to_one_but_for_rounding(tmp_path: Path) -> None:
    """Ten tenths are one."""
    shares = ", ".join(f"s{k}: 0.1" for k in range(10))
    assert read(f"risk_profiles: {{balanced: {{strategy_allocations: {{{shares}}}}}}}", tmp_path).problems == ()


def test_a_strategy_s_name_is_given_once(tmp_path: Path) -> None:
    """The specialised sections share one catalog with `strategies`."""
    text = "strategies: {one: {engine: mean_reversion}}\ngrid_strategies:\n  one: {}\n  two: {risk_profile: wild}\n"
    assert told(read(text, tmp_path)) == [
        "3:3: grid_strategies.one: stands in strategies already; a strategy's name is given once.",
        "4:9: grid_strategies.two.risk_profile: unknown risk profile 'wild'. None is defined.",
    ]


ENVIRONMENT = "type: demo, venue: binance, risk_profile: balanced, instrument_universe: majors, scheduler: core_multi"


@pytest.mark.parametrize(
    ("environments", "says"),
    [
        ("{a: {%s, capital: 1, offline: true}}", "environments.a: is offline and has no 'feed'"),
        ("{a: {%s, capital: 1}}", "environments.a: is not offline and has no 'adapter_address'"),
        (
            "{a: {%s, capital: 1, adapter_address: 'grpc+tls://venue.example:1'}}",
            "environments.a: has no 'mtls_bundle', which 'grpc+tls://venue.example:1' needs",
        ),
        (
            "{a: {%s, capital: 1, offline: true, feed: embedded, aliases: [b]},"
            " b: {%s, capital: 1, offline: true, feed: x}}",
            "environments.a.aliases[0]: is 'b', a name of 'b' already; aliases and names must differ.",
        ),
    ],
)
def test_environments(environments: str, says: str, tmp_path: Path) -> None:
    """Where bars come from is said, a connection off this machine has certificates, and aliases are told apart."""
    text = scheduler("") + UNIVERSE + f"environments: {environments.replace('%s', ENVIRONMENT)}"
    (problem,) = told(read(text, tmp_path))
    assert says in problem


def test_an_address_on_this_machine_needs_no_certificates(tmp_path: Path) -> None:
    """Loopback addresses stand without `mtls_bundle`."""
    for address in ("grpc://localhost:1", "grpc://127.0.0.1:1", "localhost:1", "grpc://[::1]:1"):
        environment = f"{{a: {{{ENVIRONMENT}, capital: 1, adapter_address: '{address}'}}}}"
        assert read(scheduler("") + UNIVERSE + f"environments: {environment}", tmp_path).problems == ()


def test_what_could_not_be_read_is_not_missed(tmp_path: Path) -> None:
    """A definition with an error in it is still there for those that refer to it."""
    text = "risk_profiles: {balanced: 3}\nstrategies: {one: {engine: 12, risk_profile: balanced}}\n"
    assert told(read(text, tmp_path)) == [
        "1:17: risk_profiles.balanced: is 3; allowed is a mapping.",
        "2:20: strategies.one.engine: is 12; allowed is letters, digits, _ and -. Put it in quotes.",
    ]


def test_profiles_alone_are_a_configuration(tmp_path: Path) -> None:
    """Every section may be left out."""
    assert read(PROFILES, tmp_path).problems == ()


def test_a_suspension_may_flatten(tmp_path: Path) -> None:
    """It says true or false; by default what is held is kept."""
    found = read(scheduler("initial_suspensions: [{tag: trend, flatten: true}, {tag: mean}]"), tmp_path)
    assert found.problems == ()
    suspensions = found.config.runtime.multi_strategy_schedulers["core_multi"].initial_suspensions
    assert [one.flatten for one in suspensions] == [True, False]
    (problem,) = told(read(scheduler("initial_suspensions: [{tag: trend, flatten: now}]"), tmp_path))
    assert problem.endswith("initial_suspensions[0].flatten: is 'now'; allowed is true or false.")


def test_a_threshold_is_no_less_than_nothing(tmp_path: Path) -> None:
    """In whatever section the strategy stands."""
    text = "strategies: {a: {engine: mean_reversion, rebalance_threshold: -0.1}}\n"
    text += "grid_strategies: {b: {rebalance_threshold: x}}\n"
    assert told(read(text, tmp_path)) == [
        "1:42: strategies.a.rebalance_threshold: is -0.1; allowed is a number, at least 0.",
        "2:23: grid_strategies.b.rebalance_threshold: is 'x'; allowed is a number, at least 0.",
    ]
