"""`barstep doctor` prints what was examined and fails where something has to be mended."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from barstep.ops.doctor import Check

Run = Callable[..., Any]


def test_a_sound_installation(barstep: Run) -> None:
    """Everything that is needed is there: exit code 0."""
    ran = barstep("doctor", "--json")
    document = json.loads(ran.out)
    assert (ran.code, document["ok"]) == (0, True)
    assert {"python", "barstep", "numba", "cache", "embedded datasets"} <= {c["name"] for c in document["checks"]}


@pytest.mark.parametrize("words", [["--json"], []])
def test_something_to_mend(barstep: Run, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    """A failed check is shown with its advice and gives exit code 1."""
    checks = [Check("numba", "fail", "missing", "pip install numba"), Check("python", "ok", "3.12")]
    monkeypatch.setattr("barstep.ops.doctor.examine", lambda: checks)
    ran = barstep("doctor", *words)
    assert ran.code == 1
    assert "pip install numba" in ran.out
