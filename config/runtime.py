"""What the running process is: its schedulers, and the resources it may use."""

from __future__ import annotations

from msgspec import field

from .fields import Name, Positive, Share
from .schedulers import Scheduler
from .section import Section


class ResourceLimits(Section, kw_only=True):
    """What a loop may use; a limit that is not given is not watched.

    Attributes:
        cpu_pct: Processor time, in percent of one core.
        memory_mb: Resident memory, in megabytes.
        io_read_mb_s: Bytes read, in megabytes a second.
        io_write_mb_s: Bytes written, in megabytes a second.
        warning_share: Share of each limit from which it is a warning.
    """

    cpu_pct: Positive | None = None
    memory_mb: Positive | None = None
    io_read_mb_s: Positive | None = None
    io_write_mb_s: Positive | None = None
    warning_share: Share = 0.8


class Runtime(Section, kw_only=True):
    """Schedulers by name, and limits of resources."""

    multi_strategy_schedulers: dict[Name, Scheduler] = field(default_factory=dict)
    resource_limits: ResourceLimits = field(default_factory=ResourceLimits)
