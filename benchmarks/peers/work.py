"""What a peer's module hands to its process: something to run, and a way to read what came out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Inputs = Mapping[str, NDArray[np.float64]]
Outputs = dict[str, NDArray[np.float64]]

WINDOW = 96
ATR_WINDOW = 14
FAST, SLOW = 25, 100
FEE = 1e-3
CASH = 10_000_000.0  # fees of 50 a fill would empty a smaller account, and peers then cut their orders
BAR_SECONDS = 60
REBALANCE_BARS = 24
FASTS, SLOWS = tuple(range(5, 55, 2)), tuple(range(60, 260, 5))
"""Windows of a sweep: every fast one with every slow one, the slow one changing first."""
SHOWN_ROWS = tuple(range(0, len(FASTS) * len(SLOWS), 97))
"""Rows of it whose fills are compared one by one."""


def as_values(product: Any) -> Outputs:
    """An array as it is."""
    return {"values": np.asarray(product)}


@dataclass(frozen=True)
class Work:
    """One case in one library: `run` is timed, `read` turns what it gave into arrays that can be compared."""

    run: Callable[[], Any]
    read: Callable[[Any], Outputs] = as_values


Setups = Mapping[str, Callable[[Inputs], Work]]
