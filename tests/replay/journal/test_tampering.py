"""Every way to tamper with a journal, at random places: each gets its verdict and no other.

`SEEDS=20` tampers more than ten thousand times.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from barstep.replay.journal.files import JournalFiles
from barstep.replay.journal.verification import Verification, verify
from barstep.replay.key_files import KeyRing
from barstep.replay.keys import EpochKey, kid_of
from tampering import SEEN_WITHOUT_KEY, TAMPERERS, Case, Tamperer, make_case

SEEDS = int(os.environ.get("SEEDS", "1"))
ROUNDS = 18 * SEEDS
ALL = [(verdict, tamper) for verdict, tampers in TAMPERERS.items() for tamper in tampers]
VERDICT_OF = {tamper.__name__: verdict for verdict, tamper in ALL}


def verified(case: Case, folder: Path, ring: KeyRing) -> Verification:
    """What is found once the case is on the disk."""
    folder.mkdir(mode=0o700)
    case.write(folder)
    found = verify(JournalFiles(folder=folder, environment="demo"), ring, witness=folder / "witness.json")
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    return found


def cases(tamper: Tamperer, folder: Path, rounds: int) -> Iterator[tuple[int, np.random.Generator, Case]]:
    """Fresh journals, each with what draws the places; no two tamperers see the same ones."""
    for seed in range(rounds):
        rng = np.random.default_rng([seed, *tamper.__name__.encode()])
        yield seed, rng, make_case(folder / f"{seed}", rng)


@pytest.mark.parametrize(("verdict", "tamper"), ALL, ids=lambda value: getattr(value, "__name__", ""))
def test_each_tampering_gets_its_verdict_and_no_other(verdict: str, tamper: Tamperer, tmp_path: Path) -> None:
    """With the root at hand all faults have the one verdict, and the first is told where it is."""
    for seed, rng, case in cases(tamper, tmp_path, ROUNDS):
        where = tamper(case, rng)
        found = verified(case, tmp_path / "tampered", KeyRing(EpochKey.first(case.root)))
        assert {fault.verdict.value for fault in found.faults} == {verdict}, (seed, *map(str, found.faults))
        assert not found.is_good(strict=False)
        if where is not None:
            first = found.faults[0]
            assert (first.file, first.line) == (where[0], where[1] + 1), (seed, where, *map(str, found.faults))


@pytest.mark.parametrize("tamper", SEEN_WITHOUT_KEY, ids=lambda tamper: tamper.__name__)
def test_the_chain_alone_tells_most_of_it(tamper: Tamperer, tmp_path: Path) -> None:
    """Without any key, what breaks the chain gets the same verdict, beside UNVERIFIED."""
    for seed, rng, case in cases(tamper, tmp_path, ROUNDS // 3):
        tamper(case, rng)
        found = verified(case, tmp_path / "tampered", KeyRing())
        verdicts = {fault.verdict.value for fault in found.faults} - {"UNVERIFIED"}
        assert verdicts == {VERDICT_OF[tamper.__name__]}, (seed, *map(str, found.faults))


LEAVES_NO_TRACE = {"rolled_back", "written_anew", "other_journal"}
"""What only a witness tells."""


def content(case: Case) -> tuple[object, ...]:
    """All of it in order; one tampering may undo another."""
    return case.head, case.tails, [line for name in case.in_order for line in case.files[name]]


def test_tampering_upon_tampering_is_never_believed(tmp_path: Path) -> None:
    """Several at once get some verdicts, with any keys at hand, and never an error or a PASS."""
    tampers = [tamper for _, tamper in ALL if tamper.__name__ not in LEAVES_NO_TRACE]
    for seed in range(60 * SEEDS):
        rng = np.random.default_rng([seed, 7])
        case = make_case(tmp_path / f"{seed}", rng)
        done, before = [], content(case)
        for _ in range(int(rng.integers(2, 6))):
            tamper = tampers[int(rng.integers(len(tampers)))]
            with suppress(LookupError, ValueError, AssertionError):  # the one before has left it no place
                tamper(case, rng)
                done.append(tamper.__name__)
        for ring in (KeyRing(EpochKey.first(case.root)), KeyRing(EpochKey.first(bytes(32))), KeyRing()):
            found = verified(case, tmp_path / "tampered", ring)
            if ring.has_root(kid_of(case.root)) and content(case) != before:
                assert not found.is_good(strict=False), (seed, done)
            assert all(fault.records > 0 and fault.text for fault in found.faults)


def test_no_bytes_whatever_are_an_error(tmp_path: Path) -> None:
    """Files of chance, of pieces of records, and of nothing get a verdict."""
    for seed in range(60 * SEEDS):
        rng = np.random.default_rng([seed, 8])
        case = make_case(tmp_path / f"{seed}", rng)
        pieces = [*(line for lines in case.files.values() for line in lines), b"", b"{}", b"[1]", b"\xff" * 9, b"null"]
        for name in case.files:
            drawn = [pieces[int(place)] for place in rng.integers(len(pieces), size=int(rng.integers(0, 30)))]
            case.files[name] = [line[int(rng.integers(0, 3)) :] if rng.random() < 0.3 else line for line in drawn]
            case.tails[name] = rng.bytes(int(rng.integers(0, 40))).replace(b"\n", b"")
        case.head = rng.choice([case.head, b"", b"null", b"{}", b"\xff"])  # type: ignore[list-item]
        found = verified(case, tmp_path / "tampered", KeyRing(EpochKey.first(case.root)))
        assert not found.is_good(strict=False), seed


def test_there_are_enough_tamperings() -> None:
    """A run with SEEDS=20 tampers more than ten thousand times."""
    assert 20 * (18 * len(ALL) + 6 * len(SEEN_WITHOUT_KEY)) > 10_000
