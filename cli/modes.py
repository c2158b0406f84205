"""`barstep halt`, `reduce` and `resume`: the one state of the whole loop."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated

import typer

from .connectable import ConnectOption, TokenFileOption
from .managing import Recorded, Where, changed
from .scheduler import options as typed

ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept with it.")]


def _command(verb: str, what: str) -> Callable[..., None]:
    """The command of a verb; the three are typed alike."""

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

    command.__doc__ = what
    return command


halt_command = _command("halt", "Refuse all signals until the loop is resumed; what is held is kept, with its stops.")
reduce_command = _command("reduce", "Refuse all signals but those that lower a position, until the loop is resumed.")
resume_command = _command("resume", "Let the loop run again.")
