"""Names of a journal's files, and its head."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from barstep.errors import JournalError, UsageError
from barstep.replay.journal.disk import SECTOR_BYTES
from barstep.replay.journal.files import Head, JournalFiles, read_head
from journal_making import FILES, FOLDER
from simulated_disk import SimulatedDisk

HEAD = Head(log="ab" * 16, seq=7, mac="c" * 96)


def test_a_head_is_one_line_of_json_that_fits_a_sector() -> None:
    """It is read back as it was written, and the longest one is overwritten in one piece."""
    disk = SimulatedDisk()
    assert read_head(disk, FILES.head) is None
    disk.put(FILES.head, HEAD.line())
    assert read_head(disk, FILES.head) == HEAD
    assert json.loads(HEAD.line()) == {"log": HEAD.log, "seq": 7, "mac": HEAD.mac}
    assert len(Head(log=HEAD.log, seq=10**18 - 1, mac=HEAD.mac).line()) < SECTOR_BYTES


@pytest.mark.parametrize("data", [b"", HEAD.line()[:-1], HEAD.line() * 2, HEAD.line().replace(b"7", b"07"), b"{}\n"])
def test_what_is_no_head_is_told(data: bytes) -> None:
    """With the file and what it begins with."""
    disk = SimulatedDisk()
    disk.put(FILES.head, data)
    with pytest.raises(JournalError, match=r"demo\.head\.json: is not the head of a journal"):
        read_head(disk, FILES.head)


def test_sealed_segments_are_found_in_the_order_of_their_records() -> None:
    """Whatever their number's length; files of other environments and other kinds are none of them."""
    disk = SimulatedDisk()
    numbers = (0, 65_536, 999_999_999_999, 1_000_000_000_000)
    for number in reversed(numbers):
        disk.put(FILES.sealed(number), b"")
    for name in ("demo.jsonl", "demo2.000000000007.jsonl", "demo.7.jsonl", "demo.torn-7", "demo.next"):
        disk.put(FOLDER / name, b"")
    assert FILES.sealed_segments(disk) == [FILES.sealed(number) for number in numbers]


@pytest.mark.parametrize("environment", ["", "../demo", "a.b", "a b", "-a"])
def test_an_environment_is_a_plain_name(environment: str) -> None:
    """It cannot lead out of the folder, nor be taken for another's segment."""
    with pytest.raises(UsageError, match=r"allowed are letters, digits, _ and -"):
        JournalFiles(folder=Path(), environment=environment)
