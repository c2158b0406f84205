"""How a history is cut into windows to train in and, after each, one to test in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

import numpy as np

from ..errors import UsageError
from .bars import Bars

_FEWEST_TRAIN, _FEWEST_TEST = 2, 4
"""A deviation wants two returns; of a test window's bars one passes before the first fill, and two while it closes."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """One step of a walk forward, by places of bars.

    Attributes:
        train_start: First bar that rows are compared over.
        train_stop: The bar after the last one.
        test_start: First bar at whose close the chosen row decides; from `train_stop` to here bars are purged.
        test_stop: The bar after the last one.
        embargoes: Stretches (start, stop) within the training that are left out, because a test ended before each.
    """

    train_start: int
    train_stop: int
    test_start: int
    test_stop: int
    embargoes: tuple[tuple[int, int], ...] = ()

    @property
    def train_bars(self) -> int:
        """Bars that rows are compared over."""
        return self.train_stop - self.train_start - sum(stop - start for start, stop in self.embargoes)

    def training(self, bars: Bars) -> Bars:
        """The bars to train on. Where some are under embargo there is a gap."""
        if not self.embargoes:
            return bars.part(self.train_start, self.train_stop)
        kept = np.ones(self.train_stop - self.train_start, dtype=bool)
        for start, stop in self.embargoes:
            kept[start - self.train_start : stop - self.train_start] = False
        return bars.take(np.flatnonzero(kept) + self.train_start)


@dataclass(frozen=True, kw_only=True)
class Walk:
    """Lengths of the windows, in bars.

    Purge and embargo are López de Prado's (2018, Advances in Financial Machine Learning, chapters 7 and 12). What a row
    earned in the last bars of its training may hang on what also moves the first bars of the test: `purge_bars` between
    them belong to neither. What follows a test may hang on it in the same way: `embargo_bars` after each test are left
    out of every later training. No training follows its own test, so a test is honest without an embargo; it is for
    choices that shall owe nothing to what an earlier test had just shown.

    Attributes:
        train_bars: Length of a training; of the first one where they are anchored.
        test_bars: Length of a test.
        step_bars: From one test's start to the next one's; the length of a test by default, and no less.
        anchored: Whether every training starts at the first bar, and so grows; else it rolls and keeps its length.
        purge_bars: Bars between a training and its test that belong to neither.
        embargo_bars: Bars after each test that later trainings leave out.
    """

    train_bars: int
    test_bars: int
    step_bars: int = 0
    anchored: bool = False
    purge_bars: int = 0
    embargo_bars: int = 0

    def __post_init__(self) -> None:
        least = {"train_bars": _FEWEST_TRAIN, "test_bars": _FEWEST_TEST}
        object.__setattr__(self, "step_bars", self.step_bars or self.test_bars)
        for name, value in asdict(self).items():
            if name == "anchored":
                continue
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least.get(name, 0):
                raise UsageError(f"{name} is {value!r}; allowed is a whole number from {least.get(name, 0)} on")
        if self.step_bars < self.test_bars:
            raise UsageError(
                f"step_bars is {self.step_bars:,} and test_bars {self.test_bars:,}; tests that overlap cannot be "
                "stitched. Allowed is test_bars or more."
            )

    def windows(self, bars: int) -> tuple[Window, ...]:
        """The windows of a history of so many bars, as many as fit in whole; bars beyond the last are not used.

        Raises:
            UsageError: Not one fits, or an embargo leaves too little of a training.
        """
        first = self.train_bars + self.purge_bars
        starts = range(first, bars - self.test_bars + 1, self.step_bars)
        if not starts:
            raise UsageError(
                f"train_bars {self.train_bars:,}, purge_bars {self.purge_bars:,} and test_bars {self.test_bars:,} need "
                f"{first + self.test_bars:,} bars; the data has {bars:,}. Shorten them or load more data."
            )
        windows: list[Window] = []
        for start in starts:
            train_stop = start - self.purge_bars
            train_start = 0 if self.anchored else train_stop - self.train_bars
            window = Window(
                train_start=train_start,
                train_stop=train_stop,
                test_start=start,
                test_stop=start + self.test_bars,
                embargoes=self._embargoes(train_start, train_stop, windows),
            )
            if window.train_bars < _FEWEST_TRAIN:
                raise UsageError(
                    f"embargo_bars is {self.embargo_bars:,}; it leaves {window.train_bars} bars to train on before the "
                    f"test at bar {start:,}. Shorten it or lengthen step_bars."
                )
            windows.append(window)
        return tuple(windows)

    def _embargoes(self, start: int, stop: int, before: Sequence[Window]) -> tuple[tuple[int, int], ...]:
        """The stretches after earlier tests that lie within start..stop, apart from each other."""
        ends = [*(window.test_stop for window in before), stop]
        cut = [(max(end, start), min(end + self.embargo_bars, after, stop)) for end, after in pairwise(ends)]
        return tuple((first, last) for first, last in cut if first < last)
