"""`barstep warmup`: compile everything once."""

# ruff: noqa: PLC0415 - imported when the command runs, see `cli.app`

from __future__ import annotations

import json
from typing import Annotated

import typer


def warmup_command(
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")] = False,
) -> None:
    """Compile every kernel once and keep the machine code, so that no later process has to."""
    from ..ops.warmup import cache_state, warmup_steps
    from .console import progress

    for step in progress(warmup_steps(), "compiling", quiet=json_output):
        step()
    state = cache_state()
    if json_output:
        typer.echo(json.dumps(state.as_json(), indent=2))
        return
    typer.echo(
        f"{state.compiled_now} signatures compiled, {state.loaded} taken from the cache; "
        f"{state.folder or 'no folder'} holds {state.bytes / 1e6:.1f} MB"
    )
