"""The calls that a server is answering: how many there may be, how long each may last, and how all of them end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread
from typing import Protocol

from ...errors import AuthorizationError, HeldError
from ..clock import Clock
from .connections import cut_connections
from .endings import ENDED, Ending, ending_of
from .gate import Guard

_LOOK_SECONDS = 0.1
"""Between two looks at all calls."""


class Call(Protocol):
    """A stream or a fetch that is being answered.

    Attributes:
        guard: Whether it may go on.
        peer: Where its other side is, as gRPC writes it.
        began_us: When it began, on the monotonic clock.
        waits_since_us: Since when it has waited for the other side to let go or to read; None while it does not.
    """

    guard: Guard
    peer: str
    began_us: int
    waits_since_us: int | None

    def end(self, ending: Ending, *, drop: bool = False) -> None:
        """Tell the other side why, and go; with `drop` what waits is lost."""


class OpenCalls:
    """Keeps the calls of a server within their limits. One thread looks at all of them.

    Args:
        clock: The time.
        most: How many there may be at once.
        age_us: How long one may last.
        patience_us: How long the other side may take to let go of one that has ended, and to read what it is sent.
    """

    def __init__(self, clock: Clock, *, most: int, age_us: int, patience_us: int) -> None:
        self._clock, self._most, self._age_us, self._patience_us = clock, most, age_us, patience_us
        self._calls: list[Call] = []
        self._lock, self._closing = Lock(), Event()
        self._port = 0

    def __len__(self) -> int:
        return len(self._calls)

    def watch(self, port: int) -> None:
        """Begin to look at the calls of a server."""
        self._port = port
        Thread(target=self._watch, name="barstep-channel-watch", daemon=True).start()

    @contextmanager
    def answering(self, call: Call) -> Iterator[None]:
        """Count a call while it is answered.

        Raises:
            HeldError: There are as many as there may be, or the server is closing.
        """
        with self._lock:
            if self._closing.is_set():
                raise HeldError("the server is closing.")
            if len(self._calls) >= self._most:
                raise HeldError(f"{len(self._calls)} streams and fetches are open, and that is the most.")
            self._calls.append(call)
        try:
            yield
        finally:
            with self._lock:
                self._calls.remove(call)

    def end_all(self) -> None:
        """End every call, and take no new one."""
        self._closing.set()
        for call in list(self._calls):
            call.end(Ending(code=ENDED, message="the server is closing."))

    def _watch(self) -> None:
        while not self._closing.wait(_LOOK_SECONDS):
            for call in list(self._calls):
                self._look(call)

    def _look(self, call: Call) -> None:
        now_us = self._clock.monotonic_us()
        try:
            call.guard.check(self._clock.now_us())
        except AuthorizationError as error:
            call.end(ending_of(error), drop=True)
        if now_us - call.began_us >= self._age_us:
            age = f"it is older than {self._age_us / 1e6:g} s; open it again."
            call.end(Ending(code=ENDED, message=age))
        if call.waits_since_us is not None and now_us - call.waits_since_us >= self._patience_us:
            cut_connections(self._port, call.peer)
