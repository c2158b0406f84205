"""A scheduler over recorded bars in event time: at full speed, or at a multiple of the clock."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..config.core import CoreConfig
from ..engine.scheduler.backtest import set_up_scheduler
from ..engine.scheduler.result import SchedulerResult
from ..engine.scheduler.setup import SchedulerSetup
from .clock import Clock, SystemClock
from .event_loop import Listener
from .journal.disk import REAL_DISK
from .journal.files import JournalFiles, read_head
from .key_files import KeyFolder
from .keys import random_bytes
from .pace import Pace
from .secrets_setup import KEYS, require_secrets
from .session import Session

if TYPE_CHECKING:
    from .metrics.collector import MetricsCollector

Progress = Callable[[int, int], None]
SECRETS = Path("secrets")
"""Under the working folder."""


def replay(
    config: CoreConfig | str | Path,
    scheduler: str | None = None,
    *,
    speed: float | None = None,
    journal: str | Path | None = None,
    keys: str | Path | None = None,
    clock: Clock | None = None,
    listeners: Sequence[Listener] = (),
    metrics: MetricsCollector | None = None,
    progress: Progress | None = None,
    **asked: Any,
) -> SchedulerResult:
    """Run a scheduler over recorded bars, instant by instant, and give what a backtest of it gives, bit for bit.

    Args:
        config: A configuration, or its file.
        scheduler: A scheduler of it; None: the environment's.
        speed: Seconds of event time in a second of the clock; None: as fast as it goes.
        journal: The folder of journals; None: nothing is written down. Where it holds this run's journal, the run goes
            on from its end.
        keys: The folder of the signing keys; None: `secrets/journal/<environment>`, which a demonstration makes.
        clock: What the speed is measured by; None: the machine's.
        listeners: Who hears of what is done, once it is written down.
        metrics: What shows how it goes, such as `bs.MetricsCollector()`, to be registered with prometheus_client or
            shown by `replay.metrics.endpoint.shown`; None: nothing is measured.
        progress: Called with the bars that are done and all of them.
        **asked: Everything else that `backtest_scheduler` takes.

    Raises:
        ConfigError: The configuration or the commands are refused.
        UsageError: A name is unknown, a value out of range, or there are no bars to trade on.
        DataError: Bars or keys are not there.
        AuthorizationError: The licence does not grant a strategy.
        HeldError: Another process writes this journal.
        JournalError: The journal is of another run, or is not what it should be.
    """
    setup, clock = set_up_scheduler(config, scheduler, **asked), clock or SystemClock()
    observed = metrics is not None
    session = open_session(setup, journal, keys, clock, listeners, block_bars=paced_block(speed), observed=observed)
    pace = None if speed is None else Pace(clock, speed, session.loop.now_us)
    try:
        with measured(metrics, session, clock, pace, lambda: False) as should_stop:
            run_session(session, pace, progress=progress, should_stop=should_stop)
    finally:
        session.close()
    return session.result()


def open_session(
    setup: SchedulerSetup,
    journal: str | Path | None,
    keys: str | Path | None,
    clock: Clock,
    listeners: Sequence[Listener] = (),
    *,
    block_bars: int = 256,
    observed: bool = False,
) -> Session:
    """A run, with a journal where a folder is given; see `replay`. observed: see `SchedulerMachine`."""
    if journal is None:
        return Session(setup, listeners, block_bars=block_bars, observed=observed)
    folder = KeyFolder(own_keys(setup) if keys is None else Path(keys))
    head = read_head(REAL_DISK, JournalFiles(folder=Path(journal), environment=setup.environment).head)
    folder.bind(None if head is None else head.log)
    log_id, now_us = random_bytes(16).hex(), clock.now_us()
    session = Session.open(setup, Path(journal), folder, listeners, log_id=log_id, now_us=now_us, block_bars=block_bars)
    folder.bind(log_id if head is None else head.log)
    return session


@contextmanager
def measured(
    metrics: MetricsCollector | None,
    session: Session,
    clock: Clock,
    pace: Pace | None,
    should_stop: Callable[[], bool],
) -> Iterator[Callable[[], bool]]:
    """See `metrics.watching.measured`; without metrics nothing is measured, and `should_stop` is what it was."""
    if metrics is None:
        yield should_stop
        return
    from .metrics import watching  # noqa: PLC0415 - prometheus_client is for those who show something

    with watching.measured(metrics, session, clock, pace, should_stop) as looking:
        yield looking


def own_keys(setup: SchedulerSetup, told: Callable[[Path], object] = lambda _: None) -> Path:
    """The folder of an environment's signing keys; a demonstration's secrets are made where they are missing.

    Args:
        setup: The run.
        told: Called with each file that is made.

    Raises:
        JournalError: An environment of another type has none of its own.
    """
    environment = setup.config.environments[setup.environment]
    for path in require_secrets(SECRETS, setup.environment, environment, setup.scheduler.rbac_tokens, os.environ):
        told(path)
    return SECRETS / KEYS / setup.environment


def paced_block(speed: float | None) -> int:
    """Bars whose wishes are made at a time: one where somebody watches, so that each is made when it closes."""
    return 256 if speed is None else 1


def run_session(
    session: Session,
    pace: Pace | None = None,
    *,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> bool:
    """Do everything that is left of a run; False where it was stopped before."""
    loop, bars = session.loop, session.machine.bars
    while not should_stop() and (instant := loop.next_us()) is not None:
        if pace is not None and not pace.wait_for(instant, should_stop):
            break
        if pace is not None:
            loop.step()
        else:
            loop.advance()
        if progress is not None and loop.is_between_bars:
            progress(loop.next_bar - bars.start, len(bars))
    return loop.next_us() is None
