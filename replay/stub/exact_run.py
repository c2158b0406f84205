"""A run whose orders are filled as a backtest's are: at the opens of bars, by the same kernels."""

from __future__ import annotations

import numpy as np

from ...engine.bars import Integers
from ..channel.messages import Hello, Order
from .account import Account
from .legs import Legs
from .run import Run


class ExactRun(Run):
    """Orders on hand, and the account that they are filled in.

    Attributes:
        instants: int64[·], what the run goes through.
        opened: How many of them have had their opens.
        account: Cash and positions.
    """

    def __init__(self, hello: Hello, legs: Legs, instants: Integers) -> None:
        super().__init__(hello.run, legs)
        self.instants = instants
        self.opened = 0
        self.account = Account(hello.book, hello.legs, hello.interval_seconds)

    def is_finished(self, now_us: int) -> bool:  # noqa: ARG002 - the loop alone moves it
        """Whether all instants are done."""
        return self.opened == self.instants.size

    def opened_us(self) -> int:
        """The last instant that has had its opens; -1 before the first."""
        return int(self.instants[self.opened - 1]) if self.opened else -1

    def open_before(self, at_us: int) -> None:
        """Let the opens come that lie before an instant: the loop has gone on without the venue."""
        self._open(int(np.searchsorted(self.instants, at_us)))

    def open_through(self, at_us: int) -> None:
        """Let the opens come up to an instant, itself included."""
        self._open(int(np.searchsorted(self.instants, at_us, "right")))

    def _open(self, stop: int) -> None:
        while self.opened < stop:
            at_us = int(self.instants[self.opened])
            self.opened += 1
            if self.account.is_waiting:
                self._fill(at_us)

    def _fill(self, at_us: int) -> None:
        opens = self.legs.opening(at_us)
        if np.isnan(opens).all():
            return
        for outcome in self.account.open(at_us, opens, self.legs.marks(at_us)):
            self.ledger.report(
                outcome.order.order_id, at_us, outcome.status, fills=outcome.fills, reason=outcome.reason
            )

    def refusal(self, order: Order) -> str:
        """Why an order cannot be taken; empty where it can."""
        return self.account.refusal(order)

    def put(self, order: Order, at_us: int) -> None:  # noqa: ARG002 - it waits for the next open, whenever it came
        """Put an order on hand."""
        self.account.put(order)

    def take_back(self, order: Order) -> None:
        """Take an order that is on hand away."""
        self.account.take_back(order)
