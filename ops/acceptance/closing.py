"""The last steps: a journal that verifies, an audit of everything, and the archive with its record."""

from __future__ import annotations

import shutil
from dataclasses import asdict

from ...config.digest import content_sha384
from ...data.whole_file import write_json
from ...engine.provenance import software
from ...engine.seal import file_digest
from ...replay.journal.record import at_text
from ...replay.journal.verification import verify
from ...replay.journal.witness import default_witness, export_head
from ...replay.key_files import keys_at_hand
from ..audit_report import write_audit
from ..security_audit import Audited
from ..stage4_artifacts import RULES
from ..stage4_audit import Artifacts, audit_stage4
from .observing import source_of
from .stage import JOURNALS, FailedError, Stage, ToldElsewhereError
from .tested import COVERAGE

_OWN_STEPS = {"journal": "journal", "bundles": "signatures", "rules": "rules", "coverage": "tests"}
"""By a section of the audit, the step that looks at the same more closely."""


def verify_journal(stage: Stage) -> str:
    """The journal verifies strictly, against the witness of before."""
    witness = default_witness(stage.environment)
    found = verify(stage.journal, keys_at_hand(stage.keys, []), witness=witness if witness.exists() else None)
    if not found.is_good(strict=True):
        raise FailedError("; ".join(str(fault) for fault in found.faults[:5]))
    return f"{found.records:,} records, {found.signed:,} signed, witness {found.witness_seq}"


def audit_everything(stage: Stage) -> str:
    """The audit of stage 4 finds no issue."""
    asked = Audited(
        core=stage.core, environment=stage.environment, environ=stage.asked.environ,
        schedulers=(stage.place.scheduler,), mtls_bundle=stage.asked.mtls_bundle,
        missing_secrets="warning" if stage.place.type == "demo" else "issue", journals=JOURNALS,
    )  # fmt: skip
    coverage = stage.smoke_folder / COVERAGE
    artifacts = Artifacts(
        bundle_folders=(stage.smoke_folder,), rules=source_of(stage) / RULES,
        coverage=coverage if coverage.exists() else None,
    )  # fmt: skip
    report = audit_stage4(asked, artifacts, stage.clock)
    write_audit(report, stage.smoke_folder / "compliance.json")
    told = [one for section, step in _OWN_STEPS.items() if stage.failed(step) and section in report.sections
            for one in report.sections[section].findings]  # fmt: skip
    issues = [one for one in report.issues if one not in told]
    if issues:
        raise FailedError("; ".join(map(str, issues)))
    if report.issues:
        steps = sorted(step for step in _OWN_STEPS.values() if stage.failed(step))
        raise ToldElsewhereError(f"no issue but what step {', '.join(steps)} says; see compliance.json.")
    return f"{report.status}: {len(report.warnings)} warnings"


def archive(stage: Stage) -> str:
    """What was made is listed with its digests, a record says so, and the journal's head is kept as a witness."""
    failed = [name for name, outcome in stage.outcomes.items() if outcome.status == "FAIL"]
    files = sorted(path for path in stage.asked.folder.rglob("*") if path.is_file())
    metadata = {
        "status": "fail" if failed else "ok",
        "run_id": stage.asked.run_id,
        "timestamp": stage.asked.timestamp,
        "environment": stage.environment,
        "scheduler": stage.place.scheduler,
        "finished": at_text(stage.clock.now_us()),
        "steps": [asdict(outcome) for outcome in stage.outcomes.values()],
        "files": {path.relative_to(stage.asked.folder).as_posix(): file_digest(path) for path in files},
        "provenance": {**software(), "config_sha384": content_sha384(stage.core)},
    }
    path = stage.smoke_folder / "metadata.json"
    write_json(path, metadata)
    verdict = f"FAIL of {', '.join(failed)}" if failed else "all steps pass"
    seq = stage.note(
        f"acceptance {stage.asked.timestamp}, run {stage.asked.run_id}: {verdict}; {stage.asked.folder}, metadata "
        f"SHA-384 {file_digest(path)}",
        status=None if failed else "approved",
    )
    witness = default_witness(stage.environment)
    head = export_head(stage.journal, witness)
    shutil.copyfile(witness, stage.smoke_folder / "journal_head.json")
    return f"{len(files) + 2} files in {stage.asked.folder}, record {seq}, head {head.seq} in {witness}"
