"""How long to wait before the next try: twice as long each time, up to a cap, and a random part of that."""

from __future__ import annotations

import numpy as np


class BackOff:
    """Waits of one connection.

    Attributes:
        failures: How many tries failed in a row.
    """

    def __init__(self, generator: np.random.Generator, *, first_us: int = 250_000, most_us: int = 30_000_000) -> None:
        """generator: of the random part, so that many loops do not come back at once."""
        self.failures = 0
        self._generator, self._first_us, self._most_us = generator, first_us, most_us

    def succeeded(self) -> None:
        """It works again."""
        self.failures = 0

    def next_us(self) -> int:
        """Microseconds to wait after a failure: between half and all of the present wait."""
        longest = min(self._first_us * 2 ** min(self.failures, 30), self._most_us)
        self.failures += 1
        return int(self._generator.integers(longest // 2, longest + 1))
