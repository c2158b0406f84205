"""A scheduler's run in event time with its journal: begun, or gone on with where the journal ends.

Starting and recovering are one path: what the journal holds since its last checkpoint is done again and compared, and
from there on new records are written.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from hashlib import sha384
from pathlib import Path
from typing import Any

import msgspec

from ..config.commands import AnyCommand, UseFeed
from ..engine.provenance import software
from ..engine.scheduler.checkpoint import restore_checkpoint
from ..engine.scheduler.commands import Given
from ..engine.scheduler.machine import SchedulerMachine
from ..engine.scheduler.result import SchedulerResult
from ..engine.scheduler.setup import SchedulerSetup
from ..errors import JournalError, UsageError
from .catching_up import MADE_AGAIN, CatchUp
from .drift import RecordedDrift
from .event_loop import EventLoop, Listener
from .health import BY_HEALTH, HealthWatch
from .journal.disk import REAL_DISK, Disk
from .journal.files import JournalFiles
from .journal.reading import read_payloads
from .journal.record import at_text, at_us, fields_of, members
from .journal.segments import KeyStore
from .journal.writer import TradingDecisionJournal
from .journal_tables import JournalTables
from .scribe import Ledger, Scribe
from .started_with import done_us, still_to_come

FROM_FILE = "commands"
"""Who gives the commands that a run is started with."""


_TOO_LATE = (
    "use_feed: recorded bars are read and merged at the start. Put the command, with its instant, into those that the "
    "run is started with: `--commands FILE`, in Python `commands=`."
)


class Session:
    """A run and its journal.

    Attributes:
        loop: What turns the scheduler.
        journal: Where it writes; None where it does not.
        caught_up: How many records were done again and compared at the start.
        switch_feed: Who is told what an operator says of feeds, once it is written down; None where the bars were read
            and merged when the run was set up.
    """

    def __init__(
        self,
        setup: SchedulerSetup,
        listeners: Sequence[Listener] = (),
        *,
        block_bars: int = 256,
        observed: bool = False,
    ) -> None:
        """A run without a journal. observed: see `SchedulerMachine`."""
        self.machine = SchedulerMachine(setup, observed=observed)
        health = HealthWatch(self.machine)
        self.loop = EventLoop(self.machine, given(setup), listeners, block_bars=block_bars, health=health)
        self.journal: TradingDecisionJournal | None = None
        self._scribe: Scribe | None = None
        self._ledger: Ledger | None = None
        self.caught_up = 0
        self.switch_feed: Callable[[UseFeed], object] | None = None

    @classmethod
    def open(
        cls,
        setup: SchedulerSetup,
        folder: Path,
        keys: KeyStore,
        listeners: Sequence[Listener] = (),
        *,
        log_id: str,
        now_us: int,
        block_bars: int = 256,
        disk: Disk = REAL_DISK,
    ) -> Session:
        """A run with its journal, gone on with where there is one.

        Args:
            setup: The scheduler and its bars.
            folder: The folder of journals.
            keys: Where the open segment's key is kept.
            listeners: Who hears of what is done from now on.
            log_id: 32 random hexadecimal digits, for a journal that is new.
            now_us: Wall time in microseconds, for the record of what a crash left.
            block_bars: Bars whose wishes are made at a time, and that are done before a run stops.
            disk: Where the journal lies.

        Raises:
            HeldError: Another process writes this journal.
            JournalError: The journal is of another run, or does not say what this run does.
        """
        session = cls(setup, block_bars=block_bars, observed=True)
        genesis = _genesis(setup)
        journal = TradingDecisionJournal.open(
            folder, setup.environment, keys, log_id=log_id, genesis=genesis, now_us=now_us, disk=disk
        )
        try:
            session._catch_up(JournalFiles(folder=folder, environment=setup.environment), journal, genesis, disk)
        except BaseException:
            journal.close()
            raise
        session.loop.listeners = tuple(listeners)
        return session

    def run(self) -> None:
        """Do everything that is left."""
        while self.loop.advance():
            pass

    def give(self, command: AnyCommand, by: str) -> None:
        """Apply a command at once: when this returns it holds, and the journal has it.

        Raises:
            UsageError: Its instant is past, or something else comes before it; see `EventLoop.give_at_once`. Or it
                is about feeds, whose bars were read when the run was set up.
        """
        if isinstance(command, UseFeed) and self.switch_feed is None:
            raise UsageError(_TOO_LATE)
        self.loop.give_at_once(command, by)
        if self._ledger is not None:
            self._ledger.commit()
        if isinstance(command, UseFeed) and self.switch_feed is not None:
            self.switch_feed(command)

    def close(self, *, finish: bool = True) -> None:
        """Seal the journal with a checkpoint, and let go of it.

        finish: whether the bars that were taken are finished first; a run that stops amid them leaves no checkpoint,
        and what it did since the last one is done again when it goes on. So does one that an error stopped.
        """
        try:
            while finish and not self.loop.is_stopped and not self.loop.is_between_bars and self.loop.step():
                pass
        finally:
            self._let_go()

    def _let_go(self) -> None:
        if self.journal is not None and self._scribe is not None:
            has_more = self.journal.seq > self.journal.segment_seq  # than the checkpoint that it began with
            seals = has_more and self.loop.has_begun and self.loop.is_between_bars  # the start's tales are in none
            self.journal.close(self._scribe.checkpoint(self.loop.next_bar) if seals else None)

    def result(self) -> SchedulerResult:
        """What came of it so far, from the first bar on; see `SchedulerMachine.result_so_far`."""
        return self.machine.result_so_far(self.loop.now_us)

    def _catch_up(self, files: JournalFiles, journal: TradingDecisionJournal, genesis: bytes, disk: Disk) -> None:
        """Go to where the journal ends."""
        setup, machine, tables = self.machine.setup, self.machine, JournalTables(self.machine.setup)
        tail: list[bytes] = []
        state: dict[str, Any] | None = None
        now_us = None
        from_file: list[AnyCommand] = []
        for place, payload in read_payloads(files, disk):
            if place.kind == "genesis":
                _refuse_another_run(files, payload, genesis)
            elif place.kind == "checkpoint":
                for before in tail:
                    tables.take(fields_of(before))
                checkpoint = fields_of(payload)
                tail, state, now_us = [], checkpoint["state"], at_us(checkpoint["at"])
            else:
                tail.append(payload)
                if place.kind == "command" and (one := given_of(fields_of(payload))).by == FROM_FILE:
                    from_file.append(one.command)
        waiting = still_to_come(files, from_file, given(setup), setup.start_us, done_us(tail, now_us))
        next_bar = None if state is None else restore_checkpoint(machine, state)
        tables.put_into(machine)
        commands = [given_of(fields_of(payload)) for payload in tail if payload.startswith(b'"kind":"command"')]
        ledger = CatchUp(tail, journal)
        self.journal, self._ledger, self._scribe = journal, ledger, Scribe(machine, ledger, now_us)
        self.loop = EventLoop(
            machine,
            [*commands, *waiting],
            writer=self._scribe,
            block_bars=self.loop.block_bars,
            next_bar=next_bar,
            now_us=now_us,
            health=HealthWatch(machine, commands),
        )
        self.loop.drift = RecordedDrift(tail, setup)
        if not self.loop.has_begun and all(_is_ahead(one, at_text(setup.start_us)) for one in tail):
            self.loop.apply_waiting()
        while ledger.is_behind:
            if not self.loop.step():
                ledger.finish()
        self.loop.drift = None
        self.caught_up = ledger.compared


def _is_ahead(payload: bytes, start: str) -> bool:
    """Whether a record may be there although nothing was done but commands applied.

    What health ordered is not: it follows from the first bars.
    """
    record = fields_of(payload)
    if record["kind"] not in MADE_AGAIN:
        return True
    told = record["kind"] in {"command", "expiry"} and record.get("by") != BY_HEALTH
    return told and bool(record["at"] == start)


def given_of(record: Mapping[str, Any]) -> Given:
    """The command that a record tells of."""
    return Given(command=msgspec.convert(record["command"], AnyCommand), by=record["by"])


def given(setup: SchedulerSetup) -> list[Given]:
    """The commands that a run is started with; those after its end never apply."""
    told = (Given(command=command, by=FROM_FILE) for command in setup.commands)
    return [one for one in told if one.at_us <= setup.end_us]


def _genesis(setup: SchedulerSetup) -> bytes:
    """The first record of a run's journal: all that the run depends on."""
    history = setup.history
    fields = {
        "kind": "genesis",
        "at": at_text(setup.start_us),
        "environment": setup.environment,
        "scheduler": setup.name,
        "telemetry_namespace": setup.telemetry_namespace,
        "config": setup.config_digest,
        "software": software(),
        "parent": None,
        "end": at_text(setup.end_us),
        "without": sorted(setup.without),
        "drift_seconds": setup.drift_seconds,
        "execution": {name: _worded(value) for name, value in asdict(setup.execution).items()},
        "funding": _funding(setup),
        "bars": [
            {"instrument": name, "venue": bars.venue, "first": at_text(int(bars.ts_us[0])) if len(bars) else None}
            for name, bars in zip(history.names, history.instruments, strict=True)
        ],
    }
    return members(fields)


def _funding(setup: SchedulerSetup) -> dict[str, str] | None:
    """By instrument SHA-384 of the funding rates that were given, bar by bar; None where none were."""
    names = setup.history.names
    return {names[i]: sha384(rates.astype("<f8").tobytes()).hexdigest() for i, rates in setup.rates.items()} or None


def _worded(value: Any) -> Any:
    """What JSON has no number for as a word."""
    return repr(value) if isinstance(value, float) and not math.isfinite(value) else value


def _refuse_another_run(files: JournalFiles, written: bytes, wanted: bytes) -> None:
    old, new = fields_of(written), fields_of(wanted)
    for name in sorted({*old, *new} - {"parent"}):
        if old.get(name) != new.get(name):
            raise JournalError(
                f"{files.open_segment}: the journal was begun with {name} = {json.dumps(old.get(name))}, this run has "
                f"{json.dumps(new.get(name))}. Go on with it as it was begun, or give another run its own folder and "
                "keys."
            )
