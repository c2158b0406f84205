"""Writes a live run's journal: orders stand in it before they are sent."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ...engine.scheduler.checkpoint import take_checkpoint
from ...engine.scheduler.machine import SchedulerMachine
from ..catching_up import CatchUp
from ..channel.messages import Order, Report
from ..journal.record import at_text
from ..journal.writer import TradingDecisionJournal
from ..records import timed
from ..scribe import Scribe
from .orders import OpenOrders
from .records import LiveRecords


class LiveScribe(Scribe):
    """Hears of all that a live run does, and writes it down.

    Attributes:
        tags: By id the tag of each order that is on hand: number and signature of its record.
        waiting: Orders that are written and not sent.
        cancels: Ids of those that are to be cancelled.
    """

    def __init__(
        self,
        machine: SchedulerMachine,
        ledger: CatchUp,
        journal: TradingDecisionJournal,
        orders: OpenOrders,
        now_us: int | None,
        tags: Mapping[str, str],
    ) -> None:
        """tags: of the orders that are in the journal already."""
        super().__init__(machine, ledger, now_us)
        self._live, self._journal, self._catch_up, self._orders = LiveRecords(machine.setup), journal, ledger, orders
        self.tags = dict(tags)
        self.waiting: list[Order] = []
        self.cancels: list[str] = []

    def instant(self, now_us: int, place: int) -> None:
        """Write what an instant brought, and the orders that follow from it."""
        self._digests = None  # of the bars that were taken before
        self.write(now_us, place)
        new, gone = self._orders.news()
        for order in new:
            was_written = self._catch_up.is_behind
            self._catch_up.append(self._live.order(now_us, order))
            if not was_written:
                self.tags[order.order_id] = f"{self._journal.seq}.{self._journal.mac[:16]}"
            self.waiting.append(msgspec.structs.replace(order, tag=self.tags[order.order_id]))
        for order_id in gone:
            self._catch_up.append(self._live.cancel(now_us, order_id))
        self.cancels += gone

    def opens(self, now_us: int, opens: Mapping[int, float]) -> None:
        """Write the first prices of the bars that open."""
        self._ledger.append(self._live.opens(now_us, opens))

    def reported(self, now_us: int, report: Report) -> None:
        """Write what the venue told of an order."""
        self._ledger.append(self._live.report(now_us, report))

    def commit(self) -> None:
        """Make what was written durable: now it may be acted upon."""
        self._ledger.commit()

    def take_waiting(self) -> tuple[list[Order], list[str]]:
        """The orders and cancels that may be sent now."""
        waiting, cancels = self.waiting, self.cancels
        self.waiting, self.cancels = [], []
        return waiting, cancels

    def live_checkpoint(self, next_bar: int, opened_us: int, reports: int) -> bytes:
        """The record that a new segment begins with."""
        open_ids = self._orders.all()
        self.tags = {one: tag for one, tag in self.tags.items() if one in open_ids}
        live = {"opened_us": opened_us, "reports": reports, "tags": self.tags}
        state = take_checkpoint(self._machine, next_bar)
        return timed("checkpoint", at_text(self._now_us), {"state": state, "live": live})
