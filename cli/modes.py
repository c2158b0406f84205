"""`barstep halt`, `reduce` and `resume`: the one state of the whole loop."""

# ruff: noqa: PLC0415 - imported when a command runs, see `cli.app`

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from .connectable import ConnectOption, TokenFileOption
from .managing import Recorded, Where, connected, opened_here
from .scheduler import options as typed

ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept with it.")]


def halt_command(
    reason: ReasonOption = "",
    environment: typed.EnvironmentOption = "demo",
    scheduler: typed.SchedulerOption = None,
    config: typed.ConfigOption = None,
    connect: ConnectOption = None,
    token_file: TokenFileOption = None,
    journal: typed.JournalOption = typed.JOURNAL_DEFAULT,
    keys_folder: typed.KeysOption = None,
    json_output: typed.JsonOption = False,
) -> None:
    """Refuse all signals until the loop is resumed; what is held is kept, with its stops."""
    where = Where(config=config, environment=environment, scheduler=scheduler, token_file=token_file)
    _give("halt", reason, where, connect, journal, keys_folder, json_output=json_output)


def reduce_command(
    reason: ReasonOption = "",
    environment: typed.EnvironmentOption = "demo",
    scheduler: typed.SchedulerOption = None,
    config: typed.ConfigOption = None,
    connect: ConnectOption = None,
    token_file: TokenFileOption = None,
    journal: typed.JournalOption = typed.JOURNAL_DEFAULT,
    keys_folder: typed.KeysOption = None,
    json_output: typed.JsonOption = False,
) -> None:
    """Refuse all signals but those that lower a position, until the loop is resumed."""
    where = Where(config=config, environment=environment, scheduler=scheduler, token_file=token_file)
    _give("reduce", reason, where, connect, journal, keys_folder, json_output=json_output)


def resume_command(
    reason: ReasonOption = "",
    environment: typed.EnvironmentOption = "demo",
    scheduler: typed.SchedulerOption = None,
    config: typed.ConfigOption = None,
    connect: ConnectOption = None,
    token_file: TokenFileOption = None,
    journal: typed.JournalOption = typed.JOURNAL_DEFAULT,
    keys_folder: typed.KeysOption = None,
    json_output: typed.JsonOption = False,
) -> None:
    """Let the loop run again."""
    where = Where(config=config, environment=environment, scheduler=scheduler, token_file=token_file)
    _give("resume", reason, where, connect, journal, keys_folder, json_output=json_output)


def _give(
    verb: str,
    reason: str,
    where: Where,
    connect: str | None,
    journal: Path,
    keys_folder: Path | None,
    *,
    json_output: bool,
) -> None:
    if connect is not None:
        from ..replay.authorization import WRITE

        with connected(where, connect, WRITE) as there:
            there.ask(verb, reason=reason)
            mode = there.ask("mode")
    else:
        with opened_here(where, Recorded(journal=journal, keys=keys_folder), writes=True) as here:
            here.ask(verb, reason=reason)
            mode = here.ask("mode")
    if json_output:
        typer.echo(json.dumps(mode, indent=2))
    else:
        typer.echo(f"{where.environment_name}: {mode['name']}{f' ({reason})' if reason else ''}")
