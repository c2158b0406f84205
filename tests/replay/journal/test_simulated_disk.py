"""The disk that tests lose power on."""

from __future__ import annotations

from pathlib import Path

import pytest
from simulated_disk import PowerLossError, SimulatedDisk

FOLDER = Path("/journal")
FILE, OTHER = FOLDER / "a", FOLDER / "b"


def written(data: bytes, *, synced: bool, named: bool) -> SimulatedDisk:
    disk = SimulatedDisk()
    descriptor = disk.open(FILE)
    disk.write(descriptor, data)
    if synced:
        disk.fdatasync(descriptor)
    if named:
        disk.sync_folder(FOLDER)
    return disk


def test_only_what_was_synced_under_a_synced_name_is_there_after_a_loss_of_power() -> None:
    """Data without its sync is empty, a name without its folder's sync is not there."""
    assert written(b"x", synced=True, named=True).after_power_loss().read(FILE).read() == b"x"
    assert written(b"x", synced=False, named=True).after_power_loss().read(FILE).read() == b""
    assert written(b"x", synced=True, named=False).after_power_loss().names(FOLDER) == []
    assert written(b"x", synced=True, named=False).after_power_loss(names_kept=True).names(FOLDER) == ["a"]


def test_a_write_is_torn_at_a_sector() -> None:
    """Of 1,300 bytes after 100 synced ones, the first sector's 412 may be there, then 512 more."""
    disk = written(b"a" * 100, synced=True, named=True)
    disk.write(disk.open(FILE), b"b" * 1_300)
    assert disk.unsynced_sectors() == 3
    sizes = [len(disk.after_power_loss(sectors=count).read(FILE).read()) for count in range(4)]
    assert sizes == [100, 512, 1_024, 1_400]


def test_an_overwritten_sector_is_the_old_or_the_new() -> None:
    """It is never a mixture, and bytes behind it stay."""
    disk = written(b"old one", synced=True, named=True)
    disk.overwrite(disk.open(FILE), b"new")
    assert disk.after_power_loss().read(FILE).read() == b"old one"
    assert disk.after_power_loss(sectors=1).read(FILE).read() == b"new one"


def test_a_name_that_was_replaced_comes_back() -> None:
    """Until the folder is synced, a loss of power undoes a replace."""
    disk = written(b"old", synced=True, named=True)
    descriptor = disk.open(OTHER)
    disk.write(descriptor, b"new")
    disk.fdatasync(descriptor)
    disk.replace(OTHER, FILE)
    assert disk.read(FILE).read() == b"new" and disk.names(FOLDER) == ["a"]
    assert disk.after_power_loss().read(FILE).read() == b"old"
    disk.sync_folder(FOLDER)
    assert disk.after_power_loss().read(FILE).read() == b"new"


def test_the_nth_call_fails_once() -> None:
    """Half of a failed write gets through; the calls after it succeed, as they do on a real disk."""
    disk = SimulatedDisk()
    disk.fails_at = 2
    descriptor = disk.open(FILE)
    with pytest.raises(OSError, match="call 2 failed, write"):
        disk.write(descriptor, b"1234")
    disk.fdatasync(descriptor)
    assert disk.read(FILE).read() == b"12"


def test_what_a_failed_sync_did_not_write_no_later_one_writes() -> None:
    """It is still seen, the next fdatasync succeeds, and the power takes it all the same."""
    disk = written(b"a" * 512, synced=True, named=True)
    descriptor = disk.open(FILE)
    disk.write(descriptor, b"b" * 512)
    disk.fails_at = len(disk.calls) + 1
    with pytest.raises(OSError, match="fdatasync"):
        disk.fdatasync(descriptor)
    disk.write(descriptor, b"c")
    disk.fdatasync(descriptor)
    assert disk.read(FILE).read() == b"a" * 512 + b"b" * 512 + b"c"
    assert disk.after_power_loss().read(FILE).read() == b"a" * 512 + bytes(512) + b"c"


def test_a_file_that_begins_afresh_is_the_old_one_until_something_of_it_is_written() -> None:
    """Or it is empty, once that was synced."""
    disk = written(b"old", synced=True, named=True)
    descriptor = disk.open(FILE, fresh=True)
    assert disk.after_power_loss().read(FILE).read() == b"old"
    disk.fdatasync(descriptor)
    assert disk.after_power_loss().read(FILE).read() == b""


def test_the_next_process_sees_what_a_killed_one_wrote() -> None:
    """Unsynced bytes and names are there, and are lost with the power still; the lock is free."""
    disk = written(b"x", synced=False, named=False)
    disk.lock(OTHER)
    after = disk.after_kill()
    after.lock(OTHER)
    assert after.read(FILE).read() == b"x" and after.after_power_loss().names(FOLDER) == []


def test_power_is_lost_before_the_nth_call() -> None:
    """What that call would have done is not done."""
    disk = SimulatedDisk()
    disk.stops_at = 2
    descriptor = disk.open(FILE)
    with pytest.raises(PowerLossError):
        disk.write(descriptor, b"1234")
    assert disk.read(FILE).read() == b""


def test_a_lock_is_held_once_and_ends_with_its_descriptor_or_the_power() -> None:
    """The second asker is refused at once."""
    disk = SimulatedDisk()
    held = disk.lock(FILE)
    with pytest.raises(BlockingIOError):
        disk.lock(FILE)
    disk.after_power_loss().lock(FILE)
    disk.close(held)
    disk.lock(FILE)
