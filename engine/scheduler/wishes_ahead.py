"""Wishes made for whole columns of bars at a time, and laid out one by one as a machine that lives takes its bars."""

from __future__ import annotations

import numpy as np

from ..bars import Integers
from .machine import SchedulerMachine
from .wishes import BlockOfWishes


class WishesAhead:
    """Lends the wishes of a machine that has all bars to one that takes them one by one."""

    def __init__(self, whole: SchedulerMachine, next_bar: int) -> None:
        """Stand where the lending machine's engines stand.

        Args:
            whole: The scheduler over all bars, in blocks.
            next_bar: Place in its history of the bar that its engines see next.
        """
        self._whole, self._first, self._stop = whole, next_bar, next_bar

    def lay_out(self, own: BlockOfWishes, closes_us: Integers) -> None:
        """Write the column that closes at an instant, and the one before it; none: nothing is changed."""
        if not closes_us.size:
            return
        history = self._whole.setup.history
        place = int(np.searchsorted(history.ts_us, closes_us[0] - self._whole.interval_us))
        while place >= self._stop:
            self._make_block()
        at, whole = place - self._first, self._whole.wishes
        for lent, made in ((own.wishes, whole.wishes), (own.confidence, whole.confidence), (own.means, whole.means)):
            lent[..., :2] = made[..., at : at + 2]

    def _make_block(self) -> None:
        setup = self._whole.setup
        self._first, self._stop = self._stop, min(self._stop + setup.block_bars, len(setup.history))
        self._whole.take_wishes(self._first, self._stop)
