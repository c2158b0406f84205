"""The bars of a run's past, of which it knows those until an instant."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from barstep.engine.bars import Bars
from barstep.engine.growing import Row


class PastBars:
    """One leg.

    Attributes:
        whole: All of its bars.
        until_us: The close of the last one that is known.
    """

    def __init__(self, whole: Bars, until_us: int) -> None:
        self.whole, self.until_us = whole, until_us

    def rows_at(self, close_us: int) -> dict[int, Row]:
        """The bar that closes at an instant, if there is one."""
        at = np.flatnonzero(self.whole.closes_us == close_us)
        return {0: tuple(self.whole.values[:5, at[0]].tolist())} if at.size else {}

    def opens_at(self, open_us: int) -> dict[int, float]:
        """The first price of the bar that opens at an instant, if there is one."""
        at = np.flatnonzero(self.whole.ts_us == open_us)
        return {0: float(self.whole.open[at[0]])} if at.size else {}

    def read(self) -> Sequence[Bars]:
        return [self.whole.part(0, int(np.searchsorted(self.whole.closes_us, self.until_us, "right")))]

    def fetch(self, _from_us: int, to_us: int) -> Sequence[Bars]:
        self.until_us = max(self.until_us, to_us)
        return self.read()

    def add(self, *_: object) -> None:
        """It is known when the instant is over."""

    def flush(self) -> None:
        """Nothing waits."""

    def sync(self) -> None:
        """Nothing is lost."""
