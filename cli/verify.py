"""`barstep verify …`: that the drivers agree."""

# ruff: noqa: PLC0415 - imported when a command runs, see `cli.app`

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import UsageError
from .scheduler_options import SchedulerOptions
from .settings import config_path, read_settings

if TYPE_CHECKING:
    from ..replay.live.parity import LiveParity
    from ..replay.parity import Divergence, Parity

_SHOWN = 16
"""Digits of a digest that a person compares."""

app = typer.Typer(no_args_is_help=True, help="Show that the drivers of a scheduler agree, bit for bit.")


@app.callback()
def _group() -> None:
    """A group of its own: more is verified as more drivers exist."""


@app.command("parity")
def parity_command(
    config: Annotated[
        Path | None, typer.Option(help="The configuration. [config/core.yaml, else the one of barstep]")
    ] = None,
    scheduler: Annotated[str | None, typer.Option(help="A scheduler of it. [the environment's]")] = None,
    environment: Annotated[str | None, typer.Option(help="Whose bars and capital it has. [demo]")] = None,
    start: Annotated[str | None, typer.Option(help="When it starts, ISO 8601, UTC.")] = None,
    end: Annotated[str | None, typer.Option(help="When it ends.")] = None,
    commands: Annotated[Path | None, typer.Option(help="A file of an operator's commands.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="An option of costs, sizes and orders, NAME=VALUE.")
    ] = None,
    live: Annotated[
        Path | None,
        typer.Option(help="The journal of a live session, such as audit/decision_logs/paper.jsonl: its bars are run."),
    ] = None,
    recording: Annotated[
        Path | None, typer.Option(help="With --live: its bars. [var/recordings/<environment>/<log id>.bars]")
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")] = False,
) -> None:
    """Run a scheduler vectorised and replayed bar by bar, and compare decisions, weights and equity.

    With --live these are compared with a live session's, over the bars that it was told, with its operators' commands.

    Exits with 1 where they differ, and names the first bar at which they do with what both sides saw.
    """
    if live is not None:
        given = {"--scheduler": scheduler, "--environment": environment, "--start": start, "--end": end,
                 "--commands": commands, "--set": settings}  # fmt: skip
        _refuse_with_live(given)
        _verify_live(live, config, recording, json_output=json_output)
        return
    if recording is not None:
        raise UsageError("--recording: needs --live, the journal of the session whose bars they are.")
    from ..replay.parity import verify_parity
    from .console import progress_of_bars, say_if_cold

    asked = SchedulerOptions(
        config=config, scheduler=scheduler, environment=environment, start=start, end=end, commands=commands
    )
    setup = asked.set_up(read_settings(settings or []))
    if not json_output:
        say_if_cold()
    with progress_of_bars("replaying", quiet=json_output) as progress:
        parity = verify_parity(setup, progress)
    if json_output:
        typer.echo(json.dumps({"holds": parity.holds, **asdict(parity)}, indent=2))
    else:
        _print(f"{setup.name} in {setup.environment}", parity)
    if not parity.holds:
        raise typer.Exit(1)


def _refuse_with_live(given: Mapping[str, object]) -> None:
    for name, value in given.items():
        if value:
            raise UsageError(f"--live and {name}: a session's journal says all of it; leave {name} out.")


def _verify_live(journal: Path, config: Path | None, recording: Path | None, *, json_output: bool) -> None:
    from ..replay.journal_replay import journal_files, live_journal_of
    from ..replay.live.parity import verify_live
    from .console import progress_of_bars, say_if_cold

    session = live_journal_of(journal_files(journal), config_path(config), recording)
    if session is None:
        raise UsageError(f"--live {journal}: is the journal of a replay. Without --live its drivers are compared.")
    if not json_output:
        say_if_cold()
    with progress_of_bars("doing it again", quiet=json_output) as progress:
        parity = verify_live(session, progress)
    if json_output:
        typer.echo(json.dumps(_live_document(parity), indent=2))
    else:
        _print(f"{session.plan.scheduler} in {session.plan.environment}, live", parity)
        _print_live(parity)
    if not parity.holds:
        raise typer.Exit(1)


def _live_document(parity: LiveParity) -> dict[str, Any]:
    return {
        "holds": parity.holds,
        "exact": parity.exact,
        "digests": parity.digests,
        "counts": parity.counts,
        "divergence": None if parity.divergence is None else asdict(parity.divergence),
        "diverged": None if parity.diverged is None else str(parity.diverged),
    }


def _print_live(parity: LiveParity) -> None:
    if not parity.exact:
        typer.echo(
            "the venue has filled otherwise than a backtest does: the session is held against itself, done again with "
            "what its venue told"
        )
    if parity.diverged is not None:
        typer.echo(f"done again: {parity.diverged}")


def _print(name: str, parity: Parity) -> None:
    from .console import print_columns

    counts = ", ".join(f"{count:,} {what}" for what, count in parity.counts.items())
    typer.echo(f"{name}: {counts}")
    tables = list(next(iter(parity.digests.values())))
    rows = [("driver", *tables)]
    rows += [(driver, *(digests[table][:_SHOWN] for table in tables)) for driver, digests in parity.digests.items()]
    print_columns(rows)
    typer.echo("PASS: the same bits" if parity.holds else "FAIL: they differ")
    if parity.divergence is not None:
        _print_divergence(parity.divergence)


def _print_divergence(found: Divergence) -> None:
    typer.echo(f"first at {found.at}, in {found.table}: {found.what}")
    for driver, side in found.sides.items():
        typer.echo(f"  {driver}: {side.value!r}")
        for name, values in side.bars.items():
            typer.echo(f"    bar of {name}: {', '.join(map(repr, values))}")
        for row in side.decisions:
            typer.echo(f"    decision: {', '.join(f'{key}={value}' for key, value in row.items())}")
        typer.echo(f"    weights: {', '.join(f'{key}={value!r}' for key, value in side.weights.items())}")
