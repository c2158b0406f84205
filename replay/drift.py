"""How late runs start: measured by a clock, or as a journal says that it was."""

from __future__ import annotations

from collections.abc import Iterable

from ..engine.bars import MICROSECONDS
from .clock import Clock
from .journal_record import at_us, fields_of


class MeasuredDrift:
    """By a clock that says the time now; one that was set back says no less than 0."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def drift_us(self, now_us: int) -> float:
        """Microseconds from a due time to the start of its runs, which is now."""
        return float(max(self._clock.now_us() - now_us, 0))


class RecordedDrift:
    """By the `run` records of a journal, so that what was late is late again."""

    def __init__(self, payloads: Iterable[bytes], stated_seconds: float) -> None:
        """stated_seconds: the drift of a session that measured none."""
        self._stated_us = stated_seconds * MICROSECONDS
        stated = f'"drift_seconds":{stated_seconds!r},'.encode("ascii")
        runs = (fields_of(one) for one in payloads if one.startswith(b'"kind":"run",') and stated not in one)
        self._by_instant = {at_us(one["at"]): float(round(one["drift_seconds"] * MICROSECONDS)) for one in runs}

    def drift_us(self, now_us: int) -> float:
        """Microseconds from a due time to the start of its runs."""
        return self._by_instant.get(now_us, self._stated_us)
