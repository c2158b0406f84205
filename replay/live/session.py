"""A live run with its journal and its recording: begun, or gone on with where the journal ends.

Starting and recovering are one path: what the journal holds since its last checkpoint is done again and compared. What
the venue told is in the journal and in the recording; the venue itself is asked for what a loss of power took.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ...config.commands import AnyCommand
from ...engine.bars import MICROSECONDS, Bars
from ...engine.growing import Row
from ...engine.scheduler.live_machine import LiveMachine
from ...engine.scheduler.live_setup import LivePlan
from ...errors import JournalError
from ..catching_up import CatchUp
from ..journal.disk import REAL_DISK, Disk
from ..journal.files import JournalFiles
from ..journal.record import at_text, at_us, fields_of
from ..journal.segments import KeyStore
from ..journal.writer import TradingDecisionJournal
from .again import COMPARED, Again, Tail, set_up_again
from .genesis import genesis_of, has_begun, start_of
from .loop import LiveLoop
from .scribe import LiveScribe
from .tail import last_tail


class Past(Protocol):
    """Where a run's bars are kept, and where those come from that are not."""

    def add(self, ts_us: int, rows: Mapping[int, Row]) -> None:
        """Have the bars that opened at an instant kept, by leg."""

    def flush(self) -> None:
        """Keep what waits to be kept."""

    def sync(self) -> None:
        """Have what was given so far outlive a loss of power: a checkpoint builds on it."""

    def read(self) -> Sequence[Bars]:
        """By leg the bars that are kept, but for those that wait; any thread may ask."""

    def fetch(self, from_us: int, to_us: int) -> Sequence[Bars]:
        """Keep the venue's closed bars between two instants, and give all that are kept."""


class LiveSession:
    """A run, its journal and its recording.

    Attributes:
        plan: What it trades.
        machine: The scheduler.
        loop: What turns it.
        journal: Where it writes.
        writer: Who writes there.
        past: Its bars.
        options: Fields of `Execution`.
        caught_up: How many records were done again and compared at the start.
        is_closed: Whether it has let go of its journal.
    """

    def __init__(
        self,
        plan: LivePlan,
        machine: LiveMachine,
        loop: LiveLoop,
        journal: TradingDecisionJournal,
        writer: LiveScribe,
        past: Past,
        options: Mapping[str, Any],
        caught_up: int,
    ) -> None:
        self.plan, self.machine, self.loop, self.journal = plan, machine, loop, journal
        self.writer, self.past, self.options, self.caught_up = writer, past, options, caught_up
        self.is_closed = False

    @classmethod
    def open(
        cls,
        plan: LivePlan,
        folder: Path,
        keys: KeyStore,
        past: Past,
        *,
        log_id: str,
        start_us: int,
        now_us: int,
        room: int,
        disk: Disk = REAL_DISK,
        **options: Any,
    ) -> LiveSession:
        """A run, gone on with where there is a journal.

        Args:
            plan: What it trades.
            folder: The folder of journals.
            keys: Where the open segment's key is kept.
            past: Its bars.
            log_id: 32 random hexadecimal digits, for a journal that is new.
            start_us: Where the venue stands, for a journal that is new.
            now_us: Wall time in microseconds, for the record of what a crash left.
            room: Bars that may still come.
            disk: Where the journal lies.
            **options: See `set_up_live`.

        Raises:
            HeldError: Another process writes this journal.
            JournalError: The journal is of another run, or does not say what this run does.
            DataError: Bars are missing.
        """
        files = JournalFiles(folder=folder, environment=plan.environment)
        start_us = start_of(files, disk, start_us)
        bars = past.read()
        if not has_begun(files, disk) or not any(map(len, bars)):  # a kill may have left a part of the history
            bars = past.fetch(start_us - plan.history_bars * plan.interval_seconds * MICROSECONDS, start_us)
        genesis = genesis_of(plan, start_us, options, bars)
        journal = TradingDecisionJournal.open(
            folder, plan.environment, keys, log_id=log_id, genesis=genesis, now_us=now_us, disk=disk
        )
        try:
            return _CatchingUp(plan, files, journal, past, start_us, room, options, disk).session(genesis, bars)
        except BaseException:
            journal.close()
            raise

    def give(self, command: AnyCommand, by: str) -> None:
        """Apply a command at once: when this returns it holds, and the journal has it.

        Raises:
            UsageError: Its instant is past, or something else comes before it.
        """
        self.loop.give_at_once(command, by)
        self.loop.commit()

    def commit(self) -> None:
        """Make what was written durable, and begin a new segment where the open one is long."""
        self.loop.commit()
        if self.journal.is_full:
            self.past.sync()
            self.journal.seal(self._checkpoint())

    def note_connection(self, status: str, reason: str) -> None:
        """Write down what happens to the connection."""
        at = at_text(max(self.loop.now_us, self.machine.setup.start_us))
        self.journal.append_record({"kind": "connection", "at": at, "status": status, "reason": reason})
        self.commit()

    def close(self) -> None:
        """Seal the journal with a checkpoint, and let go of it; a run that an error stopped leaves none."""
        self.is_closed = True
        seals = self.loop.has_begun and not self.loop.is_stopped and self.journal.seq > self.journal.segment_seq
        if seals:
            self.past.sync()
        self.journal.close(self._checkpoint() if seals else None)

    def _checkpoint(self) -> bytes:
        live = {
            "opened_us": self.loop.opened_us,
            "reports": self.loop.reports,
            "feeds": self.loop.feeds.state(),
        }
        return self.writer.live_checkpoint(self.loop.next_bar, live)


class _CatchingUp:
    """A run on its way to where its journal ends."""

    def __init__(
        self,
        plan: LivePlan,
        files: JournalFiles,
        journal: TradingDecisionJournal,
        past: Past,
        start_us: int,
        room: int,
        options: Mapping[str, Any],
        disk: Disk,
    ) -> None:
        self._plan, self._files, self._journal, self._past = plan, files, journal, past
        self._start_us, self._room, self._options, self._disk = start_us, room, options, disk

    def session(self, genesis: bytes, kept: Sequence[Bars]) -> LiveSession:
        """The run, where the journal ends. kept: by leg the bars that are recorded."""
        tail = last_tail(self._files, self._disk, genesis)
        bars = self._bars(tail, kept)
        setup, feeds = set_up_again(self._plan, bars, self._start_us, tail, self._room, self._options)
        ledger = CatchUp(tail.records, self._journal, COMPARED)
        again = Again(setup, feeds, bars, tail, self._journal.log_id, ledger, self._journal)
        again.do()
        loop, writer = again.loop, again.writer
        loop.drift = None
        writer.take_waiting()  # the venue is asked which of them it has
        loop.commit()
        return LiveSession(
            self._plan, loop.machine, loop, self._journal, writer, self._past, self._options, ledger.compared
        )

    def _bars(self, tail: Tail, kept: Sequence[Bars]) -> Sequence[Bars]:
        """By leg all bars that the run has been told of; what the recording lacks, the venue has.

        Raises:
            JournalError: Some are nowhere.
        """
        told = [fields_of(one) for one in tail.records if one.startswith(b'"kind":"bars"')]
        last_us = max([self._start_us, *(at_us(one["at"]) for one in told[-1:])])
        interval_us = self._plan.interval_seconds * MICROSECONDS
        wanted = 0 if tail.checkpoint is None else tail.checkpoint["state"]["next_bar"]
        now_us = tail.now_us or 0
        missing_us = _first_missing(kept, told, interval_us)
        if missing_us is not None:
            kept = self._past.fetch(missing_us, last_us)
        if _count(kept, now_us) < wanted:
            raise JournalError(
                f"{self._files.open_segment}: its checkpoint knows of {wanted:,} bars; {_count(kept, now_us):,} of "
                "them are in the recording or at the venue."
            )
        return kept


def _count(legs: Sequence[Bars], until_us: int) -> int:
    """How many times there are at which a bar of any leg opened that was closed at an instant."""
    times = [bars.ts_us[: int(np.searchsorted(bars.closes_us, until_us, side="right"))] for bars in legs]
    return int(np.unique(np.concatenate(times)).size)


def _first_missing(legs: Sequence[Bars], told: Sequence[Mapping[str, Any]], interval_us: int) -> int | None:
    """From when on the recording may lack bars that `bars` records tell of; None where it has all.

    Of the last instant that it holds some may have been cut off.
    """
    last_us = max(int(bars.closes_us[-1]) for bars in legs if len(bars))
    return last_us - interval_us if told and at_us(told[-1]["at"]) >= last_us else None
