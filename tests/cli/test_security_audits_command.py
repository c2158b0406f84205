"""`barstep audit security` and `barstep audit stage4`: reports, exit codes, and what is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
GOOD = "0123456789abcdef" * 4
BASELINE = Path("audit/security/security_baseline.json")


def test_a_baseline_is_written_and_the_worst_decides(
    barstep: Run, scheduler_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A warning ends with 0 and an issue with 1; where, what and what to do; the default path; nothing else is made."""
    ran = barstep("audit", "security")
    assert ran.code == 0 and "security: warn; 0 issues, 2 warnings" in ran.out
    assert f"wrote {BASELINE}" in ran.out
    document = json.loads(BASELINE.read_text())
    assert (document["status"], document["issues"], document["environment"]) == ("warn", [], "demo")
    assert document["warnings"][0]["where"] == "variable CORE_SCHEDULER_TOKEN"
    assert str(scheduler_folder) not in BASELINE.read_text()
    assert sorted(path.name for path in scheduler_folder.iterdir()) == ["audit", "config"]
    monkeypatch.setenv("CORE_SCHEDULER_TOKEN", GOOD)
    ran = barstep("audit", "security", "--print", "--scheduler-required-scope", "runtime.schedule.write")
    assert ran.code == 0 and "security: ok; 0 issues, 0 warnings" in ran.out
    assert (
        "  core_multi:\n    required_scope: runtime.schedule.write\n" in ran.out and f"replaced {BASELINE}" in ran.out
    )
    failed = barstep("audit", "security", "--environment", "paper", "--output-json", "out/x.json", "--json")
    document = json.loads(failed.out)
    assert failed.code == 1 and document["status"] == "fail"
    assert document == json.loads(Path("out/x.json").read_text())
    assert "secrets/mtls/core-oem" in [one["where"] for one in document["issues"]]
    assert GOOD not in failed.out + BASELINE.read_text()


def test_wrong_words_are_told(barstep: Run, scheduler_folder: Path) -> None:
    """A scope, a scheduler, a folder for a file: wrong use, and nothing is written."""
    scope = barstep("audit", "security", "--scheduler-required-scope", "runtime.schedule.writ")
    assert scope.code == 2 and "Did you mean 'runtime.schedule.write'" in scope.err
    assert barstep("audit", "security", "--scheduler", "core").code == 2
    assert barstep("audit", "security", "--output-json", ".").code == 2
    assert not BASELINE.exists()


def test_stage4_looks_at_all_that_is_left_behind(
    barstep: Run, scheduler_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Missing variables fail it unless that is allowed; the bundle by its name; rules; bundles beside the report."""
    assert barstep("keys", "init", "--mtls-bundle", "core-oem").code == 0
    Path("rules.yml").write_text(
        'groups: [{name: a, rules: [{alert: A, expr: "1", labels: {alert_type: pnl, severity: critical}}]}]'
    )
    words = ("audit", "stage4", "--mtls-bundle-name", "core-oem", "--rules", "rules.yml", "--output-json", "out/c.json")
    ran = barstep(*words)
    assert ran.code == 1 and "issue: variable CORE_SCHEDULER_TOKEN" in ran.out
    allowed = barstep(*words, "--allow-missing-env")
    document = json.loads(Path("out/c.json").read_text())
    assert allowed.code == 0 and document["status"] == "warn"
    assert document["mtls"]["core-oem"]["state"] == "ok" and document["rules"]["alerts"] == 1
    monkeypatch.setenv("CORE_SCHEDULER_TOKEN", GOOD)
    assert barstep("bundle", "strategies", "--version", "1", "--output-dir", "out").code == 0
    good = barstep(*words, "--json")
    assert good.code == 0 and json.loads(good.out)["status"] == "ok"
    Path("coverage.xml").write_text("<coverage/>")
    assert barstep(*words, "--coverage-xml", "coverage.xml").code == 1
    archive = Path("out/stage4-strategies-1.zip")
    archive.write_bytes(archive.read_bytes()[:-1])
    edited = barstep(*words)
    assert edited.code == 1 and "EDITED ARCHIVE" in edited.out
    other = barstep("audit", "stage4", "--mtls-bundle-name", "other", "--rules", "rules.yml")
    assert other.code == 1 and "secrets/mtls/other: no such bundle" in other.out


def test_a_refused_configuration_is_an_issue_of_stage4(barstep: Run, scheduler_folder: Path) -> None:
    """Everything that is wrong with it, and status fail."""
    path = Path("config/core.yaml")
    path.write_text(path.read_text().replace("cadence_seconds: 1d", "cadence_second: 1d", 1))
    ran = barstep("audit", "stage4", "--output-json", "c.json")
    assert ran.code == 1
    document = json.loads(Path("c.json").read_text())
    assert document["status"] == "fail" and "cadence_seconds" in document["issues"][0]["text"]
