"""`barstep reproduce …`: a saved result run again, and whether it comes out the same."""

# ruff: noqa: PLC0415 - imported when the command runs, see `cli.app`

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ..ops.reproduce import Difference, Reproduction

_MOST_VALUES = 20
"""The document has them all."""


def reproduce_command(
    result: Annotated[Path, typer.Argument(help="A folder that `--output` wrote, or its result.json.")],
    engine_files: Annotated[
        list[Path] | None,
        typer.Option("--engine-file", help="A Python file with engines that it needs. It is run."),
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")] = False,
) -> None:
    """Run a saved result again: exit 0 when it comes out the same, 1 when not, 5 when its files were changed."""
    from ..ops.reproduce import reproduce
    from ..report.reading import result_folder
    from .console import as_json, say_if_cold

    if not json_output:
        say_if_cold()
    found = reproduce(result_folder(result), engine_files or [])
    if json_output:
        typer.echo(as_json(found.to_dict()))
    else:
        _print(found)
    if found.verdict != "same":
        raise typer.Exit(1)


def _print(found: Reproduction) -> None:
    from .console import print_columns

    rows = [("table", "rows", "verdict", "first row", "column", "saved", "now")]
    for table in found.tables:
        moved = table.difference
        told = ("same", "", "", "", "") if moved is None else ("not the same", *_cells(moved))
        rows.append((table.name, f"{table.rows:,}", *told))
    print_columns(rows if any(table.difference for table in found.tables) else [row[:3] for row in rows])
    for one in found.differences[:_MOST_VALUES]:
        typer.echo(f"  {one.what}: was {_text(one.saved)}, is {_text(one.now)}")
    if len(found.differences) > _MOST_VALUES:
        typer.echo(f"  and {len(found.differences) - _MOST_VALUES:,} more; --json has them all")
    for one in found.provenance:
        typer.echo(f"computed by another {one.what}: was {_text(one.saved)}, is {_text(one.now)}")
    alike = found.values - len(found.differences)
    typer.echo(f"{found.verdict}: {found.kind}, {len(found.tables)} tables, {alike:,} of {found.values:,} values agree")


def _cells(moved: Difference) -> tuple[str, str, str, str]:
    row = "" if moved.row is None else f"{moved.row:,}"
    return row, moved.what, _text(moved.saved), _text(moved.now)


def _text(value: Any) -> str:
    return f"{value!r}" if isinstance(value, float) else f"{value}"
