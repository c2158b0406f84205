"""`barstep scheduler …`: run a scheduler, manage it, watch it, and have it take its configuration anew."""

from __future__ import annotations

import typer

from ..connectable import ConnectableCommand
from .reload import reload_command
from .run import run_command
from .top import top_command

app = typer.Typer(
    rich_markup_mode=None, help="Run a scheduler and manage it, here or in a running loop.", no_args_is_help=True
)
app.command("run", cls=ConnectableCommand)(run_command)
app.command("top", cls=ConnectableCommand)(top_command)
app.command("reload", cls=ConnectableCommand)(reload_command)
