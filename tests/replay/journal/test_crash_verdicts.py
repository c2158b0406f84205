"""What verification says of a journal that lost its power, before the next start and after it: nothing but TORN.

The writer is the real one, on a disk in memory; what that holds is laid onto a real one to be verified. `SEEDS` says
how many of the calls are tried.
"""

from __future__ import annotations

import os
from pathlib import Path

from barstep.errors import DataError
from barstep.replay.journal.files import JournalFiles
from barstep.replay.journal.verification import Verification, verify
from barstep.replay.key_files import KeyRing
from barstep.replay.keys import EpochKey
from journal_making import FOLDER, OTHER_ROOT, ROOT, DiskKeys, open_journal
from simulated_disk import SimulatedDisk
from test_power import calls_of_story, cut_off, states

SEEDS = int(os.environ.get("SEEDS", "1"))
ROOTS = KeyRing(EpochKey.first(ROOT), EpochKey.first(OTHER_ROOT))


def verified(disk: SimulatedDisk, folder: Path, ring: KeyRing) -> Verification:
    """Verification of what a disk in memory holds."""
    for name in disk.names(FOLDER):
        path = folder / name
        path.touch(mode=0o600)
        with disk.read(FOLDER / name) as file:
            path.write_bytes(file.read())
    try:
        return verify(JournalFiles(folder=folder, environment="demo"), ring)
    finally:
        for path in folder.iterdir():
            path.unlink()


def faults(found: Verification) -> set[str]:
    return {fault.verdict.value for fault in found.faults}


def test_a_loss_of_power_is_no_tampering(tmp_path: Path) -> None:
    """At any call: TORN at most, with both roots as with what the machine has; and nothing after the next start."""
    tmp_path.chmod(0o700)
    torn = 0
    for call in range(1, calls_of_story() + 1, 1 if SEEDS > 1 else 2):
        disk, _ = cut_off(call)
        for after in states(disk):
            machine = KeyRing(DiskKeys(after).current(), EpochKey.first(OTHER_ROOT))  # a new root is on it for a while
            for ring in (ROOTS, machine):
                try:
                    found = verified(after, tmp_path, ring)
                except DataError:  # it had not begun
                    continue
                assert faults(found) <= {"TORN", "UNVERIFIED", "UNWITNESSED"}, (call, *map(str, found.faults))
                torn += "TORN" in faults(found)
            with open_journal(after):
                pass
            assert faults(verified(after, tmp_path, ROOTS)) == {"UNWITNESSED"}, call
            machine = KeyRing(DiskKeys(after).current())
            assert faults(verified(after, tmp_path, machine)) <= {"UNVERIFIED", "UNWITNESSED"}, call
    assert torn > 3
