"""The audit of security: every fault is told where it is, with what mends it, and no secret is."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from barstep.config.durations import microseconds
from barstep.config.reading import PACKAGED, read_config
from barstep.config.runtime import ResourceLimits
from barstep.config.schedulers import Schedule, Scheduler
from barstep.config.tokens import Token
from barstep.errors import UsageError
from barstep.ops.audit_journal import look_at_journal
from barstep.ops.audit_rbac import SchedulerTokens
from barstep.ops.audit_report import AuditReport, Finding, Looked, finding_of, write_audit
from barstep.ops.audit_resources import look_at_resources
from barstep.ops.audit_secrets import look_at_bundle, look_at_keys, look_at_modes
from barstep.ops.bundles.keys import make_signing_key
from barstep.ops.security_audit import Audited, audit_security
from barstep.replay.authorization import new_token, token_sha384, write_token
from barstep.replay.certificate_files import BundleFolder
from barstep.replay.certificates import init_bundle
from barstep.replay.clock import SimulatedClock
from barstep.replay.control.place import Place, told_place
from barstep.replay.journal.files import JournalFiles
from barstep.replay.journal.record import at_text, members
from barstep.replay.journal.writer import TradingDecisionJournal
from barstep.replay.key_files import KeyFolder
from barstep.replay.resources import Reading

NOW = datetime(2024, 1, 1, tzinfo=UTC)
NOW_US, DAY_US = microseconds(NOW), 86_400_000_000
SAMPLE = Path(__file__).resolve().parents[2] / "audit/security/security_baseline.json"
GOOD = "0123456789abcdef" * 4
SCOPES = ["runtime.schedule.read", "runtime.schedule.write"]


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def tokens(
    *entries: Token, environ: dict[str, str] | None = None, demo: bool = False, missing: Any = "judged"
) -> Looked:
    scheduler = Scheduler(schedules={"a": Schedule(strategy="b", cadence_seconds=60.0)}, rbac_tokens=list(entries))
    folder = Path("secrets/tokens") if demo else None
    return SchedulerTokens(
        "core", scheduler, required="runtime.schedule.write", environ=environ or {}, folder=folder, missing=missing,
        now_us=NOW_US,
    ).look()  # fmt: skip


def told(looked: Looked) -> list[tuple[str, str]]:
    return [(one.severity, one.text) for one in looked.findings]


def test_a_good_token_is_found_good() -> None:
    """Set, as a file or hashed; no secret and no digest is in what is told."""
    looked = tokens(
        Token(id="local", env="T", scopes=SCOPES),
        Token(id="desk", sha384=token_sha384(GOOD), scopes=SCOPES),
        environ={"T": GOOD},
    )
    assert not looked.findings
    assert looked.values["usable_here"] == ["local", "desk"]
    assert [one["held"] for one in looked.values["tokens"]] == ["set", "hashed"]
    assert GOOD not in json.dumps(looked.values) and token_sha384(GOOD) not in json.dumps(looked.values)
    write_token(Path("secrets/tokens/local.token"), new_token())
    looked = tokens(Token(id="local", env="T", scopes=SCOPES), demo=True)
    assert not looked.findings and looked.values["tokens"][0]["held"] == "file"


def test_a_missing_variable_matters_where_nobody_else_gets_in() -> None:
    """An issue alone, a warning beside a token that grants the scope, in a demonstration, or where it is allowed."""
    local, desk = Token(id="local", env="T", scopes=SCOPES), Token(id="desk", sha384=token_sha384(GOOD), scopes=SCOPES)
    reader = Token(id="reader", sha384=token_sha384(GOOD), scopes=["runtime.schedule.read"])
    assert [one.severity for one in tokens(local).findings] == ["issue"]
    assert [one.severity for one in tokens(local, reader).findings] == ["issue"]
    assert [one.severity for one in tokens(local, desk).findings] == ["warning"]
    assert [one.severity for one in tokens(local, demo=True).findings] == ["warning"]
    assert [one.severity for one in tokens(local, missing="warning").findings] == ["warning"]
    assert [one.severity for one in tokens(local, desk, missing="issue").findings] == ["issue"]
    (found,) = tokens(local).findings
    assert (found.where, found.mend) == ("variable T", "Set T, or remove the entry.")


def test_a_scope_that_nobody_has_is_an_issue() -> None:
    """None has it, the one that has it expired, or there are no tokens at all."""
    reader = Token(id="reader", sha384=token_sha384(GOOD), scopes=["runtime.schedule.read"])
    assert told(tokens(reader)) == [("issue", "no token that has not expired grants runtime.schedule.write.")]
    over = Token(id="over", sha384=token_sha384(GOOD), scopes=SCOPES, expires=NOW)
    assert told(tokens(over)) == [
        ("warning", "expired at 2024-01-01."),
        ("issue", "no token that has not expired grants runtime.schedule.write."),
    ]
    soon = Token(id="soon", sha384=token_sha384(GOOD), scopes=SCOPES, expires=NOW + timedelta(days=3))
    assert told(tokens(soon)) == [("warning", "expires in 3.0 days.")]
    assert told(tokens()) == [("issue", "has no rbac_tokens: it lets nobody in.")]


@pytest.mark.parametrize("weak", ["hunter2", "a" * 64, "abc" * 20])
def test_a_weak_token_is_told_and_not_shown(weak: str) -> None:
    """Too short, or of too few characters; a demonstration is warned."""
    entry = Token(id="local", env="T", scopes=SCOPES)
    looked = tokens(entry, environ={"T": weak})
    (found,) = looked.findings
    assert found.severity == "issue" and "is weak" in found.text and weak not in str(found) + str(looked.values)
    assert [one.severity for one in tokens(entry, environ={"T": weak}, demo=True).findings] == ["warning"]


def bundle(days: int = 90) -> BundleFolder:
    files = BundleFolder(Path("secrets/mtls"), "core-oem")
    init_bundle(files, host="localhost", client="loop", days=days, now_us=NOW_US)
    return files


def looked_at_bundle(days: float = 0.0, kind: Any = "paper") -> Looked:
    return look_at_bundle(Path("secrets"), "core-oem", kind, now_us=NOW_US + int(days * DAY_US))


def test_certificates_are_judged_by_their_end() -> None:
    """Good, to be rotated soon, expired; with their ages."""
    bundle()
    (Path("secrets/mtls/core-oem/ca.key")).unlink()
    looked = looked_at_bundle(1.0)
    server = looked.values["certificates"][1]
    assert not looked.findings
    assert (server["role"], server["age_days"], server["days_left"]) == ("server", 1.0, 89.0)
    soon = looked_at_bundle(80.0)
    assert told(soon) == [("warning", "expires in 10.0 days.")] * 2
    assert soon.findings[0].mend == "`barstep keys rotate --mtls-bundle core-oem` makes it anew."
    assert [one.severity for one in looked_at_bundle(91.0).findings] == ["issue", "issue"]
    assert "barstep keys rotate" in looked_at_bundle(91.0).findings[0].mend


def test_what_is_wrong_with_a_bundle_is_an_issue(tmp_path: Path) -> None:
    """A key of another, a mode, the authority's key left here (a warning), and no bundle at all."""
    files = bundle()
    assert told(looked_at_bundle()) == [
        ("warning", "the authority's key is on this machine: who has it can make a certificate for anybody.")
    ]
    assert not looked_at_bundle(kind="demo").findings
    files.key_path("client").write_bytes(files.key_path("server").read_bytes())
    (found,) = looked_at_bundle(kind="demo").findings
    assert (found.severity, found.where) == ("issue", "secrets/mtls/core-oem/client.key")
    assert "is not the key of" in found.text
    files.key_path("client").chmod(0o644)
    (found,) = looked_at_bundle(kind="demo").findings
    assert "has mode 0644" in found.text and "chmod 0600" in found.mend
    missing = look_at_bundle(Path("secrets"), "other", "demo", now_us=NOW_US)
    assert [(one.severity, one.where) for one in missing.findings] == [("issue", "secrets/mtls/other")]
    assert "barstep keys init --mtls-bundle other" in missing.findings[0].mend


def test_signing_keys_are_there_private_and_young() -> None:
    """What paper lacks is an issue and a demonstration makes; a root that was left here, and old keys, are warnings."""

    def look(kind: Any, days: int = 0) -> Looked:
        now_us = max(path.stat().st_mtime_ns for path in Path().rglob("*")) // 1_000 if any(Path().rglob("*")) else 0
        return look_at_keys(Path("secrets"), "here", kind, now_us=now_us + days * DAY_US)

    assert told(look("paper")) == [("issue", "no such key.")] and not look("demo").findings
    assert "barstep keys init --environment here" in look("paper").findings[0].mend
    KeyFolder(Path("secrets/journal/here")).init()
    make_signing_key(Path("secrets/x_signing.key"))
    assert look("demo").values["state"] == "ok" and not look("demo").findings
    assert [one["mode"] for one in look("demo").values["files"]] == ["0600"] * 3
    assert [one.where for one in look("paper").findings] == ["secrets/journal/here/root.key"]
    assert len(look("demo", 400).findings) == 2
    Path("secrets/x_signing.key").write_text("nonsense")
    Path("secrets/journal/here/epoch.key").write_text("nonsense")
    assert [one.severity for one in look("demo").findings] == ["issue", "issue"]


def test_nobody_else_may_get_at_anything() -> None:
    """A file, a folder, a link, wherever below; a tree that is private has nothing to tell."""
    make_signing_key(Path("secrets/deep/a.key"))
    assert not look_at_modes(Path("secrets")).findings
    assert not look_at_modes(Path("absent")).findings
    Path("secrets/deep").chmod(0o750)
    Path("secrets/deep/a.key").chmod(0o604)
    Path("secrets/link").symlink_to("deep/a.key")
    found = look_at_modes(Path("secrets")).findings
    assert [(one.where, one.mend.split(",")[0]) for one in found] == [
        ("secrets/deep", "chmod 0700"), ("secrets/deep/a.key", "chmod 0600"),
        ("secrets/link", "Put the file itself there."),
    ]  # fmt: skip


def journal() -> tuple[JournalFiles, KeyFolder]:
    keys = KeyFolder(Path("secrets/journal/demo"))
    keys.init()
    genesis = members({"kind": "genesis", "at": at_text(NOW_US), "environment": "demo"})
    folder = Path("audit/decision_logs")
    with TradingDecisionJournal.open(folder, "demo", keys, log_id="ab" * 16, genesis=genesis, now_us=NOW_US) as opened:
        opened.append_record({"kind": "note", "at": at_text(NOW_US), "message": "well"})
        opened.commit()
    keys.bind("ab" * 16)
    return JournalFiles(folder=folder, environment="demo"), keys


def test_the_journal_is_verified() -> None:
    """Good but for its witness, edited, gone; one that was never begun is none."""
    nothing = look_at_journal(JournalFiles(folder=Path("audit"), environment="demo"), KeyFolder(Path("secrets/none")))
    assert nothing.values["state"] == "not begun" and not nothing.findings
    files, keys = journal()
    looked = look_at_journal(files, keys)
    assert (looked.values["state"], looked.values["records"], looked.values["signed"]) == ("ok", 2, 2)
    (found,) = looked.findings
    assert found.severity == "warning" and "head --export" in found.mend
    data = files.open_segment.read_bytes()
    files.open_segment.write_bytes(data.replace(b"well", b"ill!"))
    looked = look_at_journal(files, keys)
    assert looked.values["state"] == "fail" and "EDITED" in looked.findings[0].text
    for path in (files.open_segment, files.head):
        path.unlink()
    (gone,) = look_at_journal(files, keys).findings
    assert gone.severity == "issue" and "secrets/journal/demo/log has seen it" in gone.text


LIMITS = ResourceLimits(cpu_pct=100, memory_mb=100, io_read_mb_s=10, io_write_mb_s=10)


def used(cpu_pct: float, memory_mb: float) -> Iterator[Reading]:
    yield Reading(1.0, memory_mb, 0.0, 0.0)
    yield Reading(1.0 + cpu_pct / 100.0, memory_mb, 0.0, 0.0)


@pytest.mark.parametrize(
    ("cpu_pct", "memory_mb", "expected"),
    [(10.0, 50.0, []), (85.0, 50.0, [("warning", "cpu_pct")]), (50.0, 101.0, [("issue", "memory_mb")])],
)
def test_a_running_loop_is_held_against_its_limits(cpu_pct: float, memory_mb: float, expected: list[Any]) -> None:
    """Its process is found by its place, watched for a second, and judged; over a limit is an issue."""
    readings = used(cpu_pct, memory_mb)
    with told_place(Place(environment="demo", scheduler="core", address="grpc+tcp://127.0.0.1:1", pid=os.getpid())):
        looked = look_at_resources(LIMITS, "demo", SimulatedClock(), read=lambda _: next(readings))
    assert looked.values["measured"] == f"process {os.getpid()}"
    assert looked.values["cpu_pct"]["usage"] == pytest.approx(cpu_pct)
    assert [(one.severity, one.where.rpartition(".")[2]) for one in looked.findings] == expected


def test_no_loop_uses_nothing_and_a_limit_that_is_missing_is_told() -> None:
    """None runs, or it has gone and left its place behind: nothing is made up."""

    def gone(pid: int) -> Reading:
        raise psutil.NoSuchProcess(pid)

    for read in (gone, gone):
        looked = look_at_resources(LIMITS, "demo", SimulatedClock(), read=read)
        assert (looked.values["measured"], looked.values["status"]) == ("no loop runs here", None)
        assert looked.values["memory_mb"]["limit"] == 100 and not looked.findings
    with told_place(Place(environment="demo", scheduler="core", address="grpc+tcp://127.0.0.1:1", pid=os.getpid())):
        assert look_at_resources(LIMITS, "demo", SimulatedClock(), read=gone).values["status"] is None
    (found,) = look_at_resources(ResourceLimits(cpu_pct=1.0), "demo", SimulatedClock()).findings
    assert found.text.startswith("no limit of memory_mb, io_read_mb_s, io_write_mb_s")


def test_the_report_says_the_worst_and_is_written_whole(tmp_path: Path) -> None:
    """`fail` with issues, `warn` with warnings, `ok`; issues and warnings apart, one that is told twice told once."""
    warning, issue = (Finding(severity=each, where="w", text="t", mend="m") for each in ("warning", "issue"))
    for findings, status in (((), "ok"), ((warning,), "warn"), ((warning, issue, issue), "fail")):
        report = AuditReport(
            audit="security",
            at="now",
            heading={"environment": "demo"},
            sections={"x": Looked(values={"a": 1}, findings=findings)},
        )
        write_audit(report, tmp_path / "deep/report.json")
        document = json.loads((tmp_path / "deep/report.json").read_text())
        assert (document["status"], document["x"], document["environment"]) == (status, {"a": 1}, "demo")
        assert document["issues"] == ([{"where": "w", "text": "t", "mend": "m"}] if issue in findings else [])
    split = finding_of("issue", "a/b.key: has mode 0644. chmod 0600 mends it.")
    assert (split.where, split.text, split.mend) == ("a/b.key", "has mode 0644.", "chmod 0600 mends it.")


def test_the_shipped_configuration_is_audited() -> None:
    """All respects of an environment; nothing is made or changed by looking."""
    core = read_config(PACKAGED).config
    asked = Audited(
        core=core, environment="binance_paper", environ={"CORE_SCHEDULER_TOKEN": GOOD, "BARSTEP_ADAPTER_TOKEN": GOOD}
    )
    report = audit_security(asked, SimulatedClock(wall_us=NOW_US))
    assert list(report.sections) == ["rbac", "mtls", "signing_keys", "secret_files", "journal", "resources"]
    assert [one.where for one in report.issues] == ["secrets/mtls/core-oem", "secrets/journal/binance_paper/epoch.key"]
    assert not list(Path().iterdir())
    assert GOOD not in json.dumps(report.to_dict())
    demo = audit_security(Audited(core=core, environment="demo", environ={}), SimulatedClock(wall_us=NOW_US))
    assert demo.status == "warn"
    with pytest.raises(UsageError, match="Did you mean 'core_multi'"):
        audit_security(Audited(core=core, environment="demo", environ={}, schedulers=["core_mult"]), SimulatedClock())


def test_the_sample_in_the_repository_is_what_a_run_writes() -> None:
    """The same respects and the same names in each, and no path of the machine that it was made on."""
    sample = json.loads(SAMPLE.read_text())
    core = read_config(PACKAGED).config
    report = audit_security(
        Audited(core=core, environment="demo", environ={}), SimulatedClock(wall_us=NOW_US)
    ).to_dict()
    assert list(sample) == list(report)
    assert sample["status"] == "ok" and sample["rbac"].keys() == report["rbac"].keys()
    assert sample["resources"].keys() == report["resources"].keys()
    assert '"/' not in SAMPLE.read_text()
