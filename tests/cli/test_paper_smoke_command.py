"""`barstep paper-smoke`, as it is typed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from barstep.ops.live_processes import live_process
from barstep.replay.clock import SystemClock

Run = Callable[..., Any]


def test_it_prints_its_checks_and_writes_its_report(barstep: Run, scheduler_folder: Path) -> None:
    """At a venue that runs already: the user's certificates and token are read, and its line is left alone."""
    assert barstep("keys", "init", "--mtls-bundle", "core-oem").code == 0
    words = ["stub-server", "--dataset", "embedded", "--address", "grpc+tls://localhost:0", "--mtls-bundle", "core-oem",
             "--json"]  # fmt: skip
    with live_process("venue", words, scheduler_folder, os.environ, SystemClock()) as venue:
        venue.wait_until(lambda: venue.address != "", "its address", 60.0)
        ran = barstep(
            "paper-smoke",
            "--cycles",
            "48",
            "--address",
            venue.address,
            "--json",
            "--output",
            "out/r.json",
        )
    assert ran.code == 0, ran.out + ran.err
    document = json.loads(ran.out)
    assert document == json.loads(Path("out/r.json").read_text())
    verdicts = {one["name"]: one["status"] for one in document["checks"]}
    assert verdicts["connection"] == "SKIP" and {*verdicts.values()} == {"PASS", "SKIP"}
    assert not Path("audit").exists() and not Path("secrets/journal").exists()


def test_a_check_that_fails_is_the_exit_code(
    barstep: Run, scheduler_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No venue answers: the pipeline fails, with what the loop has said."""
    monkeypatch.setenv("BARSTEP_ADAPTER_TOKEN", "t" * 64)
    ran = barstep("paper-smoke", "--cycles", "24", "--address", "grpc://127.0.0.1:9")
    assert ran.code == 1
    assert "  FAIL  pipeline" in ran.out and "no connection" in ran.out
    assert json.loads((scheduler_folder / "paper_smoke_report.json").read_text())["status"] == "fail"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--output", "."), "is a folder; name a file"),
        (("--address", "grpc://127.0.0.1:9", "--dataset", "embedded"), "leave one out"),
        (("--within", "soon"), "--within: "),
        (("--environment", "demo"), "is of type demo"),
    ],
    ids=lambda value: str(value[0]) if isinstance(value, tuple) else "",
)
@pytest.mark.usefixtures("scheduler_folder")
def test_wrong_use_is_refused(barstep: Run, words: tuple[str, ...], text: str) -> None:
    """With one line and exit code 2."""
    ran = barstep("paper-smoke", *words)
    assert ran.code == 2 and text in ran.err
