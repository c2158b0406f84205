"""The windows of a walk forward: how they were cut, what was chosen in each, and what came of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from .sheet import Sheet, Walked
from .tables import Table
from .texts import NOTHING, counted, decimals, metric, moment, setting, signed

_ASKED = ("train_bars", "test_bars", "step_bars", "anchored", "purge_bars", "embargo_bars", "select", "lowest", "sets")
_ALWAYS_TOLD = ("anchored",)


def asked(sheet: Sheet) -> dict[str, Any]:
    """How windows were cut and sets chosen, under the names that Python and the command line give them."""
    told = sheet.document["walk_forward"]
    return {name: told[name] for name in _ASKED if told[name] or name in _ALWAYS_TOLD}


def walked_windows(sheet: Sheet, walked: Walked) -> Table:
    """One row a window: times, what was chosen, and what it came to before and after."""
    told, step = sheet.document["walk_forward"], sheet.interval_seconds
    select = told["select"]
    name = select.removesuffix("_pct").replace("_", " ")
    columns: list[tuple[str, Callable[[dict[str, Any]], str]]] = [  # an axis may have the name of another column
        ("window", lambda row: str(row["window"])),
        ("training from", lambda row: moment(row["train_start"], step)),
        ("test from", lambda row: moment(row["test_start"], step)),
        *((axis, partial(_chosen, axis)) for axis in told["axes"]),
        (f"{name} in training", lambda row: metric(select, row[f"train_{select}"])),
        (f"{name} in test", lambda row: metric(select, row[f"test_{select}"])),
        ("return in test %", lambda row: _signed(row["test_total_return_pct"])),
        ("trades", lambda row: metric("trades", row["test_trades"])),
        ("equity", lambda row: decimals(row["equity"], 2)),
    ]
    rows = [[tell(row) for _, tell in columns] for row in walked.windows.iter_rows(named=True)]
    headings = tuple(heading for heading, _ in columns)
    return Table("Windows", headings, rows, texts=("training from", "test from"))


def window_words(sheet: Sheet) -> str:
    """What the table says and leaves out."""
    unused = sheet.document["walk_forward"]["unused_bars"]
    rest = f" {counted(unused, 'bar')} at the end made no whole test." if unused else ""
    return (
        "Each set was chosen in its training alone. A test starts flat, with what the one before left, and is flat at "
        f"its last close.{rest}"
    )


def _chosen(axis: str, row: dict[str, Any]) -> str:
    value = row[f"chosen_{axis}"]
    return NOTHING if value is None else setting(axis, value)


def _signed(value: float) -> str:
    return signed(value) if math.isfinite(value) else NOTHING
