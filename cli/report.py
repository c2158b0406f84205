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
    result: Annotated[
        Path, typer.Argument(help="A folder that `backtest --output` or `sweep --output` wrote, or its JSON file.")
    ],
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
    by: Annotated[
        str | None, typer.Option("--by", help="Of a sweep, the metric that the report is about. [sharpe]")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file where it is there.")] = False,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a line.")] = False,
) -> None:
    """Write the report of a saved result: one file that needs no network."""
    if kind is not None and kind not in _FORMATS:
        raise UsageError(unknown_name("format", kind, _FORMATS))
    from ..ops.sweep_folder import DOCUMENT

    if result.name == DOCUMENT or (result / DOCUMENT).is_file():
        if montecarlo is not None:
            raise UsageError(f"--montecarlo is for the report of a result; {result} is a sweep")
        folder = result.parent if result.name == DOCUMENT else result
        path = _path(folder, output, kind, overwrite=overwrite)
        _report_sweep(folder, path, by or "sharpe")
    elif by is not None:
        raise UsageError(f"--by is for the report of a sweep; {result} has no {DOCUMENT}")
    else:
        from ..report.reading import result_folder

        folder = result_folder(result)
        path = _path(folder, output, kind, overwrite=overwrite)
        _report_result(folder, path, montecarlo)
    size = path.stat().st_size
    if json_output:
        told = {"path": str(path), "format": path.suffix.removeprefix(".").lower(), "bytes": size}
        typer.echo(json.dumps({"report": told}, indent=2))
    else:
        typer.echo(f"wrote {path} ({size / 1e6:.1f} MB)")


def _path(folder: Path, output: Path | None, kind: str | None, *, overwrite: bool) -> Path:
    """Where the report goes, which its ending and --format agree on."""
    from ..report.writing import format_of, require_libraries

    path = output if output is not None else folder / f"report.{kind or 'html'}"
    ending = format_of(path)
    if kind not in (None, ending):
        raise UsageError(f"{path}: ends in .{ending}, but --format is {kind}; leave one of them out")
    refuse_existing(path, overwrite=overwrite)
    require_libraries(ending)
    return path


def _report_sweep(folder: Path, path: Path, by: str) -> None:
    from ..ops.sweep_folder import read_sweep
    from ..report.sweep.sheet import SweepSheet
    from ..report.sweep.writing import write_sweep_report

    saved = read_sweep(folder)
    write_sweep_report(SweepSheet(document=saved.document, table=saved.table, by=by), path)


def _report_result(folder: Path, path: Path, montecarlo: int | None) -> None:
    from ..report.reading import read_sheet
    from ..report.writing import check_montecarlo, format_of, report_montecarlo, write_report

    if montecarlo is None:
        write_report(read_sheet(folder), path, format_of(path))
        return
    from ..engine.montecarlo import montecarlo as resample

    check_montecarlo(format_of(path), path)
    report_montecarlo(resample(folder, paths=montecarlo), path)
