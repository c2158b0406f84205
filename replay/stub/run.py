"""A run's orders at the venue: they and their reports outlast its sessions."""

from __future__ import annotations

from abc import ABC, abstractmethod

from ..channel.messages import Order, Orders
from .ledger import RunLedger
from .legs import Legs


class Run(ABC):
    """Orders of one loop.

    Attributes:
        ledger: Orders and reports.
        legs: The bars of what the loop watches.
    """

    def __init__(self, run: str, legs: Legs) -> None:
        self.ledger = RunLedger(run)
        self.legs = legs

    def hear(self, orders: Orders, at_us: int) -> None:
        """Take the orders that are new, and cancel what is to be. at_us: event time of the venue."""
        for order_id in orders.cancels:
            self._cancel(order_id, at_us, "")
        for order in orders.orders:
            if self.ledger.take(order, at_us):
                self._receive(order, at_us)

    def _receive(self, order: Order, at_us: int) -> None:
        if order.replaces:
            self._cancel(order.replaces, at_us, "replaced")
            replaced = self.ledger.entries.get(order.replaces)
            if replaced is not None and replaced.filled_lots:
                self.ledger.report(order.order_id, at_us, "rejected", reason="replaced")
                return
        refusal = self.refusal(order)
        if refusal:
            self.ledger.report(order.order_id, at_us, "rejected", reason=refusal)
        else:
            self.put(order, at_us)

    def _cancel(self, order_id: str, at_us: int, reason: str) -> None:
        entry = self.ledger.entries.get(order_id)
        if entry is not None and entry.is_open:
            self.take_back(entry.order)
            self.ledger.report(order_id, at_us, "cancelled", reason=reason)

    @abstractmethod
    def refusal(self, order: Order) -> str:
        """Why an order cannot be taken; empty where it can."""

    @abstractmethod
    def put(self, order: Order, at_us: int) -> None:
        """Put an order on hand."""

    @abstractmethod
    def take_back(self, order: Order) -> None:
        """Take an order that is on hand away."""
