"""Values held against the schema: wrong ones are told of, each in one line, and the walk goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
from barstep.config.document import Node
from barstep.config.walking import shown
from written import read, scheduler, told


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("cadence_seconds: soon", "'soon' is no duration; allowed is seconds (3600), or a number with s, m, h, d or w"),
        ("cadence_seconds: 1:30", "'1:30' is no duration"),
        ("cadence_seconds: 0", "is 0; allowed is seconds, or a duration such as 15m, 2h or 1d, over 0."),
        ("cadence_seconds: 0m", "is 0.0; allowed is"),
        ("cadence_seconds: -5", "is -5; allowed is seconds"),
        ("cadence_seconds: .nan", "is nan; allowed is seconds"),
        ("cadence_seconds: .inf", "is inf; allowed is seconds"),
        ("cadence_seconds: true", "is true; allowed is seconds"),
        ("cadence_seconds: [5m]", "is a list; allowed is seconds"),
        ("cadence_seconds:", "is empty; allowed is seconds"),
        ("warmup_bars: 2.5", "is 2.5; allowed is a whole number, at least 0."),
        ("warmup_bars: -1", "is -1; allowed is a whole number, at least 0."),
        ("warmup_bars: '3'", "is '3'; allowed is a whole number, at least 0. Leave the quotes out."),
        ("warmup_bars: no", "is 'no'; allowed is a whole number, at least 0."),
        ("warmup_bars: 99999999999999999999", "is 1e+20; allowed is a whole number, at least 0."),
        ("risk_profile: 12", "is 12; allowed is letters, digits, _ and -. Put it in quotes."),
        ("risk_profile: a b", "is 'a b'; allowed is letters, digits, _ and -."),
        ("risk_profile: {a: b}", "is a mapping; allowed is letters, digits, _ and -."),
        ("max_signal: 3", "unknown key 'max_signal'. Did you mean 'max_signals'? Allowed: cadence_seconds, "),
    ],
)
def test_a_wrong_field_of_a_schedule(line: str, says: str, tmp_path: Path) -> None:
    """Each wrong value is one line with its place, its path, the value, and what is allowed."""
    key = line.partition(":")[0]
    fields = {"strategy": "mean_reversion", "cadence_seconds": "5m"}
    fields.pop(key, None)
    lines = [*(f"{name}: {value}" for name, value in fields.items()), line]
    text = "multi_strategy_schedulers:\n  one:\n    schedules:\n      trend:\n" + "".join(
        f"        {x}\n" for x in lines
    )
    problems = [problem for problem in told(read(text, tmp_path)) if key in problem]
    number = 5 + lines.index(line)
    assert len(problems) == 1
    path = f"runtime.multi_strategy_schedulers.one.schedules.trend.{key}"
    assert problems[0].startswith(f"{number}:9: {path}: {says}")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("capital_policy: smoothed", "capital_policy: has no 'base', which is required: a name, or a mapping with"),
        ("capital_policy: riskparity", "unknown name 'riskparity'. Did you mean 'risk_parity'? Allowed: blended, "),
        ("capital_policy: {label: x}", "capital_policy: has no 'name', which is required: "),
        ("capital_policy: {name: [a]}", "capital_policy.name: is a list."),
        ("capital_policy: 3", "capital_policy: is 3; allowed is a name, or a mapping with a name."),
        ("capital_policy: {name: smoothed, base: x}", "capital_policy.base.name: unknown name 'x'."),
        ("capital_policy: {name: tag_budget, tag: {a: 1}}", "unknown key 'tag'. Did you mean 'tags'? Allowed: "),
        ("capital_policy: {name: drawdown_guard, min_weight: 2}", "min_weight: is 2; allowed is a number, at least 0"),
        ("capital_policy: {name: tag_quota, tags: {}}", "tags: is empty; at least one entry is required."),
        ("signal_limits: {trend_engine: {balanced: 2.5}}", "is 2.5; allowed is a whole number, at least 0 or a mapp"),
        ("signal_limits: {trend_engine: {balanced: -1}}", "is -1; allowed is a whole number, at least 0."),
        ("signal_limits: {trend_engine: {balanced: {limt: 1}}}", "unknown key 'limt'. Did you mean 'limit'?"),
        ("signal_limits: {trend_engine: 3}", "signal_limits.trend_engine: is 3; allowed is a mapping."),
        ("initial_suspensions: {tag: trend}", "initial_suspensions: is a mapping; allowed is a list."),
        ("initial_suspensions: [{tag: trend, until: 2030-02-01}]", "[0].until: is '2030-02-01'; allowed is an instant"),
        ("rbac_tokens: [{id: a, env: A, scopes: []}]", "scopes: is empty; at least one entry is required."),
        ("telemetry_namespace: ''", "telemetry_namespace: is ''; allowed is text, not empty."),
        ("portfolio_governor: {on_breach: halts}", "allowed is halt, limit, scale. Did you mean 'halt'?"),
        ("rbac_tokens: [{id: a, env: A, scopes: [runtime.schedule.wr]}]", "Did you mean 'runtime.schedule.write'?"),
    ],
)  # fmt: skip
def test_a_wrong_key_of_a_scheduler(text: str, says: str, tmp_path: Path) -> None:
    """Policies, limits, suspensions and tokens are held to their schema as deep as they are nested."""
    problems = told(read(scheduler(text), tmp_path))
    assert len(problems) == 1
    assert says in problems[0]


def test_a_mistyped_required_key_is_one_problem(tmp_path: Path) -> None:
    """That `strategy` is missing is not said beside that `stratgy` is unknown; `cadence_seconds` is missing indeed."""
    problems = told(read("multi_strategy_schedulers: {one: {schedules: {a: {stratgy: x}}}}", tmp_path))
    assert [problem.partition(": ")[2].partition(".schedules.")[2] for problem in problems] == [
        "a: has no 'cadence_seconds', which is required: seconds, or a duration such as 15m, 2h or 1d, over 0.",
        "a.stratgy: unknown key 'stratgy'. Did you mean 'strategy'? Allowed: cadence_seconds, instrument_universe, "
        "interval, max_drift_seconds, max_signals, risk_profile, strategy, warmup_bars.",
    ]


@pytest.mark.parametrize("key", ["env", "sha384"])
def test_a_secret_in_the_wrong_place_is_not_shown(key: str, tmp_path: Path) -> None:
    """A token that stands where its name or digest belongs appears in no error."""
    token = f"{{id: a, scopes: [runtime.schedule.read], {key}: hunter2-in-small-letters}}"
    problems = told(read(scheduler(f"rbac_tokens: [{token}]"), tmp_path))
    assert len(problems) == 1
    assert f"rbac_tokens[0].{key}: is not shown, for it may be a secret; allowed is" in problems[0]
    assert "hunter2" not in problems[0]


@pytest.mark.parametrize("tokens", ["hunter2", "[hunter2]", "[{token: hunter2}]", "{a: hunter2}", "[[hunter2]]"])
def test_a_token_in_place_of_its_description_is_not_shown(tokens: str, tmp_path: Path) -> None:
    """Nor one that stands where a mapping is expected, or under a key that there is not."""
    problems = told(read(scheduler(f"rbac_tokens: {tokens}"), tmp_path))
    assert problems
    assert "hunter2" not in "".join(problems)


def test_a_name_with_a_line_break_is_none(tmp_path: Path) -> None:
    """A last line break does not pass as the end of a name."""
    (problem,) = told(read('risk_profiles: {"balanced\\n": {}}', tmp_path))
    assert "letters, digits, _ and -" in problem


def test_other_names_of_policies_are_the_same_policy(tmp_path: Path) -> None:
    """`composite` is `blended`; a name alone is the policy with its defaults, wherever a policy may stand."""
    texts = (
        "capital_policy: {name: composite, components: [{policy: drawdown_adaptive}]}",
        "capital_policy: {name: blended, components: [{policy: {name: drawdown_guard}}], fallback: equal_weight}",
    )
    one, other = (read(scheduler(text), tmp_path) for text in texts)
    assert (one.problems, other.problems) == ((), ())
    assert one.config == other.config


def test_a_long_value_is_cut_where_it_is_shown() -> None:
    """An error stays a line that can be read."""
    assert shown(Node("x" * 1000, 1, 1)) == f"'{'x' * 59}…"
