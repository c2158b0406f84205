"""What a gate times, and what it holds the times to; the machine is simulated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from barstep.errors import ConfigError, UsageError
from barstep.ops.gate import Asked, gate
from barstep.ops.gate_budgets import PACKAGED, Budget, default_path, read_baseline, read_budgets
from barstep.ops.gate_cases import CASES as REAL_CASES
from barstep.ops.gate_inputs import laid_out
from barstep.ops.gate_report import GateReport
from simulated_timer import ARITHMETIC_NS, SimulatedTimer, case

TIMES = {"z-score": 3.0, "EMA": 0.8, "event loop": 40_000.0}
CASES = [case(name, ns) for name, ns in TIMES.items()]
DONCHIAN = Path(__file__).resolve().parents[2] / "docs" / "examples" / "donchian.py"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working folder without budgets."""
    monkeypatch.chdir(tmp_path)


def written(text: str) -> Path:
    path = Path("own.yaml")
    path.write_text(text, encoding="utf-8")
    return path


def run(seed: int = 1, slower: dict[str, float] | None = None, **asked: Any) -> GateReport:
    return gate(Asked(**asked), lambda: SimulatedTimer(seed, slower), CASES)


def verdicts(report: GateReport) -> dict[str, str]:
    return {row.case: row.verdict for row in report.rows}


def test_only_cases_with_a_budget_are_timed() -> None:
    """Those that a file names, each held to what it says."""
    budgets = written("cases:\n  EMA: {ns_per_bar: 1.0}\n  z-score: {ns_per_bar: 1.0}\n")
    report = run(budgets=budgets)
    assert verdicts(report) == {"z-score": "over", "EMA": "ok"}
    plain = report.to_dict()
    assert (plain["status"], plain["budgets"], plain["baseline"]) == ("fail", "own.yaml", None)
    assert [one["budget"] for one in plain["cases"]] == [{"ns_per_bar": 1.0}] * 2
    assert plain["yardsticks_ns"]["arithmetic"] == pytest.approx(ARITHMETIC_NS, rel=0.05)
    low, high = plain["cases"][0]["bounds"]["ns_per_bar"]
    assert low <= plain["cases"][0]["ns_per_bar"] <= high
    json.dumps(plain, allow_nan=False)


def test_a_baseline_holds_each_case_to_what_it_was() -> None:
    """On a machine half as fast, too; a slow-down by 1.3 is over 1.15 times what it was, or over what a file allows."""
    run(saves=True, budgets=written("cases: {}\n")).save_baseline(Path("before/base.json"))
    base = Path("before/base.json")
    assert list(read_baseline(base).cases) == list(TIMES)
    same = gate(Asked(baseline=base, budgets=written("cases: {}\n")), lambda: SimulatedTimer(2, speed=0.5), CASES)
    assert set(verdicts(same).values()) == {"ok"}
    slower = run(3, {"EMA": 1.3}, baseline=base, budgets=written("cases: {}\n"))
    assert verdicts(slower) == {"z-score": "ok", "EMA": "over", "event loop": "ok"}
    allowed = run(3, {"EMA": 1.3}, baseline=base, budgets=written("allowed_slowdown: 1.5\n"))
    assert set(verdicts(allowed).values()) == {"ok"}


def test_a_baseline_takes_the_place_of_multiples_and_not_of_nanoseconds() -> None:
    """What a file says of nanoseconds holds besides."""
    run(saves=True, budgets=written("cases: {}\n")).save_baseline(Path("base.json"))
    budgets = written("cases:\n  EMA: {times_arithmetic: 0.01}\n  z-score: {ns_per_bar: 1.0}\n")
    report = run(2, baseline=Path("base.json"), budgets=budgets)
    assert verdicts(report) == {"z-score": "over", "EMA": "ok", "event loop": "ok"}


def test_what_is_saved_needs_no_budget() -> None:
    """Cases without one are timed, and no verdict is spoken of them."""
    report = run(saves=True, budgets=written("cases:\n  EMA: {ns_per_bar: 9}\n"))
    assert verdicts(report) == {"z-score": "no budget", "EMA": "ok", "event loop": "no budget"}
    assert report.to_dict()["status"] == "ok"


def test_only_the_cases_asked_for() -> None:
    """By their names."""
    budgets = written("cases:\n  EMA: {ns_per_bar: 9}\n  z-score: {ns_per_bar: 9}\n")
    assert verdicts(run(budgets=budgets, only=("EMA",))) == {"EMA": "ok"}
    with pytest.raises(UsageError, match=r"unknown case 'EMAA'\. Did you mean 'EMA'"):
        run(budgets=budgets, only=("EMAA",))


@pytest.mark.parametrize(
    ("asked", "verdict"),
    [
        ({"max_ns_per_bar": 1e9}, "ok"),
        ({"max_ns_per_bar": 1e-3}, "over"),
        ({"max_ratio": 1e9}, "ok"),
        ({"max_ratio": 1e-3}, "over"),
    ],
)
@pytest.mark.parametrize("strategy", ["mean_reversion", str(DONCHIAN)])
def test_a_strategy_is_held_to_what_the_command_says(strategy: str, asked: dict[str, float], verdict: str) -> None:
    """An engine by its name, or those of a file."""
    report = gate(Asked(strategy=strategy, budgets=written("cases: {}\n"), **asked), lambda: SimulatedTimer(1))
    assert list(verdicts(report).values()) == [verdict]


def test_a_strategy_is_held_to_what_the_file_says() -> None:
    """Over a whole history, and bar by bar."""
    budgets = written('strategies:\n  donchian: {ns_per_bar: 1e9}\n  "donchian, bar by bar": {ns_per_bar: 1e-3}\n')
    report = gate(Asked(strategy=str(DONCHIAN), budgets=budgets), lambda: SimulatedTimer(1))
    assert verdicts(report) == {"donchian": "ok", "donchian, bar by bar": "over"}


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"budgets": "cases: {}"}, "none of the cases has a budget"),
        ({"budgets": "cases: {}", "strategy": "mean_reversion"}, "has no budget; give --max-ns-per-bar or --max-ratio"),
        ({"strategy": "mean_reverson"}, "Did you mean 'mean_reversion'"),
        ({"strategy": "absent.py"}, "absent.py"),
        ({"strategy": "mean_reversion", "max_ratio": 0.0}, "--max-ratio is 0; it must be over 0"),
        ({"strategy": "mean_reversion", "max_ns_per_bar": float("nan")}, "--max-ns-per-bar is nan"),
        ({"max_ratio": 1.0}, "--max-ratio is for --strategy"),
    ],
)
def test_wrong_use_is_told(asked: dict[str, Any], text: str) -> None:
    """In one line, before anything is timed."""
    given = {**asked, "budgets": written(asked.get("budgets", "cases: {}"))}
    with pytest.raises(UsageError, match=text):
        run(**given)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("cases:\n  EMMA: {ns_per_bar: 1}\n", "own.yaml:2:3: cases.EMMA: unknown case 'EMMA'. Did you mean 'EMA'?"),
        ("cases:\n  EMA: {ns_per_bars: 1}\n", "unknown key 'ns_per_bars'. Did you mean 'ns_per_bar'?"),
        ("cases:\n  EMA: {ns_per_bar: -1}\n", "cases.EMA.ns_per_bar: is -1; allowed is a number, over 0"),
        ("cases:\n  EMA: {}\n", "cases.EMA: is empty; give ns_per_bar, times_arithmetic or times_copy."),
        ("case:\n  EMA: {ns_per_bar: 1}\n", "unknown key 'case'. Did you mean 'cases'?"),
        ("allowed_slowdown: 0.5\n", "allowed_slowdown: is 0.5; allowed is a number, at least 1"),
        ("cases:\n  EMA: {ns_per_bar: 1}\n  EMA: {ns_per_bar: 2}\n", "stands twice"),
        ("cases: [\n", "is no YAML"),
    ],
)
def test_a_bad_file_of_budgets_is_refused(text: str, problem: str) -> None:
    """With its place and the near name, exit code 2."""
    with pytest.raises(ConfigError) as refused:
        run(budgets=written(text))
    assert problem in str(refused.value)
    assert refused.value.exit_code == 2


def test_all_that_is_wrong_is_told_at_once() -> None:
    """Two mistakes are two lines."""
    with pytest.raises(ConfigError) as refused:
        run(budgets=written("cases:\n  EMMA: {ns_per_bar: 1}\n  EMA: {}\n"))
    assert len(refused.value.problems) == 2


@pytest.mark.parametrize("text", ["{}", '{"cases": {"EMA": {"ns": 1}}, "software": {}, "machine": "m"}', "", "nothing"])
def test_a_bad_baseline_is_refused(text: str) -> None:
    """It is read as strictly."""
    with pytest.raises(ConfigError):
        read_baseline(written(text))


def test_an_absent_file_is_told() -> None:
    """By its name."""
    with pytest.raises(ConfigError, match=r"absent.yaml: no such file"):
        read_budgets(Path("absent.yaml"), [])


def test_the_budgets_that_come_with_barstep() -> None:
    """Each case has one by the yardstick and one in nanoseconds; the working folder's file goes before them."""
    budgets = read_budgets(default_path(), [one.name for one in REAL_CASES])
    assert default_path() == PACKAGED
    assert set(budgets.cases) == {one.name for one in REAL_CASES}
    assert all(one.ns_per_bar and one.times_arithmetic and one != Budget() for one in budgets.cases.values())
    Path("benchmarks").mkdir()
    Path("benchmarks/budgets.yaml").write_text("cases: {}\n")
    assert default_path() == Path("benchmarks/budgets.yaml")


def test_names_of_cases_differ() -> None:
    """A budget is of one case."""
    names = [one.name for one in REAL_CASES]
    assert len(set(names)) == len(names)


def test_rows_are_laid_out_alike_each_time() -> None:
    """Each begins on a line of the cache, 29 lines on in its page, with what was in it."""
    rows = [np.arange(float(count)) for count in (1_000, 16_104, 3)]
    for _ in range(3):
        found = laid_out(rows)
        places = [row.ctypes.data % 4_096 for row in found]
        assert places == [0, 29 * 64, 58 * 64 % 4_096]
        assert all(np.array_equal(before, after) for before, after in zip(rows, found, strict=True))
