"""A live session from its journal and its recording: as it was, and as a setup that any driver runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...config.core import CoreConfig
from ...engine.bars import Bars
from ...engine.given_bars import GivenBars
from ...engine.scheduler.backtest import set_up_scheduler
from ...engine.scheduler.live_setup import LivePlan, plan_live
from ...engine.scheduler.setup import SchedulerSetup
from ...errors import DataError, JournalError
from ..catching_up import CatchUp, DivergedError
from ..drift import RecordedDrift
from ..journal.disk import REAL_DISK, Disk
from ..journal.files import JournalFiles
from ..journal.record import at_text, at_us, fields_of
from .again import COMPARED, Again, Tail, set_up_again
from .feeds import LiveFeeds
from .greeting import legs_of
from .recording import recorded_bars
from .tail import whole_tail

RECORDINGS = Path("var/recordings")
"""Where live runs keep their bars, under the working folder: a folder for each environment."""

Progress = Callable[[int, int], None]


def recording_path(recordings: Path, environment: str, log_id: str) -> Path:
    """Where the recording of a run is. log_id: the id of its journal."""
    return recordings / environment / f"{log_id}.bars"


@dataclass(frozen=True, kw_only=True)
class LiveJournal:
    """All of a live session.

    Attributes:
        plan: What it trades.
        log_id: The id of its journal.
        genesis: Fields of the first record.
        tail: Everything that is written.
        bars: By leg the bars that it was told, up to the last one that is written.
        last_us: When that closed; 0: none has.
    """

    plan: LivePlan
    log_id: str
    genesis: Mapping[str, Any]
    tail: Tail
    bars: Sequence[Bars]
    last_us: int

    @property
    def start_us(self) -> int:
        """When it started."""
        return at_us(self.genesis["at"])

    def live_setup(self) -> tuple[SchedulerSetup, LiveFeeds]:
        """Its setup as it began, and where its bars came from."""
        return set_up_again(self.plan, self.bars, self.start_us, self.tail, 1, self.genesis["execution"])

    def twin_setup(self) -> SchedulerSetup:
        """The same bars as a backtest has them, up to the last one that closed; orders are filled at the opens.

        Raises:
            DataError: None has closed.
        """
        if not self.last_us:
            raise DataError(f"no bars have closed in the session of {self.plan.environment!r}.")
        return set_up_scheduler(
            self.plan.config,
            self.plan.scheduler,
            environment=self.plan.environment,
            bars=self._given_bars(),
            start=at_text(self.start_us),
            end=at_text(self.last_us),
            **self.genesis["execution"],
        )

    def drift(self) -> RecordedDrift:
        """How late its runs were."""
        return RecordedDrift(self.tail.records, self.twin_setup())

    def do_again(self, ledger: CatchUp, progress: Progress | None = None) -> DivergedError | None:
        """Make every record anew; the first that does not come out so, None where all do.

        Args:
            ledger: What compares; see `compare`.
            progress: Called with the records that are the same, and all that are to be.
        """
        again = Again(*self.live_setup(), self.bars, self.tail, self.log_id, ledger)
        whole = sum(1 for _ in self.tail.records)
        try:
            for _ in again.steps():
                again.writer.take_waiting()
                if progress is not None:
                    progress(ledger.compared, whole)
        except DivergedError as error:
            return error
        return None

    def compare(self) -> CatchUp:
        """What holds each record that is made against the one that was written."""
        return CatchUp(self.tail.records, None, COMPARED)

    def _given_bars(self) -> GivenBars:
        names, second = list(self.plan.primary), list(self.plan.secondary)
        legs = LiveFeeds(self.plan).told(one.command for one in self.tail.commands).merged(self.bars)
        return {
            name: (legs[place], legs[len(names) + second.index(name)]) if name in second else legs[place]
            for place, name in enumerate(names)
        }


def read_live_journal(
    files: JournalFiles,
    core: CoreConfig,
    genesis: Mapping[str, Any],
    log_id: str,
    recording: Path | None = None,
    disk: Disk = REAL_DISK,
) -> LiveJournal:
    """A live session from the disk.

    Args:
        files: Its journal.
        core: The configuration that it was made with.
        genesis: Fields of its first record.
        log_id: The journal's id.
        recording: Where its bars are; None: where the live loop keeps them, under the working folder.
        disk: Where the journal lies.

    Raises:
        DataError: The recording is not there, or is none.
        JournalError: The recording is of other legs, or bars are missing in it.
    """
    path = recording_path(RECORDINGS, files.environment, log_id) if recording is None else recording
    if not path.is_file():
        raise DataError(f"{path}: there is no recording of this session's bars here. Name it with --recording.")
    return live_journal(files, core, genesis, log_id, recorded_bars(path), str(path), disk)


def live_journal(
    files: JournalFiles,
    core: CoreConfig,
    genesis: Mapping[str, Any],
    log_id: str,
    recorded: Sequence[Bars],
    where: str,
    disk: Disk = REAL_DISK,
) -> LiveJournal:
    """A live session with its recorded bars. where: what these are called in messages; see `read_live_journal`."""
    plan = plan_live(core, genesis["environment"], genesis["scheduler"])
    begun, now = [one["instrument"] for one in genesis["bars"]], [leg.name for leg in legs_of(plan)]
    if begun != now:
        raise JournalError(
            f"{files.open_segment}: was begun with bars of {', '.join(begun)}; this version reads {', '.join(now)}."
        )
    tail = whole_tail(files, disk)
    closes = [payload for payload in tail.records if payload.startswith(b'"kind":"bars"')]
    last_us = at_us(fields_of(closes[-1])["at"]) if closes else 0
    bars = [
        one.part(0, int(np.searchsorted(one.closes_us, last_us or at_us(genesis["at"]), "right"))) for one in recorded
    ]
    _refuse_other_bars(where, genesis, bars, len(closes))
    return LiveJournal(plan=plan, log_id=log_id, genesis=genesis, tail=tail, bars=bars, last_us=last_us)


def _refuse_other_bars(where: str, genesis: Mapping[str, Any], bars: Sequence[Bars], closes: int) -> None:
    written = [f"{one['venue']}:{one['instrument']}" for one in genesis["bars"]]
    found = [f"{one.venue}:{one.symbol}" for one in bars]
    if written != found:
        raise JournalError(f"{where}: is of {', '.join(found)}; the journal's session had {', '.join(written)}.")
    start_us = at_us(genesis["at"])
    after = np.unique(np.concatenate([one.closes_us[one.closes_us > start_us] for one in bars])).size
    if after < closes:
        raise JournalError(
            f"{where}: holds bars of {after:,} closes; in the journal bars closed at {closes:,} instants. What a loss "
            "of power took the venue may still have: a restart of the session asks for it."
        )
