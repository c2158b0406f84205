"""The ledger outlives its process at any write, keeps numbers, and is held by one."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from barstep.errors import HeldError, JournalError
from barstep.replay.channel.messages import Fill, Report
from barstep.replay.gateway.ledger import Absent, Ledger, Placed, Sent, Taken, Told
from barstep.replay.journal.disk import REAL_DISK
from gateway_making import order


def taken(number: int = 1) -> Taken:
    return Taken(order=order(number), market="BTCUSDT", client_id=f"AbCdEfGh-{number}.{number:016x}")


def told(number: int, status: str = "filled", lots: int = 10) -> Told:
    fill = Fill(leg=0, lots=lots, price=2.0, fee=0.5, reference=2.0)
    one = order(1).order_id
    return Told(report=Report(number=number, order_id=one, at_us=7, status=status, fills=[fill]))  # type: ignore[arg-type]


def test_everything_is_there_again(private: Path) -> None:
    """Opened again, a ledger says of each order what it said before."""
    path = private / "run.jsonl"
    first = Ledger(path)
    first.add(taken(1), taken(2))
    first.add(Sent(order_id=order(1).order_id, quantity="0.01", unsure_until_us=99))
    first.add(Placed(order_id=order(1).order_id, exchange_id="1000"))
    first.add(told(1, "partial"), told(2, "filled", 5))
    before = dict(first.standings)
    first.close()
    again = Ledger(path)
    assert again.standings == before
    standing = again.standings[order(1).order_id]
    assert (standing.lots, standing.lots_price, standing.fee, standing.exchange_id) == (15, 30.0, 1.0, "1000")
    assert [report.number for report in again.reports] == [1, 2]
    assert [one.order.order_id for one in again.unended()] == [order(2).order_id]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again.close()


def test_an_order_under_way_is_unsure_until_it_is_told_of(private: Path) -> None:
    """Sent and not heard of is unsure; placed, or surely absent, is not."""
    ledger = Ledger(private / "run.jsonl")
    ledger.add(taken())
    standing = ledger.standings[order(1).order_id]
    assert not standing.is_unsure
    ledger.add(Sent(order_id=order(1).order_id, quantity="1", unsure_until_us=99))
    assert standing.is_unsure
    ledger.add(Absent(order_id=order(1).order_id))
    assert not standing.is_unsure
    ledger.add(Sent(order_id=order(1).order_id, quantity="1", unsure_until_us=199))
    ledger.add(Placed(order_id=order(1).order_id, exchange_id="5"))
    assert not standing.is_unsure
    ledger.close()


def test_cut_anywhere_it_is_what_was_whole(private: Path) -> None:
    """A crash may cut the file at any byte: what stands in whole lines counts, and what follows is written after it."""
    path = private / "run.jsonl"
    first = Ledger(path)
    first.add(taken(1))
    first.add(taken(2))
    first.close()
    data = path.read_bytes()
    ends = [0, data.index(b"\n") + 1, len(data)]
    for cut in range(0, len(data) + 1, 7):
        path.write_bytes(data[:cut])
        again = Ledger(path)
        assert len(again.standings) == sum(end <= cut for end in ends[1:])
        again.add(taken(3))
        again.close()
        last = Ledger(path)
        assert order(3).order_id in last.standings
        last.close()


def test_a_changed_line_is_refused(private: Path) -> None:
    """A line in the middle that no gateway wrote is not passed over."""
    path = private / "run.jsonl"
    path.write_bytes(b'{"event":"taken"}\n')
    path.chmod(0o600)
    with pytest.raises(JournalError, match="line 1 is none"):
        Ledger(path)
    path.write_bytes(b"")
    Ledger(path).close()


def test_one_process_has_it(private: Path) -> None:
    """A second gateway of a run is refused while the first one is there."""
    first = Ledger(private / "run.jsonl")
    with pytest.raises(HeldError, match="another gateway"):
        Ledger(private / "run.jsonl")
    first.close()
    Ledger(private / "run.jsonl").close()


def test_what_the_disk_refuses_does_not_count(private: Path) -> None:
    """A write that fails is an error, and the order is not known."""

    class Full:
        def __getattr__(self, name: str) -> object:
            return getattr(REAL_DISK, name)

        def fdatasync(self, _: int) -> None:
            raise OSError(28, "No space left on device")

    ledger = Ledger(private / "run.jsonl", Full())  # type: ignore[arg-type]
    with pytest.raises(JournalError, match="No space left"):
        ledger.add(taken())
    assert not ledger.standings
    ledger.close()


def test_numbers_never_come_twice(private: Path) -> None:
    """Where the loop has more reports than the file, numbers go on after the loop's."""
    ledger = Ledger(private / "run.jsonl")
    ledger.begin_numbers_after(41)
    assert ledger.last_number == 41
    ledger.add(taken(), told(42))
    assert ledger.last_number == 42
    ledger.begin_numbers_after(7)
    assert ledger.last_number == 42
    ledger.close()
