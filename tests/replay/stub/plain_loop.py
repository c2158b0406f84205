"""A loop as simple as can be that trades what a backtest orders, over streams that misbehave, by a virtual clock."""

from __future__ import annotations

import numpy as np
from barstep.engine.scheduler.setup import SchedulerSetup
from barstep.errors import FeedError
from barstep.replay.channel.frames import Incoming, Outgoing
from barstep.replay.channel.messages import (
    Complete,
    FromVenue,
    Hello,
    Orders,
    Refusal,
    Report,
    Welcome,
    encode,
    read_from_venue,
)
from barstep.replay.stub.faults import Faults
from barstep.replay.stub.link import Link
from barstep.replay.stub.venue import StubVenue
from machine_orders import Row, SteppedMachine, hello_of
from msgspec.structs import replace

STEP_US, SILENCE_US, MISSING_US = 20_000, 15_000_000, 2_000_000
MOST_STREAMS = 5_000


class PlainLoop:
    """Connects until the venue says that its bars have ended."""

    def __init__(self, venue: StubVenue, setup: SchedulerSetup, faults: Faults, seed: int) -> None:
        self.machine = SteppedMachine(setup)
        self.hello: Hello = hello_of(setup)
        self.expected: list[Row] = []
        self.reports: list[Report] = []
        self.streams = 0
        self._venue, self._faults, self._seed = venue, faults, seed
        self._said = Orders(at_us=-1)
        self._now_us = 0
        self._has_ended = False

    def run(self) -> None:
        while not self._has_ended:
            self.streams += 1
            assert self.streams < MOST_STREAMS
            self._link = Link(self._venue, self._faults, np.random.default_rng([self._seed, self.streams]))
            self._outgoing, incoming = Outgoing(), Incoming()
            self._send(replace(self.hello, done_us=self._said.at_us, reports=len(self.reports)))
            heard_us = whole_us = self._now_us
            while not self._link.is_over and not self._has_ended:
                try:
                    frames = self._link.due(self._now_us)
                except FeedError:
                    break
                for frame in frames:
                    heard_us = self._now_us
                    for data in incoming.take(frame):
                        self._take(read_from_venue(data))
                whole_us = whole_us if incoming.is_missing else self._now_us
                if self._now_us - heard_us > SILENCE_US or self._now_us - whole_us > MISSING_US:
                    break
                self._now_us += STEP_US

    def _take(self, message: FromVenue) -> None:
        match message:
            case Welcome(known=known) if self._said.at_us >= 0:
                again = [order for order in self._said.orders if order.order_id not in known]
                self._send(replace(self._said, orders=again))
            case Complete(at_us=at_us) if at_us > self._said.at_us:
                self._said = self.machine.orders(at_us)
                self.expected += self.machine.open(at_us)
                self._send(self._said)
            case Report():
                assert message.number == len(self.reports) + 1
                self.reports.append(message)
            case Refusal(code=code):
                self._has_ended = code == "ended"

    def _send(self, message: Orders | Hello) -> None:
        self._link.hear(self._outgoing.wrap(encode(message)), self._now_us)
