"""`barstep live-demo`: a venue and a loop on this machine, watched and managed for half a minute."""

# ruff: noqa: PLC0415 - imported when the command runs, see `cli.app`

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .interruption import interruptible


def live_demo_command(
    folder: Annotated[Path, typer.Option(help="Where it works; an earlier demonstration there is removed.")] = Path(
        "var/live-demo"
    ),
    seconds: Annotated[float, typer.Option(min=4.0, max=3600.0, help="How long the live view is open.")] = 12.0,
) -> None:
    """Start a venue and a live loop, watch it, suspend and resume a schedule, stop all, and verify the journal.

    Everything lies in one folder, with keys and tokens of its own. Ctrl-C ends all of it.
    """
    from ..config.reading import PACKAGED
    from ..ops.live_demo import live_demo
    from ..replay.clock import SystemClock
    from .console import compile_if_cold

    with interruptible():
        compile_if_cold(quiet=False)
        is_good = live_demo(PACKAGED, folder.absolute(), seconds=seconds, clock=SystemClock(), say=typer.echo)
    typer.echo(f"\n{'PASS' if is_good else 'FAIL'}: everything is in {folder}; `make live-demo` begins anew")
    if not is_good:
        raise typer.Exit(1)
