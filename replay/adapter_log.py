"""What an adapter has seen and done, a line of JSON each: `logs/adapters/<name>.log`."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from .clock import Clock
from .journal.record import at_text

MOST_BYTES = 16_000_000
"""Of the file, before it is moved to `<name>.1`, in the place of an older one."""


class AdapterLog:
    """Writes lines; what happens at once in several threads stands in whole lines.

    Args:
        path: The file; folders are made. None: nothing is kept.
        clock: Whose wall time stands in each line, for people.
        say: Is given each line's text, too.
    """

    def __init__(self, path: Path | None, clock: Clock, say: Callable[[str], None] | None = None) -> None:
        self._path, self._clock, self._say = path, clock, say
        self._lock = threading.Lock()
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)

    def write(self, event: str, **members: object) -> None:
        """Write one event; never anything that is secret."""
        line = msgspec.json.encode({"at": at_text(self._clock.now_us()), "event": event, **members})
        with self._lock:
            if self._path is not None:
                self._append(self._path, line + b"\n")
            if self._say is not None:
                self._say(" ".join([event, *(f"{name}={value}" for name, value in members.items())]))

    @staticmethod
    def _append(path: Path, line: bytes) -> None:
        if path.exists() and path.stat().st_size + len(line) > MOST_BYTES:
            path.replace(path.with_name(f"{path.name}.1"))
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)
