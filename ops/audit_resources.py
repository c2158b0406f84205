"""What the loop that runs here uses, held against `runtime.resource_limits`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import psutil

from ..config.runtime import ResourceLimits
from ..errors import HeldError
from ..replay.clock import Clock
from ..replay.control.place import find_place
from ..replay.resources import RESOURCES, Reading, ResourceMonitor, ResourceUse, read_process, resource_use
from .audit_report import Finding, Looked, Severity

MEASURED_US = 1_000_000
"""How long a loop is watched; rates are means over it."""


def look_at_resources(
    limits: ResourceLimits, environment: str, clock: Clock, read: Callable[[int], Reading] = read_process
) -> Looked:
    """Watch the environment's loop for a moment. Where none runs, there is no use; its limits are told.

    Args:
        limits: Those of the configuration.
        environment: Whose loop.
        clock: Waits.
        read: What a process, by its number, has used so far.
    """
    pid = _running(environment)
    use = None if pid is None else _measured(limits, pid, clock, read)
    told = (use or resource_use({}, limits)).to_dict()
    values: dict[str, Any] = {"measured": "no loop runs here" if use is None else f"process {pid}", **told}
    if use is None:
        values["status"] = None
    return Looked(values=values, findings=(*_unlimited(limits), *_over(use)))


def _running(environment: str) -> int | None:
    try:
        return find_place(environment).pid
    except HeldError:
        return None


def _measured(limits: ResourceLimits, pid: int, clock: Clock, read: Callable[[int], Reading]) -> ResourceUse | None:
    try:
        monitor = ResourceMonitor(limits, clock, partial(read, pid), every_us=MEASURED_US)
        clock.sleep_us(MEASURED_US)
        monitor.sample()
    except psutil.Error:  # it has ended, and left its place behind or ended meanwhile
        return None
    return monitor.use


def _unlimited(limits: ResourceLimits) -> Iterator[Finding]:
    missing = [name for name in RESOURCES if getattr(limits, name) is None]
    if missing:
        text = f"no limit of {', '.join(missing)}: nobody is told however much is used."
        mend = "Say how much a loop may use."
        yield Finding(severity="warning", where="runtime.resource_limits", text=text, mend=mend)


def _over(use: ResourceUse | None) -> Iterator[Finding]:
    for name, status in ({} if use is None else use.statuses).items():
        if use is not None and status != "ok":
            severity: Severity = "issue" if status == "breach" else "warning"
            text = f"the loop uses {use.usage[name]:,.1f} of {use.limits[name]:,.1f}."
            mend = "See docs/runbooks, L2: raise the limit, or take load away."
            yield Finding(severity=severity, where=f"runtime.resource_limits.{name}", text=text, mend=mend)
