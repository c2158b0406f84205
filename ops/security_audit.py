"""Who may get in, with what, and whether anything is open: one report, which changes nothing that it looks at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..config.core import CoreConfig
from ..config.digest import content_sha384
from ..config.environments import choose_environment
from ..config.tokens import Scope
from ..errors import UsageError, unknown_name
from ..replay.authorization import WRITE
from ..replay.clock import Clock
from ..replay.journal.files import JournalFiles
from ..replay.journal.record import at_text
from ..replay.key_files import KeyFolder
from ..replay.secrets_setup import KEYS, TOKENS
from .audit_journal import look_at_journal
from .audit_rbac import MissingSecrets, SchedulerTokens
from .audit_report import AuditReport, Finding, Looked, Severity, joined
from .audit_resources import look_at_resources
from .audit_secrets import bundles_here, look_at_bundle, look_at_keys, look_at_modes

SECURITY_BASELINE = Path("audit/security/security_baseline.json")


@dataclass(frozen=True, kw_only=True)
class Audited:
    """What is audited.

    Attributes:
        core: The configuration.
        environment: A name, an alias or a type.
        schedulers: Names; empty: all.
        required_scope: What somebody has to be allowed on each.
        mtls_bundle: A bundle's name; None: the environment's, or where it has none, whichever are here.
        missing_secrets: What a variable is that is not set.
        environ: The environment variables.
        secrets: The folder of secrets.
        journals: The folder of journals.
    """

    core: CoreConfig
    environment: str
    environ: Mapping[str, str]
    schedulers: Sequence[str] = ()
    required_scope: Scope = WRITE
    mtls_bundle: str | None = None
    missing_secrets: MissingSecrets = "judged"
    secrets: Path = Path("secrets")
    journals: Path = Path("audit/decision_logs")


def audit_security(asked: Audited, clock: Clock) -> AuditReport:
    """Look at tokens, certificates, keys, modes, the journal and what a running loop uses.

    Raises:
        UsageError: A name is unknown.
    """
    name, _ = choose_environment(asked.core.environments, asked.environment)
    heading = {
        "environment": name,
        "environment_type": asked.core.environments[name].type,
        "config_sha384": content_sha384(asked.core),
    }
    sections = security_sections(asked, clock)
    return AuditReport(audit="security", at=at_text(clock.now_us()), heading=heading, sections=sections)


def security_sections(asked: Audited, clock: Clock) -> dict[str, Looked]:
    """What the audit looks at, by respect.

    Raises:
        UsageError: A name is unknown.
    """
    name, _ = choose_environment(asked.core.environments, asked.environment)
    kind, now_us = asked.core.environments[name].type, clock.now_us()
    bundles = _bundles(asked, name)
    files = JournalFiles(folder=asked.journals, environment=name)
    return {
        "rbac": _rbac(asked, name, now_us),
        "mtls": joined((one, look_at_bundle(asked.secrets, one, kind, now_us=now_us)) for one in bundles),
        "signing_keys": look_at_keys(asked.secrets, name, kind, now_us=now_us),
        "secret_files": look_at_modes(asked.secrets),
        "journal": look_at_journal(files, KeyFolder(asked.secrets / KEYS / name)),
        "resources": look_at_resources(asked.core.runtime.resource_limits, name, clock),
    }


def _bundles(asked: Audited, environment: str) -> list[str]:
    named = asked.mtls_bundle or asked.core.environments[environment].mtls_bundle
    return bundles_here(asked.secrets) if named is None else [named]


def _rbac(asked: Audited, environment: str, now_us: int) -> Looked:
    schedulers = asked.core.runtime.multi_strategy_schedulers
    for name in asked.schedulers:
        if name not in schedulers:
            raise UsageError(unknown_name("scheduler", name, schedulers))
    is_demo = asked.core.environments[environment].type == "demo"
    looked = [
        (
            name,
            SchedulerTokens(
                name,
                scheduler,
                required=asked.required_scope,
                environ=asked.environ,
                folder=asked.secrets / TOKENS if is_demo else None,
                missing=asked.missing_secrets,
                now_us=now_us,
            ).look(),
        )
        for name, scheduler in schedulers.items()
        if not asked.schedulers or name in asked.schedulers
    ]
    every = joined(looked)
    return Looked(values=every.values, findings=(*every.findings, *_adapter(asked, environment)))


def _adapter(asked: Audited, environment: str) -> Iterator[Finding]:
    """The token that the environment shows to its venue."""
    variable = asked.core.environments[environment].adapter_token_env
    if variable is not None and not asked.environ.get(variable, "").strip():
        severity: Severity = "warning" if asked.missing_secrets == "warning" else "issue"
        text = f"environment {environment!r} shows this token to its venue, and it is not set."
        yield Finding(severity=severity, where=f"variable {variable}", text=text, mend=f"Set {variable}.")
