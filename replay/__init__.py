"""Event time and the world: clocks, feeds, the event loop, the journal, signing.

    run = bs.replay("config/core.yaml", scheduler="core_multi", start="2024-01-01", end="2024-03-01")

The room and what it does have one name, so the room can be called: it is `replaying.replay`.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..engine.scheduler.result import SchedulerResult


class _Room(ModuleType):
    def __call__(self, *arguments: Any, **asked: Any) -> SchedulerResult:
        """See `replaying.replay`."""
        from .replaying import replay  # noqa: PLC0415 - a room that is entered for its clock compiles nothing

        return replay(*arguments, **asked)


sys.modules[__name__].__class__ = _Room
