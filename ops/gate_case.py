"""What a gate times: a case, and how it is made ready."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Run = Callable[[], object]
Fresh = Callable[[], Run]
"""Gives the next run, untimed: a kernel's is always the same, a loop goes on and is begun anew at its end."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One thing that is timed.

    Attributes:
        name: What budgets and baselines know it by.
        bars: How many bars, cells or calls a run does.
        prepare: Makes the inputs for about so many, and gives what makes each run ready.
        unit: What is counted.
    """

    name: str
    bars: int
    prepare: Callable[[int], Fresh]
    unit: str = "bar"


def always(run: Run) -> Fresh:
    """A run that can be done again as it is."""
    return lambda: run
