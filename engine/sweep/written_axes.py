"""Axes as plain values, for files, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .axes import Span, When


def settled_axes(given: Mapping[str, Any]) -> dict[str, Any]:
    """The same axes; what can be walked through only once is a list, so that it can be read again."""
    return {name: axis if isinstance(axis, Span | When | str) else _listed(axis) for name, axis in given.items()}


def write_axes(given: Mapping[str, Any]) -> dict[str, Any]:
    """Settled axes as plain values: `values`, or `span` and `log`; with `when`, its conditions."""
    return {name: _written(axis) for name, axis in given.items()}


def read_written_axes(written: Mapping[str, Any]) -> dict[str, Any]:
    """The axes that `write_axes` wrote."""
    return {name: _read(axis) for name, axis in written.items()}


def _listed(axis: Any) -> Any:
    return tuple(axis) if isinstance(axis, Iterable) else axis


def _written(axis: Any) -> dict[str, Any]:
    if isinstance(axis, When):
        return {**_written(axis.values), "when": {name: _plain(value) for name, value in axis.conditions.items()}}
    if isinstance(axis, Span):
        return {"span": [_plain(axis.low), _plain(axis.high)], "log": axis.log}
    return {"values": [_plain(value) for value in axis]}


def _read(axis: Mapping[str, Any]) -> Any:
    low, high = axis.get("span", (None, None))
    values = axis["values"] if low is None else Span(low, high, log=axis["log"])
    return When(values, **axis["when"]) if "when" in axis else values


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
