"""Whether stage 4 may be signed off: security, journal, bundles, rules, coverage, limits, in one report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..config.digest import content_sha384
from ..errors import ConfigError
from ..replay.clock import Clock
from ..replay.journal.record import at_text
from .audit_report import AuditReport, Finding, Looked
from .security_audit import Audited, security_sections
from .stage4_artifacts import look_at_bundles, look_at_coverage, look_at_rules


@dataclass(frozen=True, kw_only=True)
class Artifacts:
    """What stage 4 has left behind, and where.

    Attributes:
        bundles: Archives; empty: all that are in `bundle_folders`.
        bundle_folders: Where bundles are looked for.
        rules: The rules of alerts; None: those of `deploy`.
        coverage: A `coverage.xml`; None: it is not looked at.
    """

    bundle_folders: Sequence[Path]
    bundles: Sequence[Path] = ()
    rules: Path | None = None
    coverage: Path | None = None


def audit_stage4(asked: Audited, artifacts: Artifacts, clock: Clock) -> AuditReport:
    """Look at everything that an acceptance of stage 4 asks for.

    Raises:
        UsageError: A name is unknown.
    """
    sections = {
        "configuration": Looked(values={"state": "ok", "sha384": content_sha384(asked.core)}),
        **security_sections(asked, clock),
        "rules": look_at_rules(artifacts.rules),
        "bundles": look_at_bundles(artifacts.bundles, artifacts.bundle_folders),
    }
    if artifacts.coverage is not None:
        sections["coverage"] = look_at_coverage(artifacts.coverage)
    heading = {"environment": asked.environment, "mtls_bundle": asked.mtls_bundle}
    return AuditReport(audit="stage4", at=at_text(clock.now_us()), heading=heading, sections=sections)


def refused_stage4(refused: ConfigError, environment: str, clock: Clock) -> AuditReport:
    """The same where the configuration is refused, and nothing else can be judged."""
    mend = "`barstep config validate` tells all."
    findings = tuple(
        Finding(severity="issue", where="configuration", text=str(problem), mend=mend) for problem in refused.problems
    )
    return AuditReport(
        audit="stage4",
        at=at_text(clock.now_us()),
        heading={"environment": environment},
        sections={"configuration": Looked(values={"state": "fail"}, findings=findings)},
    )
