"""How late runs start: measured by a clock, as a journal says that it was, or because only the last ones are wanted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ..engine.bars import MICROSECONDS
from ..engine.scheduler.setup import SchedulerSetup
from .clock import Clock
from .journal.record import at_us, fields_of


class MeasuredDrift:
    """By a clock that says the time now; one that was set back says no less than 0."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def drift_us(self, now_us: int) -> float:
        """Microseconds from a due time to the start of its runs, which is now."""
        return float(max(self._clock.now_us() - now_us, 0))

    def excused(self, _now_us: int) -> Sequence[int]:
        """Nobody: what is too late is skipped."""
        return ()


class RecordedDrift:
    """By the `run` records of a journal, so that what was late is late again."""

    def __init__(self, payloads: Iterable[bytes], setup: SchedulerSetup) -> None:
        """payloads: members of the records of a session that was set up so; others than of runs are passed over."""
        self._stated_us, self._schedules = setup.drift_seconds * MICROSECONDS, setup.schedules
        self._stated = f'"drift_seconds":{setup.drift_seconds!r},'.encode("ascii")
        self._longest = [one.schedule.max_drift_seconds for one in setup.resolved]
        self._by_instant: dict[int, float] = {}
        self._excused: dict[int, list[int]] = {}
        for payload in payloads:
            self.take(payload)

    def take(self, payload: bytes) -> None:
        """Take one record more."""
        if payload.startswith(b'"kind":"run",') and self._stated not in payload:
            run = fields_of(payload)
            now_us, place = at_us(run["at"]), self._schedules.index(run["schedule"])
            self._by_instant[now_us] = float(round(run["drift_seconds"] * MICROSECONDS))
            if run["status"] == "executed" and run["drift_seconds"] > self._longest[place]:
                self._excused.setdefault(now_us, []).append(place)

    @property
    def is_any(self) -> bool:
        """Whether a run was later, or less late, than the setup states."""
        return bool(self._by_instant)

    def drift_us(self, now_us: int) -> float:
        """Microseconds from a due time to the start of its runs."""
        return self._by_instant.get(now_us, self._stated_us)

    def excused(self, now_us: int) -> Sequence[int]:
        """Places of the schedules that ran although it was late."""
        return self._excused.get(now_us, ())


class OnlyLatest:
    """Of all due times up to an instant each schedule's latest is run then, and those before it are skipped."""

    def __init__(self, setup: SchedulerSetup, until_us: int) -> None:
        cadences = [round(one.schedule.cadence_seconds * MICROSECONDS) for one in setup.resolved]
        self._latest = np.array([until_us // cadence * cadence for cadence in cadences])
        self._until_us = until_us
        self._too_late_us = max(one.schedule.max_drift_seconds for one in setup.resolved) * MICROSECONDS + 1.0

    def drift_us(self, now_us: int) -> float:
        """Microseconds up to that instant, or as many as make every schedule skip a run."""
        late_us = float(self._until_us - now_us)
        return late_us if late_us == 0.0 else max(late_us, self._too_late_us)

    def excused(self, now_us: int) -> Sequence[int]:
        """Places of the schedules whose latest due time this is."""
        latest: list[int] = np.flatnonzero(self._latest == now_us).tolist()
        return latest
