"""The file of budgets and the file of a baseline, read as strictly as the configuration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated

import msgspec.inspect as kinds
from msgspec import Meta, field

from ..config.fields import Positive, Text
from ..config.files import ReadFile, read_file
from ..config.problems import Problem
from ..config.section import Section
from ..config.walking import Walk
from ..errors import ConfigError, unknown_name

PACKAGED = Path(__file__).resolve().parents[1] / "benchmarks" / "budgets.yaml"


class Budget(Section, frozen=True, kw_only=True):
    """What a case may take at most, or took; at least one of these.

    Attributes:
        ns_per_bar: Nanoseconds a bar, or what else the case counts.
        times_arithmetic: A bar's time over that of a value of the yardstick `arithmetic`.
        times_copy: A bar's time over that of a value of the yardstick `copy`.
    """

    ns_per_bar: Positive | None = None
    times_arithmetic: Positive | None = None
    times_copy: Positive | None = None


class Budgets(Section, frozen=True, kw_only=True):
    """A file of budgets.

    Attributes:
        allowed_slowdown: How many times a baseline's `times_arithmetic` a case may take.
        cases: By the case's name.
        strategies: By the name of an engine of one's own, for `--strategy`.
    """

    allowed_slowdown: Annotated[float, Meta(ge=1.0)] = 1.15
    cases: dict[Text, Budget] = field(default_factory=dict)
    strategies: dict[Text, Budget] = field(default_factory=dict)


class Baseline(Section, frozen=True, kw_only=True):
    """What was measured before.

    Attributes:
        software: barstep, its kernels and what they were compiled by.
        machine: The processor and the system.
        cases: By the case's name, or the strategy's.
    """

    software: dict[str, str]
    machine: Text
    cases: dict[Text, Budget]


def default_path() -> Path:
    """`benchmarks/budgets.yaml` under the working folder where there is one, else the one that comes with barstep."""
    here = Path("benchmarks/budgets.yaml")
    return here if here.is_file() else PACKAGED


def read_budgets(path: Path, known: Iterable[str]) -> Budgets:
    """Read a file of budgets, in YAML or JSON. known: names of the cases.

    Raises:
        ConfigError: Everything that is wrong with it.
    """
    tree, walk = read_file(path), Walk({})
    budgets: Budgets = walk.read(tree.root, kinds.type_info(Budgets), ())
    names = list(known)
    unknown = [
        Problem(path=("cases", name), text=unknown_name("case", name, names))
        for name in budgets.cases
        if name not in names
    ]
    empty = [*_empty_budgets("cases", budgets.cases), *_empty_budgets("strategies", budgets.strategies)]
    _refuse(tree, [*walk.problems, *unknown, *empty])
    return budgets


def read_baseline(path: Path) -> Baseline:
    """Read a file that `--save-baseline` wrote. Names of cases that are no more are passed over.

    Raises:
        ConfigError: Everything that is wrong with it.
    """
    tree, walk = read_file(path), Walk({})
    baseline: Baseline = walk.read(tree.root, kinds.type_info(Baseline), ())
    _refuse(tree, [*walk.problems, *_empty_budgets("cases", baseline.cases)])
    return baseline


def _refuse(tree: ReadFile, problems: Iterable[Problem]) -> None:
    read = tree.with_problems(problems)
    if read.errors:
        raise ConfigError(read.errors)


def _empty_budgets(part: str, budgets: Mapping[str, Budget]) -> Iterable[Problem]:
    text = "is empty; give ns_per_bar, times_arithmetic or times_copy."
    return [Problem(path=(part, name), text=text) for name, budget in budgets.items() if budget == Budget()]
