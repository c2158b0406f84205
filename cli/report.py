"""`barstep report …`: a saved result as a page to explore, or a sheet to print."""

# ruff: noqa: PLC0415 - imported when the command runs, see `cli.app`

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ..errors import UsageError, refuse_existing, unknown_name

_FORMATS = ("html", "png", "pdf")


def report_command(
    result: Annotated[Path, typer.Argument(help="A folder that `backtest --output` wrote, or its result.json.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write. [report.html in the result's folder]")
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option("--format", help="html to explore, png or pdf to print. [the output's ending, or html]"),
    ] = None,
    montecarlo: Annotated[
        int | None,
        typer.Option("--montecarlo", metavar="PATHS", help="Show so many resampled paths too, 10000 say; html only."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file where it is there.")] = False,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a line.")] = False,
) -> None:
    """Write the report of a saved result: one file that needs no network."""
    if kind is not None and kind not in _FORMATS:
        raise UsageError(unknown_name("format", kind, _FORMATS))
    from ..report.reading import read_sheet, result_folder
    from ..report.writing import check_montecarlo, format_of, report_montecarlo, require_libraries, write_report

    folder = result_folder(result)
    path = output if output is not None else folder / f"report.{kind or 'html'}"
    ending = format_of(path)
    if kind not in (None, ending):
        raise UsageError(f"{path}: ends in .{ending}, but --format is {kind}; leave one of them out")
    refuse_existing(path, overwrite=overwrite)
    if montecarlo is None:
        require_libraries(ending)
        write_report(read_sheet(folder), path, ending)
    else:
        from ..engine.montecarlo import montecarlo as resample

        check_montecarlo(ending, path)
        report_montecarlo(resample(folder, paths=montecarlo), path)
    size = path.stat().st_size
    if json_output:
        typer.echo(json.dumps({"report": {"path": str(path), "format": ending, "bytes": size}}, indent=2))
    else:
        typer.echo(f"wrote {path} ({size / 1e6:.1f} MB)")
