"""Every way to tamper with a journal, at random places: each gets its verdict and no other.

`SEEDS=20` tampers more than ten thousand times.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from barstep.replay.journal_lines import JournalPaths
from barstep.replay.journal_verification import Verification, verify
from barstep.replay.key_files import KeyRing
from barstep.replay.keys import EpochKey
from tampering import SEEN_WITHOUT_KEY, TAMPERERS, Case, Tamperer, make_case

SEEDS = int(os.environ.get("SEEDS", "1"))
ROUNDS = 18 * SEEDS
ALL = [(verdict, tamper) for verdict, tampers in TAMPERERS.items() for tamper in tampers]
VERDICT_OF = {tamper.__name__: verdict for verdict, tamper in ALL}


def verified(case: Case, folder: Path, ring: KeyRing) -> Verification:
    """What is found once the case is on the disk."""
    folder.mkdir(mode=0o700)
    case.write(folder)
    found = verify(JournalPaths(folder=folder, environment="demo"), ring, witness=folder / "witness.json")
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


def test_there_are_enough_tamperings() -> None:
    """A run with SEEDS=20 tampers more than ten thousand times."""
    assert 20 * (18 * len(ALL) + 6 * len(SEEN_WITHOUT_KEY)) > 10_000
