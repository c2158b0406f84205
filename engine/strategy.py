"""What a strategy engine is to the rest of barstep: a kernel, its typed parameters, and the rows it fills."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError, unknown_name
from ..kernels.columns import ANNUAL_SCALE, DIAGNOSTICS, INTERVAL_SECONDS, OWN, TELEMETRY

Value = float | int | bool | str
Values = Mapping[str, Value]
SECONDS_PER_DAY = 86_400


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One parameter of an engine.

    Attributes:
        name: As written in Python, YAML and on the command line.
        default: Its value where none is given.
        kind: `int`, `float`, `bool` or `text`. Text is a label that the kernel does not see.
        minimum: Least value allowed.
        maximum: Greatest value allowed.
        text: What it means and in which unit.
    """

    name: str
    default: Value
    kind: Literal["int", "float", "bool", "text"]
    text: str
    minimum: float = -math.inf
    maximum: float = math.inf

    def read(self, value: Any, engine: str) -> Value:
        """The value in its own type.

        Raises:
            UsageError: It has another type or is out of range.
        """
        if self.kind == "text":
            return str(value)
        if self.kind == "bool":
            return self._read_bool(value, engine)
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise UsageError(f"{engine}: {self.name} is {value!r}; it must be a number ({self.text})") from None
        if self.kind == "int" and not number.is_integer():
            raise UsageError(f"{engine}: {self.name} is {value!r}; it must be a whole number ({self.text})")
        if not self.minimum <= number <= self.maximum:
            raise UsageError(f"{engine}: {self.name} is {value}; allowed is {self.allowed} ({self.text})")
        return int(number) if self.kind == "int" else number

    def _read_bool(self, value: Any, engine: str) -> bool:
        found = read_truth(value)
        if found is None:
            raise UsageError(f"{engine}: {self.name} is {value!r}; it must be true or false ({self.text})")
        return found

    def describe(self) -> dict[str, Any]:
        """The parameter as plain values; a bound that is not there is None."""
        bounded = self.kind in {"int", "float"}
        return {
            "name": self.name,
            "kind": self.kind,
            "default": self.default,
            "minimum": self.minimum if bounded and math.isfinite(self.minimum) else None,
            "maximum": self.maximum if bounded and math.isfinite(self.maximum) else None,
            "text": self.text,
        }

    @property
    def allowed(self) -> str:
        """The range in words."""
        if self.kind == "bool":
            return "true or false"
        if self.kind == "text":
            return "any text"
        if math.isinf(self.maximum):
            return f"{_bound(self.minimum)} and more"
        return f"{_bound(self.minimum)} to {_bound(self.maximum)}"


def read_truth(value: Any) -> bool | None:
    """True or false, as Python and people write it; None where it is neither."""
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    return words.get(str(value).lower())


def _bound(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) <= 1e9 else f"{value:g}"


@dataclass(frozen=True, kw_only=True)
class StrategyEngine:
    """A strategy engine: one compiled kernel and what must be known to call it.

    Attributes:
        name: Its name in the catalog.
        kernel: `kernel(bars, params, carry, out, start, stop, at)`; the layouts stand in `kernels.columns`.
        parameters: Its own parameters, in the order of `params` from slot OWN on (text ones are left out there).
        carry_size: Length of the carry.
        diagnostics: Names of the rows after the first three, in order.
        history: Bars that must exist before a wish can be more than 0, from the parameters.
        reach: Bars that its kernel reads back from the last one, where that is more than `history`.
        rule: What must hold between parameters; the text of what does not, or None.
        needs_secondary: Whether it reads a second venue.
        capability: The licence capability that allows it.
        summary: One line for people.
    """

    name: str
    kernel: Callable[..., Any]
    parameters: tuple[Parameter, ...]
    carry_size: int
    diagnostics: tuple[str, ...]
    history: Callable[[Mapping[str, Any]], int]
    reach: Callable[[Mapping[str, Any]], int] = lambda _: 0
    rule: Callable[[Mapping[str, Any]], str | None] = lambda _: None
    needs_secondary: bool = False
    capability: str = ""
    summary: str = ""

    @cached_property
    def own(self) -> dict[str, Parameter]:
        """Its own parameters by name."""
        return {parameter.name: parameter for parameter in self.parameters}

    @property
    def rows(self) -> int:
        """Rows of `out`."""
        return DIAGNOSTICS + len(self.diagnostics)

    def read_parameters(self, given: Values) -> dict[str, Value]:
        """All parameters with their defaults, each checked alone and against the others.

        Raises:
            UsageError: A name is unknown, a value is of another type or out of range, or two contradict each other.
        """
        for name in given:
            if name not in self.own:
                raise UsageError(unknown_name(f"parameter of {self.name}", name, self.own))
        read = {name: p.read(given.get(name, p.default), self.name) for name, p in self.own.items()}
        broken = self.rule(read)
        if broken:
            raise UsageError(f"{self.name}: {broken}")
        return read

    def pack(
        self, read: Values, interval_seconds: int, year_days: float, with_telemetry: bool = True
    ) -> NDArray[np.float64]:
        """The `params` vector for bars of `interval_seconds`, annualised over years of `year_days` days.

        Without telemetry the engine need give no row but TARGET.
        """
        numeric = [float(read[p.name]) for p in self.parameters if p.kind != "text"]
        params = np.zeros(OWN + len(numeric))
        params[INTERVAL_SECONDS] = interval_seconds
        params[ANNUAL_SCALE] = math.sqrt(bars_per_year(interval_seconds, year_days))
        params[TELEMETRY] = with_telemetry
        params[OWN:] = numeric
        return params

    def describe(self) -> dict[str, Any]:
        """The engine as plain values: its name, what it does, its parameters with defaults and ranges."""
        return {
            "name": self.name,
            "summary": self.summary,
            "needs_secondary": self.needs_secondary,
            "parameters": [p.describe() for p in self.parameters],
        }

    def new_carry(self) -> NDArray[np.float64]:
        """The carry before the first bar."""
        return np.zeros(self.carry_size)


def bars_per_year(interval_seconds: int, year_days: float) -> float:
    """How many bars a year of `year_days` days has: 365 for markets that never close, 252 for sessions."""
    return year_days * SECONDS_PER_DAY / interval_seconds
