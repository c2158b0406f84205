"""The command `barstep`: its commands, and how errors become one line and an exit code.

A command's module is imported when the command is asked for, and imports nothing but Typer at its top; what it needs
is imported when it runs, so that help and completion answer at once.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from .. import __version__
from ..errors import BarstepError, ConfigError
from .commands import Commands

UNREADABLE = 3

# Rich help would import rich, which takes longer than all the rest; a plain traceback can be pasted anywhere.
app = typer.Typer(cls=Commands, rich_markup_mode=None, pretty_exceptions_enable=False)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"barstep {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
    _debug: Annotated[
        bool, typer.Option("--debug", help="Show where an error was raised; may stand anywhere.")
    ] = False,
) -> None:
    """Backtest and replay multi-strategy trading over OHLCV bars.

    Exit codes: 0 done; 1 a check said no; 2 wrong use or a refused configuration; 3 data that cannot be read;
    4 not authorised; 5 a journal, a digest or a key that is not what it should be; 6 held by another process, or no
    loop is there; 130 interrupted.
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main() -> int:
    """Run the command line; return its exit code."""
    arguments = [word for word in sys.argv[1:] if word != "--debug"]
    try:
        return int(app(arguments, prog_name="barstep", standalone_mode=False) or 0)
    except (BarstepError, typer.TyperException, OSError) as error:
        if len(arguments) + 1 < len(sys.argv):
            raise
        return _refuse(error)


def _refuse(error: BarstepError | typer.TyperException | OSError) -> int:
    """Print an error as one line, a refused configuration as a line for each problem; return its exit code."""
    if isinstance(error, ConfigError):
        for problem in error.problems:
            typer.echo(f"error: {' '.join(str(problem).split())}", err=True)
        return error.exit_code
    text = _text_of(error)
    if text.startswith("Usage: "):  # a group without a command: Typer's message is its whole help
        typer.echo(text, err=True)
    else:
        typer.echo(f"error: {' '.join(text.split())}", err=True)
    return UNREADABLE if isinstance(error, OSError) else error.exit_code


def _text_of(error: BarstepError | typer.TyperException | OSError) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename2 or error.filename or 'a file'}: cannot be read or written: {error.strerror}."
    return error.format_message() if isinstance(error, typer.TyperException) else str(error)
