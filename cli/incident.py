"""`barstep incident …`: incident files, opened and closed under a token, each with its record in the journal."""

# ruff: noqa: PLC0415 - imported when a command runs, see `cli.app`

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from .connectable import ConnectableCommand, ConnectOption, TokenFileOption
from .journal_options import JOURNALS, JournalFolderOption, JsonOption, KeysFolderOption
from .managing import Where
from .noting import write_note
from .scheduler_options import DEFAULT_ENVIRONMENT

app = typer.Typer(rich_markup_mode=None, help="Open, close and list incidents.", no_args_is_help=True)
FolderOption = Annotated[Path, typer.Option("--folder", help="Where incident files are.")]
EnvironmentOption = Annotated[str, typer.Option("--environment", help="Whose journal says so.")]
ConfigOption = Annotated[Path | None, typer.Option("--config", help="Where it stands who may write.")]
WithoutJournal = Annotated[
    bool, typer.Option("--without-journal", help="Write the file alone, where the journal is what has failed.")
]
_FOLDER = Path("logs/incidents")


@app.command("open", cls=ConnectableCommand)
def open_command(
    message: Annotated[str, typer.Option("--message", help="What was seen.")],
    alert_type: Annotated[
        str, typer.Option("--alert-type", help="pnl, risk, latency, no_signals, resources, feed, or other.")
    ] = "other",
    severity: Annotated[str, typer.Option("--severity", help="warning or critical.")] = "warning",
    level: Annotated[str, typer.Option("--level", help="Who has it: a level of the rota.")] = "L1",
    environment: EnvironmentOption = DEFAULT_ENVIRONMENT,
    scheduler: Annotated[str | None, typer.Option("--scheduler", help="Whose schedules. [the environment's]")] = None,
    rotation: Annotated[Path | None, typer.Option("--rotation", help="The rota. [ops/oncall_rotation.yaml]")] = None,
    folder: FolderOption = _FOLDER,
    config: ConfigOption = None,
    connect: ConnectOption = None,
    token_file: TokenFileOption = None,
    without_journal: WithoutJournal = False,
    journal_folder: JournalFolderOption = JOURNALS,
    keys_folder: KeysFolderOption = None,
    json_output: JsonOption = False,
) -> None:
    """Write an incident's file with its checklist, and a record of category incident into the journal.

    While a loop holds the journal, --connect has that loop write the record.
    """
    from ..ops.incidents import Opening, check_opening, reserve, write_opened
    from ..replay.clock import SystemClock

    check_opening(alert_type, severity, message)
    where = Where(config=config, environment=environment, scheduler=scheduler, token_file=token_file)
    now_us = SystemClock().now_us()
    opening = Opening(
        at_us=now_us, environment=where.environment_name, scheduler=where.scheduler_name, alert_type=alert_type,
        severity=severity, level=level, responsible=_responsible(rotation, level, now_us), summary=message,
        mtls_bundle=where.core.environments[where.environment_name].mtls_bundle or "core-oem",
    )  # fmt: skip
    path = reserve(folder, now_us)
    try:
        text = f"incident {path.stem} opened: {alert_type}, {severity}, {level}: {message}"
        fields = {"category": "incident", "status": None, "message": text}
        by, recorded = _record(where, connect, fields, journal_folder, keys_folder, without_journal=without_journal)
    except BaseException:
        path.unlink()
        raise
    write_opened(path, opening, by, recorded)
    _tell(path, "open", by, recorded, json_output=json_output)


@app.command("close", cls=ConnectableCommand)
def close_command(
    resolution: Annotated[str, typer.Option("--message", help="What was done.")],
    file: Annotated[
        Path | None, typer.Option("--file", help="The incident's file. [the only one that is open]")
    ] = None,
    status: Annotated[
        str, typer.Option("--status", help="restored, or acknowledged where it was a false alert.")
    ] = "restored",
    folder: FolderOption = _FOLDER,
    environment: Annotated[
        str | None, typer.Option("--environment", help="Whose journal says so. [the incident's]")
    ] = None,
    config: ConfigOption = None,
    connect: ConnectOption = None,
    token_file: TokenFileOption = None,
    without_journal: WithoutJournal = False,
    journal_folder: JournalFolderOption = JOURNALS,
    keys_folder: KeysFolderOption = None,
    json_output: JsonOption = False,
) -> None:
    """Write into an incident's file how it ended, and a record into the journal; what people wrote there stays."""
    from ..ops.incidents import check_closing, chosen_open, write_closed
    from ..replay.clock import SystemClock

    outcome = check_closing(status, resolution)
    incident = chosen_open(folder, file)
    named = environment or incident.facts.get("environment") or DEFAULT_ENVIRONMENT
    where = Where(config=config, environment=named, scheduler=None, token_file=token_file)
    message = f"incident {incident.path.stem} closed: {resolution}"
    fields = {"category": "incident", "status": outcome, "message": message}
    by, recorded = _record(where, connect, fields, journal_folder, keys_folder, without_journal=without_journal)
    now_us = SystemClock().now_us()
    write_closed(incident, at_us=now_us, outcome=outcome, resolution=resolution, by=by, recorded=recorded)
    _tell(incident.path, outcome, by, recorded, json_output=json_output)


@app.command("list")
def list_command(
    only_open: Annotated[bool, typer.Option("--open", help="Only those that are open.")] = False,
    folder: FolderOption = _FOLDER,
    json_output: JsonOption = False,
) -> None:
    """List incidents, the oldest first."""
    from ..ops.incidents import incidents_of
    from .console import print_columns

    found = [one for one in incidents_of(folder) if one.is_open or not only_open]
    if json_output:
        told = [
            {"file": str(one.path), **{name.replace(" ", "_"): v for name, v in one.facts.items()}} for one in found
        ]
        typer.echo(json.dumps({"incidents": told}, indent=2))
        return
    shown = ("opened", "status", "severity", "alert type", "level", "environment", "summary")
    if found:
        print_columns(
            [("file", *shown), *((one.path.name, *(one.facts.get(name, "") for name in shown)) for one in found)]
        )
    typer.echo(f"{len(found)} incidents{' are open' if only_open else ''} in {folder}")


def _record(
    where: Where,
    connect: str | None,
    fields: dict[str, Any],
    journal_folder: Path,
    keys_folder: Path | None,
    *,
    without_journal: bool,
) -> tuple[str, str]:
    """Write the record; who has written it, and where it stands."""
    from ..replay.authorization import WRITE

    if without_journal:
        return where.authorized(WRITE), "not in the journal"
    seq, record = write_note(where, connect, fields, journal_folder, keys_folder)
    return record["by"], f"journal of {where.environment_name}, record {seq}"


def _responsible(path: Path | None, level: str, now_us: int) -> str:
    """Who is on duty, as a rota says; where there is none, that."""
    from ..ops.oncall import ROTATION, on_duty, read_rotation

    if path is None and not ROTATION.exists():
        return f"not known: there is no {ROTATION} here"
    rotation = read_rotation(path or ROTATION)
    person = on_duty(rotation, level, now_us)
    answers = rotation.levels[level]
    return (
        f"{person.name}, {person.slack}, {person.phone} ({level}, answers within "
        f"{answers.answers_within_minutes:g} minutes, {answers.channel})"
    )


def _tell(path: Path, status: str, by: str, recorded: str, *, json_output: bool) -> None:
    if json_output:
        typer.echo(json.dumps({"file": str(path), "status": status, "by": by, "recorded": recorded}, indent=2))
    else:
        typer.echo(f"{path}: {status}, by {by}; {recorded}")
