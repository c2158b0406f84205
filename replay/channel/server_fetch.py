"""A fetch at a server: batches, one after the other, while its caller may have them and reads them."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from ..clock import Clock
from .answers import Answers, flight_error
from .calls import OpenCalls
from .endings import Ending
from .gate import Guard


class ServerFetch:
    """One fetch that is answered.

    Args:
        guard: Whether it may go on.
        peer: Where the other side is, as gRPC writes it.
        clock: The time.
    """

    def __init__(self, guard: Guard, peer: str, clock: Clock) -> None:
        self.guard, self.peer, self.began_us = guard, peer, clock.monotonic_us()
        self.waits_since_us: int | None = None
        self._clock = clock
        self._ending: Ending | None = None

    def end(self, ending: Ending, *, drop: bool = False) -> None:  # noqa: ARG002 - nothing waits here
        """Tell the other side why instead of the next batch."""
        self._ending = self._ending or ending

    def run(self, batches: Iterator[pa.RecordBatch], calls: OpenCalls, answers: Answers) -> Iterator[pa.RecordBatch]:
        """The batches. While Flight has one, it waits for the other side to read it."""
        with answers.told(), calls.answering(self):
            for batch in batches:
                self.guard.check(self._clock.now_us())
                if self._ending is not None:
                    raise flight_error(self._ending)
                self.waits_since_us = self._clock.monotonic_us()
                yield batch
                self.waits_since_us = None
