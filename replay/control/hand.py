"""What other threads ask of a loop, done by the loop's own thread between two instants."""

from __future__ import annotations

import queue
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TookTooLongError
from threading import Lock
from typing import Any, TypeVar

from ...errors import HeldError

Given = TypeVar("Given")
MOST_WAITING = 64
LONGEST_WAIT_SECONDS = 20.0
"""A loop looks at what waits every 50 ms; one that does not for so long is in the middle of something very long."""


class Hand:
    """Takes calls from other threads, and makes them when the loop says so."""

    def __init__(self, *, most_waiting: int = MOST_WAITING, longest_wait_seconds: float = LONGEST_WAIT_SECONDS) -> None:
        """longest_wait_seconds: for one that asks; what the loop had not begun by then is not done any more."""
        self._waiting: queue.Queue[tuple[Callable[[], Any], Future[Any]]] = queue.Queue(most_waiting)
        self._longest_wait_seconds = longest_wait_seconds
        self._lock, self._is_closed = Lock(), False

    def call(self, done: Callable[[], Given]) -> Given:
        """Have something done by the loop's thread, and wait for what comes of it; what it raises is raised here.

        Raises:
            HeldError: The loop ends, is busy for too long, or too many wait.
        """
        future: Future[Given] = Future()
        with self._lock:
            if self._is_closed:
                raise HeldError("the loop is ending; nothing more is done.")
            try:
                self._waiting.put_nowait((done, future))
            except queue.Full:
                raise HeldError(f"{self._waiting.maxsize} calls wait for the loop already; ask again later.") from None
        try:
            return future.result(self._longest_wait_seconds)
        except TookTooLongError:
            if future.cancel():
                waited = f"{self._longest_wait_seconds:g} seconds"
                raise HeldError(f"the loop did not get to it within {waited}; it was not done.") from None
            return future.result()  # begun: what came of it is to be told

    def work(self) -> None:
        """Make the calls that wait now; called by the loop's thread."""
        for _ in range(self._waiting.qsize()):
            done, future = self._waiting.get_nowait()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(done())
            except BaseException as error:  # it belongs to whoever asked
                future.set_exception(error)
                if not isinstance(error, Exception):
                    raise

    def close(self) -> None:
        """Take no more calls; those that wait are told so."""
        with self._lock:
            self._is_closed = True
        while not self._waiting.empty():
            _, future = self._waiting.get_nowait()
            if future.set_running_or_notify_cancel():
                future.set_exception(HeldError("the loop is ending; it was not done."))
