"""The two ways of looking at a record say the same, however the lines arrive."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from barstep.replay.journal.faults import Fault
from barstep.replay.journal.record import Chained, make_line
from barstep.replay.journal.runs import judge
from barstep.replay.journal.scan import Scan
from barstep.replay.key_files import KeyRing
from barstep.replay.keys import EpochKey
from plain_journal import root_id
from tampering import TAMPERERS, Case, make_case

KEY = EpochKey.first(bytes(32))


def scanned(case: Case, watched: range, batch: int) -> tuple[list[Fault], list[Fault], int, int]:
    """What is found when these records are taken apart, and lines come so many at a time."""
    kid, log = root_id(case.root), case.witness.decode().split('"')[3]
    scan = Scan(log, KeyRing(EpochKey.first(case.root)), kid, [kid], watched)
    signed = 0
    for name in case.in_order:
        scan.begin_segment(name)
        lines = case.files[name]
        for at in range(0, len(lines), batch):
            scan.read(lines[at : at + batch])
        scan.end_segment()
        signed += scan.count.signed
    scan.finish()
    return scan.faults.kept, *judge(scan.runs.closed), signed


@pytest.mark.parametrize("verdict", ["EDITED", "GAP", "REORDERED", "DUPLICATE", "FOREIGN LOG", "WRONG KEY"])
def test_quick_and_thorough_looks_agree(verdict: str, tmp_path: Path) -> None:
    """Over tampered journals: every record taken apart, none, or some, line by line or all at once."""
    for seed, tamper in enumerate(TAMPERERS[verdict]):
        rng = np.random.default_rng([seed, *verdict.encode()])
        case = make_case(tmp_path / f"{seed}", rng)
        tamper(case, rng)
        found = [
            scanned(case, watched, batch) for watched in (range(0), range(3, 9), range(99)) for batch in (1, 2, 1_000)
        ]
        assert all(one == found[0] for one in found[1:]), tamper.__name__


def test_a_signature_is_asked_for_by_its_number() -> None:
    """Of watched records, and of no others."""
    lines, prev = [], "0" * 96
    for seq in range(5):
        place = Chained("ab" * 16, seq, 0, KEY.kid, prev, "", "")
        kind = b"genesis" if seq == 0 else b"note"
        line, prev = make_line(place, b'"kind":"' + kind + b'","at":""', KEY.key)
        lines.append((line[:-1], prev))
    scan = Scan("ab" * 16, KeyRing(KEY), KEY.kid, [KEY.kid], [1, 4, 9])
    scan.begin_segment("a")
    scan.read([line for line, _ in lines])
    assert scan.macs == {1: lines[1][1], 4: lines[4][1]}
    assert (scan.expected, scan.count.signed, scan.faults.kept, scan.is_sealed) == (5, 5, [], False)
