"""What a replay with its journal promises, tried."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from barstep.config.reading import PACKAGED
from barstep.ops.proof import prove


def test_each_promise_must_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few days of the shipped configuration keep all three; with one of them broken nothing holds."""
    monkeypatch.chdir(tmp_path)
    proof = prove(PACKAGED, end="2023-01-06")
    assert proof.holds
    assert (proof.scheduler, proof.environment, proof.bars) == ("core_multi", "demo", 120)
    assert 500 < proof.compared < proof.records
    for promise in ("same_as_backtest", "verified", "done_again"):
        assert not replace(proof, **{promise: False}).holds


def test_it_can_be_tried_again_and_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second proof in the same folder holds too, makes no secrets, and leaves those of the first as they were."""
    monkeypatch.chdir(tmp_path)
    first = prove(PACKAGED, end="2023-01-03")
    made = {name: Path(name).read_bytes() for name in first.secrets}
    assert len(made) == 3
    again = prove(PACKAGED, end="2023-01-03")
    assert again.holds
    assert again.secrets == ()
    assert {name: Path(name).read_bytes() for name in made} == made
