"""Running a scheduler from the command line: once, or until it is told to stop."""

# ruff: noqa: PLC0415 - imported when a command runs, see `cli.app`

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import typer

from ...errors import JournalError, UsageError
from ..interruption import Signals
from ..managing import Here, Where
from ..metrics_options import NO_METRICS, MetricsOptions

if TYPE_CHECKING:
    from ...replay.clock import Clock
    from ...replay.metrics.collector import MetricsCollector

LISTEN = "127.0.0.1:0"
"""This machine, at a port that is free."""


@dataclass(frozen=True, kw_only=True)
class Running:
    """Whether and how it is run.

    Attributes:
        once: Each schedule once, at its latest due time.
        forever: Until it is told to stop.
        listen: Where it can be managed meanwhile.
        metrics: Whether and where its metrics are shown.
    """

    once: bool
    forever: bool
    listen: str
    metrics: MetricsOptions

    @classmethod
    def asked(
        cls,
        *,
        once: bool,
        forever: bool,
        after: bool,
        managed: bool,
        listen: str | None,
        metrics: MetricsOptions = NO_METRICS,
    ) -> Running:
        """What the flags say: without management it runs forever by default, with it only when that is said.

        Args:
            once: `--run-once`.
            forever: `--run-forever`.
            after: `--run-after-management`.
            managed: Whether anything else is asked for.
            listen: `--listen`.
            metrics: Options that begin with `--metrics`.

        Raises:
            UsageError: They contradict each other.
        """
        from ...replay.control.place import read_listen

        if once and forever:
            raise UsageError("--run-once and --run-forever: give one of them.")
        only_managed = managed and not after
        if only_managed and (once or forever):
            flag = "--run-once" if once else "--run-forever"
            raise UsageError(f"{flag} beside what is to be managed or listed: add --run-after-management.")
        asked = cls(once=once, forever=not once and not only_managed, listen=listen or LISTEN, metrics=metrics)
        if listen is not None and not asked.forever:
            raise UsageError("--listen: only with --run-forever; nothing else can be managed while it runs.")
        if metrics.port is not None and not asked.forever:
            raise UsageError("--metrics-port: only with --run-forever; what exits is not scraped.")
        read_listen(asked.listen)
        return asked

    @property
    def is_asked(self) -> bool:
        """Whether anything is run."""
        return self.once or self.forever


def refuse_other_configuration(here: Here, where: Where) -> None:
    """Raise JournalError where the configuration is another one than the journal says is in force."""
    if not here.opened.is_current:
        raise JournalError(
            f"{where.path}: is not the configuration that the journal of {where.environment_name!r} says is in force. "
            "`barstep scheduler reload` takes what may change; for the rest begin a new journal with --journal FOLDER."
        )


def run(here: Here, where: Where, running: Running, signals: Signals, *, quiet: bool) -> dict[str, Any]:
    """Run it; gives what is to be told of it. Where a signal stops it, that is told by the exit code."""
    if running.once:
        finished = here.opened.run.run_once(signals.have_come)
    else:
        _run_forever(here, where, running, signals)
        finished = False
    status: dict[str, Any] = here.ask("status")
    if not quiet:
        from .listings import bars_text, print_schedules

        print_schedules(status["schedules"])
        what = "ran each schedule at its latest due time" if finished else "stopped"
        typer.echo(f"{what}; {status['at']}, {bars_text(status)}, {_journal(status)}")
    return status | {"finished": finished}


def _run_forever(here: Here, where: Where, running: Running, signals: Signals) -> None:
    from ...replay.channel.addresses import is_loopback
    from ...replay.clock import SystemClock
    from ...replay.control.listening import Listening
    from ...replay.control.place import read_listen

    listen, clock = running.listen, SystemClock()
    listening = Listening(here.desk, where.authorizer, where.configured.rbac_tokens, clock)
    here.reloader.take_tokens = listening.take
    identity = None if is_loopback(read_listen(listen)[0]) else where.identity("server")
    try:
        with (
            running.metrics.shown() as metrics,
            listening.at(listen, where.environment_name, where.scheduler_name, identity) as address,
        ):
            looks = [listening.hand.work, *_measured(here, metrics, clock)]
            typer.echo(
                f"{where.scheduler_name} runs in {where.environment_name}; manage it with --connect {address}", err=True
            )
            here.opened.run.run(signals.have_come, partial(_all, looks))
            here.opened.run.close()  # sealed before anybody is waited for
    finally:
        if not listening.has_ended:
            _leave(signals)


def _all(looks: Sequence[Callable[[], None]]) -> None:
    for look in looks:
        look()


def _measured(here: Here, metrics: MetricsCollector | None, clock: Clock) -> list[Callable[[], None]]:
    """What is to be called now and then so that resources are measured, and metrics up to date."""
    from ...replay.control.resource_watch import ResourceWatch
    from ...replay.resources import ResourceMonitor

    run = here.opened.run
    resources = ResourceMonitor(here.opened.config.runtime.resource_limits, clock)
    here.reloader.take_limits = resources.hold_to
    looks = [ResourceWatch(run, resources).look]
    if metrics is not None:
        from ...replay.metrics.run import watch_run

        looks.append(watch_run(metrics, run, clock, resources).look)
    return looks


def _leave(signals: Signals) -> None:
    """Go without the interpreter's farewell, which would wait for a handler that is stuck."""
    typer.echo("a client does not let go; leaving without it", err=True)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(signals.exit_code if signals.came else 1)


def _journal(status: dict[str, Any]) -> str:
    return "no journal" if status["journal_seq"] is None else f"journal to record {status['journal_seq']:,}"
