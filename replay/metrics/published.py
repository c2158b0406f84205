"""What was counted, as it stood at one moment: what a scrape is answered with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

Labels: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Distribution:
    """Samples of a histogram.

    Attributes:
        counts: How many samples were in each bucket and in none before it; the last one has no upper bound.
        total: Sum of the samples.
    """

    counts: tuple[int, ...]
    total: float


Value: TypeAlias = float | Distribution
Published: TypeAlias = Mapping[str, Sequence[tuple[Labels, Value]]]
"""By a metric's name its values, each with its labels in the catalog's order. What was not measured is not there."""


class Source(Protocol):
    """What counts, and publishes now and then; another thread reads what it has published.

    Attributes:
        published: Replaced as a whole, never changed.
    """

    published: Published
