"""`barstep config …`: validate, show, schema.

Everything but Typer is imported inside the commands, so that help and completion answer at once.
"""

# ruff: noqa: PLC0415

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import UsageError
from .connectable import ConnectableCommand, ConnectOption, TokenFileOption
from .journal_options import JOURNALS, JournalFolderOption, KeysFolderOption
from .managing import Where
from .noting import write_note
from .settings import config_path

if TYPE_CHECKING:
    from ..config.core import CoreConfig
    from ..config.reading import ReadConfig
    from ..engine.configured import ResolvedSchedule

app = typer.Typer(rich_markup_mode=None, help="Check and print the configuration.", no_args_is_help=True)

FileArgument = Annotated[
    Path | None, typer.Argument(help="The configuration; by default config/core.yaml, else the one of barstep.")
]
ConfigOption = Annotated[Path | None, typer.Option("--config", help="The same, as other commands take it.")]
ProfileOption = Annotated[str | None, typer.Option("--profile", help="An environment's name, alias or type.")]
REFUSED = 2


@app.command(cls=ConnectableCommand)
def validate(
    file: FileArgument = None,
    config: ConfigOption = None,
    profile: ProfileOption = None,
    append: Annotated[
        bool, typer.Option("--append", help="Write its SHA-384 into the environment's journal, where it passes.")
    ] = False,
    connect: ConnectOption = None,
    token_file: TokenFileOption = None,
    journal_folder: JournalFolderOption = JOURNALS,
    keys_folder: KeysFolderOption = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")] = False,
) -> None:
    """Check a configuration: PASS or FAIL, everything that is wrong, and its SHA-384; exit 2 on FAIL.

    While a loop holds the journal, --connect has that loop write it.
    """
    from ..engine.configured import examine

    if append and profile is None:
        raise UsageError("--append: name the environment whose journal it goes into, with --profile.")
    path = _path(file, config)
    read = examine(path)
    passed = not read.errors
    document: dict[str, Any] = {
        "ok": passed,
        "file": read.file,
        "content_sha384": read.content_sha384 if passed else None,
        "file_sha384": read.file_sha384,
        "environment": _environment(read.config, profile) if passed and profile is not None else None,
        "errors": [problem.as_json() for problem in read.errors],
        "warnings": [problem.as_json() for problem in read.warnings],
    }
    if append and passed:
        where = Where(config=path, environment=document["environment"]["name"], scheduler=None, token_file=token_file)
        message = f"configuration {read.file}: SHA-384 {read.content_sha384}, of the file {read.file_sha384}"
        fields = {"category": "note", "status": None, "message": message}
        document["journal_seq"], _ = write_note(where, connect, fields, journal_folder, keys_folder)
    if json_output:
        typer.echo(json.dumps(document, indent=2))
    else:
        _print_report(read, document)
    if not passed:
        raise typer.Exit(REFUSED)


@app.command()
def show(
    file: FileArgument = None,
    config: ConfigOption = None,
    profile: ProfileOption = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON instead of YAML.")] = False,
) -> None:
    """Print a configuration with all defaults; with --profile, only that environment and its scheduler."""
    from ..config.writing import as_plain, as_yaml
    from ..engine.configured import load_core_config

    loaded = load_core_config(_path(file, config))
    if profile is not None:
        loaded = _only(loaded, profile)
    typer.echo(json.dumps(as_plain(loaded), indent=2) if json_output else as_yaml(loaded).rstrip())


@app.command()
def schema() -> None:
    """Print the JSON Schema of the configuration, for editors."""
    from ..config.json_schema import json_schema

    typer.echo(json.dumps(json_schema(), indent=2))


def _path(file: Path | None, config: Path | None) -> Path:
    if file is not None and config is not None:
        raise UsageError(f"the configuration is given twice: {file} and --config {config}.")
    return config_path(file or config)


def _only(config: CoreConfig, profile: str) -> CoreConfig:
    """The configuration with one environment and its scheduler."""
    from msgspec.structs import replace

    from ..config.environments import choose_environment

    name, _ = choose_environment(config.environments, profile)
    environment = config.environments[name]
    schedulers = {environment.scheduler: config.runtime.multi_strategy_schedulers[environment.scheduler]}
    runtime = replace(config.runtime, multi_strategy_schedulers=schedulers)
    return replace(config, runtime=runtime, environments={name: environment})


def _environment(config: CoreConfig, profile: str) -> dict[str, Any]:
    """The environment that is chosen, with what its scheduler resolves to."""
    import msgspec

    from ..config.environments import choose_environment
    from ..engine.configured import catalog_of, resolve_schedules

    name, by = choose_environment(config.environments, profile)
    environment = config.environments[name]
    scheduler = config.runtime.multi_strategy_schedulers[environment.scheduler]
    schedules = resolve_schedules(config, environment, scheduler, catalog_of(config))
    facts = {"name": name, "chosen_by": by, **msgspec.to_builtins(environment)}
    return {**facts, "schedules": [_schedule(resolved) for resolved in schedules]}


def _schedule(resolved: ResolvedSchedule) -> dict[str, Any]:
    strategy, schedule = resolved.strategy, resolved.schedule
    return {
        "name": resolved.name,
        "strategy": strategy.name,
        "engine": strategy.engine.name,
        "parameters": dict(strategy.parameters),
        "tags": list(strategy.tags),
        "capability": strategy.capability,
        "risk_profile": resolved.risk_profile,
        "cadence_seconds": schedule.cadence_seconds,
        "interval": schedule.interval,
        "instrument_universe": resolved.instrument_universe,
        "instruments": list(resolved.instruments),
    }


def _print_report(read: ReadConfig, document: dict[str, Any]) -> None:
    """The report for people."""
    if read.errors:
        count = len(read.errors)
        typer.echo(f"{read.file}: FAIL, {count} error{'s' if count > 1 else ''}")
    else:
        typer.echo(f"{read.file}: PASS")
    for problem in read.problems:
        typer.echo(f"{problem.severity}: {problem}")
    if not read.errors:
        if document["environment"]:
            _print_environment(document["environment"])
        elif read.config.environments:
            _print_environments(read.config)
        typer.echo(f"SHA-384 of what it says, comments and order of keys left aside: {document['content_sha384']}")
    typer.echo(f"SHA-384 of the file's bytes: {read.file_sha384}")
    if "journal_seq" in document:
        typer.echo(
            f"both are in record {document['journal_seq']:,} of the journal of {document['environment']['name']}"
        )


def _print_environments(config: CoreConfig) -> None:
    from .console import print_columns

    rows = [("environment", "type", "venue", "scheduler", "risk profile", "universe", "capital", "bars")]
    for name, one in config.environments.items():
        names = (one.venue, one.scheduler, one.risk_profile, one.instrument_universe)
        rows.append(
            (name, one.type, *names, f"{one.capital:,.0f}", str(one.feed if one.offline else one.adapter_address))
        )
    print_columns(rows)


def _print_environment(facts: dict[str, Any]) -> None:
    from .console import print_columns

    source = f"recorded bars ({facts['feed']})" if facts["offline"] else facts["adapter_address"]
    typer.echo(
        f"environment {facts['name']}, chosen by {facts['chosen_by']}: {facts['type']} at {facts['venue']}, {source}, "
        f"capital {facts['capital']:,.0f}, scheduler {facts['scheduler']}"
    )
    rows = [("schedule", "strategy", "engine", "risk profile", "every", "bars", "instruments")]
    for one in facts["schedules"]:
        spans = (_span(one["cadence_seconds"]), _span(one["interval"]))
        names = (one["name"], one["strategy"], one["engine"], one["risk_profile"])
        rows.append((*names, *spans, " ".join(one["instruments"])))
    print_columns(rows)


def _span(seconds: float) -> str:
    from ..data.durations import format_interval

    return format_interval(int(seconds)) if seconds.is_integer() else f"{seconds:g}s"
