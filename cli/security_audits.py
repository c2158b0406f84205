"""`barstep audit security` and `barstep audit stage4`: may this installation be trusted, this stage be signed off?"""

# ruff: noqa: PLC0415 - imported when a command runs, see `cli.app`

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ConfigError, UsageError, unknown_name
from .journal_options import JOURNALS, JournalFolderOption, JsonOption
from .scheduler_options import DEFAULT_ENVIRONMENT
from .settings import config_path

if TYPE_CHECKING:
    from ..config.tokens import Scope
    from ..ops.audit_report import AuditReport

_BASELINE = Path("audit/security/security_baseline.json")
WRITE = "runtime.schedule.write"
ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="The configuration. [config/core.yaml, else the one of barstep]")
]
EnvironmentOption = Annotated[str, typer.Option("--environment", help="Whose keys, journal and loop are looked at.")]
SchedulersOption = Annotated[
    list[str] | None, typer.Option("--scheduler", help="A scheduler; may be repeated. [all of the configuration]")
]
ScopeOption = Annotated[
    str, typer.Option("--scheduler-required-scope", help="What somebody has to be allowed on each scheduler.")
]
BundleNameOption = Annotated[
    str | None,
    typer.Option("--mtls-bundle-name", help="A bundle of certificates. [the environment's, else those that are here]"),
]


def security_command(
    show: Annotated[
        bool, typer.Option("--print", help="Print all that was looked at, and not the findings alone.")
    ] = False,
    required_scope: ScopeOption = WRITE,
    environment: EnvironmentOption = DEFAULT_ENVIRONMENT,
    schedulers: SchedulersOption = None,
    bundle: BundleNameOption = None,
    config: ConfigOption = None,
    output: Annotated[
        Path, typer.Option("--output-json", help="The report; one that is there is replaced.")
    ] = _BASELINE,
    journal_folder: JournalFolderOption = JOURNALS,
    json_output: JsonOption = False,
) -> None:
    """Audit tokens, certificates, keys, modes of secrets, the journal and resource use; exit 1 where it fails.

    Nothing that is looked at is changed; the report is written.
    """
    from ..engine.configured import load_core_config
    from ..ops.security_audit import Audited, audit_security
    from ..replay.clock import SystemClock

    _check_output(output)
    asked = Audited(
        core=load_core_config(config_path(config)), environment=environment, environ=os.environ,
        schedulers=schedulers or (), required_scope=_scope(required_scope), mtls_bundle=bundle,
        journals=journal_folder,
    )  # fmt: skip
    _tell(audit_security(asked, SystemClock()), output, everything=show, json_output=json_output)


def stage4_command(
    output: Annotated[Path, typer.Option("--output-json", help="The report; one that is there is replaced.")] = Path(
        "var/audit/compliance.json"
    ),
    bundle: BundleNameOption = None,
    allow_missing_env: Annotated[
        bool, typer.Option("--allow-missing-env", help="Variables of secrets that are not set are warnings.")
    ] = False,
    required_scope: ScopeOption = WRITE,
    environment: EnvironmentOption = DEFAULT_ENVIRONMENT,
    schedulers: SchedulersOption = None,
    bundles: Annotated[
        list[Path] | None,
        typer.Option("--bundle", help="A bundle's archive; may be repeated. [all in their folders and the report's]"),
    ] = None,
    rules: Annotated[Path | None, typer.Option("--rules", help="The rules of alerts. [those in deploy]")] = None,
    coverage: Annotated[Path | None, typer.Option("--coverage-xml", help="A coverage report to be judged.")] = None,
    config: ConfigOption = None,
    journal_folder: JournalFolderOption = JOURNALS,
    json_output: JsonOption = False,
) -> None:
    """Audit all that stage 4 asks for: security, journal, bundles, rules, coverage, limits; exit 1 where it fails."""
    from ..engine.configured import load_core_config
    from ..ops.security_audit import Audited
    from ..ops.stage4_artifacts import BUNDLE_FOLDERS
    from ..ops.stage4_audit import Artifacts, audit_stage4, refused_stage4
    from ..replay.clock import SystemClock

    _check_output(output)
    clock = SystemClock()
    try:
        core = load_core_config(config_path(config))
    except ConfigError as refused:
        _tell(refused_stage4(refused, environment, clock), output, everything=False, json_output=json_output)
        return
    asked = Audited(
        core=core, environment=environment, environ=os.environ, schedulers=schedulers or (),
        required_scope=_scope(required_scope), mtls_bundle=bundle,
        missing_secrets="warning" if allow_missing_env else "issue", journals=journal_folder,
    )  # fmt: skip
    artifacts = Artifacts(
        bundles=bundles or (), bundle_folders=(*BUNDLE_FOLDERS, output.parent), rules=rules, coverage=coverage
    )
    _tell(audit_stage4(asked, artifacts, clock), output, everything=False, json_output=json_output)


def _scope(text: str) -> Scope:
    from typing import get_args

    from ..config.tokens import Scope

    allowed: dict[str, Scope] = {scope: scope for scope in get_args(Scope)}
    if text not in allowed:
        raise UsageError(unknown_name("scope", text, allowed))
    return allowed[text]


def _check_output(path: Path) -> None:
    if path.is_dir():
        raise UsageError(f"--output-json {path}: is a folder; name a file.")


def _tell(report: AuditReport, output: Path, *, everything: bool, json_output: bool) -> None:
    """Write and print a report; exit 1 where it fails."""
    import json

    from ..ops.audit_report import write_audit

    was_there = output.exists()
    write_audit(report, output)
    if json_output:
        typer.echo(json.dumps(report.to_dict(), indent=2))
    else:
        _print(report, everything=everything)
        typer.echo(f"{'replaced' if was_there else 'wrote'} {output}")
    if report.status == "fail":
        raise typer.Exit(1)


def _print(report: AuditReport, *, everything: bool) -> None:
    if everything:
        for name, section in report.sections.items():
            typer.echo(f"{name}:")
            for line in _lines(dict(section.values)):
                typer.echo(f"  {line}")
    for severity, findings in (("issue", report.issues), ("warning", report.warnings)):
        for finding in findings:
            typer.echo(f"{severity}: {finding}")
    typer.echo(f"{report.audit}: {report.status}; {len(report.issues)} issues, {len(report.warnings)} warnings")


def _lines(value: object) -> list[str]:
    """A tree of plain values, one a line, what is nested further in."""
    if isinstance(value, dict):
        lines = []
        for name, inner in value.items():
            if isinstance(inner, dict | list) and inner and not _is_flat(inner):
                lines += [f"{name}:", *(f"  {line}" for line in _lines(inner))]
            else:
                lines.append(f"{name}: {_flat(inner)}")
        return lines
    if isinstance(value, list):
        return [f"- {line}" if not k else f"  {line}" for one in value for k, line in enumerate(_lines(one))]
    return [_flat(value)]


def _is_flat(value: object) -> bool:
    return isinstance(value, list) and not any(isinstance(one, dict | list) for one in value)


def _flat(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "–" if value is None else "none" if value == {} else str(value)
