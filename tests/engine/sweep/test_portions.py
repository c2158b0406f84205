"""How rows are cut into portions, and what memory is said to be needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import polars as pl
import pytest
from barstep.engine.sweep.kinds import Runner
from barstep.engine.sweep.plan import plan_sweep
from barstep.engine.sweep.portions import cut, in_mb, state_memory
from barstep.engine.sweep.rows import RowRunner
from barstep.errors import UsageError
from hypothesis import given
from hypothesis import strategies as st
from making import walk_bars


@dataclass
class Plain:
    """A runner whose rows hold ten bytes each, and can be run together as many as `shared`."""

    height: int
    instruments: int
    shared: int
    bytes_kept: int = 0

    @property
    def plan(self) -> Any:
        return self

    @property
    def sets(self) -> pl.DataFrame:
        return pl.DataFrame({"a": range(self.height)})

    @property
    def count(self) -> int:
        return self.height * self.instruments

    metrics = ("sharpe",)
    slices = 0

    def bytes_of(self, sets: int) -> int:
        return 10 * sets

    def shares_columns(self, start: int, stop: int) -> bool:
        return stop - start <= self.shared


def plain(height: int, instruments: int = 1, shared: int = 10**9, kept: int = 0) -> Runner:
    return cast("Runner", Plain(height, instruments, shared, kept))


@given(
    height=st.integers(1, 60), instruments=st.integers(1, 4), together=st.integers(1, 70), threads=st.integers(1, 5),
    shared=st.integers(1, 70), ends=st.tuples(st.integers(0, 240), st.integers(0, 240)),
)  # fmt: skip
def test_portions_are_all_rows_in_order(
    height: int, instruments: int, together: int, threads: int, shared: int, ends: tuple[int, int]
) -> None:
    """None is lost or there twice; each is of one instrument, and no longer than allowed."""
    runner = plain(height, instruments, shared)
    start, stop = sorted(min(end, height * instruments) for end in ends)
    portions = list(cut(runner, start, stop, together, threads))
    assert [row for begin, end in portions for row in range(begin, end)] == list(range(start, stop))
    for begin, end in portions:
        assert begin // height == (end - 1) // height
        assert end - begin <= min(together, shared)


def test_every_thread_has_something_to_do() -> None:
    """Few rows are cut into as many portions as there are threads."""
    assert list(cut(plain(10), 0, 10, 512, 4)) == [(0, 3), (3, 6), (6, 9), (9, 10)]
    assert list(cut(plain(3), 0, 3, 512, 8)) == [(0, 1), (1, 2), (2, 3)]


def test_a_bound_lowers_how_many_run_together() -> None:
    """By halves, until it is kept; without one as many as the cache holds."""
    runner = plain(2000)
    assert state_memory(runner, 2, None).together == 512
    assert state_memory(plain(40), 2, None).together == 40
    table = state_memory(runner, 2, None).table
    for allowed, together in ((2 * 10 * 512, 512), (2 * 10 * 512 - 1, 256), (20 * 3, 2), (20, 1)):
        found = state_memory(runner, 2, table + allowed)
        assert (found.together, found.portions) == (together, 20 * together)
        assert found.total == found.table + found.portions <= table + allowed


def test_what_is_held_of_all_sets_is_in_the_bound() -> None:
    """It cannot be had in parts."""
    assert state_memory(plain(10, kept=1000), 1, None).table == state_memory(plain(10), 1, None).table + 1000


def test_too_little_memory_is_told() -> None:
    """What it needs at least, and what is allowed."""
    runner = plain(1_000_000)
    needed = state_memory(runner, 1, None)
    with pytest.raises(UsageError, match=r"^the sweep needs [\d.]+ MB above its bars \([\d.]+ MB of it .* 1,000,000"):
        state_memory(runner, 1, needed.table + 9)
    assert in_mb(1_234_567_890) == "1,234.6 MB"


def test_more_of_anything_holds_more() -> None:
    """Rows, metrics, slices, threads."""
    bars = walk_bars(60)

    def total(threads: int = 1, **asked: Any) -> int:
        plan = plan_sweep(bars, "sma_crossover", {"fast_ma": asked.pop("fast_ma", [2, 3])}, slow_ma=9, **asked)
        return state_memory(RowRunner(plan), threads, None).total

    least = total()
    for given_more in (
        {"fast_ma": [2, 3, 4]}, {"slices": 4}, {"threads": 2}, {"metrics": [*map(str, ("sharpe", "trades"))] * 1},
    ):  # fmt: skip
        assert (total(**given_more) > least) == ("metrics" not in given_more)  # two are fewer than by default
