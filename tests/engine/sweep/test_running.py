"""Rows on threads: the same bits however many and in what portions; stops and errors end what runs."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from barstep.engine.sweep.kinds import Progress, Rows, Runner, StoppedError
from barstep.engine.sweep.plan import SweepPlan, plan_sweep
from barstep.engine.sweep.portions import state_memory
from barstep.engine.sweep.result import SweepResult
from barstep.engine.sweep.rows import RowRunner
from barstep.engine.sweep.running import Told, run_portions, run_sweep, runner_of
from barstep.engine.threads import count_threads
from barstep.errors import UsageError
from sweeping import by_itself, gapped, own, same

BARS, OTHER = gapped(1100), gapped(1060, 5, "Y")


def planned(**asked: Any) -> SweepPlan:
    """54 rows of two instruments."""
    axes = {"fast_ma": range(2, 11), "fee_bps": [0.0, 5.0, 10.0]}
    given = {"slow_ma": 30, "metrics": ("sharpe", "trades", "turnover"), "slices": 3}
    return plan_sweep([BARS, OTHER], asked.pop("engine", "sma_crossover"), axes, **{**given, **asked})


@dataclass
class Kept:
    """A store in memory; it stops what runs after `most` portions."""

    rows: list[Rows] = field(default_factory=list)
    most: int = 10**9

    def kept(self) -> Iterator[Rows]:
        yield from list(self.rows)

    def add(self, rows: Rows) -> None:
        if self.most == 0:
            raise KeyboardInterrupt
        self.most -= 1
        self.rows.append(rows)


def is_same(one: SweepResult, other: SweepResult) -> bool:
    return same(one.values, other.values) and same(one.slice_moments, other.slice_moments)


def no_thread_is_left() -> bool:
    return not any(each.name.startswith("sweep") for each in threading.enumerate())


@pytest.fixture(scope="module")
def whole() -> SweepResult:
    """All rows in one thread."""
    return run_sweep(planned(), threads=1)


@pytest.mark.parametrize("threads", [1, 2, 3, 16])
def test_threads_change_no_bit(threads: int, whole: SweepResult) -> None:
    """Values and slices; and no thread is left."""
    assert is_same(run_sweep(planned(), threads=threads), whole)
    assert no_thread_is_left()


def test_memory_changes_no_bit(whole: SweepResult) -> None:
    """With every row by itself, and with a few together."""
    plan = planned()
    least = state_memory(RowRunner(plan), 1, None)
    one_row = least.table + RowRunner(plan).bytes_of(1)
    for allowed in (one_row, least.table + RowRunner(plan).bytes_of(8)):
        assert is_same(run_sweep(plan, threads=1, memory_bytes=allowed), whole)
    with pytest.raises(UsageError, match="the sweep needs"):
        run_sweep(plan, threads=1, memory_bytes=one_row - 1)


def test_the_order_of_portions_changes_no_bit(whole: SweepResult) -> None:
    """Backwards, and by another who runs them."""

    def backwards(runner: Runner, portions: Iterable[tuple[int, int]], told: Told | None) -> Iterator[Rows]:
        yield from run_portions(runner, sorted(portions, reverse=True), 2, told)

    assert is_same(run_sweep(planned(), threads=4, run=backwards), whole)


def test_sets_in_another_order_are_the_same_rows(whole: SweepResult) -> None:
    """Each row by its own parameters."""
    plan = planned()
    order = np.random.default_rng(1).permutation(plan.sets.height)
    found = run_sweep(replace(plan, sets=plan.sets[order]), threads=2)
    places = np.concatenate((order, order + order.size))
    assert same(found.values, whole.values[:, places])


def test_progress_is_told_of_every_cell_once() -> None:
    """It rises to the number of all cells, which are all bars of all rows."""
    plan, told = planned(), []
    run_sweep(plan, threads=3, progress=lambda done, total: told.append((done, total)))
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1] == (plan.cells, plan.cells)
    assert plan.cells == 27 * (len(BARS) + len(OTHER))


def test_rows_that_are_kept_are_not_run_again(whole: SweepResult) -> None:
    """Those of a store come out of it, whatever they are; the others are run, and given to it."""
    kept = Kept()
    planted = Rows(20, np.full((3, 10), 7.0), np.full((10, 3, 3), 8.0))
    kept.rows.append(planted)
    found = run_sweep(planned(), threads=2, store=kept)
    assert (found.values[:, 20:30] == 7.0).all()
    assert (found.slice_moments[20:30] == 8.0).all()
    others = np.delete(np.arange(54), np.arange(20, 30))
    assert same(found.values[:, others], whole.values[:, others])
    done = sorted(row for rows in kept.rows[1:] for row in range(rows.start, rows.stop))
    assert done == others.tolist()


@pytest.mark.parametrize("most", [0, 1, 3])
def test_stopped_on_the_way_and_gone_on_with(most: int, whole: SweepResult) -> None:
    """What was kept is whole; the rest is run; the end is the same, and no thread is left."""
    kept = Kept(most=most)
    with pytest.raises(KeyboardInterrupt):
        run_sweep(planned(), threads=8, store=kept)
    assert no_thread_is_left()
    assert len(kept.rows) == most
    kept.most = 10**9
    assert is_same(run_sweep(planned(), threads=3, store=kept), whole)
    rows = sorted(row for each in kept.rows for row in range(each.start, each.stop))
    assert rows == list(range(54))


def test_a_row_that_is_stopped_is_not_there() -> None:
    """Asked to stop, a portion gives nothing half done: compiled or not."""
    for engine in ("sma_crossover", by_itself(own("sma_crossover"))):
        with pytest.raises(StoppedError):
            RowRunner(planned(engine=engine)).run(0, 5, lambda _: False)


class Failing(RowRunner):
    """Breaks at one row."""

    def run(self, start: int, stop: int, progress: Progress) -> Rows:
        if start <= 30 < stop:
            raise ArithmeticError("row 30 is broken")
        return super().run(start, stop, progress)


@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_in_a_row_is_raised(threads: int) -> None:
    """The others end; none is left behind."""
    plan = planned()
    with pytest.raises(ArithmeticError, match="row 30 is broken"):
        list(run_portions(Failing(plan), [(row, row + 1) for row in range(54)], threads, None))
    assert no_thread_is_left()


def test_an_error_of_who_watches_is_raised() -> None:
    """A progress bar that breaks breaks the sweep, and no thread waits for it."""

    def broken(done: int, total: int) -> None:
        raise ArithmeticError(f"{done} of {total}")

    with pytest.raises(ArithmeticError):
        run_sweep(planned(), threads=2, progress=broken)
    assert no_thread_is_left()


def test_who_stops_looking_stops_what_runs() -> None:
    """A generator that is closed leaves no thread, and runs no portion more."""
    plan, begun = planned(), []

    class Noting(RowRunner):
        def run(self, start: int, stop: int, progress: Progress) -> Rows:
            begun.append(start)
            return super().run(start, stop, progress)

    portions = run_portions(Noting(plan), ((row, row + 1) for row in range(54)), 2, None)
    next(portions)
    portions.close()
    assert no_thread_is_left()
    assert len(begun) <= 1 + 2 * 2


@pytest.mark.parametrize("asked", [0, -1, 1025])
def test_threads_that_there_cannot_be(asked: int) -> None:
    """What is allowed is told."""
    with pytest.raises(UsageError, match=rf"^threads is {asked}; allowed is 1 to 1,024"):
        count_threads(asked)
    assert count_threads(None) >= 1


def test_what_is_no_plan_has_no_runner() -> None:
    """A fault of the caller's."""
    with pytest.raises(TypeError, match="str is no plan of a sweep"):
        runner_of("plan")  # type: ignore[arg-type]
