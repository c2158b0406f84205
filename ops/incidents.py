"""Incident files: Markdown that people fill in, with a table and headings that a program finds again."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from ..data.whole_file import whole_file
from ..errors import DataError, UsageError, unknown_name
from ..replay.journal.record import at_text

FOLDER = Path("logs/incidents")
SUFFIX = "multi_strategy"
AlertType = Literal["pnl", "risk", "latency", "no_signals", "resources", "feed", "other"]
IncidentSeverity = Literal["warning", "critical"]
Outcome = Literal["restored", "acknowledged"]
OPEN = "open"

_ROW = re.compile(r"^\| ([a-z ]+) \| (.*) \|$")
_TIMELINE, _RESOLUTION, _UNRESOLVED = "## Timeline", "## Resolution", "_Open._"
_NAME = re.compile(rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}-{SUFFIX}(-[0-9]+)?\.md")


@dataclass(frozen=True, kw_only=True)
class Opening:
    """What is known when an incident is opened.

    Attributes:
        at_us: When.
        environment: Where.
        scheduler: Of which scheduler.
        alert_type: One of `AlertType`.
        severity: One of `IncidentSeverity`.
        level: Who has it.
        responsible: Who of them is on duty; or why that is not known.
        summary: What was seen.
        mtls_bundle: The bundle that the audit of the checklist names.
    """

    at_us: int
    environment: str
    scheduler: str
    alert_type: str
    severity: str
    level: str
    responsible: str
    summary: str
    mtls_bundle: str


@dataclass(frozen=True, kw_only=True)
class Incident:
    """An incident file.

    Attributes:
        path: Where it is.
        facts: What its table says, by name.
    """

    path: Path
    facts: Mapping[str, str]

    @property
    def is_open(self) -> bool:
        """Whether it is not closed yet."""
        return self.facts["status"] == OPEN


def check_opening(alert_type: str, severity: str, summary: str) -> None:
    """Raise UsageError where a word is not allowed, or nothing is said."""
    for what, value, allowed in (("alert type", alert_type, AlertType), ("severity", severity, IncidentSeverity)):
        if value not in get_args(allowed):
            raise UsageError(unknown_name(what, value, get_args(allowed)))
    if not summary.strip():
        raise UsageError("--message is empty: say what was seen.")


def check_closing(status: str, resolution: str) -> Outcome:
    """What an incident came to; raise UsageError where the word is not allowed, or nothing is said."""
    allowed: dict[str, Outcome] = {outcome: outcome for outcome in get_args(Outcome)}
    if status not in allowed:
        raise UsageError(unknown_name("status", status, allowed))
    if not resolution.strip():
        raise UsageError("--message is empty: say what was done.")
    return allowed[status]


def reserve(folder: Path, at_us: int) -> Path:
    """An empty file of the day's name, which nobody else has; a second one of a day gets a number."""
    folder.mkdir(parents=True, exist_ok=True)
    day, number = at_text(at_us)[:10], 1
    while True:
        path = folder / f"{day}-{SUFFIX}{'' if number == 1 else f'-{number}'}.md"
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))
        except FileExistsError:
            number += 1
        else:
            return path


def write_opened(path: Path, opening: Opening, by: str, recorded: str) -> None:
    """Write an incident's file.

    Args:
        path: The file that was reserved.
        opening: What is known.
        by: Who has opened it: the id of a token.
        recorded: Where the journal says so.
    """
    at = _seconds(opening.at_us)
    facts = {
        "status": OPEN,
        "opened": at,
        "closed": "",
        "environment": opening.environment,
        "scheduler": opening.scheduler,
        "alert type": opening.alert_type,
        "severity": opening.severity,
        "level": opening.level,
        "responsible": opening.responsible,
        "opened by": by,
        "summary": opening.summary,
    }
    lines = [f"# Incident {path.stem}", "", "| what | |", "|---|---|"]
    lines += [_row(name, value) for name, value in facts.items()]
    lines += ["", _TIMELINE, "", f"- {at} opened by {by}: {_plain(opening.summary)} ({recorded})"]
    for heading, steps in _checklists(opening, path).items():
        lines += ["", f"## {heading}", "", *(f"- [ ] {step}" for step in steps)]
    lines += ["", _RESOLUTION, "", _UNRESOLVED]
    _write(path, lines)


def read_incident(path: Path) -> Incident:
    """What an incident's table says.

    Raises:
        DataError: There is no such file, or it is none of an incident.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise DataError(f"{path}: no such incident.") from None
    except UnicodeDecodeError:
        lines = []
    facts = {match[1]: match[2].replace("\\|", "|").strip() for line in lines if (match := _ROW.match(line))}
    if "status" not in facts or "opened" not in facts:
        raise DataError(f"{path}: is no incident's file: its table of status and opened is missing.")
    return Incident(path=path, facts=facts)


def incidents_of(folder: Path) -> list[Incident]:
    """All incidents of a folder, the oldest first; a file that is none is refused, an empty one is being opened."""
    named = [path for path in folder.glob(f"*-{SUFFIX}*.md") if _NAME.fullmatch(path.name)]
    paths = [path for path in named if path.stat().st_size]
    return sorted((read_incident(path) for path in paths), key=lambda one: (one.facts["opened"], one.path.name))


def chosen_open(folder: Path, path: Path | None) -> Incident:
    """The incident that is to be closed: the one that is named, else the only one that is open.

    Raises:
        UsageError: It is closed already; or none is open, or several are.
        DataError: There is no such file, or it is none of an incident.
    """
    if path is not None:
        incident = read_incident(path)
        if not incident.is_open:
            raise UsageError(f"{path}: is closed already, as {incident.facts['status']}.")
        return incident
    found = [one for one in incidents_of(folder) if one.is_open]
    if len(found) != 1:
        names = ", ".join(str(one.path) for one in found)
        said = f"several are open: {names}; name one." if found else "no incident is open."
        raise UsageError(f"{folder}: {said}")
    return found[0]


def write_closed(incident: Incident, *, at_us: int, outcome: Outcome, resolution: str, by: str, recorded: str) -> None:
    """Write into an incident's file how it ended; what people have written there stays.

    Args:
        incident: As it was read.
        at_us: When.
        outcome: What it came to.
        resolution: What was done.
        by: Who has closed it.
        recorded: Where the journal says so.
    """
    at = _seconds(at_us)
    lines = incident.path.read_text(encoding="utf-8").splitlines()
    changed = {"status": outcome, "closed": at}
    for place, line in enumerate(lines):
        match = _ROW.match(line)
        if match and match[1] in changed:
            lines[place] = _row(match[1], changed.pop(match[1]))
    _append_to(lines, _TIMELINE, f"- {at} closed by {by}, {outcome} ({recorded})")
    lines = [line for line in lines if line != _UNRESOLVED]
    _append_to(lines, _RESOLUTION, f"{at}, {by}: {' '.join(resolution.split())}")
    _write(incident.path, lines)


def _append_to(lines: list[str], heading: str, text: str) -> None:
    """Put a line at the end of a section; a section that is gone is begun again."""
    if heading not in lines:
        lines += ["", heading, "", text]
        return
    start = lines.index(heading) + 1
    end = next((place for place in range(start, len(lines)) if lines[place].startswith("## ")), len(lines))
    while end > start and not lines[end - 1].strip():
        end -= 1
    if end == start:
        lines.insert(end, "")
        end += 1
    lines.insert(end, text)


def _checklists(opening: Opening, path: Path) -> dict[str, Sequence[str]]:
    """What L1 and L2 do, as the playbook says, with the commands for this incident."""
    environment = f"--environment {opening.environment}"
    return {
        "L1: confirm and decide": (
            f"the alert is confirmed ({opening.alert_type}): dashboard, panel *Multi-Strategy Scheduler*",
            f"`barstep audit stage4 --mtls-bundle-name {opening.mtls_bundle} {environment} --allow-missing-env`: "
            "`fail` is escalated at once",
            f"`barstep audit security --print --scheduler-required-scope runtime.schedule.write {environment}`",
            "`barstep load-test --iterations 5 --schedules 3`, where signals are missing",
            f"a false alert: `barstep incident close --file {path} --status acknowledged --message …`",
            "after 5 minutes, or over `runtime.resource_limits`: to L2",
        ),
        "L2: collect": (
            f"`barstep decision-log verify {environment}` and `barstep decision-log tail {environment}`: "
            "`schedule_run_id`, `primary_exchange`, `risk_budget_bucket`",
            "`audit/security/security_baseline.json` shows no issue",
            "`barstep load-test --iterations 60 --schedules 3 --output logs/load_tests/latest.json`",
        ),
        "L2: diagnose": (
            "alert fatigue: `barstep telemetry render --section scheduler_alerts`",
            "worse signals: `barstep smoke --cycles 2 --strategy mean_reversion`: `avg_abs_zscore`, "
            "`spread_capture_bps`",
            "adapters: `barstep stub-server --print-runtime-plan`, `logs/adapters/`",
        ),
        "L2: act": (
            "limits of resources are adjusted in `config/core.yaml`, or load is taken away",
            f"a strategy with wrong signals: `barstep scheduler run {environment} --disable-strategy NAME`",
            "an adapter that is down: the fallback feed, and the data team is told",
            "to the technical lead: no signals for 15 minutes with fresh bars; CPU over 120 % for 10 minutes; profit "
            "away from its shadow by three daily risk budgets",
        ),
        "After it": (
            f"`barstep incident close --file {path} --status restored --message …`",
            "owners are told; the playbook is changed where it was wrong",
        ),
    }


def _row(name: str, value: str) -> str:
    return f"| {name} | {_plain(value).replace('|', chr(92) + '|')} |"


def _plain(text: str) -> str:
    """A text in one line, of which nothing starts a heading or a row."""
    return " ".join(text.split())


def _seconds(at_us: int) -> str:
    return f"{at_text(at_us)[:19]}Z"


def _write(path: Path, lines: Sequence[str]) -> None:
    with whole_file(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
