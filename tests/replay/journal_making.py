"""Journals for tests: on a disk in memory, with keys that lie on it too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from barstep.replay.journal.disk import Disk
from barstep.replay.journal.files import JournalFiles, rename_file, write_file
from barstep.replay.journal.reading import read_payloads
from barstep.replay.journal.record import Chained, at_text, fields_of, members
from barstep.replay.journal.writer import TradingDecisionJournal
from barstep.replay.keys import EpochKey
from simulated_disk import SimulatedDisk

FOLDER = Path("/journal")
FILES = JournalFiles(folder=FOLDER, environment="demo")
ROOT, OTHER_ROOT = bytes(range(32)), bytes(range(1, 33))
LOG = "ab" * 16
NOW_US = 1_704_067_200_000_000


class DiskKeys:
    """A store of one key on a disk, which overwrites it as the rule has it."""

    def __init__(self, disk: Disk, path: Path = Path("/keys/epoch.key")) -> None:
        self.disk, self.path = disk, path
        if path.name not in disk.names(path.parent):
            self.advance(EpochKey.first(ROOT))

    def current(self) -> EpochKey:
        with self.disk.read(self.path) as file:
            read = json.loads(file.read())
        return EpochKey(kid=read["kid"], epoch=read["epoch"], key=bytes.fromhex(read["key"]))

    def advance(self, key: EpochKey) -> None:
        text = json.dumps({"kid": key.kid, "epoch": key.epoch, "key": key.key.hex()})
        write_file(self.disk, self.path.with_suffix(".next"), [text.encode()])
        rename_file(self.disk, self.path.with_suffix(".next"), self.path)


def payload(kind: str, number: int = 0, **fields: Any) -> bytes:
    """Members of a record, at second `number`."""
    return members({"kind": kind, "at": at_text(NOW_US + number * 1_000_000), **fields})


def note(number: int) -> bytes:
    return payload("note", number, message=f"zażółć {number}", value=number / 7)


def open_journal(disk: Disk, keys: Any = None, *, folder: Path = FOLDER, log_id: str = LOG) -> TradingDecisionJournal:
    return TradingDecisionJournal.open(
        folder, "demo", keys or DiskKeys(disk), log_id=log_id, genesis=payload("genesis"), now_us=NOW_US, disk=disk
    )


def written(groups: int, size: int) -> tuple[SimulatedDisk, TradingDecisionJournal]:
    """A journal of some groups of notes after its genesis record, still held."""
    disk = SimulatedDisk()
    journal = open_journal(disk)
    for group in range(groups):
        for number in range(size):
            journal.append(note(group * size + number))
        journal.commit()
    return disk, journal


def records(disk: Disk, files: JournalFiles = FILES) -> list[tuple[Chained, dict[str, Any]]]:
    return [(place, fields_of(payload)) for place, payload in read_payloads(files, disk)]


def kinds(disk: Disk) -> list[str]:
    return [place.kind for place, _ in records(disk)]
