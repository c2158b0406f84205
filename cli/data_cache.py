"""`barstep data cache`: datasets into a SQLite cache.

Everything but Typer is imported inside the command, so that help and completion answer at once.
"""

# ruff: noqa: PLC0415

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ..errors import UsageError


def cache_command(
    files: Annotated[list[Path], typer.Argument(help="Datasets; where two hold the same time the bars must agree.")],
    to: Annotated[Path, typer.Option("--to", help="The SQLite file, such as cache.sqlite; made where there is none.")],
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace bars that are there with other values.")
    ] = False,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")] = False,
) -> None:
    """Put datasets into a SQLite cache, or newer bars to those that are there: all of them or none."""
    from dataclasses import asdict

    from ..data.cache_path import SUFFIX
    from ..data.cache_writing import store_datasets
    from ..data.dataset import read_dataset
    from ..data.info import cache_row

    if to.suffix != SUFFIX:
        raise UsageError(f"--to {to}: the name of a cache ends in {SUFFIX}, by which it is told from a folder.")
    stored = store_datasets(to, [read_dataset(file) for file in files], overwrite=overwrite)
    if json_output:
        rows = [{**asdict(cache_row(one.dataset)), "added": one.added, "replaced": one.replaced} for one in stored]
        typer.echo(json.dumps({"cache": str(to), "datasets": rows}, indent=2))
        return
    for one in stored:
        row = cache_row(one.dataset)
        replaced = f", {one.replaced:,} replaced" if one.replaced else ""
        typer.echo(
            f"{to / row.name}: {one.added:,} bars added{replaced}, {row.rows:,} in all, "
            f"{row.first_open} to {row.last_open}, digest {row.digest[:16]}"
        )
