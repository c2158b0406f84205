"""What is varied: one axis a parameter, with its values, its span, or values that count only under a condition."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...errors import UsageError

Read = Callable[[str, Any], Any]
"""Gives the value of a named parameter in its own type, or refuses it."""


@dataclass(frozen=True)
class Span:
    """All numbers from `low` to `high`, for samplings that draw.

    Attributes:
        low: Least value.
        high: Greatest value, over `low`.
        log: Whether the logarithm is drawn evenly; `low` must be over 0.
    """

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise UsageError(f"a span goes from {self.low} to {self.high}; the first must be less than the second")
        if self.log and self.low <= 0.0:
            raise UsageError(f"a logarithmic span begins at {self.low}; it must be over 0")

    def at(self, shares: np.ndarray[Any, np.dtype[np.float64]], *, whole: bool) -> list[Any]:
        """The values at shares in [0, 1) of the span; whole numbers have equal parts of it."""
        high = self.high + 1.0 if whole else self.high
        drawn = self.low * (high / self.low) ** shares if self.log else self.low + (high - self.low) * shares
        inside = np.clip(np.floor(drawn) if whole else drawn, self.low, self.high)  # the last share rounds to the end
        return [int(value) for value in inside] if whole else inside.tolist()


class When:
    """Values of a parameter that count only where other parameters have given values; elsewhere it is not varied."""

    def __init__(self, values: Iterable[Any] | Span, **conditions: Any) -> None:
        """values: those of the axis. conditions: name and value of each other axis that must have it."""
        if not conditions:
            raise UsageError("When needs a condition: When([1, 2], allow_short=True)")
        self.values = values
        self.conditions = conditions


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One parameter that is varied.

    Attributes:
        name: The parameter.
        values: Its values in order; empty where it has a span.
        span: What its values are drawn from; None where they are listed.
        whole: Whether they are whole numbers.
        conditions: Values that other axes must have; elsewhere the parameter keeps its fixed value.
    """

    name: str
    values: tuple[Any, ...] = ()
    span: Span | None = None
    whole: bool = False
    conditions: Mapping[str, Any] = field(default_factory=dict)

    def describe(self) -> dict[str, Any]:
        """The axis as plain values."""
        varied: dict[str, Any] = {"values": list(self.values)}
        if self.span is not None:
            varied = {"low": self.span.low, "high": self.span.high, "log": self.span.log}
        return varied | ({"when": dict(self.conditions)} if self.conditions else {})

    def drawn(self, shares: np.ndarray[Any, np.dtype[np.float64]]) -> list[Any]:
        """The values at shares in [0, 1): of a list, each value has an equal part."""
        if self.span is not None:
            return self.span.at(shares, whole=self.whole)
        places = np.minimum((shares * len(self.values)).astype(np.int64), len(self.values) - 1)
        return [self.values[place] for place in places]


def read_axes(given: Mapping[str, Any], read: Read, is_whole: Callable[[str], bool]) -> tuple[Axis, ...]:
    """The axes, each value checked.

    Args:
        given: By parameter its values, a `Span`, or a `When`.
        read: Checks a value.
        is_whole: Whether a parameter takes whole numbers.

    Raises:
        UsageError: A name is unknown, a value is not allowed or there twice, or a condition names no other axis.
    """
    if not given:
        raise UsageError("nothing is varied; give at least one axis: a parameter with its values")
    axes = [_axis(name, values, read, is_whole) for name, values in given.items()]
    for axis in axes:
        for name in axis.conditions:
            if name not in given or name == axis.name:
                others = ", ".join(other for other in given if other != axis.name) or "none"
                raise UsageError(f"{axis.name} varies only by {name}, which is not another axis; there is {others}")
    return tuple(axes)


def settled_axes(given: Mapping[str, Any]) -> dict[str, Any]:
    """The same axes for more than one reading: what can be walked through only once is listed."""
    return {name: tuple(axis) if isinstance(axis, Iterator) else axis for name, axis in given.items()}


def described_axes(described: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The axes that `Axis.describe` told, as `read_axes` takes them."""
    given: dict[str, Any] = {}
    for name, axis in described.items():
        values = axis["values"] if "values" in axis else Span(axis["low"], axis["high"], log=axis["log"])
        given[name] = When(values, **axis["when"]) if "when" in axis else values
    return given


def _axis(name: str, given: Any, read: Read, is_whole: Callable[[str], bool]) -> Axis:
    values, conditions = (given.values, given.conditions) if isinstance(given, When) else (given, {})
    conditions = {other: read(other, value) for other, value in conditions.items()}
    if isinstance(values, Span):
        for end in (values.low, values.high):
            read(name, end)
        return Axis(name=name, span=values, whole=is_whole(name), conditions=conditions)
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise UsageError(f"{name}: the values are {values!r}; they must be a list, a range, a Span or a When")
    listed = tuple(read(name, value) for value in values)
    if not listed:
        raise UsageError(f"{name}: there are no values to vary it over")
    for place, value in enumerate(listed):
        if value in listed[:place]:
            raise UsageError(f"{name}: the value {value} is there twice")
    return Axis(name=name, values=listed, conditions=conditions)
