"""The ledger: what it counts, and that a loop which orders twice is found."""

from __future__ import annotations

import json

from barstep.replay.channel.messages import Fill
from barstep.replay.stub.ledger import RunLedger, summary_of
from venue_making import RUN, instant, order


def fill(lots: int) -> list[Fill]:
    return [Fill(leg=0, lots=lots, price=1.0, fee=0.0, reference=1.0)]


def test_an_id_is_taken_once() -> None:
    """The first word counts; that it came again is counted."""
    ledger = RunLedger(RUN)
    assert ledger.take(order("a", instant(1), lots=5), instant(1))
    assert not ledger.take(order("a", instant(1), lots=9), instant(2))
    entry = ledger.entries["a"]
    assert (entry.order.lots, entry.taken_us, entry.came_again, entry.is_open) == (5, instant(1), 1, True)


def test_reports_are_numbered_and_end_an_order() -> None:
    """From 1 on; what is filled is the first leg's."""
    ledger = RunLedger(RUN)
    ledger.take(order("a", instant(1), lots=5), instant(1))
    ledger.report("a", instant(1), "accepted", left=5)
    ledger.report(
        "a", instant(2), "partial", fills=[*fill(2), Fill(leg=3, lots=-2, price=1, fee=0, reference=1)], left=3
    )
    assert ledger.open_ids() == ["a"]
    ledger.report("a", instant(3), "filled", fills=fill(3))
    assert [one.number for one in ledger.reports] == [1, 2, 3]
    assert (ledger.entries["a"].filled_lots, ledger.open_ids()) == (5, [])


def test_an_entry_as_json() -> None:
    """The order with its tag, and its states and fills in order."""
    ledger = RunLedger(RUN)
    ledger.take(order("a", instant(1), lots=5), instant(1))
    ledger.report("a", instant(1), "filled", fills=fill(5))
    told = json.loads(json.dumps(ledger.entries["a"].to_dict(RUN)))
    assert (told["run"], told["order_id"], told["tag"], told["lots"], told["status"]) == (RUN, "a", "1.ff", 5, "filled")
    assert told["taken"] == "2024-01-01T00:01:00.000000Z"
    (report,) = told["reports"]
    assert (report["number"], report["status"], report["fills"][0]["lots"]) == (1, "filled", 5)


def test_a_loop_that_orders_twice_is_found() -> None:
    """The same decision under another id counts, unless it replaces the first one or is of another run."""
    ledger, other = RunLedger(RUN), RunLedger("cd" * 16)
    ledger.take(order("a", instant(1)), instant(1))
    ledger.take(order("b", instant(1), replaces="a"), instant(1))
    ledger.take(order("c", instant(2)), instant(2))
    other.take(order("a", instant(1)), instant(1))
    assert summary_of([ledger, other])["ordered_twice"] == 0
    ledger.take(order("d", instant(1)), instant(5))
    ledger.report("c", instant(2), "filled", fills=fill(200))
    summary = summary_of([ledger, other])
    assert summary == {
        "runs": 2, "orders": 5, "fills": 1, "by_status": {"filled": 1, "open": 4}, "came_again": 0, "traded_twice": 1,
        "ordered_twice": 1,
    }  # fmt: skip
