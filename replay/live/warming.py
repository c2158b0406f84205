"""Which instruments have had the bars that their schedules warm up with."""

from __future__ import annotations

from ...engine.growing import FUTURE_US, GrowingBars
from ...engine.scheduler.live_machine import LiveMachine
from ...kernels.scheduler import layout


class Warming:
    """Watches the instruments that are not warm yet, all schedules at once that wait for the same bars."""

    def __init__(self, machine: LiveMachine) -> None:
        self._machine = machine
        setup = machine.setup
        self._cold: dict[tuple[GrowingBars, int], list[tuple[int, int]]] = {}
        for s, one in enumerate(setup.resolved):
            for name in one.instruments:
                i, needed = setup.instruments.index(name), one.schedule.warmup_bars
                bars = setup.schedule_bars[int(one.schedule.interval)][i]
                if needed and isinstance(bars, GrowingBars) and machine.arrays.warm_from[s, i] >= FUTURE_US:
                    self._cold.setdefault((bars, needed), []).append((s, i))

    def see(self) -> None:
        """Take over those that have become warm."""
        if not self._cold:
            return
        warm = [(bars, needed) for bars, needed in self._cold if bars.count >= needed]
        arrays = self._machine.arrays
        for bars, needed in warm:
            for s, i in self._cold.pop((bars, needed)):
                arrays.warm_from[s, i] = bars.closes_us[needed - 1]
        if warm:
            arrays.schedules[layout.WARM_AT] = arrays.warm_from.min(axis=1)
