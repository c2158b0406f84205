"""`barstep halt`, `reduce` and `resume`: the one state of the whole loop."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from .connectable import ConnectableCommand, ConnectOption, TokenFileOption
from .managing import Recorded, Where, changed
from .scheduler import options as typed

ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept with it.")]


app = typer.Typer()


def _add_command(verb: str, what: str) -> None:
    """Add the command of a verb; the three are typed alike."""

    @app.command(verb, cls=ConnectableCommand, help=what)
    def command(
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
        where = Where(config=config, environment=environment, scheduler=scheduler, token_file=token_file)
        with changed(where, Recorded(journal=journal, keys=keys_folder), connect) as asked:
            asked.ask(verb, reason=reason)
            mode = asked.ask("mode")
        if json_output:
            typer.echo(json.dumps(mode, indent=2))
        else:
            typer.echo(f"{where.environment_name}: {mode['name']}{f' ({reason})' if reason else ''}")


_add_command("halt", "Refuse all signals until the loop is resumed; what is held is kept, with its stops.")
_add_command("reduce", "Refuse all signals but those that lower a position, until the loop is resumed.")
_add_command("resume", "Let the loop run again.")
