"""`barstep scheduler reload`: the configuration anew, all of it or nothing."""

from __future__ import annotations

import json
from typing import Any

import typer

from ..connectable import ConnectOption, TokenFileOption
from ..managing import Recorded, Where, changed
from . import options as typed


def reload_command(
    environment: typed.EnvironmentOption = "demo",
    scheduler: typed.SchedulerOption = None,
    config: typed.ConfigOption = None,
    connect: ConnectOption = None,
    token_file: TokenFileOption = None,
    journal: typed.JournalOption = typed.JOURNAL_DEFAULT,
    keys_folder: typed.KeysOption = None,
    json_output: typed.JsonOption = False,
) -> None:
    """Take the configuration anew: tokens, capital policy and its interval, initial limits and suspensions.

    All of it or nothing: where anything else has changed, it is refused with what has. With --connect the loop reads
    its own file again.
    """
    where = Where(config=config, environment=environment, scheduler=scheduler, token_file=token_file)
    with changed(where, Recorded(journal=journal, keys=keys_folder), connect) as asked:
        found = asked.ask("reload")
    if json_output:
        typer.echo(json.dumps(found, indent=2))
    else:
        _print(found)


def _print(found: dict[str, Any]) -> None:
    if not found["changed"]:
        typer.echo(f"the configuration is the one in force: {found['new_config'][:16]}…")
        return
    typer.echo(f"configuration {found['old_config'][:16]}… is now {found['new_config'][:16]}…")
    for path in found["changed"]:
        typer.echo(f"  {path}")
    for name in found["commands"]:
        typer.echo(f"  {name.replace('_', ' ')} done")
