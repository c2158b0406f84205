"""What a venue knows of a run's orders: the oracle of whether one was traded twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ..channel.messages import FINAL, Fill, Order, Report, Status
from ..journal.record import at_text


@dataclass(kw_only=True)
class Entry:
    """An order that was taken.

    Attributes:
        order: As it came first.
        taken_us: At which instant.
        status: What it is now; empty before the first report.
        came_again: How often it came again after that.
        reports: What was reported of it, in order.
    """

    order: Order
    taken_us: int
    status: Status | None = None
    came_again: int = 0
    reports: list[Report] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.status not in FINAL

    @property
    def filled_lots(self) -> int:
        """Lots of its first leg that were traded, bought above 0."""
        return sum(each.lots for report in self.reports for each in report.fills if each.leg == self.order.leg)

    def to_dict(self, run: str) -> dict[str, Any]:
        """The entry as JSON says it."""
        reports = [
            {
                "number": one.number,
                "at": at_text(one.at_us),
                "status": one.status,
                "left": one.left,
                "reason": one.reason,
                "fills": [msgspec.to_builtins(each) for each in one.fills],
            }
            for one in self.reports
        ]
        order = msgspec.to_builtins(self.order)
        return {
            "run": run, **order, "taken": at_text(self.taken_us), "status": self.status, "came_again": self.came_again,
            "filled_lots": self.filled_lots, "reports": reports,
        }  # fmt: skip


class RunLedger:
    """Orders and reports of one run.

    Attributes:
        run: The run's id.
        entries: By an order's id, in the order in which they came.
        reports: All of them, numbered from 1 on.
    """

    def __init__(self, run: str) -> None:
        self.run = run
        self.entries: dict[str, Entry] = {}
        self.reports: list[Report] = []

    def take(self, order: Order, at_us: int) -> bool:
        """Take an order; False where its id is known already."""
        known = self.entries.get(order.order_id)
        if known is not None:
            known.came_again += 1
            return False
        self.entries[order.order_id] = Entry(order=order, taken_us=at_us)
        return True

    def report(
        self, order_id: str, at_us: int, status: Status, *, fills: list[Fill] | None = None, left: int = 0,
        reason: str = "",
    ) -> None:  # fmt: skip
        """Write what became of an order."""
        entry, number = self.entries[order_id], len(self.reports) + 1
        report = Report(
            number=number, order_id=order_id, at_us=at_us, status=status, fills=fills or [], left=left, reason=reason
        )
        entry.status = status
        entry.reports.append(report)
        self.reports.append(report)

    def known_of(self, ids: Sequence[str]) -> list[str]:
        """Those of some ids that it has or had."""
        return [one for one in ids if one in self.entries]

    def open_ids(self) -> list[str]:
        """Ids of orders that have not ended."""
        return [order_id for order_id, entry in self.entries.items() if entry.is_open]


def summary_of(ledgers: list[RunLedger]) -> dict[str, Any]:
    """Counts over all runs.

    `ordered_twice` counts orders that no other replaces, for a schedule and a leg that had one of the same instant
    under another id: a loop that gives its orders new ids after a restart is found by it.
    """
    entries = [entry for ledger in ledgers for entry in ledger.entries.values()]
    decisions = Counter(
        (ledger.run, one.order.schedule, one.order.leg, one.order.sent_us)
        for ledger in ledgers
        for one in ledger.entries.values()
        if not one.order.replaces
    )
    return {
        "runs": len(ledgers),
        "orders": len(entries),
        "fills": sum(len(report.fills) for entry in entries for report in entry.reports),
        "by_status": dict(sorted(Counter(entry.status or "open" for entry in entries).items())),
        "came_again": sum(entry.came_again for entry in entries),
        "traded_twice": sum(abs(entry.filled_lots) > abs(entry.order.lots) for entry in entries),
        "ordered_twice": sum(count - 1 for count in decisions.values()),
    }
