"""`barstep paper-smoke`: a venue, a live loop, an operator and a lost connection, and a report of what came of it."""

# ruff: noqa: PLC0415 - imported when the command runs, see `cli.app`

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import UsageError
from .interruption import interruptible
from .settings import config_path

if TYPE_CHECKING:
    from ..ops.paper_smoke_report import PaperSmokeReport


def paper_smoke_command(
    environment: Annotated[
        str, typer.Option(help="One that trades on paper: a name, an alias or a type.")
    ] = "binance_paper",
    scheduler: Annotated[str | None, typer.Option(help="A scheduler of it. [the environment's]")] = None,
    cycles: Annotated[int, typer.Option(help="Instants that the loop does; one closes each bar.")] = 240,
    dataset: Annotated[
        list[str] | None,
        typer.Option(help="Recorded bars of the venue: a folder, a file, or embedded; may be given often. [embedded]"),
    ] = None,
    address: Annotated[
        str | None, typer.Option(help="A venue that runs already, with your certificates and token. [one is started]")
    ] = None,
    within: Annotated[str, typer.Option(help="How long the instants may take.")] = "2m",
    config: Annotated[
        Path | None, typer.Option(help="The configuration. [config/core.yaml, else the one of barstep]")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The report; one that is there is replaced.")] = Path(
        "paper_smoke_report.json"
    ),
    json_output: Annotated[bool, typer.Option("--json", help="Print the report instead of text.")] = False,
) -> None:
    """Run an environment's live loop at a venue on this machine and check all that must come of it.

    Keys, certificates and tokens are made for it and thrown away. Exits with 1 where a check fails.
    """
    from ..config.durations import parse_duration
    from ..ops.paper_smoke import paper_smoke
    from ..ops.paper_smoke_report import write_report
    from .console import compile_if_cold

    if output.is_dir():
        raise UsageError(f"--output {output}: is a folder; name a file, such as {output / 'paper_smoke_report.json'}.")
    if address is not None and dataset:
        raise UsageError("--address and --dataset: a venue that runs already has its own bars; leave one out.")
    try:
        seconds = parse_duration(within)
    except UsageError as error:
        raise UsageError(f"--within: {error}.") from None
    with interruptible():
        compile_if_cold(quiet=json_output)
        report = paper_smoke(
            config_path(config),
            environment,
            scheduler,
            cycles=cycles,
            datasets=dataset or ["embedded"],
            address=address,
            within_seconds=seconds,
            told=lambda step: None if json_output else typer.echo(step, err=True),
        )
        write_report(report, output)
    if json_output:
        typer.echo(json.dumps(report.to_dict(), indent=2))
    else:
        _print(report)
        typer.echo(f"wrote {output}")
    if not report.passes:
        raise typer.Exit(1)


def _print(report: PaperSmokeReport) -> None:
    from .console import print_columns

    typer.echo(f"{report.scheduler} in {report.environment}, live on this machine for {report.seconds:.1f} s")
    print_columns([(check.status, check.name, check.detail) for check in report.checks])
    failed = sum(check.status == "FAIL" for check in report.checks)
    typer.echo(f"{'PASS' if report.passes else 'FAIL'}: {len(report.checks)} checks, {failed} failed")
