"""How many threads run side by side."""

from __future__ import annotations

import os

from ..errors import UsageError


def count_threads(asked: int | None) -> int:
    """As many as asked for, or one a processor that this process may use."""
    if asked is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not 1 <= asked <= 1024:
        raise UsageError(f"threads is {asked}; allowed is 1 to 1,024")
    return asked
