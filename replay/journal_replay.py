"""A session done again from its journal: each decision is made anew and held against the one that was written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..config.commands import UseFeed
from ..config.core import CoreConfig
from ..config.digest import content_sha384
from ..engine.configured import load_core_config
from ..engine.scheduler.backtest import set_up_scheduler
from ..engine.scheduler.commands import Given
from ..engine.scheduler.machine import SchedulerMachine
from ..engine.scheduler.setup import SchedulerSetup
from ..errors import DataError, JournalError, UsageError
from .catching_up import CatchUp, DivergedError
from .control.configurations import kept
from .drift import RecordedDrift
from .event_loop import EventLoop
from .health import HealthWatch
from .journal.files import JournalFiles
from .journal.reading import read_payloads
from .journal.record import at_us, fields_of
from .live.done_again import LiveJournal, read_live_journal
from .live.genesis import LIVE
from .replaying import Progress
from .scribe import Scribe
from .session import given_of


@dataclass(frozen=True, kw_only=True)
class JournalReplay:
    """What came of doing a journal again.

    Attributes:
        setup: What the journal says that it ran on.
        commands: What operators did, with who did it.
        last_us: The last instant in the journal.
        compared: How many records came out the same.
        diverged: The first that did not; None where all did.
    """

    setup: SchedulerSetup
    commands: tuple[Given, ...]
    last_us: int
    compared: int
    diverged: DivergedError | None


def replay_journal(
    journal: str | Path,
    config: CoreConfig | str | Path,
    progress: Progress | None = None,
    *,
    recording: str | Path | None = None,
    **asked: Any,
) -> JournalReplay:
    """Do a journal again, from its first record to its last: of a replay, or of a live session.

    Args:
        journal: Its open segment, such as `audit/decision_logs/demo.jsonl`.
        config: The configuration that it was made with, or its file.
        progress: Called with what is done and all of it: bars, of a live session records.
        recording: Of a live session, its bars; None: where the live loop keeps them, under the working folder.
        **asked: Of a replay, `bars` and `funding`, where they are not the environment's recorded ones.

    Raises:
        JournalError: It is damaged, was made with another configuration, or its recording is of other bars.
        ConfigError: The configuration is refused.
        DataError: There is no journal, or its bars are not there.
    """
    files = journal_files(journal)
    live = live_journal_of(files, config, recording)
    if live is not None:
        ledger = live.compare()
        diverged = live.do_again(ledger, progress)
        return JournalReplay(
            setup=live.live_setup()[0],
            commands=tuple(live.tail.commands),
            last_us=live.last_us or live.start_us,
            compared=ledger.compared,
            diverged=diverged,
        )
    setup = setup_of(files, config, **asked)
    commands, last_us = what_was_told(files)
    machine = SchedulerMachine(setup, observed=True)
    ledger = CatchUp(payload for _, payload in read_payloads(files))
    scribe, health = Scribe(machine, ledger), HealthWatch(machine, commands)
    loop = EventLoop(machine, commands, writer=scribe, block_bars=256, health=health)
    loop.drift = RecordedDrift((payload for _, payload in read_payloads(files)), setup)
    diverged = None
    try:
        while ledger.is_behind and loop.step():
            if progress is not None and loop.is_between_bars:
                progress(loop.next_bar - machine.bars.start, len(machine.bars))
        ledger.finish()
    except DivergedError as error:
        diverged = error
    return JournalReplay(
        setup=setup, commands=tuple(commands), last_us=last_us, compared=ledger.compared, diverged=diverged
    )


def journal_files(journal: str | Path) -> JournalFiles:
    """The files of a journal, by its open segment.

    Raises:
        DataError: There is no such file.
    """
    path = Path(journal)
    if not path.is_file() or path.suffix != ".jsonl":
        raise DataError(f"{path}: no such journal. It is a file such as audit/decision_logs/demo.jsonl.")
    return JournalFiles(folder=path.parent, environment=path.stem)


def live_journal_of(
    files: JournalFiles, config: CoreConfig | str | Path, recording: str | Path | None = None
) -> LiveJournal | None:
    """The live session that a journal is of; None where it is a replay's.

    Raises:
        JournalError: It is damaged, was made with another configuration, or its recording is of other bars.
        UsageError: A recording is given for the journal of a replay.
        DataError: The recording is not there.
    """
    log_id, genesis = _genesis(files)
    if genesis.get("driver") != LIVE:
        if recording is not None:
            raise UsageError(f"{files.open_segment}: is the journal of a replay, which reads its bars where they are.")
        return None
    core = config if isinstance(config, CoreConfig) else load_core_config(config)
    core = _as_begun(files, genesis["config"], core)
    return read_live_journal(files, core, genesis, log_id, None if recording is None else Path(recording))


def setup_of(files: JournalFiles, config: CoreConfig | str | Path, **asked: Any) -> SchedulerSetup:
    """What the genesis record says that a session was started with, and what was said of feeds.

    Raises:
        JournalError: It was started with another configuration, or with other instruments' funding.
    """
    core = config if isinstance(config, CoreConfig) else load_core_config(config)
    _, genesis = _genesis(files)
    core = _as_begun(files, genesis["config"], core)
    words = [one.command for one in what_was_told(files)[0] if isinstance(one.command, UseFeed)]
    setup = set_up_scheduler(core, **(started_with(genesis) | {"commands": words} | asked))
    funded, given = sorted(genesis.get("funding") or ()), sorted(setup.history.names[i] for i in setup.rates)
    if funded != given:
        raise JournalError(
            f"{files.open_segment}: was made with funding of {', '.join(funded) or 'nothing'}; here it is of "
            f"{', '.join(given) or 'nothing'}. Give funding=... as it was."
        )
    return setup


def _as_begun(files: JournalFiles, digest: str, core: CoreConfig) -> CoreConfig:
    """The configuration with a digest: the one that is given, else the one that is kept beside the journal."""
    given = content_sha384(core)
    if given == digest:
        return core
    try:
        return kept(files.folder, digest)
    except JournalError:
        raise JournalError(
            f"{files.open_segment}: was made with the configuration {digest[:16]}…; this one is {given[:16]}…. Give "
            "the one that it was made with."
        ) from None


def started_with(genesis: Mapping[str, Any]) -> dict[str, Any]:
    """What `set_up_scheduler` was asked for, by a genesis record; bars, funding and commands are not among it."""
    return {
        "scheduler": genesis["scheduler"],
        "environment": genesis["environment"],
        "start": genesis["at"],
        "end": genesis["end"],
        "without": genesis["without"],
        "drift_seconds": genesis["drift_seconds"],
        **{name: _number(value) for name, value in genesis["execution"].items()},
    }


def _genesis(files: JournalFiles) -> tuple[str, dict[str, Any]]:
    """The id of a journal, and the fields of its first record."""
    place, payload = next(read for read in read_payloads(files) if read[0].kind == "genesis")
    return place.log, fields_of(payload)


def what_was_told(files: JournalFiles) -> tuple[list[Given], int]:
    """What operators did, and when the last bars closed."""
    commands, last = [], b""
    for place, payload in read_payloads(files):
        if place.kind == "command":
            commands.append(given_of(fields_of(payload)))
        elif place.kind == "bars":
            last = payload
    return commands, at_us(fields_of(last)["at"]) if last else 0


def _number(value: Any) -> Any:
    return float(value) if value in {"inf", "-inf"} else value
