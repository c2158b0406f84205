"""Commands whose option --connect may stand alone: then the running loop of this folder is meant."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperCommand

HERE = "here"
"""What --connect alone means: where the environment's loop of this folder says that it listens."""
_OPTION = "--connect"

ConnectOption = Annotated[
    str | None,
    typer.Option(_OPTION, metavar="[ADDRESS]", help="Ask the running loop instead, by default the one of this folder."),
]
TokenFileOption = Annotated[
    Path | None, typer.Option("--token-file", help="A file that holds the token. [BARSTEP_TOKEN]")
]


class ConnectableCommand(TyperCommand):
    """Reads --connect with an address or without one; these commands have no arguments that it could be taken for."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Say what --connect alone means."""
        words = [*args, ""]
        given = [
            f"{_OPTION}={HERE}" if word == _OPTION and (not after or after.startswith("-")) else word
            for word, after in pairwise(words)
        ]
        return super().parse_args(ctx, given)
