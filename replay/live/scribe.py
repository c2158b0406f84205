"""Writes a live run's journal: orders stand in it before they are sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ...engine.fallback import FeedChange
from ...engine.scheduler.checkpoint import take_checkpoint
from ...engine.scheduler.live_machine import LiveMachine
from ..catching_up import CatchUp
from ..channel.messages import FINAL, Order, Report
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
        tally: Orders by status, `sent` and what they ended in, since everything was done again.
    """

    _ledger: CatchUp

    def __init__(
        self,
        machine: LiveMachine,
        ledger: CatchUp,
        journal: TradingDecisionJournal | None,
        orders: OpenOrders,
        now_us: int | None,
        tags: Mapping[str, str],
    ) -> None:
        """tags: of the orders that are in the journal already. journal: what tags new ones; None: they are not sent."""
        super().__init__(machine, ledger, now_us)
        self._live, self._journal, self._orders = LiveRecords(machine.setup), journal, orders
        self.tags = dict(tags)
        self.waiting: list[Order] = []
        self.cancels: list[str] = []
        self.tally = dict.fromkeys(("sent", *sorted(FINAL)), 0)

    def instant(self, now_us: int, place: int) -> None:
        """Write what an instant brought, and the orders that follow from it."""
        self._digests = None  # of the bars that were taken before
        self.write(now_us, place)
        new, gone = self._orders.news()
        for order in new:
            was_written = self._ledger.is_behind
            self._ledger.append(self._live.order(now_us, order))
            if not was_written:
                self.tags[order.order_id] = self._tag()
                self.tally["sent"] += 1
            self.waiting.append(msgspec.structs.replace(order, tag=self.tags[order.order_id]))
        for order_id in gone:
            self._ledger.append(self._live.cancel(now_us, order_id))
        self.cancels += gone

    def _tag(self) -> str:
        """The tag of the record that was written last."""
        return "" if self._journal is None else f"{self._journal.seq}.{self._journal.mac[:16]}"

    def opens(self, now_us: int, opens: Mapping[int, float]) -> None:
        """Write the first prices of the bars that open."""
        self._ledger.append(self._live.opens(now_us, opens))

    def reported(self, now_us: int, report: Report) -> None:
        """Write what the venue told of an order."""
        if report.status in FINAL and not self._ledger.is_behind:
            self.tally[report.status] += 1
        self._ledger.append(self._live.report(now_us, report))

    def take_waiting(self) -> tuple[list[Order], list[str]]:
        """The orders and cancels that may be sent now."""
        waiting, cancels = self.waiting, self.cancels
        self.waiting, self.cancels = [], []
        return waiting, cancels

    def feed_changed(self, change: FeedChange) -> None:
        """Have a change of feed written with its instant."""
        self._changes.append(change)

    def live_checkpoint(self, next_bar: int, live: Mapping[str, Any]) -> bytes:
        """The record that a new segment begins with. live: what a live run stands at beside the machine."""
        open_ids = self._orders.all()
        self.tags = {one: tag for one, tag in self.tags.items() if one in open_ids}
        state = take_checkpoint(self._machine, next_bar)
        return timed("checkpoint", at_text(self._now_us), {"state": state, "live": {**live, "tags": self.tags}})
