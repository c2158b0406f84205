"""A table of target weights, target shares or orders, read onto the bars of a panel."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..data.table_file import counted
from ..errors import UsageError, unknown_name
from ..kernels.portfolio import lay_targets
from .bars import Floats, Integers
from .panel import Panel

SizeType = Literal["weight", "shares", "order"]
Table = NDArray[np.float64] | pl.DataFrame

_PLURAL: dict[str, str] = {"weight": "weights", "shares": "shares", "order": "orders"}


class Targets:
    """What a table says, at the bars where it says something.

    Attributes:
        label: `weights`, `shares` or `orders`.
        due_bars: int64[·], places of the bars with a row.
        has_limits: Whether orders have prices of their own.
    """

    watches_every_bar = False
    rebalances = True
    warm_up_bars = 0

    def __init__(self, panel: Panel, table: Table, size_type: SizeType, every: int) -> None:
        if size_type not in get_args(SizeType):
            raise UsageError(unknown_name("size_type", str(size_type), get_args(SizeType)))
        self.are_orders, self.label = size_type == "order", _PLURAL[size_type]
        self._limits: Floats | None = None
        if self.are_orders and isinstance(table, pl.DataFrame) and "instrument" in table.columns:
            at, self._rows, self._limits = _orders_by_bar(panel, table)
        else:
            at, self._rows = _rows_by_bar(panel, table, self.label)
        if every > 1:
            at, self._rows = _at_multiples(panel, at, self._rows, every)
        if np.isinf(self._rows).any():
            raise UsageError(f"one of the {self.label} is infinite")
        if self.are_orders:
            self._rows = np.where(self._rows == 0.0, np.nan, self._rows)
            _refuse_unlisted(panel, at, self._rows)
        self.due_bars, self.has_limits = at, self._limits is not None

    def fill(self, columns: Integers, out: Floats, limits: Floats) -> None:
        """Write what is said at `columns` to out[0, instrument, 0:n], and orders' prices to limits[instrument, 0:n]."""
        self._lay(self._rows, columns, out[0])
        if self._limits is not None:
            self._lay(self._limits, columns, limits)

    def _lay(self, rows: Floats, columns: Integers, out: Floats) -> None:
        lay_targets(self.due_bars, rows, int(np.searchsorted(self.due_bars, columns[0])), columns, out)


def _rows_by_bar(panel: Panel, table: Table, label: str) -> tuple[Integers, Floats]:
    """Places of the bars, and float64[·, instrument]."""
    if isinstance(table, np.ndarray):
        if table.shape != (len(panel), len(panel.names)):
            raise UsageError(
                f"the {label} have shape {table.shape}; they must be [bar, instrument]: "
                f"({len(panel)}, {len(panel.names)})"
            )
        if table.dtype.kind not in "fiub":
            raise UsageError(f"the {label} are an array of {table.dtype}; they must be numbers")
        return np.arange(len(panel)), np.asarray(table, dtype=np.float64)
    _refuse_columns(table, ("timestamp", *panel.names), ("timestamp",), label)
    at = _places(panel, table["timestamp"], label)
    if (np.diff(at) <= 0).any():
        raise UsageError(f"the times of the {label} must rise; sort them, one row a time")
    missing = pl.lit(np.nan).alias
    present = table.with_columns(missing(name) for name in panel.names if name not in table.columns)
    return at, np.stack([_numbers(present[name], label) for name in panel.names], axis=1)


def _at_multiples(panel: Panel, at: Integers, rows: Floats, every: int) -> tuple[Integers, Floats]:
    """What is said at bars whose number is a multiple of `every`."""
    if at.size == len(panel) and not panel.has_gaps:
        first = -int(panel.numbers[0]) % every
        return at[first::every].copy(), rows[first::every].copy()
    chosen = panel.numbers[at] % every == 0
    return at[chosen], rows[chosen]


def _orders_by_bar(panel: Panel, table: pl.DataFrame) -> tuple[Integers, Floats, Floats | None]:
    """Places of the bars, quantities and limit prices, float64[·, instrument], from one row an order."""
    _refuse_columns(
        table,
        ("timestamp", "instrument", "quantity", "limit_price"),
        ("timestamp", "instrument", "quantity"),
        "orders",
    )
    place = {name: panel.place_of(name) for name in table["instrument"].unique().sort()}
    due, row = np.unique(_places(panel, table["timestamp"], "orders"), return_inverse=True)
    column = np.array([place[name] for name in table["instrument"]], dtype=np.int64)
    if (np.bincount(row * len(panel.names) + column) > 1).any():
        raise UsageError("the orders have two of one instrument at one time; add them up")
    quantity = _numbers(table["quantity"], "orders")
    if np.isnan(quantity).any():
        raise UsageError(f"the order in row {int(np.isnan(quantity).argmax())} has no quantity")
    rows = np.full((due.size, len(panel.names)), np.nan)
    rows[row, column] = quantity
    if "limit_price" not in table.columns:
        return due, rows, None
    prices = _numbers(table["limit_price"], "orders")
    wrong = (prices <= 0.0) | np.isinf(prices)
    if wrong.any():
        raise UsageError(f"the limit_price in row {int(wrong.argmax())} is {prices[wrong][0]:g}; allowed is over 0")
    limits = np.full_like(rows, np.nan)
    limits[row, column] = prices
    return due, rows, limits


def _refuse_columns(table: pl.DataFrame, known: tuple[str, ...], needed: tuple[str, ...], label: str) -> None:
    for name in table.columns:
        if name not in known:
            raise UsageError(unknown_name(f"column of the {label}", name, known))
    for name in needed:
        if name not in table.columns:
            raise UsageError(f"the {label} have no column {name!r}")


def _numbers(column: pl.Series, label: str) -> Floats:
    """A column as float64, NaN for null."""
    if not (column.dtype.is_numeric() or column.dtype == pl.Null):
        raise UsageError(f"the {label}' column {column.name!r} is {column.dtype}; it must be numbers")
    return column.cast(pl.Float64).fill_null(np.nan).to_numpy()


def _places(panel: Panel, times: pl.Series, label: str) -> Integers:
    """Places of the bars that open at these times."""
    times = counted(times)
    if not times.dtype.is_integer():
        raise UsageError(f"the {label}' timestamp is {times.dtype}; it must be a time, or microseconds since the epoch")
    if times.null_count():
        raise UsageError(f"the {label} lack a time in row {times.is_null().arg_max()}")
    ts_us = times.to_numpy()
    at = np.searchsorted(panel.ts_us, ts_us)
    found = at < len(panel)
    found[found] = panel.ts_us[at[found]] == ts_us[found]
    if not found.all():
        first = ts_us[~found][:1].view("datetime64[us]")[0]
        raise UsageError(f"the {label} have the time {first}, at which no bar opens")
    return at.astype(np.int64)


def _refuse_unlisted(panel: Panel, at: Integers, rows: Floats) -> None:
    """Refuse an order before the first bar of its instrument, which nothing could size or fill."""
    for i, bars in enumerate(panel.instruments):
        ordered = at[~np.isnan(rows[:, i])]
        if ordered.size and (not len(bars) or panel.ts_us[ordered[0]] < bars.ts_us[0]):
            first = panel.times[ordered[0]]
            raise UsageError(f"the orders have one for {panel.names[i]} at {first}, before its first bar")
