"""A file as a whole: what cannot be read, what stands at its top, and all errors at once."""

from __future__ import annotations

from pathlib import Path

import barstep as bs
import msgspec
import pytest
from barstep.config.core import CoreConfig
from barstep.config.reading import PACKAGED, default_path, read_config
from written import CORE, PROFILES, SCHEDULES, STRATEGIES, read, scheduler, told

EVERYTHING_WRONG = """
runtime:
  resource_limits: {cpu_pct: much}
  multi_strategy_schedulers:
    one:
      initial_suspensions: [{schedule: trnd}, {tag: slow, until: 2030-01-01}]
      schedules:
        trend: {strategy: trend_engin, cadence_second: 5m, risk_profile: balancd}
risk_profiles:
  balanced:
    strategy_allocations: {trend_engine: 0.7, mean_reversion: 0.4, grid: -0.1}
  balanced: {}
strategies:
  trend_engine: {engine: daily_trend_momentun, tags: [fast]}
environments:
  demo: {type: dem, offline: true, feed: embedded, venue: binance, risk_profile: balanced,
    instrument_universe: majors, scheduler: ones, capital: 0}
"""


def test_all_errors_are_told_in_one_go(tmp_path: Path) -> None:
    """Types, keys, duplicates, references, sums and engines: each with its line, in the order of the file."""
    problems = told(read(EVERYTHING_WRONG, tmp_path, engines=True))
    starts = [problem.partition(" Allowed")[0] for problem in problems]
    schedules = "runtime.multi_strategy_schedulers.one.schedules.trend"
    suspensions = "runtime.multi_strategy_schedulers.one.initial_suspensions"
    assert starts == [
        "3:21: runtime.resource_limits.cpu_pct: is 'much'; allowed is a number, over 0.",
        f"6:30: {suspensions}[0].schedule: unknown schedule 'trnd'. Did you mean 'trend'?",
        f"6:48: {suspensions}[1].tag: unknown tag 'slow'.",
        f"6:59: {suspensions}[1].until: is '2030-01-01'; allowed is an instant, ISO 8601 with a zone, such as "
        "2030-02-01T00:00:00+00:00.",
        f"8:17: {schedules}.strategy: unknown strategy 'trend_engin'. Did you mean 'trend_engine'?",
        f"8:40: {schedules}.cadence_second: unknown key 'cadence_second'. Did you mean 'cadence_seconds'?",
        f"8:60: {schedules}.risk_profile: unknown risk profile 'balancd'. Did you mean 'balanced'?",
        "11:5: risk_profiles.balanced.strategy_allocations: sums to 1.1; shares sum to 1 at most (trend_engine 0.7 + "
        "mean_reversion 0.4).",
        "11:68: risk_profiles.balanced.strategy_allocations.grid: is -0.1; allowed is a number, at least 0 and at "
        "most 1.",
        "12:3: risk_profiles.balanced: stands twice; it is in line 10 already.",
        "14:18: strategies.trend_engine.engine: unknown strategy engine 'daily_trend_momentun'. Did you mean "
        "'daily_trend_momentum'?",
        "16:10: environments.demo.type: is 'dem'; allowed is demo, live, paper. Did you mean 'demo'?",
        "17:5: environments.demo.instrument_universe: unknown instrument universe 'majors'. None is defined.",
        "17:34: environments.demo.scheduler: unknown scheduler 'ones'. Did you mean 'one'?",
        "17:51: environments.demo.capital: is 0; allowed is a number, over 0.",
    ]


def test_a_refused_configuration_is_one_error_with_all_lines(tmp_path: Path) -> None:
    """`load_core_config` raises one ConfigError: its text has a line for each problem, and it is wrong use."""
    path = tmp_path / "core.yaml"
    path.write_text(EVERYTHING_WRONG)
    with pytest.raises(bs.ConfigError) as refused:
        bs.load_core_config(path)
    lines = str(refused.value).splitlines()
    assert len(lines) == len(refused.value.problems) == 15
    assert all(line.startswith(f"{path}:") for line in lines)
    assert refused.value.exit_code == 2
    assert isinstance(refused.value, bs.BarstepError)


def test_the_top_of_a_file_and_runtime_are_read_alike(tmp_path: Path) -> None:
    """Schedulers at the top of a file are those of `runtime`, whatever else `runtime` says."""
    at_top = f"{PROFILES}{STRATEGIES}multi_strategy_schedulers:\n  core_multi:{SCHEDULES}"
    under = (
        f"{PROFILES}{STRATEGIES}runtime:\n  multi_strategy_schedulers: {{core_multi: {{schedules: {{trend_schedule: "
    )
    under += "{strategy: trend_engine, cadence_seconds: 300}, mean_schedule: {strategy: mean_reversion, "
    under += "cadence_seconds: 300}, grid_schedule: {strategy: grid_engine, cadence_seconds: 180}}}}"
    one, other = read(at_top, tmp_path), read(under, tmp_path)
    assert one.problems == other.problems == ()
    assert one.config == other.config
    assert one.content_sha384 == other.content_sha384
    assert one.file_sha384 != other.file_sha384


def test_schedulers_may_stand_in_both_places_under_different_names(tmp_path: Path) -> None:
    """Both are there; one name in both places is refused with both lines."""
    schedules = "{schedules: {a: {strategy: mean_reversion, cadence_seconds: 60}}}"
    text = f"runtime: {{multi_strategy_schedulers: {{one: {schedules}}}}}\nmulti_strategy_schedulers:\n  "
    both = read(f"{text}two: {schedules}", tmp_path)
    assert both.problems == ()
    assert set(both.config.runtime.multi_strategy_schedulers) == {"one", "two"}
    assert told(read(f"{text}one: {schedules}", tmp_path)) == [
        "3:3: multi_strategy_schedulers.one: stands under runtime too, in line 1; a scheduler's name is given once."
    ]


@pytest.mark.parametrize("text", ["runtime: 3\n", "runtime: {multi_strategy_schedulers: 3}\n", ""])
@pytest.mark.parametrize("top", ["3", "{a: 3}", "{a: {schedules: {}}}"])
def test_schedulers_of_a_wrong_kind_are_told_of(text: str, top: str, tmp_path: Path) -> None:
    """What is no mapping, in either place, is an error and nothing else."""
    problems = read(f"{text}multi_strategy_schedulers: {top}", tmp_path).errors
    assert problems
    assert any("mapping" in problem.text or "is empty" in problem.text for problem in problems)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "core.yaml:1:1: is empty; allowed is a mapping."),
        (b"# nothing\n", "core.yaml:1:1: is empty; allowed is a mapping."),
        (b"- a\n- b\n", "core.yaml:1:1: is a list; allowed is a mapping."),
        (b"just words\n", "core.yaml:1:1: is 'just words'; allowed is a mapping."),
        (b"a: 1\nb: [\n", "is no YAML: "),
        (b"runtme: {}\n", "core.yaml:1:1: runtme: unknown key 'runtme'. Did you mean 'runtime'? Allowed: "),
        (b"multi_strategy_scheduler: {}\n", "Did you mean 'multi_strategy_schedulers'?"),
    ],
)
def test_a_file_that_is_no_configuration(data: bytes, says: str, tmp_path: Path) -> None:
    """An empty file, a list, text and broken YAML are one problem with its line."""
    path = tmp_path / "core.yaml"
    path.write_bytes(data)
    (problem,) = read_config(path).problems
    assert says in str(problem)


def test_a_byte_order_mark_and_json_are_read(tmp_path: Path) -> None:
    """A file as some editors save it, and a JSON file, say the same."""
    path = tmp_path / "core.json"
    path.write_bytes(b'\xef\xbb\xbf{"risk_profiles": {"balanced": {"max_leverage": 2}}}')
    one = read_config(path)
    assert one.problems == ()
    assert one.config == read("risk_profiles: {balanced: {max_leverage: 2.0}}", tmp_path).config


def test_what_is_read_is_what_msgspec_would_read(tmp_path: Path) -> None:
    """The walk gives the very Structs that msgspec's own conversion gives, so that the schema is one."""
    for found in (read_config(CORE), read(scheduler(""), tmp_path)):
        assert found.problems == ()
        assert msgspec.convert(msgspec.to_builtins(found.config), CoreConfig) == found.config


def test_the_default_is_the_folder_s_own_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`config/core.yaml` under the working folder goes before the one that comes with barstep."""
    monkeypatch.chdir(tmp_path)
    assert default_path() == PACKAGED
    assert PACKAGED.is_file()
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "core.yaml").write_text("{}")
    assert default_path() == Path("config/core.yaml")
