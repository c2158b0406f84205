"""`barstep doctor`: what is installed, cached and configured, and what to do about it."""

# ruff: noqa: PLC0415 - imported when the command runs, see `cli.app`

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer


def doctor_command(
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")] = False,
) -> None:
    """Say what is installed, cached and configured, and what to do; exit 1 if something has to be mended."""
    from ..ops.doctor import examine

    checks = examine()
    ok = all(check.status != "fail" for check in checks)
    if json_output:
        typer.echo(json.dumps({"ok": ok, "checks": [asdict(check) for check in checks]}, indent=2))
    else:
        from rich.console import Console
        from rich.markup import escape
        from rich.table import Table

        colours = {"ok": "green", "warn": "yellow", "fail": "red"}
        table = Table("check", "", "found", "what to do")
        for check in checks:
            status = f"[{colours[check.status]}]{check.status}[/]"
            table.add_row(check.name, status, escape(check.found), escape(check.advice))
        Console().print(table)
    if not ok:
        raise typer.Exit(1)
