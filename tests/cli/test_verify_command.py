"""`barstep verify parity` as it is typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from barstep.replay import parity

CORE = Path(__file__).parents[2] / "config" / "core.yaml"
WORDS = ("verify", "parity", "--config", CORE, "--end", "2023-01-21")


def test_it_prints_a_digest_for_each_driver_and_passes(barstep: Callable[..., Any]) -> None:
    """Three rows that are the same; in full as JSON."""
    ran = barstep(*WORDS)
    assert ran.code == 0
    rows = [line.split() for line in ran.out.splitlines() if line.strip().startswith(("vector", "replay", "journal"))]
    assert [row[0] for row in rows] == ["vectorised", "replayed", "journal"]
    assert len({tuple(row[1:]) for row in rows}) == 1
    assert ran.out.endswith("PASS: the same bits\n")
    document = json.loads(barstep(*WORDS, "--json").out)
    assert document["holds"] and len(document["digests"]["replayed"]["equity"]) == 96


def test_a_difference_exits_with_1_and_names_the_bar(
    barstep: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A driver that pays another fee: the first decision or mark that differs, with the bars of both sides."""
    simulate = parity.simulate

    def dearer(setup: parity.SchedulerSetup) -> parity.SchedulerResult:
        rules = setup.rules.copy()
        rules[:, :, 0] *= 2.0
        return simulate(replace(setup, rules=rules))

    monkeypatch.setattr(parity, "simulate", dearer)
    ran = barstep(*WORDS)
    assert ran.code == 1
    assert "FAIL: they differ" in ran.out
    assert "first at 2023-01-0" in ran.out and "bar of BTCUSDT: " in ran.out and "  replayed: " in ran.out
