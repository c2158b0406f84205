"""Runs and the two ends of a stream in one process, for tests of what manages a loop."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from barstep.config.core import CoreConfig
from barstep.errors import FeedError
from barstep.replay.authorization import READ, WRITE
from barstep.replay.channel.service import Caller
from barstep.replay.clock import Clock, SimulatedClock
from barstep.replay.control.client import ControlClient
from barstep.replay.control.desk import Desk
from barstep.replay.control.hand import Hand
from barstep.replay.control.reloading import Reloader
from barstep.replay.control.run import RecordedRun
from barstep.replay.control.service import ControlService
from journal_making import NOW_US
from runtime_making import small_config, small_runtime
from simulated_disk import SimulatedDisk

ANN = Caller(token_id="ann", scopes=frozenset({READ, WRITE}))  # noqa: S106
BOB = Caller(token_id="bob", scopes=frozenset({READ}))  # noqa: S106
TOKENS = [
    {"id": "ann", "scopes": [READ, WRITE], "sha384": "0" * 96},
    {"id": "bob", "scopes": [READ], "sha384": "1" * 96},
]


def small_run(
    disk: SimulatedDisk | None = None, *, speed: float | None = None, clock: Clock | None = None, **scheduler: Any
) -> RecordedRun:
    config = small_config(rbac_tokens=TOKENS, **scheduler)
    return RecordedRun(small_runtime(disk, config=config), clock or SimulatedClock(NOW_US), speed)


def small_desk(run: RecordedRun, read: Callable[[], CoreConfig] | None = None) -> Desk:
    clock = SimulatedClock(NOW_US)
    config = run.scheduler.config
    return Desk(run, clock, Reloader(run.scheduler, config, read or (lambda: config), clock))


class Pipe:
    """One end of a stream in this process."""

    def __init__(self, incoming: queue.Queue[bytes | None], outgoing: queue.Queue[bytes | None]) -> None:
        self._incoming, self._outgoing = incoming, outgoing

    def send(self, message: bytes) -> None:
        self._outgoing.put(message)

    def receive(self, timeout_us: int | None = None) -> bytes | None:
        try:
            message = self._incoming.get(timeout=None if timeout_us is None else timeout_us / 1e6)
        except queue.Empty:
            return None
        if message is None:
            raise FeedError("the stream has ended.")
        return message

    def close(self) -> None:
        self._outgoing.put(None)


def pipe() -> tuple[Pipe, Pipe]:
    there, back = queue.Queue[bytes | None](), queue.Queue[bytes | None]()
    return Pipe(back, there), Pipe(there, back)


@contextmanager
def served(desk: Desk, caller: Caller = ANN, *, works: bool = True) -> Iterator[ControlClient]:
    """A client of a service whose loop looks at what waits while the test asks.

    works: whether the loop does; else nothing is ever answered that needs it.
    """
    hand, ended = Hand(longest_wait_seconds=0.3), threading.Event()
    service = ControlService(desk, hand, desk.run.scheduler.session.machine.setup.scheduler.rbac_tokens)
    near, far = pipe()

    def serve() -> None:
        with suppress(FeedError):
            service.serve("control", caller, far)

    def turn() -> None:
        while not ended.wait(0.001):
            hand.work()

    threads = [threading.Thread(target=serve), *([threading.Thread(target=turn)] if works else [])]
    for thread in threads:
        thread.start()
    client = ControlClient(near)
    try:
        yield client
    finally:
        ended.set()
        client.close()
        for thread in threads:
            thread.join(10)
