"""`barstep decision-log …`: verify, count, list and annotate the signed journal of an environment."""

# ruff: noqa: PLC0415 - imported when a command runs, see `cli.app`

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import JournalError, UsageError, nearest
from .connectable import ConnectableCommand, ConnectOption, TokenFileOption
from .journal_options import (
    JOURNALS,
    EnvironmentOption,
    JournalFolderOption,
    JsonOption,
    KeysFolderOption,
    journal_files,
    key_folder,
)
from .managing import Where
from .noting import write_note

if TYPE_CHECKING:
    from ..replay.journal.summary import Record, Summary
    from ..replay.journal.verification import Verification

app = typer.Typer(rich_markup_mode=None, help="Verify and read the signed decision journal.", no_args_is_help=True)
DEFAULT_ENVIRONMENT = "demo"
_SHOWN = ("seq", "at", "kind", "status", "schedule")
_HIDDEN = {"v", "log", "epoch", "kid", "prev", "mac", *_SHOWN}
_WIDTHS = {"at": 27, "kind": 10, "status": 12, "schedule": 24}
_LONGEST_VALUE = 80


@app.command("verify")
def verify_command(
    environment: EnvironmentOption = DEFAULT_ENVIRONMENT,
    strict: Annotated[bool, typer.Option("--strict", help="What could not be verified is a fault too.")] = False,
    root_keys: Annotated[
        list[Path] | None, typer.Option("--root-key", help="A root key file; one for each rotation.")
    ] = None,
    witness: Annotated[
        Path | None,
        typer.Option("--witness", help="A head that was kept elsewhere. [var/audit/witness/<environment>.json]"),
    ] = None,
    journal_folder: JournalFolderOption = JOURNALS,
    keys_folder: KeysFolderOption = None,
    json_output: JsonOption = False,
) -> None:
    """Verify signatures, order and completeness of all segments; exit 5 where anything is wrong."""
    from ..replay.journal.verification import verify
    from ..replay.journal.witness import default_witness
    from ..replay.key_files import keys_at_hand

    files = journal_files(journal_folder, environment)
    machine = None if root_keys else key_folder(keys_folder, environment)  # whoever brings roots need not believe it
    ring = keys_at_hand(machine, root_keys or [])
    if witness is None and default_witness(environment).exists():
        witness = default_witness(environment)
    found = verify(files, ring, witness=witness)
    if json_output:
        typer.echo(json.dumps(found.as_json(strict=strict), indent=2))
    else:
        _print_verification(found, strict=strict)
    if not found.is_good(strict=strict):
        raise typer.Exit(JournalError.exit_code)


@app.command("summary", cls=ConnectableCommand)
def summary_command(
    environment: EnvironmentOption = DEFAULT_ENVIRONMENT,
    append: Annotated[bool, typer.Option("--append", help="Write a note instead of counting.")] = False,
    incident: Annotated[bool, typer.Option("--incident", help="Write an incident instead of counting.")] = False,
    message: Annotated[str | None, typer.Option("--message", help="What happened, or what was decided.")] = None,
    status: Annotated[
        str | None, typer.Option("--status", help="acknowledged, approved, disabled or restored.")
    ] = None,
    category: Annotated[
        str | None, typer.Option("--category", help="note, incident, config_change or stage4_smoke.")
    ] = None,
    config: Annotated[Path | None, typer.Option("--config", help="Where it stands who may write.")] = None,
    connect: ConnectOption = None,
    token_file: TokenFileOption = None,
    journal_folder: JournalFolderOption = JOURNALS,
    keys_folder: KeysFolderOption = None,
    json_output: JsonOption = False,
) -> None:
    """Count records by kind, category, status, reason and schedule; with --append or --incident write one.

    While a loop holds the journal, --connect has that loop write it.
    """
    from ..replay.journal.summary import summarize

    if append or incident:
        if incident and category not in (None, "incident"):
            raise UsageError(f"--incident --category {category}: an incident is of category incident.")
        fields = {
            "category": "incident" if incident else category or "note",
            "status": status,
            "message": message or "",
        }
        where = Where(config=config, environment=environment, scheduler=None, token_file=token_file)
        written = write_note(where, connect, fields, journal_folder, keys_folder)
        _tell_written(where.environment_name, *written, json_output=json_output)
        return
    given = {"--message": message, "--status": status, "--category": category, "--token-file": token_file,
             "--connect": connect}  # fmt: skip
    for name, value in given.items():
        if value is not None:
            raise UsageError(f"{name}: only with --append or --incident, which write a record.")
    counted = summarize(journal_files(journal_folder, environment))
    if json_output:
        typer.echo(json.dumps(counted.as_json(), indent=2))
    else:
        _print_summary(counted)


@app.command("tail")
def tail_command(
    environment: EnvironmentOption = DEFAULT_ENVIRONMENT,
    count: Annotated[int, typer.Option("-n", min=0, help="How many records.")] = 20,
    follow: Annotated[bool, typer.Option("--follow", help="Go on with records as they are written.")] = False,
    schedule: Annotated[str | None, typer.Option("--schedule", help="Only of this schedule.")] = None,
    kind: Annotated[str | None, typer.Option("--kind", help="Only of this kind.")] = None,
    journal_folder: JournalFolderOption = JOURNALS,
    json_output: JsonOption = False,
) -> None:
    """Print the last records, oldest first, one a line."""
    from ..replay.clock import SystemClock
    from ..replay.journal import summary

    def wanted(record: Record) -> bool:
        return (schedule is None or record.get("schedule") == schedule) and (kind is None or record.get("kind") == kind)

    files = journal_files(journal_folder, environment)
    records, last = summary.last_records(files, count, wanted)
    try:
        _print_records(records, json_output=json_output)
        if count and not records and not follow:
            _tell_what_is_there(summary.summarize(files).by, {"kind": kind, "schedule": schedule})
        if follow:
            _print_records(summary.follow(files, last, wanted, SystemClock()), json_output=json_output)
    except BrokenPipeError:  # `| head` has seen enough; nothing may be left for Python to flush
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@app.command("head")
def head_command(
    path: Annotated[
        Path | None, typer.Argument(help="With --export: the witness. [var/audit/witness/<environment>.json]")
    ] = None,
    export: Annotated[bool, typer.Option("--export", help="Write it as a witness, to be kept elsewhere.")] = False,
    environment: EnvironmentOption = DEFAULT_ENVIRONMENT,
    journal_folder: JournalFolderOption = JOURNALS,
    json_output: JsonOption = False,
) -> None:
    """Say how far the journal goes; with --export, write that down for `verify --witness`."""
    from ..replay.journal.witness import default_witness, export_head, head_of

    files = journal_files(journal_folder, environment)
    if path is not None and not export:
        raise UsageError(f"{path}: only with --export, which writes the head there.")
    target = path or default_witness(environment)
    head = export_head(files, target) if export else head_of(files)
    if json_output:
        typer.echo(json.dumps({"head": head._asdict(), "exported": str(target) if export else None}, indent=2))
        return
    typer.echo(f"{environment}: record {head.seq} of journal {head.log}\n  {head.mac}")
    if export:
        typer.echo(f"wrote {target}; keep a copy where this machine cannot change it")


def _tell_what_is_there(by: dict[str, dict[str, int]], asked: dict[str, str | None]) -> None:
    """Say on stderr that no record was found, and the names that records have, since one may be mistyped."""
    for name, value in asked.items():
        if value is not None and value not in by[name]:
            there = ", ".join(sorted(by[name])) or "none"
            typer.echo(f"no record of {name} {value!r} is here.{nearest(value, by[name])} Here are: {there}.", err=True)
            return
    typer.echo("no such record is here.", err=True)


def _tell_written(environment: str, seq: int, note: dict[str, Any], *, json_output: bool) -> None:
    if json_output:
        typer.echo(json.dumps({"environment": environment, "seq": seq, "record": note}, indent=2))
    else:
        typer.echo(f"{environment}: wrote {note['kind']} {seq}, by {note['by']}")


def _print_verification(found: Verification, *, strict: bool) -> None:
    verdict = "PASS" if found.is_good(strict=strict) else "FAIL"
    ends = "no head" if found.head_seq is None else f"head {found.head_seq}"
    seen = "no witness" if found.witness_seq is None else f"witness {found.witness_seq}"
    typer.echo(
        f"{found.environment}: {verdict}; {found.records:,} records in {found.segments:,} segments, {found.signed:,} "
        f"with a good signature; last {found.last_seq}, {ends}, {seen}; journal {found.log}"
    )
    for fault in found.faults:
        typer.echo(f"  {fault}")
    if found.left_out:
        typer.echo(f"  and {found.left_out:,} more")


def _print_summary(counted: Summary) -> None:
    from .console import print_columns

    span = f", {counted.first_at} to {counted.last_at}" if counted.first_at else ""
    typer.echo(f"{counted.environment}: {counted.records:,} records in {counted.segments:,} segments{span}")
    rows = [(name, value, f"{count:,}") for name, counts in counted.by.items() for value, count in counts.items()]
    if rows:
        print_columns(rows, numbers_from=2)
    if counted.unreadable:
        what = "line is no record" if counted.unreadable == 1 else "lines are no records"
        typer.echo(f"{counted.unreadable:,} {what}; `barstep decision-log verify` tells more")


def _print_records(records: Iterable[Record], *, json_output: bool) -> None:
    for record in records:
        typer.echo(json.dumps(record, separators=(",", ":")) if json_output else _line(record))
        sys.stdout.flush()


def _line(record: Record) -> str:
    """A record's number, time, kind, status and schedule in columns, then what else it says."""
    columns = [str(record["seq"]).rjust(8)]
    columns += [_value(record.get(name) or "").ljust(width) for name, width in _WIDTHS.items()]
    shown = {name: value for name, value in record.items() if name not in _HIDDEN and value not in ("", None)}
    others = [f"{name}={_value(value)}" for name, value in shown.items()]
    return "  ".join([*columns, *others]).rstrip()


def _value(value: object) -> str:
    """A value in one line, whatever stands in it: nothing that a terminal would obey."""
    text = value if isinstance(value, str) and value.isprintable() else json.dumps(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"
