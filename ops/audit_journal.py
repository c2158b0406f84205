"""Whether an environment's journal verifies, or is gone."""

from __future__ import annotations

from pathlib import Path

from ..errors import DataError, JournalError
from ..replay.journal.faults import LENIENT, Fault, Verdict
from ..replay.journal.files import JournalFiles
from ..replay.journal.verification import Verification, verify
from ..replay.journal.witness import default_witness
from ..replay.key_files import KeyFolder, keys_at_hand
from .audit_report import Finding, Looked, Severity, finding_of

_MOST_TOLD = 20


def look_at_journal(files: JournalFiles, keys: KeyFolder) -> Looked:
    """Verify a journal with the keys and the witness that are here.

    A journal that nobody has begun yet is none; one that keys or a witness have seen, and that is not there, is gone.
    """
    witness = default_witness(files.environment)
    seen = witness if witness.exists() else None
    if not files.open_segment.exists() and not files.head.exists():
        return _absent(files, keys, seen)
    try:
        found = verify(files, keys_at_hand(keys, []), witness=seen)
    except (DataError, JournalError) as error:
        return Looked(values={"state": "fail", "file": str(files.open_segment)}, findings=(finding_of("issue", error),))
    counts = {name: getattr(found, name) for name in ("log", "segments", "records", "signed", "last_seq")}
    values = {
        "state": "ok" if found.is_good(strict=False) else "fail",
        "is_good_strictly": found.is_good(strict=True),
        "file": str(files.open_segment),
        **counts,
        "head_seq": found.head_seq,
        "witness_seq": found.witness_seq,
    }
    return Looked(values=values, findings=tuple(_finding(files, fault) for fault in _told(found)))


def _absent(files: JournalFiles, keys: KeyFolder, witness: Path | None) -> Looked:
    known = witness or next((path for path in (keys.path / "log",) if path.exists()), None)
    if known is None:
        return Looked(values={"state": "not begun", "file": str(files.open_segment)})
    text = f"is not there, and {known} has seen it."
    mend = "Put it back from where it is kept; without it nothing that was decided can be shown."
    gone = Finding(severity="issue", where=str(files.open_segment), text=text, mend=mend)
    return Looked(values={"state": "gone", "file": str(files.open_segment)}, findings=(gone,))


def _told(found: Verification) -> tuple[Fault, ...]:
    return found.faults[:_MOST_TOLD]


def _finding(files: JournalFiles, fault: Fault) -> Finding:
    of = f"--environment {files.environment}"
    mend = f"`barstep decision-log verify {of}` tells all; docs/journal.md says what each verdict means."
    if fault.verdict is Verdict.UNWITNESSED:
        mend = f"`barstep decision-log head --export {of}` writes one; keep a copy off this machine."
    elif fault.verdict is Verdict.UNVERIFIED:
        mend = f"`barstep decision-log verify {of} --root-key FILE` checks it."
    where = str(files.folder / fault.file) if fault.file else str(files.open_segment)
    severity: Severity = "warning" if fault.verdict in LENIENT else "issue"
    return Finding(severity=severity, where=where, text=str(fault), mend=mend)
