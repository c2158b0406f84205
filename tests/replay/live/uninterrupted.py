"""The twin of loops that are killed: the same scheduler at the same venue in one process, which nobody kills."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from barstep.engine.configured import load_core_config
from barstep.engine.scheduler.live_setup import LivePlan, plan_live
from barstep.replay.journal.files import JournalFiles
from barstep.replay.journal.reading import read_payloads
from barstep.replay.journal.record import fields_of
from barstep.replay.stub.manner import Manner
from barstep.replay.stub.market import Market
from barstep.replay.stub.venue import StubVenue
from journal_making import FOLDER
from twins import of_both
from world import Kept, World, run

CORE = Path(__file__).parents[3] / "config" / "core.yaml"
ENVIRONMENT = "binance_paper"
START_US = 1_675_209_600_000_000
HOUR_US = 3_600_000_000


def plan_of_the_loop() -> LivePlan:
    """What it trades."""
    return plan_live(load_core_config(CORE), ENVIRONMENT)


class Uninterrupted(World):
    """The scheduler that comes with barstep, live for some hours."""

    def __init__(self, bars: int, market: Market | None = None) -> None:
        """market: None: the embedded one."""
        self.bars, self.market = bars, market
        super().__init__(0)

    def __post_init__(self) -> None:
        self.plan, self.options, self.start_us = plan_of_the_loop(), {}, START_US
        manner = Manner(start_us=START_US, end_us=START_US + self.bars * HOUR_US)
        self.venue = StubVenue(self.market or Market(datasets=["embedded"]), manner)
        self.kept = Kept(self.plan, self.venue)

    def told(self) -> tuple[list[bytes], Any]:
        """Its records that a replay writes, too, and its state at the end."""
        run(self).close()
        files = JournalFiles(folder=FOLDER, environment=ENVIRONMENT)
        payloads = [payload for _, payload in read_payloads(files, self.disk)]
        return of_both(payloads), last_checkpoint(payloads)["state"]


def last_checkpoint(payloads: list[bytes]) -> dict[str, Any]:
    """The fields of the last checkpoint record."""
    (*_, last) = (one for one in payloads if one.startswith(b'"kind":"checkpoint"'))
    return fields_of(last)
