"""`barstep replay`: a scheduler over recorded bars in event time, or a session done again from its journal."""

# ruff: noqa: PLC0415 - imported when the command runs, see `cli.app`

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import UsageError, refuse_existing
from . import metrics_options as shown_as
from .interruption import interruptible
from .scheduler_options import SchedulerOptions
from .settings import config_path, read_settings, read_speed

if TYPE_CHECKING:
    from ..engine.scheduler.setup import SchedulerSetup
    from ..replay.journal_replay import JournalReplay
    from ..replay.metrics.collector import MetricsCollector
    from ..replay.session import Session
    from ..replay.what_if import WhatIf


def replay_command(
    config: Annotated[
        Path | None, typer.Option(help="The configuration. [config/core.yaml, else the one of barstep]")
    ] = None,
    scheduler: Annotated[str | None, typer.Option(help="A scheduler of it. [the environment's]")] = None,
    environment: Annotated[str | None, typer.Option(help="Whose bars and capital it has. [demo]")] = None,
    start: Annotated[str | None, typer.Option(help="When it starts, ISO 8601, UTC; earlier bars warm it up.")] = None,
    end: Annotated[str | None, typer.Option(help="When it ends; bars that close later are left out.")] = None,
    commands: Annotated[Path | None, typer.Option(help="A file of an operator's commands.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="An option of costs, sizes and orders, NAME=VALUE.")
    ] = None,
    speed: Annotated[
        str | None, typer.Option(help="Event time over time on the clock, such as 60x. [as fast as it goes]")
    ] = None,
    view: Annotated[
        bool | None,
        typer.Option(
            "--view/--no-view", help="Show schedules, signals, weights and lag live. [where a speed is given]"
        ),
    ] = None,
    journal: Annotated[
        Path | None,
        typer.Option(
            "--journal",
            "--journal-folder",
            help="Folder of a signed journal, such as audit/decision_logs; an interrupted one is gone on with.",
        ),
    ] = None,
    keys_folder: Annotated[
        Path | None, typer.Option(help="Folder of its keys. [secrets/journal/<environment>]")
    ] = None,
    from_journal: Annotated[
        Path | None, typer.Option(help="Do this journal's session again, and compare every record.")
    ] = None,
    recording: Annotated[
        Path | None,
        typer.Option(help="With --from-journal: a live session's bars. [var/recordings/<environment>/<log id>.bars]"),
    ] = None,
    what_if: Annotated[
        Path | None, typer.Option(help="With --from-journal: the file of another capital policy to run it with.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder for the result.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the folder where it is there.")] = False,
    metrics_port: shown_as.PortOption = None,
    metrics_address: shown_as.AddressOption = None,
    metrics_mtls_bundle: shown_as.BundleOption = None,
    metrics_token_file: shown_as.TokenFileOption = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")] = False,
) -> None:
    """Replay a scheduler in event time: the same decisions, weights and equity as its backtest, bit for bit.

    Ctrl-C finishes the bar, seals the journal and exits with 130; the same command then goes on.
    """
    if what_if is not None and from_journal is None:
        raise UsageError("--what-if: needs --from-journal, the session that is to be run otherwise.")
    if recording is not None and from_journal is None:
        raise UsageError("--recording: needs --from-journal, the live session whose bars they are.")
    if from_journal is not None:
        given = {"--scheduler": scheduler, "--environment": environment, "--start": start, "--end": end,
                 "--commands": commands, "--set": settings, "--speed": speed, "--journal": journal,
                 "--keys-folder": keys_folder, "--output": output,
                 "--metrics-port": metrics_port is not None}  # fmt: skip
        _refuse_with_journal(given)
        _do_again(from_journal, config_path(config), what_if, recording, json_output=json_output)
        return
    if keys_folder is not None and journal is None:
        raise UsageError("--keys-folder: needs --journal, the folder of what these keys sign.")
    asked = SchedulerOptions(
        config=config, scheduler=scheduler, environment=environment, start=start, end=end, commands=commands
    )
    times = None if speed is None else read_speed(speed)
    if output is not None:
        refuse_existing(output, overwrite=overwrite)  # before a long run
    metrics = shown_as.MetricsOptions(
        port=metrics_port, address=metrics_address, bundle=metrics_mtls_bundle, token_file=metrics_token_file
    )
    watched = not json_output and (times is not None if view is None else view)
    with metrics.shown() as collector:
        setup = asked.set_up(read_settings(settings or []))
        session = _run(setup, times, journal, keys_folder, collector, watched=watched, quiet=json_output)
    result = session.result()
    if output is not None:
        result.save(output, overwrite=overwrite)
    if json_output:
        typer.echo(result.to_json())
        return
    from .scheduler_backtest import print_scheduler_result

    print_scheduler_result(result)
    if session.journal is not None:
        again = f"; {session.caught_up:,} of them done again, all the same" if session.caught_up else ""
        typer.echo(f"journal: {session.journal.seq + 1:,} records in {journal}{again}")
    if output is not None:
        typer.echo(f"wrote {output}")


def _run(
    setup: SchedulerSetup,
    speed: float | None,
    journal: Path | None,
    keys_folder: Path | None,
    metrics: MetricsCollector | None,
    *,
    watched: bool,
    quiet: bool,
) -> Session:
    """Run to the end; exits where it is stopped, with the journal in order: with 130 by SIGINT, with 0 by SIGTERM."""
    from ..replay.clock import SystemClock
    from ..replay.pace import Pace
    from ..replay.replaying import measured, open_session, own_keys, paced_block, run_session
    from .console import progress_of_bars, say_if_cold
    from .replay_view import shown

    if not quiet:
        say_if_cold()
    clock = SystemClock()
    if journal is not None and keys_folder is None:
        keys_folder = own_keys(setup, lambda path: typer.echo(f"made for the demonstration: {path}", err=True))
    observed = metrics is not None
    session = open_session(setup, journal, keys_folder, clock, block_bars=paced_block(speed), observed=observed)
    pace = None if speed is None else Pace(clock, speed, session.loop.now_us)
    with interruptible() as signals:
        signals.wait_for_them()
        try:
            with (
                progress_of_bars("replaying", quiet=quiet or watched) as progress,
                shown(session, pace, clock, watched=watched),
                measured(metrics, session, clock, pace, signals.have_come) as should_stop,
            ):
                finished = run_session(session, pace, progress=progress, should_stop=should_stop)
        finally:
            session.close()
    if not finished:
        from ..replay.journal.record import at_text

        goes_on = "the same command goes on from there" if journal is not None else "without a journal it begins anew"
        typer.echo(f"stopped at {at_text(session.loop.now_us)}; {goes_on}", err=True)
        raise typer.Exit(signals.exit_code)
    return session


def _refuse_with_journal(given: Mapping[str, object]) -> None:
    for name, value in given.items():
        if value:
            raise UsageError(
                f"--from-journal and {name}: a session is done again as its journal says; leave {name} out."
            )


def _do_again(journal: Path, config: Path, what_if: Path | None, recording: Path | None, *, json_output: bool) -> None:
    from ..replay.journal_replay import replay_journal
    from ..replay.what_if import what_if as run_what_if
    from .console import progress_of_bars

    if what_if is not None:
        found = run_what_if(journal, config, what_if, recording=recording)
        if json_output:
            typer.echo(json.dumps(found.to_dict(), indent=2))
        else:
            _print_what_if(found, what_if)
        return
    with progress_of_bars("doing it again", quiet=json_output) as progress:
        again = replay_journal(journal, config, progress, recording=recording)
    if json_output:
        typer.echo(json.dumps(_as_dict(again), indent=2))
    else:
        _print_again(journal, again)
    if again.diverged is not None:
        raise typer.Exit(1)


def _as_dict(again: JournalReplay) -> dict[str, Any]:
    from ..replay.journal.record import at_text, fields_of

    diverged = again.diverged
    sides = None if diverged is None else {
        name: None if payload is None else fields_of(payload)
        for name, payload in (("written", diverged.written), ("made", diverged.made))
    }  # fmt: skip
    return {
        "same": diverged is None,
        "scheduler": again.setup.name,
        "environment": again.setup.environment,
        "to": at_text(again.last_us),
        "records_compared": again.compared,
        "commands": len(again.commands),
        "diverged": sides,
    }


def _print_again(journal: Path, again: JournalReplay) -> None:
    from ..replay.journal.record import at_text

    setup = again.setup
    typer.echo(
        f"{journal}: {setup.name} in {setup.environment}, {at_text(setup.start_us)} to {at_text(again.last_us)}, "
        f"{len(again.commands)} commands"
    )
    if again.diverged is None:
        typer.echo(f"PASS: {again.compared:,} records done again, all the same")
    else:
        typer.echo(f"FAIL: after {again.compared:,} records that are the same: {again.diverged}")


def _print_what_if(found: WhatIf, policy: Path) -> None:
    from .console import print_columns

    setup = found.actual.setup
    typer.echo(f"{setup.name} in {setup.environment}: as it was, and with the policy of {policy}")
    if found.of_live:
        typer.echo(
            "fills are modelled at the recorded opens, in both runs alike: the venue was never told of other orders"
        )
    metrics = found.metrics().rows()
    print_columns(
        [("metric", "actual", "other", "difference"), *((name, *(f"{v:,.2f}" for v in row)) for name, *row in metrics)],
        numbers_from=1,
    )
    weights = found.weights().rows()
    shares = ("weight of", "actual", "other", "difference", "last actual", "last other")
    print_columns([shares, *((name, *(f"{v:.3f}" for v in row)) for name, *row in weights)], numbers_from=1)
    decisions = found.decisions().rows()
    signals = ("signals of", "accepted", "dropped", "accepted, other", "dropped, other")
    print_columns([signals, *((name, *(f"{v:,}" for v in row)) for name, *row in decisions)], numbers_from=1)
