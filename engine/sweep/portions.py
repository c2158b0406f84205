"""How a sweep is cut into portions that are run together, and what memory that takes: it is said before, and kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...errors import UsageError
from .kinds import Runner

_MOST_TOGETHER = 512
"""Rows whose state stays in the second-level cache."""
_LABELS = 12
"""Columns that say what a row is and what it was made from."""


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Bytes that a sweep holds above what is there before it: program, libraries and the bars.

    Attributes:
        together: Rows that a thread runs at a time.
        portions: Rows on their way, of all threads.
        table: Parameters and figures of all rows.
    """

    together: int
    portions: int
    table: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.portions + self.table


def state_memory(runner: Runner, threads: int, most_bytes: int | None) -> Memory:
    """What a sweep will hold, with as many rows together as the bound allows.

    Raises:
        UsageError: Not even one row at a time keeps to it.
    """
    plan = runner.plan
    columns = len(plan.sets.columns) + 3 * len(plan.metrics) + 6 * plan.slices + _LABELS
    table = runner.bytes_kept + plan.count * 8 * columns
    together = min(_MOST_TOGETHER, plan.sets.height)
    while True:
        memory = Memory(together=together, portions=threads * runner.bytes_of(together), table=table)
        if most_bytes is None or memory.total <= most_bytes:
            return memory
        if together == 1:
            raise UsageError(
                f"the sweep needs {in_mb(memory.total)} above its bars ({in_mb(table)} of it for the table of "
                f"{plan.count:,} rows); allowed are {in_mb(most_bytes)}"
            )
        together = max(together // 2, 1)


def in_mb(count: int) -> str:
    """A number of bytes as people read it."""
    return f"{count / 1e6:,.1f} MB"


def cut(runner: Runner, start: int, stop: int, together: int, threads: int) -> Iterator[tuple[int, int]]:
    """Portions (start, stop) of rows start..stop: of one instrument each, and enough of them for every thread."""
    height = runner.plan.sets.height
    most = max(min(together, -(-(stop - start) // threads)), 1)
    while start < stop:
        end = min(start + most, stop, (start // height + 1) * height)
        yield from _shared(runner, start, end)
        start = end


def _shared(runner: Runner, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """The same rows, halved until each part shares few enough indicators."""
    if runner.shares_columns(start, stop):
        yield start, stop
        return
    middle = (start + stop) // 2
    yield from _shared(runner, start, middle)
    yield from _shared(runner, middle, stop)
