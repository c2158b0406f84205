"""What was found in data, counted and located: one type that import, check, repair and resample all report with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Severity = Literal["error", "warning", "info"]

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is worth knowing about a dataset.

    Attributes:
        code: A stable word, such as `gaps` or `bar-label-end`; `docs/data-formats.md` lists them.
        severity: `error` is a defect a run would trip over, `warning` is something to look at, `info` is a fact.
        count: How many rows (or gaps, or lines) it concerns; 0 where counting makes no sense.
        text: One sentence for people.
        locations: Where: bar times in ISO 8601, or `line 198` of the source.
    """

    code: str
    severity: Severity
    text: str
    count: int = 0
    locations: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The finding as plain values, with every location."""
        return {
            "code": self.code,
            "severity": self.severity,
            "count": self.count,
            "text": self.text,
            "locations": list(self.locations),
        }


def iso_times(timestamps_us: NDArray[np.int64]) -> tuple[str, ...]:
    """Microseconds since the epoch as ISO 8601 text in UTC, down to the second where that is exact."""
    if timestamps_us.size == 0:
        return ()
    whole = not (timestamps_us % 1_000_000).any()
    texts = np.datetime_as_string(timestamps_us.view("datetime64[us]"), unit="s" if whole else "us")
    return tuple(f"{text}Z" for text in texts.tolist())


def line_places(lines: Iterable[int], word: str = "line") -> tuple[str, ...]:
    """Places in a source text: `line 198`, or `row 198` for a container that has no lines."""
    return tuple(f"{word} {number}" for number in lines)


def counted(count: int, noun: str) -> str:
    """A number with its noun: `1 bar`, `1,209 bars`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def some(places: Sequence[str], limit: int = 3) -> str:
    """The first few places for a sentence: `a, b, c and 12 more`."""
    shown = ", ".join(places[:limit])
    return f"{shown} and {len(places) - limit:,} more" if len(places) > limit else shown


def has_errors(findings: Iterable[Finding]) -> bool:
    """Whether any finding is a defect."""
    return any(finding.severity == "error" for finding in findings)
