"""What a running loop's process uses: measured now and then, and written down where it passes a limit."""

from __future__ import annotations

import logging

from ..journal.record import at_text
from ..resources import ResourceMonitor
from .run import Run

LOGGER = logging.getLogger("barstep.resources")

KIND = "resources"
"""Of the journal's records. Nothing follows from one: what is done again passes it over."""


class ResourceWatch:
    """Measures what a run uses."""

    def __init__(self, run: Run, monitor: ResourceMonitor) -> None:
        run.resources = monitor
        self._run, self._monitor = run, monitor

    def look(self) -> None:
        """Measure where it is time to, and write down what changed; for the loop's own thread."""
        if self._monitor.sample():
            use = self._monitor.use.to_dict()
            self._write(use)
            (LOGGER.info if use["status"] == "ok" else LOGGER.warning)("resources: %s", use)

    def _write(self, use: dict[str, object]) -> None:
        session = self._run.scheduler.session
        journal = session.journal
        if journal is not None and journal.failed is None:
            journal.append_record({"kind": KIND, "at": at_text(self._run.scheduler.now_us), **use})
            journal.commit()
