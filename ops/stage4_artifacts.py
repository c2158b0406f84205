"""What stage 4 leaves behind: rules of alerts, signed bundles, a measured coverage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from ..config.document import Node
from ..config.files import read_file
from ..errors import BarstepError, ConfigError, DataError
from .audit_report import Finding, Looked, finding_of, joined
from .bundles.observability import DEPLOY, default_source
from .bundles.signing_keys import key_named_by
from .bundles.verifying import bundle_beside, verify_bundle

RULES = Path("prometheus/rules/multi_strategy_rules.yml")
BUNDLE_FOLDERS = (Path("stage4_strategies/strategy_bundle"), Path("var/bundles"))
OVERALL_PCT, CORE_PCT = 85.0, 87.0
"""Least coverage of everything, and of engines and kernels each."""
_CORE = ("engine", "kernels")
_LABELS = ("alert_type", "severity")


def look_at_rules(path: Path | None = None) -> Looked:
    """Whether the rules of alerts are there, can be read, and say of each alert what it is about."""
    path = default_source() / RULES if path is None else path
    try:
        read = read_file(path)
    except ConfigError as error:
        mend = "Put back the rules that come with barstep, or name yours: --rules FILE."
        text = str(error).rpartition(": ")[2]
        gone = Finding(severity="issue", where=str(DEPLOY / RULES), text=text, mend=mend)
        return Looked(values={"state": "missing"}, findings=(gone,))
    alerts = list(_alerts(_plain(read.root)))
    findings = [finding_of("issue", problem, "Mend the YAML.") for problem in read.errors]
    for alert in alerts:
        missing = [name for name in _LABELS if not (alert.get("labels") or {}).get(name)]
        if missing:
            text = f"alert {alert['alert']!r} has no label {', '.join(missing)}: nobody can route it."
            findings.append(Finding(severity="issue", where=path.name, text=text, mend="Add it under labels."))
    if not alerts:
        text, mend = "holds no alert.", "Put back the rules that come with barstep."
        findings.append(Finding(severity="issue", where=path.name, text=text, mend=mend))
    values = {"state": "fail" if findings else "ok", "file": path.name, "sha384": read.file_sha384}
    return Looked(values={**values, "alerts": len(alerts)}, findings=tuple(findings))


def look_at_bundles(named: Sequence[Path], folders: Sequence[Path]) -> Looked:
    """Whether bundles are what was signed: those that are named, else all that are in the folders."""
    archives = list(named) or sorted({path for folder in folders for path in _archives(folder)})
    if not archives:
        where = ", ".join(map(str, folders))
        mend = "`barstep bundle strategies` and `barstep bundle observability` make them."
        return Looked(values={}, findings=(Finding(severity="warning", where=where, text="no bundles.", mend=mend),))
    return joined((path.name, _bundle(path)) for path in archives)


def look_at_coverage(path: Path) -> Looked:
    """Whether a `coverage.xml` says that enough was tested."""
    mend = "`make test` measures it; add the tests that are missing."
    try:
        measured = _measured(path)
    except (OSError, DataError, ElementTree.ParseError) as error:
        text = f"is no coverage report: {error}."
        return Looked(values={}, findings=(Finding(severity="issue", where=str(path), text=text, mend=mend),))
    findings = []
    for name, pct in measured.items():
        least = CORE_PCT if name in _CORE else OVERALL_PCT
        if pct is None or pct < least:
            said = "nothing" if pct is None else f"{pct:.1f} %"
            text = f"{said} of {name} is covered; at least {least:g} % is asked for."
            findings.append(Finding(severity="issue", where=str(path), text=text, mend=mend))
    return Looked(values={f"{name}_pct": pct for name, pct in measured.items()}, findings=tuple(findings))


def _archives(folder: Path) -> Iterator[Path]:
    for pattern in ("*.zip", "*.tar.gz"):
        yield from folder.glob(pattern)


def _bundle(path: Path) -> Looked:
    try:
        files = bundle_beside(path)
        manifest = verify_bundle(files, key_named_by(files)).manifest
    except BarstepError as error:
        verdict = str(getattr(error, "verdict", "UNVERIFIED"))
        mend = "Make it anew from what it was made of, and look into who had it." if verdict != "UNVERIFIED" else ""
        return Looked(values={"verdict": verdict}, findings=(finding_of("issue", error, mend),))
    told = {"bundle": manifest.bundle, "version": manifest.version, "key_id": manifest.key_id}
    return Looked(values={"verdict": "OK", **told, "members": len(manifest.members), "sha384": manifest.archive.sha384})


def _measured(path: Path) -> dict[str, float | None]:
    """Share of lines that were covered, in percent: overall, and of each room that is held to more."""
    # Not of strangers: it is this checkout's own, and expat bounds what entities may grow to.
    root = ElementTree.parse(path).getroot()  # noqa: S314
    if root.tag != "coverage":
        raise DataError(f"its root is <{root.tag}>, not <coverage>")
    lines: dict[str, list[bool]] = {"overall": [], **{room: [] for room in _CORE}}
    for one in root.iter("class"):
        hit = [line.get("hits", "0") != "0" for line in one.iter("line")]
        lines["overall"] += hit
        room = next((part for part in Path(one.get("filename", "")).parts if part in _CORE), None)
        if room is not None:
            lines[room] += hit
    return {name: round(100.0 * sum(hits) / len(hits), 2) if hits else None for name, hits in lines.items()}


def _plain(node: Node) -> Any:
    if isinstance(node.value, dict):
        return {name: _plain(value) for name, value in node.value.items()}
    return [_plain(value) for value in node.value] if isinstance(node.value, list) else node.value


def _alerts(document: Any) -> Iterator[dict[str, Any]]:
    groups = document.get("groups") if isinstance(document, dict) else None
    for group in groups if isinstance(groups, list) else []:
        rules = group.get("rules") if isinstance(group, dict) else None
        for rule in rules if isinstance(rules, list) else []:
            if isinstance(rule, dict) and "alert" in rule:
                yield rule
