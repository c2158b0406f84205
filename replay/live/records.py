"""What only a live run writes: orders as they go out, and what its venue told, as it was taken in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...engine.scheduler.setup import SchedulerSetup
from ..channel.messages import Fill, Order, Report
from ..journal.record import at_text, members

TOLD = frozenset({"opens", "report"})
"""Kinds of records that hold what the venue told: what is done again takes it from there."""


class LiveRecords:
    """Makes the records of one run."""

    def __init__(self, setup: SchedulerSetup) -> None:
        self._setup = setup

    def order(self, now_us: int, order: Order) -> bytes:
        """An order, durable before it is sent."""
        return members(
            {
                "kind": "order",
                "at": at_text(now_us),
                "order_id": order.order_id,
                "schedule": self._setup.schedules[order.schedule],
                "instrument": self._setup.instruments[order.leg],
                "lots": order.lots,
                "pair": order.pair,
                "replaces": order.replaces,
                "status": "accepted",
            }
        )

    def cancel(self, now_us: int, order_id: str) -> bytes:
        """That an order is no longer wanted."""
        return members({"kind": "order", "at": at_text(now_us), "order_id": order_id, "status": "cancelled"})

    def report(self, now_us: int, report: Report) -> bytes:
        """What the venue told of an order."""
        return members(
            {
                "kind": "report",
                "at": at_text(now_us),
                "order_id": report.order_id,
                "status": report.status,
                "number": report.number,
                "told_at": at_text(report.at_us),
                "fills": [[one.leg, one.lots, one.price, one.fee, one.reference] for one in report.fills],
                "left": report.left,
                "reason": report.reason,
            }
        )

    def opens(self, now_us: int, opens: Mapping[int, float]) -> bytes:
        """The first prices of the bars that open."""
        names = self._setup.history.names
        return members({"kind": "opens", "at": at_text(now_us), "opens": {names[leg]: opens[leg] for leg in opens}})

    def opens_of(self, record: Mapping[str, Any]) -> dict[int, float]:
        """By leg the prices that a record has."""
        names = self._setup.history.names
        return {names.index(name): price for name, price in record["opens"].items()}


def report_of(record: Mapping[str, Any], told_us: int) -> Report:
    """The report that a record holds. told_us: its `told_at`."""
    return Report(
        number=record["number"],
        order_id=record["order_id"],
        at_us=told_us,
        status=record["status"],
        fills=[
            Fill(leg=leg, lots=lots, price=price, fee=fee, reference=reference)
            for leg, lots, price, fee, reference in record["fills"]
        ],
        left=record["left"],
        reason=record["reason"],
    )
