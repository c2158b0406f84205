"""A live run holds no more after many bars than after some: memory, threads, file descriptors.

`SEEDS` says how many bars: 3,000 by default, a whole day of seconds from 29 on. The figures are printed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from soaking import Figures, in_a_process

SEEDS = int(os.environ.get("SEEDS", "1"))
BARS = min(3_000 * SEEDS, 86_400)
LOOKS = 10
MOST_BYTES_A_BAR = 700
"""Tables of the history have their room from the start, and are touched as bars come; orders stay in the venue."""


def growth(figures: Sequence[Figures]) -> float:
    """Bytes a bar from the third look to the last: the first ones load and compile."""
    first, last = figures[2], figures[-1]
    return (last.rss_bytes - first.rss_bytes) / (last.bars - first.bars)


def told(figures: Sequence[Figures]) -> str:
    lines = [
        f"{one.bars:>7,} bars, {one.reports:,} reports: {one.rss_bytes / 2**20:,.1f} MiB, {one.threads} threads, "
        f"{one.descriptors} descriptors"
        for one in figures
    ]
    return "\n    ".join([f"soak: {growth(figures):,.0f} bytes a bar", *lines])


def test_a_day_of_seconds_leaves_nothing_behind(tmp_path: Path, say: Callable[[str], None]) -> None:
    """Threads and descriptors are as many at the end as at the beginning, and memory grows by the history alone."""
    figures = in_a_process(tmp_path, BARS, LOOKS)
    say(told(figures))
    assert {one.threads for one in figures[1:]} == {figures[1].threads}
    assert {one.descriptors for one in figures[1:]} == {figures[1].descriptors}
    assert figures[-1].reports > BARS // 100
    assert growth(figures) < MOST_BYTES_A_BAR


def test_what_is_kept_by_mistake_is_found(tmp_path: Path) -> None:
    """A few kilobytes that each instant leaves are more than there may be."""
    assert growth(in_a_process(tmp_path, 1_500, LOOKS, keeps=True)) > MOST_BYTES_A_BAR
