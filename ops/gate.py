"""The gate on speed: cases timed beside the yardsticks of the same run, and held to budgets or to a baseline."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..engine.catalog import DEFAULT_STRATEGY_CATALOG
from ..engine.engine_file import read_engine_file
from ..engine.provenance import software
from ..engine.strategy import StrategyEngine
from ..errors import UsageError, unknown_name
from .gate_budgets import Baseline, Budget, Budgets, default_path, read_baseline, read_budgets
from .gate_case import Case
from .gate_cases import CASES
from .gate_kernels import engine_cases
from .gate_report import GateReport, Row
from .gate_rounds import ROUNDS, Limits, MachineTimer, Rounds, Timer

NONE = Budget()


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a gate is asked for.

    Attributes:
        budgets: The file of budgets; None: the default.
        baseline: A file that was saved before; None: none.
        only: Names of cases; empty: all that have a budget.
        strategy: An engine's name or a file with engines, timed in the place of barstep's own cases.
        max_ns_per_bar: Budget of the strategy, in the place of the file's.
        max_ratio: The same as a multiple of the yardstick of arithmetic.
        rounds: How often each case is timed at least.
        saves: Whether a baseline is made of it: then cases without a budget are timed, too.
    """

    budgets: Path | None = None
    baseline: Path | None = None
    only: Sequence[str] = ()
    strategy: str | None = None
    max_ns_per_bar: float | None = None
    max_ratio: float | None = None
    rounds: int = ROUNDS
    saves: bool = False


def gate(asked: Asked, timer: Callable[[], Timer] = MachineTimer, cases: Sequence[Case] = CASES) -> GateReport:
    """Time what is asked for and say what is over its budget.

    Args:
        asked: What is timed, and what it is held to.
        timer: What takes the times.
        cases: What there is to time.

    Raises:
        ConfigError: A file of budgets or a baseline is refused.
        UsageError: A name is unknown, an option out of place, or there is nothing to hold the times to.
    """
    path = asked.budgets or default_path()
    budgets = read_budgets(path, [case.name for case in cases])
    baseline = None if asked.baseline is None else read_baseline(asked.baseline)
    if asked.strategy is None:
        _refuse_options_of_strategies(asked)
        written, there = budgets.cases, cases
    else:
        engines = _engines(asked.strategy)
        there = tuple(case for engine in engines for case in engine_cases(engine, engine.name))
        written = {**budgets.strategies, **_given(asked, engines)}
    limits = {case.name: _limits(written.get(case.name, NONE), case.name, budgets, baseline) for case in there}
    chosen = _chosen(there, limits, asked)
    rounds = Rounds(timer(), asked.rounds)
    found = rounds.run(chosen, [limits[case.name] for case in chosen])
    rows = [
        Row(case=case.name, unit=case.unit, timed=timed, limits=limits[case.name], is_over=over)
        for case, (timed, over) in zip(chosen, found, strict=True)
    ]
    return GateReport(
        budgets=str(path),
        baseline=None if asked.baseline is None else str(asked.baseline),
        rows=tuple(rows),
        arithmetic_ns=rounds.arithmetic.nanoseconds.middle,
        copy_ns=rounds.copy.nanoseconds.middle,
        software=software(),
        machine=machine(),
    )


def machine() -> str:
    """The processor and the system, as people know them."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").is_file() else []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return f"{model or platform.processor() or 'unknown processor'}, {os.cpu_count()} cores, {platform.platform()}"


def _engines(strategy: str) -> tuple[StrategyEngine, ...]:
    path = Path(strategy)
    if path.suffix == ".py" or path.is_file():
        return tuple(read_engine_file(path))
    return (DEFAULT_STRATEGY_CATALOG[strategy],)


def _refuse_options_of_strategies(asked: Asked) -> None:
    for option, value in (("--max-ns-per-bar", asked.max_ns_per_bar), ("--max-ratio", asked.max_ratio)):
        if value is not None:
            raise UsageError(f"{option} is for --strategy; budgets of barstep's own cases stand in a file.")


def _given(asked: Asked, engines: Sequence[StrategyEngine]) -> dict[str, Budget]:
    """The budget of the command line, for each engine over a whole history."""
    for option, value in (("--max-ns-per-bar", asked.max_ns_per_bar), ("--max-ratio", asked.max_ratio)):
        if value is not None and not 0.0 < value < float("inf"):
            raise UsageError(f"{option} is {value:g}; it must be over 0.")
    budget = Budget(ns_per_bar=asked.max_ns_per_bar, times_arithmetic=asked.max_ratio)
    return {} if budget == NONE else {engine.name: budget for engine in engines}


def _limits(budget: Budget, name: str, budgets: Budgets, baseline: Baseline | None) -> Limits:
    """A file's budget, with the baseline's multiple in the place of its own where there is one."""
    limits = Limits(
        ns_per_bar=budget.ns_per_bar, times_arithmetic=budget.times_arithmetic, times_copy=budget.times_copy
    )
    before = None if baseline is None or name not in baseline.cases else baseline.cases[name].times_arithmetic
    if before is None:
        return limits
    return replace(limits, times_arithmetic=before * budgets.allowed_slowdown, times_copy=None)


def _chosen(cases: Sequence[Case], limits: Mapping[str, Limits], asked: Asked) -> list[Case]:
    names = [case.name for case in cases]
    for name in asked.only:
        if name not in names:
            raise UsageError(f"--only: {unknown_name('case', name, names)}")
    chosen = [case for case in cases if not asked.only or case.name in asked.only]
    if not asked.saves:
        chosen = [case for case in chosen if limits[case.name] != Limits()]
    if chosen:
        return chosen
    if asked.strategy is None:
        raise UsageError("none of the cases has a budget; name them under 'cases' in the file, or give --baseline.")
    raise UsageError(
        f"--strategy {asked.strategy}: has no budget; give --max-ns-per-bar or --max-ratio, an entry under "
        f"'strategies' in the file of budgets ({', '.join(names)}), or --baseline."
    )
