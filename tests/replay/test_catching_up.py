"""What is done again, held against what was written."""

from __future__ import annotations

import pytest
from barstep.replay.catching_up import CatchUp, DivergedError
from journal_making import payload


class Kept:
    """A journal that keeps what it is given."""

    is_full = True

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.groups: list[int] = []
        self.commits = 0
        self.sealed: list[bytes] = []

    def append(self, record: bytes) -> None:
        self.written.append(record)

    def end_group(self) -> None:
        self.groups.append(len(self.written))

    def commit(self) -> None:
        self.commits += 1

    def seal(self, checkpoint: bytes) -> None:
        self.sealed.append(checkpoint)


def test_what_is_the_same_is_counted_and_then_written_on() -> None:
    """Only records past the last written one reach the journal; no checkpoint is wanted before."""
    journal = Kept()
    ledger = CatchUp([payload("genesis"), payload("bars", 1), payload("recovered", 1), payload("run", 2)], journal)
    ledger.append(payload("bars", 1))
    assert (ledger.is_behind, ledger.is_full, ledger.compared) == (True, False, 1)
    ledger.append(payload("run", 2))
    ledger.end_group()
    ledger.append(payload("fill", 3))
    ledger.end_group()
    ledger.commit()
    ledger.seal(payload("checkpoint", 4))
    assert (ledger.is_behind, ledger.is_full, ledger.compared) == (False, True, 2)
    assert (journal.written, journal.groups, len(journal.sealed)) == ([payload("fill", 3)], [0, 1], 1)
    assert journal.commits == 1
    ledger.finish()


def test_a_record_that_differs_is_told_with_both_sides() -> None:
    """Byte for byte: a price that is another in its last digit is another record."""
    ledger = CatchUp([payload("fill", 1, price=0.1)])
    with pytest.raises(DivergedError, match=r'"price":0\.1.*"price":0\.10000000000000002') as raised:
        ledger.append(payload("fill", 1, price=0.10000000000000002))
    assert (raised.value.written, raised.value.made) == (
        payload("fill", 1, price=0.1),
        payload("fill", 1, price=0.10000000000000002),
    )


def test_a_run_that_ends_before_what_was_written_diverges() -> None:
    """The journal's next record is named; without a journal nothing is written anywhere."""
    ledger = CatchUp([payload("run", 1), payload("run", 2)])
    ledger.append(payload("run", 1))
    with pytest.raises(DivergedError, match="now it is nothing more") as raised:
        ledger.finish()
    assert (raised.value.written, raised.value.made) == (payload("run", 2), None)
    alone = CatchUp([])
    alone.append(payload("run", 1))
    alone.end_group()
    alone.commit()
    alone.seal(payload("checkpoint", 1))
    assert (alone.is_full, alone.compared) == (False, 0)
