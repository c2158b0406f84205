"""Axes of a sweep as they are typed: `lookback=24:240:8`, `entry_zscore=1.2,1.5`, `fee_bps=1..20`."""

# ruff: noqa: PLC0415 - imported when the command runs, see `cli.app`

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import UsageError
from .settings import number_or_text

AXIS_HELP = (
    "NAME=VALUES, what is varied: 1,2,3 or FIRST:LAST:STEP for a grid; LOW..HIGH to draw from, LOW..HIGH:log by its "
    "logarithm; 'NAME=VALUES when OTHER=VALUE' varies it there only."
)
LowestOption = Annotated[
    bool | None,
    typer.Option("--lowest/--highest", help="Which end is the best. [the lowest of drawdowns and costs]"),
]
_MOST_VALUES = 1_000_000
_SPAN = re.compile(r"^[^,/]*\.\.[^,./]")
"""Two ends with two dots between; a path that begins with two dots is none."""

Value = Callable[[str, str], Any]
"""What a text stands for as the value of a name."""


def _plain(_name: str, word: str) -> Any:
    return number_or_text(word)


def read_axes(given: Iterable[str], value: Value = _plain) -> dict[str, Any]:
    """The axes by name, as `plan_sweep` takes them; `value`: what a text of a name stands for.

    Raises:
        UsageError: One is not written as an axis, or is given twice.
    """
    read: dict[str, Any] = {}
    for text in given:
        spec, _, condition = text.partition(" when ")
        name, equals, values = (part.strip() for part in spec.partition("="))
        if not equals or not name or not values:
            raise UsageError(f"--axis {text!r}: write NAME=VALUES, such as lookback=24,48,96 or lookback=24:240:8.")
        if name in read:
            raise UsageError(f"--axis {name}: given twice; give all of its values at once.")
        read[name] = _varied(text, name, values, value)
        if condition:
            read[name] = _conditional(text, read[name], condition, value)
    return read


def read_policy(name: str, word: str) -> Any:
    """What a word of a scheduler's axis stands for, as in its file; of `capital_policy` a name, or a file of one."""
    if name != "capital_policy" or Path(word).suffix not in (".yaml", ".yml", ".json"):
        from ..config.document import resolve

        return resolve(word)
    from ..config.policy_file import read_policy_file
    from ..errors import ConfigError

    read = read_policy_file(Path(word))
    if read.errors:
        raise ConfigError(read.errors)
    return read.policy


def _varied(text: str, name: str, values: str, value: Value) -> Any:
    from ..engine.sweep.axes import Span

    if _SPAN.match(values):
        ends, _, scale = values.partition(":")
        low, _, high = ends.partition("..")
        if scale not in ("", "log"):
            raise UsageError(f"--axis {text!r}: a span is LOW..HIGH or LOW..HIGH:log; {scale!r} is neither.")
        return Span(_number(text, low), _number(text, high), log=scale == "log")
    if ":" in values and "," not in values:
        return _stepped(text, values.split(":"))
    return [value(name, word.strip()) for word in values.split(",")]


def _stepped(text: str, words: list[str]) -> list[float | int]:
    """The numbers from the first to the last, both among them where the step meets it; decimal steps stay exact."""
    try:
        begin, end, by = map(Decimal, map(str.strip, words))
        is_number = begin.is_finite() and end.is_finite() and by.is_finite()
    except (InvalidOperation, ValueError):  # one is no number, or there are not three of them
        is_number = False
    if not is_number:
        raise UsageError(f"--axis {text!r}: write FIRST:LAST:STEP in numbers, such as 24:240:8.")
    if not (by > 0 and begin <= end) or (end - begin) / by >= _MOST_VALUES:
        raise UsageError(f"--axis {text!r}: FIRST is at most LAST, STEP is over 0, at most {_MOST_VALUES:,} values.")
    numbers = [begin + k * by for k in range(int((end - begin) / by) + 1)]
    return [int(number) if number == number.to_integral_value() else float(number) for number in numbers]


def _number(text: str, word: str) -> float:
    try:
        number = float(word)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise UsageError(f"--axis {text!r}: {word!r} is no number.")
    return number


def _conditional(text: str, values: Any, condition: str, value: Value) -> Any:
    from ..engine.sweep.axes import When

    conditions = {}
    for part in condition.split(" and "):
        name, equals, word = (each.strip() for each in part.partition("="))
        if not equals or not name or not word:
            raise UsageError(f"--axis {text!r}: write the condition as NAME=VALUE, such as when allow_short=true.")
        conditions[name] = value(name, word)
    return When(values, **conditions)
