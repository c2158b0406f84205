"""The compiled scheduler beside its slow reference, over schedulers drawn at random."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import barstep as bs
import msgspec
import pytest
from barstep.config.commands import AnyCommand
from barstep.engine.scheduler.backtest import _block_bars
from barstep.engine.scheduler.result import SchedulerResult
from plain_scheduler import PlainRun, walk
from plain_scheduler_compare import compare
from random_scheduler import Drawn, random_scheduler

SEEDS = 12 * int(os.environ.get("SEEDS", "1"))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def compiled(drawn: Drawn, **more: Any) -> SchedulerResult:
    """The compiled scheduler over what was drawn."""
    given: dict[str, Any] = {**drawn.given, **more}
    given["commands"] = msgspec.convert(given["commands"], list[AnyCommand])
    for name in ("start", "end"):
        if f"{name}_us" in given:
            given[name] = EPOCH + timedelta(microseconds=given.pop(f"{name}_us"))
    return bs.backtest_scheduler(drawn.config, "s", environment="e", bars=drawn.sources, **given)


def both(drawn: Drawn) -> tuple[PlainRun, SchedulerResult]:
    """The slow walk and the compiled run."""
    return walk(drawn.config, "s", "e", drawn.bars, **drawn.given), compiled(drawn)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_compiled_scheduler_is_its_reference(seed: int) -> None:
    """Every decision with its reason, every share of capital, every fill, and equity at each close."""
    drawn = random_scheduler(seed, bars=(300, 301))
    plain, result = both(drawn)
    assert compare(plain, result, lot=drawn.given.get("lot", 1e-8)) == []


@pytest.mark.parametrize("seed", range(4))
def test_blocks_change_nothing(seed: int) -> None:
    """However many bars' wishes are made at a time: the same bits in decisions, weights, equity and fills."""
    drawn = random_scheduler(seed, bars=(300, 301))
    whole = compiled(drawn, block_bars=4096)
    for block_bars in (1, 64, 256):
        parts = compiled(drawn, block_bars=block_bars)
        assert parts.digests == whole.digests
        assert parts.fill_table.tobytes() == whole.fill_table.tobytes()


@pytest.mark.parametrize("block_bars", [0, -1])
def test_no_bars_at_a_time_are_refused(block_bars: int) -> None:
    """Instead of the default, or a run over nothing."""
    drawn = random_scheduler(1, bars=(300, 301))
    with pytest.raises(bs.UsageError, match=f"block_bars is {block_bars}; allowed is 1 or more"):
        compiled(drawn, block_bars=block_bars)


def test_the_comparison_can_fail() -> None:
    """A fill, a decision or a mark that is another one is told."""
    drawn = random_scheduler(1, bars=(300, 301))
    plain, result = both(drawn)
    for table in ("decisions", "fills", "equity"):
        assert compare(replace(plain, **{table: getattr(plain, table)[:-1]}), result)[0].startswith(table[:4])


def test_blocks_are_shorter_where_there_is_more_to_a_bar() -> None:
    """By schedules and instruments; never longer than the history, nor empty."""
    assert [_block_bars(cells, 5000) for cells in (1, 16, 1000)] == [2048, 1024, 256]
    assert [_block_bars(1, bars) for bars in (0, 3)] == [1, 3]
