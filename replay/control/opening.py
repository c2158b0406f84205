"""Opens a run of an environment: with the configuration and over the bars that its journal was begun with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ...config.core import CoreConfig
from ...config.digest import content_sha384
from ...errors import UsageError
from ..builders import build_multi_strategy_runtime
from ..clock import Clock
from ..journal.files import JournalFiles
from ..journal_replay import started_with
from ..live.opening import LivePlaces, open_live
from .configurations import Begun, begun, keep, kept
from .run import RecordedRun, Run


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is to be run.

    Attributes:
        core: The configuration, as it is written now.
        environment: The name of an environment of it.
        scheduler: The name of one of its schedulers.
        journal: The folder of journals; None: nothing is written down.
        keys: The folder of the signing keys; None: the environment's own.
        start: When recorded bars start; None: where the journal says, else with the first bar.
        end: When they end; None: likewise.
        speed: Of recorded bars, seconds of event time in a second of the clock; None: as fast as it goes.
        latest: Whether it is run once: a new live run then begins so early that each schedule has been due.
    """

    core: CoreConfig
    environment: str
    scheduler: str
    journal: Path | None = None
    keys: Path | None = None
    start: datetime | None = None
    end: datetime | None = None
    speed: float | None = None
    latest: bool = False

    @property
    def is_live(self) -> bool:
        """Whether bars come from a venue: the environment has no recorded ones."""
        return self.core.environments[self.environment].feed is None

    def without_journal(self) -> Wanted:
        """The same, but nothing is written down."""
        return replace(self, journal=None)

    @property
    def files(self) -> JournalFiles | None:
        """The journal's files; None where nothing is written down."""
        return None if self.journal is None else JournalFiles(folder=self.journal, environment=self.environment)


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A run that is open.

    Attributes:
        run: The run; close it when it is done with.
        config: The configuration in force: the one that was begun with, or that of the last reload.
        is_current: Whether that is what the configuration says now.
    """

    run: Run
    config: CoreConfig
    is_current: bool


def open_run(wanted: Wanted, clock: Clock) -> Opened:
    """Open a run, and go on with its journal where there is one.

    Raises:
        UsageError: A name is unknown, or the environment has no bars.
        DataError: Bars or keys are not there.
        HeldError: Another process writes this journal.
        JournalError: The journal is of another run, or is not what it should be.
    """
    told = None if wanted.files is None else begun(wanted.files)
    if wanted.is_live:
        return _open_live(wanted, told, clock)
    if wanted.journal is None or told is None:
        run = _open(wanted, wanted.core, {"scheduler": wanted.scheduler, "environment": wanted.environment}, clock)
        if wanted.journal is not None:
            keep(wanted.journal, wanted.core)
        return Opened(run=run, config=wanted.core, is_current=True)
    config, in_force = _configurations(wanted, told)
    asked = started_with(told.genesis) | {"scheduler": wanted.scheduler}
    is_current = told.in_force == content_sha384(wanted.core)
    return Opened(run=_open(wanted, config, asked, clock), config=in_force, is_current=is_current)


def _open_live(wanted: Wanted, told: Begun | None, clock: Clock) -> Opened:
    if wanted.journal is None:
        raise UsageError(
            f"environment {wanted.environment!r} trades at a venue: its run has a journal, and there is none yet. "
            "Start it with --run-once or --run-forever, or change something."
        )
    for name in ("start", "end", "speed"):
        if getattr(wanted, name) is not None:
            raise UsageError(f"--{name} is for recorded bars; environment {wanted.environment!r} trades at a venue.")
    config, in_force = _configurations(wanted, told)
    places = LivePlaces(journal=wanted.journal, keys=wanted.keys)
    run = open_live(config, wanted.environment, wanted.scheduler, places, clock, latest=wanted.latest)
    keep(wanted.journal, config)
    is_current = content_sha384(in_force) == content_sha384(wanted.core)
    return Opened(run=run, config=in_force, is_current=is_current)


def _configurations(wanted: Wanted, told: Begun | None) -> tuple[CoreConfig, CoreConfig]:
    """The configuration that a journal was begun with, and the one in force."""
    if told is None or wanted.journal is None:
        return wanted.core, wanted.core
    digest = content_sha384(wanted.core)
    config = wanted.core if told.genesis["config"] == digest else kept(wanted.journal, told.genesis["config"])
    in_force = wanted.core if told.in_force == digest else kept(wanted.journal, told.in_force)
    return config, in_force


def _open(wanted: Wanted, config: CoreConfig, asked: dict[str, Any], clock: Clock) -> Run:
    span = {name: value for name, value in (("start", wanted.start), ("end", wanted.end)) if value is not None}
    scheduler = build_multi_strategy_runtime(config, **(asked | span), journal=wanted.journal, keys=wanted.keys)
    return RecordedRun(scheduler, clock, wanted.speed)
