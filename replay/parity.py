"""The proof that drivers agree: the same scheduler run by each, compared bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from ..engine.bars import MICROSECONDS
from ..engine.scheduler.machine import SchedulerMachine
from ..engine.scheduler.result import SchedulerResult
from ..engine.scheduler.setup import SchedulerSetup
from ..engine.scheduler.simulation import simulate
from .event_loop import EventLoop
from .journal.record import at_text, fields_of
from .journal_tables import JournalTables
from .records import bar_values
from .scribe import Scribe
from .session import given

Progress = Callable[[int, int], None]
VECTORISED, REPLAYED, JOURNAL = "vectorised", "replayed", "journal"


@dataclass(frozen=True, kw_only=True)
class Side:
    """What one driver saw and did at an instant.

    Attributes:
        value: What it has where the other has something else; None where it has nothing.
        bars: By instrument open, high, low, close and volume of the bar that closed then.
        decisions: Its decisions of that instant.
        weights: By schedule the share of capital then in force.
    """

    value: Any
    bars: dict[str, list[float]]
    decisions: list[dict[str, Any]]
    weights: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Divergence:
    """The first instant at which two drivers differ.

    Attributes:
        at: The instant.
        table: `decisions`, `weights` or `equity`.
        what: The column, and whose row it is.
        sides: By driver what it saw and did.
    """

    at: str
    table: str
    what: str
    sides: dict[str, Side]


@dataclass(frozen=True, kw_only=True)
class Parity:
    """What came of running a scheduler by several drivers.

    Attributes:
        digests: By driver, the digests of decisions, weights and equity.
        counts: Bars, decisions, fills and records of the journal.
        divergence: Where a driver first differs from the vectorised one; None where none does.
    """

    digests: dict[str, dict[str, str]]
    counts: dict[str, int]
    divergence: Divergence | None

    @property
    def holds(self) -> bool:
        """Whether all drivers gave the same bits."""
        return len({tuple(digests.values()) for digests in self.digests.values()}) == 1


def verify_parity(setup: SchedulerSetup, progress: Progress | None = None) -> Parity:
    """Run a scheduler vectorised, replayed a bar at a time, and folded from the journal that the replay writes."""
    vectorised = simulate(setup)
    replayed, folded, records = _replayed(setup, progress)
    runs = {VECTORISED: vectorised, REPLAYED: replayed, JOURNAL: folded}
    digests = {name: run.digests for name, run in runs.items()}
    others = ((name, run) for name, run in runs.items() if digests[name] != digests[VECTORISED])
    divergence = next((first_divergence({VECTORISED: vectorised, name: run}) for name, run in others), None)
    counts = {
        "bars": len(setup.panel),
        "decisions": len(vectorised.decisions),
        "fills": len(vectorised.fills),
        "records": records,
    }
    return Parity(digests=digests, counts=counts, divergence=divergence)


def first_divergence(runs: dict[str, SchedulerResult]) -> Divergence | None:
    """Where two runs first differ; None where they do not.

    Of one instant decisions come first: what is traded follows from them.
    """
    (_, one), (_, other) = runs.items()
    found = [
        (moment, rank, table, what, values)
        for rank, (table, frames) in enumerate(_tables(one, other))
        for moment, what, values in _differences(*frames)
    ]
    if not found:
        return None
    moment, _, table, what, values = min(found, key=lambda each: each[:2])
    sides = {name: _side(run, moment, value) for (name, run), value in zip(runs.items(), values, strict=True)}
    return Divergence(at=at_text(moment), table=table, what=what, sides=sides)


class _Memory:
    """A ledger that folds at once."""

    is_full = False

    def __init__(self, tables: JournalTables) -> None:
        self._tables = tables
        self.records = 0

    def append(self, payload: bytes) -> None:
        self._tables.take(fields_of(payload))
        self.records += 1

    def end_group(self) -> None:
        """There are no groups."""

    def commit(self) -> None:
        """Nothing outlives the process."""

    def seal(self, _checkpoint: bytes) -> None:
        """There are no segments."""


def _replayed(setup: SchedulerSetup, progress: Progress | None) -> tuple[SchedulerResult, SchedulerResult, int]:
    """The run in event time, a bar at a time; what its journal folds to; and how many records that has."""
    machine, tables = SchedulerMachine(setup, observed=True), JournalTables(setup)
    ledger = _Memory(tables)
    loop = EventLoop(machine, given(setup), writer=Scribe(machine, ledger), block_bars=1)
    first, every = machine.bars.start, max(len(machine.bars) // 200, 1)
    while loop.step():
        if progress is not None and loop.is_between_bars and (loop.next_bar - first) % every == 0:
            progress(loop.next_bar - first, len(machine.bars))
    folded = SchedulerMachine(setup, observed=True)
    tables.put_into(folded)
    return machine.result(), folded.result(), ledger.records


def _tables(one: SchedulerResult, other: SchedulerResult) -> Iterator[tuple[str, tuple[pl.DataFrame, pl.DataFrame]]]:
    """What digests are of, each with the instant as its first column, in microseconds."""
    order = ("due_time", "schedule", "instrument")
    yield "decisions", _both(lambda run: run.decisions.sort(order, maintain_order=True), one, other)
    yield "weights", _both(lambda run: run.capital_weights, one, other)
    yield "equity", _both(_closes, one, other)


def _both(
    table: Callable[[SchedulerResult], pl.DataFrame], one: SchedulerResult, other: SchedulerResult
) -> tuple[pl.DataFrame, pl.DataFrame]:
    first, second = (table(run) for run in (one, other))
    moment = first.columns[0]
    return tuple(frame.with_columns(pl.col(moment).to_physical()) for frame in (first, second))  # type: ignore[return-value]


def _closes(run: SchedulerResult) -> pl.DataFrame:
    """Equity at the instant at which it was marked."""
    interval_us = run.setup.panel.interval_seconds * MICROSECONDS
    return pl.DataFrame({"time": run.panel.ts_us + interval_us, "equity": run.equity_values})


def _differences(one: pl.DataFrame, other: pl.DataFrame) -> Iterator[tuple[int, str, tuple[Any, Any]]]:
    """The first row in which two tables differ: its instant, column and owner, and both values."""
    rows = min(len(one), len(other))
    unequal = np.zeros(rows, dtype=np.bool_)
    for a, b in zip(one.head(rows), other.head(rows), strict=True):
        unequal |= _bits(a) != _bits(b)
    if unequal.any():
        row = int(unequal.argmax())
        first, second = one.row(row, named=True), other.row(row, named=True)
        column = next(name for name in one.columns if _bits(one[name])[row] != _bits(other[name])[row])
        moment = one.columns[0]
        owner = " ".join(str(first[name]) for name in ("schedule", "instrument") if name in first)
        yield min(first[moment], second[moment]), f"{column} {owner}".strip(), (first[column], second[column])
    elif len(one) != len(other):
        longer = one if len(one) > len(other) else other
        more = longer.row(rows, named=True)
        yield more[longer.columns[0]], "a row more", (more, None) if longer is one else (None, more)


def _bits(column: pl.Series) -> Any:
    """Values that are equal where the bits are."""
    numbers = column.to_numpy()
    return numbers.view(np.int64) if numbers.dtype == np.float64 else numbers


def _side(run: SchedulerResult, moment: int, value: Any) -> Side:
    history, interval_us = run.setup.history, run.setup.panel.interval_seconds * MICROSECONDS
    bar = int(np.searchsorted(history.ts_us, moment - interval_us, side="right")) - 1
    values = bar_values(history, range(bar, bar + 1))[0] if bar >= 0 else np.empty((0, 5))
    moments = run.refresh_table[0]
    refresh = int(np.searchsorted(moments, moment, side="right")) - 1
    weights = run.refresh_table[1 + len(run.setup.schedules) :, refresh] if refresh >= 0 else np.zeros(0)
    decided = run.decisions.filter(pl.col("due_time").to_physical() == moment)
    return Side(
        value=value,
        bars={name: row.tolist() for name, row in zip(history.names, values, strict=False) if row[0] == row[0]},
        decisions=decided.drop("due_time").to_dicts(),
        weights=dict(zip(run.setup.schedules, weights.tolist(), strict=False)),
    )
