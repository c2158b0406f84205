"""What the pages of the live loop say, held against the code."""

from __future__ import annotations

import re
from pathlib import Path

from barstep.cli import live_demo as demo_command
from barstep.data.recordings import RECORD
from barstep.ops import paper_smoke_checks
from barstep.ops.live_demo import ENVIRONMENT, SCHEDULE
from barstep.replay.live.backing_off import BackOff
from barstep.replay.live.link import MISSING_US
from barstep.replay.live.opening import ROOM_BARS
from barstep.replay.live.running import PATIENCE_US, SILENCE_US
from numpy.random import default_rng

DOCS = Path(__file__).parents[2] / "docs"


def test_the_times_of_the_live_loop_are_those_of_its_page() -> None:
    """Waits, silence, patience and room are the numbers that are written."""
    page = " ".join((DOCS / "live-loop.md").read_text().split())
    waits = [BackOff(default_rng(seed)).next_us() for seed in range(200)]
    assert min(waits) >= 0.125e6 and max(waits) <= 0.25e6
    cap = BackOff(default_rng(1))
    assert max(cap.next_us() for _ in range(200)) <= 30e6
    assert "after 0.25 seconds" in page and "up to 30 seconds" in page
    assert f"missing for {MISSING_US // 1_000_000} seconds" in page
    assert f"nothing comes for {SILENCE_US // 1_000_000} seconds" in page
    assert PATIENCE_US == 1_000_000 and "for a second at most" in page
    assert f"room for {ROOM_BARS:,} bars" in page
    assert f"{RECORD.itemsize} bytes each" in page


def test_the_checks_of_the_paper_pipeline_are_those_of_its_page() -> None:
    """The table has a row for each check, in order."""
    page = (DOCS / "smoke.md").read_text().partition("## The paper pipeline")[2]
    rows = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert rows == list(paper_smoke_checks.LOOKS)


def test_the_demonstration_is_the_one_of_its_page() -> None:
    """The environment, the schedule and the options that are written are there."""
    page = (DOCS / "live-demo.md").read_text()
    assert f"`{ENVIRONMENT}`" in page and f"`{SCHEDULE}`" in page
    assert {"--seconds", "--folder"} <= set(re.findall(r"--\w+", page))
    assert {"seconds", "folder"} == set(demo_command.live_demo_command.__annotations__) - {"return"}
