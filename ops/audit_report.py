"""What an audit finds: what was looked at, what is wrong with it, and what mends that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from ..data.whole_file import write_json

Severity = Literal["issue", "warning"]
Status = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        severity: An `issue` fails the audit; a `warning` does not.
        where: Of which file, entry or name.
        text: What is wrong.
        mend: What to do.
    """

    severity: Severity
    where: str
    text: str
    mend: str

    def __str__(self) -> str:
        return f"{self.where}: {self.text} {self.mend}".rstrip()


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What was looked at in one respect.

    Attributes:
        values: As plain values.
        findings: What is wrong with them.
    """

    values: Mapping[str, Any]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AuditReport:
    """An audit.

    Attributes:
        audit: `security` or `stage4`.
        at: When it was, ISO 8601.
        heading: What was audited, by which the report begins.
        sections: What was looked at, by respect.
    """

    audit: str
    at: str
    heading: Mapping[str, Any]
    sections: Mapping[str, Looked]

    @property
    def issues(self) -> list[Finding]:
        """What fails it."""
        return self._of("issue")

    @property
    def warnings(self) -> list[Finding]:
        """What does not, but should be looked at."""
        return self._of("warning")

    @property
    def status(self) -> Status:
        """`fail` with issues, `warn` with warnings alone, else `ok`."""
        return "fail" if self.issues else "warn" if self.warnings else "ok"

    def to_dict(self) -> dict[str, Any]:
        """The report as it is written: status, issues and warnings first, then what was looked at."""
        return {
            "status": self.status,
            "audit": self.audit,
            "at": self.at,
            **self.heading,
            "issues": [_plain(one) for one in self.issues],
            "warnings": [_plain(one) for one in self.warnings],
            **{name: dict(section.values) for name, section in self.sections.items()},
        }

    def _of(self, severity: Severity) -> list[Finding]:
        every = (one for section in self.sections.values() for one in section.findings)
        return [one for one in dict.fromkeys(every) if one.severity == severity]


def finding_of(severity: Severity, told: object, mend: str = "") -> Finding:
    """A finding of a text that says where, what and what mends it: `PATH: what is wrong. What to do.`."""
    where, _, rest = str(told).partition(": ")
    text, _, told_mend = rest.partition(". ")
    return Finding(severity=severity, where=where, text=f"{text.rstrip('.')}.", mend=mend or told_mend)


def joined(looked: Iterable[tuple[str, Looked]]) -> Looked:
    """Several of one respect as one, their values by name."""
    named = list(looked)
    findings = tuple(finding for _, one in named for finding in one.findings)
    return Looked(values={name: dict(one.values) for name, one in named}, findings=findings)


def write_audit(report: AuditReport, path: Path) -> None:
    """Write the report in full or not at all, in the place of one that is there; folders are made."""
    write_json(path, report.to_dict())


def _plain(finding: Finding) -> dict[str, str]:
    return {name: value for name, value in asdict(finding).items() if name != "severity"}
