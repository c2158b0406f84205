"""A journal on a disk that loses power, whose calls fail, and whose writer is killed, at every call in turn.

Whatever happens, the journal opens again, and every record that was acknowledged is there. `SEEDS` says how many of the
crashes during a recovery are tried.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise

import pytest
from barstep.errors import JournalError
from barstep.replay.journal.files import read_head
from barstep.replay.keys import EpochKey
from journal_making import FILES, OTHER_ROOT, note, open_journal, payload, records
from simulated_disk import PowerLossError, SimulatedDisk

SEEDS = int(os.environ.get("SEEDS", "1"))
CHECKPOINT = payload("checkpoint", 9, state="x" * 700)

Told = list[tuple[int, str]]


def story(disk: SimulatedDisk, told: Told) -> None:
    """A journal's life: it begins, is sealed, rotated, and ends in order; `told` gets what is acknowledged."""
    journal = open_journal(disk)
    told.append((journal.seq, journal.mac))

    def commit_groups() -> None:
        for sizes in ((1,), (4,), (2, 1, 3)):
            for size in sizes:
                for number in range(size):
                    journal.append(note(number))
                journal.end_group()
            journal.commit()
            told.append((journal.seq, journal.mac))

    commit_groups()
    journal.seal(CHECKPOINT)
    told.append((journal.seq, journal.mac))
    commit_groups()
    journal.append(note(8))
    journal.seal(CHECKPOINT, reason="rotated", key=EpochKey.first(OTHER_ROOT))
    told.append((journal.seq, journal.mac))
    commit_groups()
    journal.close(CHECKPOINT)
    told.append((journal.seq, journal.mac))


def cut_off(call: int) -> tuple[SimulatedDisk, Told]:
    """The disk whose power was lost before a call, and what had been acknowledged."""
    disk, told = SimulatedDisk(), Told()
    disk.stops_at = call
    with pytest.raises(PowerLossError):
        story(disk, told)
    return disk, told


def calls_of_story() -> int:
    disk = SimulatedDisk()
    story(disk, [])
    return len(disk.calls)


def states(disk: SimulatedDisk) -> Iterator[SimulatedDisk]:
    """Every state that a loss of power may leave: torn at each sector, with unsynced names and without."""
    for sectors in range(disk.unsynced_sectors() + 1):
        for names_kept in (False, True):
            yield disk.after_power_loss(sectors=sectors, names_kept=names_kept)


def assert_opens(disk: SimulatedDisk, told: Told) -> None:
    """The journal opens, has what was acknowledged, says what else it kept, goes on, and outlives the next loss."""
    head = read_head(disk, FILES.head)
    with open_journal(disk) as journal:
        last, found = journal.found.last, journal.found
        if head is not None:
            assert found.kept == last.seq - head.seq >= 0
        assert (journal.seq, journal.found.last.seq) in {(last.seq, last.seq), (last.seq + 1, last.seq)}
        assert (journal.seq > last.seq) == (found.kept > 0 or found.torn is not None)
        journal.append(note(99))
        journal.commit()
        told = [*told, (journal.seq, journal.mac)]
    after = disk.after_power_loss()
    with open_journal(after):
        read = records(after)  # the chain is followed here
        places = [place for place, _ in read]
        assert [place.seq for place in places] == list(range(len(places)))
        macs = {place.seq: place.mac for place in places}
    assert [macs.get(seq) for seq, _ in told] == [mac for _, mac in told]
    for (_, fields), (place, _) in pairwise(read):
        if fields["kind"] == "sealed":  # only a rotation may be undone, as nobody has its new key
            assert place.kind in {"checkpoint", "recovered" if fields["reason"] == "rotated" else "checkpoint"}


def test_power_lost_at_any_call_loses_nothing_that_was_acknowledged() -> None:
    """Inside groups, seals, the rotation and the overwriting of keys; with every tear."""
    total = calls_of_story()
    assert total > 80
    for call in range(1, total + 1):
        disk, told = cut_off(call)
        for after in states(disk):
            assert_opens(after, told)


def test_a_writer_killed_at_any_call_and_power_lost_later_loses_nothing() -> None:
    """What the next process sees may not be on the disk yet; it makes it so before it builds on it."""
    for call in range(1, calls_of_story() + 1):
        disk, told = cut_off(call)
        assert_opens(disk.after_kill(), told)


def test_any_call_that_fails_is_not_believed_by_the_next_process_either() -> None:
    """After a failed sync the system takes for synced what is not; the next start writes it anew."""
    for call in range(1, calls_of_story() + 1):
        disk, told = SimulatedDisk(), Told()
        disk.fails_at = call
        with suppress(JournalError, OSError):  # the store of keys is made before a journal is
            story(disk, told)
            pytest.fail(f"call {call}, {disk.calls[call - 1]}, failed unseen")
        assert_opens(disk.after_kill(), told)


def test_power_lost_again_while_a_loss_is_recovered_loses_nothing() -> None:
    """At each call of the recovery, of a few of the losses (of all of them with SEEDS=7 or more)."""
    for call in range(1, calls_of_story() + 1, max(1, 7 // SEEDS)):
        disk, told = cut_off(call)
        sectors = disk.unsynced_sectors() // 2
        for again in range(1, 100):
            recovering = disk.after_power_loss(sectors=sectors)
            recovering.stops_at = again
            try:
                open_journal(recovering)
            except PowerLossError:
                assert_opens(recovering.after_power_loss(sectors=1), told)
                assert_opens(recovering.after_kill(), told)
            else:
                break
