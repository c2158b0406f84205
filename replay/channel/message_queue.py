"""Messages between two threads: bounded in number and in bytes, and ended with a reason."""

from __future__ import annotations

from collections import deque
from threading import Condition

from .endings import Ending

MOST_MESSAGES = 1_024
"""That wait in one queue, however small they are."""


class MessageQueue:
    """What one thread puts and another one takes.

    Args:
        most_bytes: Of the messages that wait; one larger message waits alone.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes, self._bytes = most_bytes, 0
        self._waiting: deque[bytes] = deque()
        self._ending: Ending | None = None
        self._changed = Condition()

    @property
    def ending(self) -> Ending | None:
        """Why it ended; None while it goes on."""
        return self._ending

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, message: bytes, timeout_us: int | None = None) -> bool:
        """Put a message; False where there was no room for it in time.

        Raises:
            BarstepError: It has ended: the error of its ending.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._has_room(len(message)), _seconds(timeout_us)):
                return False
            if self._ending is not None:
                raise self._ending.error
            self._waiting.append(message)
            self._bytes += len(message)
            self._changed.notify_all()
            return True

    def get(self, timeout_us: int | None = None) -> bytes | None:
        """Take the next message; None where there was none in time.

        Raises:
            BarstepError: It has ended, and what was put before that is taken: the error of its ending.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._waiting or self._ending is not None, _seconds(timeout_us)):
                return None
            if not self._waiting:
                assert self._ending is not None  # noqa: S101 - one of the two was waited for
                raise self._ending.error
            message = self._waiting.popleft()
            self._bytes -= len(message)
            self._changed.notify_all()
            return message

    def end(self, ending: Ending, *, drop: bool = False) -> None:
        """End it, for the first reason that is given; with `drop` nothing that waits is given any more."""
        with self._changed:
            if self._ending is None:
                self._ending = ending
            if drop:
                self._waiting.clear()
                self._bytes = 0
            self._changed.notify_all()

    def _has_room(self, size: int) -> bool:
        fits = len(self._waiting) < MOST_MESSAGES and self._bytes + size <= self._most_bytes
        return fits or not self._waiting or self._ending is not None


def _seconds(duration_us: int | None) -> float | None:
    return None if duration_us is None else max(duration_us, 0) / 1e6
