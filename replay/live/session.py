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
from ...config.digest import content_sha384
from ...engine.bars import MICROSECONDS, Bars
from ...engine.growing import Row
from ...engine.provenance import software
from ...engine.scheduler.checkpoint import restore_checkpoint
from ...engine.scheduler.live_setup import LivePlan, set_up_live
from ...engine.scheduler.machine import SchedulerMachine
from ...engine.scheduler.setup import SchedulerSetup
from ...errors import JournalError
from ..catching_up import MADE_AGAIN, CatchUp, DivergedError
from ..drift import RecordedDrift
from ..journal.disk import REAL_DISK, Disk
from ..journal.files import JournalFiles
from ..journal.reading import read_payloads, read_segment
from ..journal.record import at_text, at_us, fields_of, members
from ..journal.segments import KeyStore
from ..journal.writer import TradingDecisionJournal
from ..session import given_of
from .greeting import legs_of
from .loop import LiveLoop
from .records import TOLD, LiveRecords, report_of
from .scribe import LiveScribe

COMPARED = MADE_AGAIN | TOLD | {"order"}
"""Kinds of records that a live run makes again, or takes from its journal and writes the same."""


_MADE = tuple(f'"kind":"{kind}"'.encode() for kind in sorted(COMPARED))
_NO_CHECKPOINT = {"opened_us": -1, "reports": 0, "tags": {}}


class Past(Protocol):
    """Where a run's bars are kept, and where those come from that are not."""

    def add(self, ts_us: int, rows: Mapping[int, Row]) -> None:
        """Have the bars that opened at an instant kept, by leg."""

    def flush(self) -> None:
        """Keep what waits to be kept."""

    def sync(self) -> None:
        """Have what was given so far outlive a loss of power: a checkpoint builds on it."""

    def read(self) -> Sequence[Bars]:
        """By leg the bars that are kept."""

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
        machine: SchedulerMachine,
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
        start_us = _start_of(files, disk, start_us)
        genesis = _genesis(plan, start_us, options)
        journal = TradingDecisionJournal.open(
            folder, plan.environment, keys, log_id=log_id, genesis=genesis, now_us=now_us, disk=disk
        )
        try:
            return _CatchingUp(plan, files, journal, past, start_us, room, options, disk).session(genesis)
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
        return self.writer.live_checkpoint(self.loop.next_bar, self.loop.opened_us, self.loop.reports)


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

    def session(self, genesis: bytes) -> LiveSession:
        """The run, where the journal ends."""
        tail, checkpoint, tags = self._read(genesis)
        now_us = None if checkpoint is None else at_us(checkpoint["at"])
        live: dict[str, Any] = _NO_CHECKPOINT if checkpoint is None else checkpoint["live"]
        bars = self._bars(tail, checkpoint)
        setup = self._set_up(bars, self._start_us if now_us is None else now_us)
        machine = SchedulerMachine(setup, observed=True)
        if checkpoint is not None:
            restore_checkpoint(machine, checkpoint["state"])
        commands = [given_of(fields_of(one)) for one in tail if one.startswith(b'"kind":"command"')]
        opened_us, reports = live["opened_us"], live["reports"]
        loop = LiveLoop(machine, self._journal.log_id, commands, now_us=now_us, opened_us=opened_us, reports=reports)
        ledger = CatchUp(tail, self._journal, COMPARED)
        loop.writer = writer = LiveScribe(machine, ledger, self._journal, loop.orders, now_us, {**live["tags"], **tags})
        loop.drift = RecordedDrift(tail, setup)
        _Again(loop, ledger, setup, bars).do()
        loop.drift = None
        writer.take_waiting()  # the venue is asked which of them it has
        loop.commit()
        return LiveSession(self._plan, machine, loop, self._journal, writer, self._past, self._options, ledger.compared)

    def _read(self, genesis: bytes) -> tuple[list[bytes], dict[str, Any] | None, dict[str, str]]:
        """Records since the last checkpoint, that checkpoint, and the tags of the orders among these records."""
        tail: list[bytes] = []
        checkpoint: dict[str, Any] | None = None
        tags: dict[str, str] = {}
        for place, payload in read_payloads(self._files, self._disk):
            if place.kind == "genesis":
                _refuse_another_run(self._files, payload, genesis)
            elif place.kind == "checkpoint":
                checkpoint, tail, tags = fields_of(payload), [], {}
            else:
                tail.append(payload)
                if place.kind == "order" and (record := fields_of(payload))["status"] == "accepted":
                    tags[record["order_id"]] = f"{place.seq}.{place.mac[:16]}"
        return tail, checkpoint, tags

    def _bars(self, tail: Sequence[bytes], checkpoint: Mapping[str, Any] | None) -> Sequence[Bars]:
        """By leg all bars that the run has been told of; what the recording lacks, the venue has.

        Raises:
            JournalError: Some are nowhere.
        """
        told = [fields_of(one) for one in tail if one.startswith(b'"kind":"bars"')]
        last_us = max([self._start_us, *(at_us(one["at"]) for one in told[-1:])])
        interval_us, kept = self._plan.interval_seconds * MICROSECONDS, self._past.read()
        has_begun = checkpoint is not None or any(one.startswith(_MADE) for one in tail)
        if not has_begun or not any(map(len, kept)):  # a kill may have left a part of the history
            return self._past.fetch(self._start_us - self._plan.history_bars * interval_us, last_us)
        wanted, now_us = (0, 0) if checkpoint is None else (checkpoint["state"]["next_bar"], at_us(checkpoint["at"]))
        missing_us = _first_missing(kept, told, interval_us)
        if missing_us is not None:
            kept = self._past.fetch(missing_us, last_us)
        if _count(kept, now_us) < wanted:
            raise JournalError(
                f"{self._files.open_segment}: its checkpoint knows of {wanted:,} bars; {_count(kept, now_us):,} of "
                "them are in the recording or at the venue."
            )
        return kept

    def _set_up(self, bars: Sequence[Bars], until_us: int) -> SchedulerSetup:
        legs = [one.part(0, int(np.searchsorted(one.closes_us, until_us, side="right"))) for one in bars]
        room = self._room + sum(len(one) - len(leg) for one, leg in zip(bars, legs, strict=True))
        return set_up_live(self._plan, legs[: len(self._plan.names)], self._start_us, room, **self._options)


def _count(legs: Sequence[Bars], until_us: int) -> int:
    """How many times there are at which a bar of any leg opened that was closed at an instant."""
    times = [bars.ts_us[: int(np.searchsorted(bars.closes_us, until_us, side="right"))] for bars in legs]
    return int(np.unique(np.concatenate(times)).size)


def _first_missing(legs: Sequence[Bars], told: Sequence[Mapping[str, Any]], interval_us: int) -> int | None:
    """When the first bar opened that a `bars` record counts and the recording lacks; None where it has all."""
    closes = np.concatenate([bars.closes_us for bars in legs])
    closes.sort()
    for record in told:
        now_us = at_us(record["at"])
        if np.searchsorted(closes, now_us, "right") - np.searchsorted(closes, now_us) < record["count"]:
            return now_us - interval_us
    return None


class _Again:
    """What the journal holds since its checkpoint, done again."""

    def __init__(self, loop: LiveLoop, ledger: CatchUp, setup: SchedulerSetup, bars: Sequence[Bars]) -> None:
        self._loop, self._ledger, self._records = loop, ledger, LiveRecords(setup)
        self._bars, self._interval_us = bars[: len(setup.panel.names)], setup.panel.interval_seconds * MICROSECONDS
        self._places = [int(np.searchsorted(one.closes_us, loop.now_us, side="right")) for one in self._bars]

    def do(self) -> None:
        """Do all of it.

        Raises:
            DivergedError: Something else came out.
        """
        while (upcoming := self._ledger.upcoming) is not None:
            stood_us = self._loop.now_us
            self._make(fields_of(upcoming))
            if self._ledger.upcoming is upcoming and self._loop.now_us == stood_us:
                raise DivergedError(upcoming, None)

    def _make(self, record: Mapping[str, Any]) -> None:
        """Do what brings a record about."""
        now_us, loop = at_us(record["at"]), self._loop
        if not loop.has_begun:
            loop.start()
        elif now_us > loop.now_us:
            loop.advance(now_us, self._rows(now_us))
        elif record["kind"] == "report":
            loop.report(report_of(record, at_us(record["told_at"])))
        elif record["kind"] == "opens":
            loop.begin(now_us, self._records.opens_of(record))

    def _rows(self, now_us: int) -> dict[int, Row]:
        rows = {}
        for leg, bars in enumerate(self._bars):
            at = self._places[leg]
            while at < len(bars) and int(bars.closes_us[at]) < now_us:
                at += 1
            if at < len(bars) and int(bars.closes_us[at]) == now_us:
                rows[leg] = tuple(bars.values[:5, at].tolist())
                at += 1
            self._places[leg] = at
        return rows


def _start_of(files: JournalFiles, disk: Disk, start_us: int) -> int:
    """When a run that there is a journal of has started; else the start that is wanted.

    A kill may have come before the open segment had its name.
    """
    names = disk.names(files.folder)
    if files.head.name not in names:
        return start_us
    for path in (*files.sealed_segments(disk), files.open_segment, files.next_segment):
        if path.name in names:
            with disk.read(path) as file:
                first = next(read_segment(file, path, may_be_torn=True), None)
            if first is None or first[0].kind != "genesis":
                return start_us
            return at_us(fields_of(first[1][first[1].index(b'"kind":') :])["at"])
    return start_us


def _genesis(plan: LivePlan, start_us: int, options: Mapping[str, Any]) -> bytes:
    """The first record of a run's journal: all that the run depends on."""
    scheduler = plan.config.runtime.multi_strategy_schedulers[plan.scheduler]
    return members(
        {
            "kind": "genesis",
            "at": at_text(start_us),
            "driver": "live",
            "environment": plan.environment,
            "scheduler": plan.scheduler,
            "telemetry_namespace": scheduler.telemetry_namespace or f"runtime.{plan.scheduler}",
            "config": content_sha384(plan.config),
            "software": software(),
            "parent": None,
            "end": None,
            "without": [],
            "drift_seconds": 0.0,
            "execution": dict(options),
            "bars": [{"instrument": leg.name, "venue": leg.venue} for leg in legs_of(plan)],
        }
    )


def _refuse_another_run(files: JournalFiles, written: bytes, wanted: bytes) -> None:
    old, new = fields_of(written), fields_of(wanted)
    for name in sorted({*old, *new} - {"parent"}):
        if old.get(name) != new.get(name):
            raise JournalError(
                f"{files.open_segment}: the journal was begun with {name} = {old.get(name)}, this run has "
                f"{new.get(name)}. Go on with it as it was begun, or give another run its own folder and keys."
            )
