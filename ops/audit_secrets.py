"""What lies in `secrets/`: certificates, signing keys, and whether anybody else may get at them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from ..errors import DataError, JournalError
from ..replay.certificate_report import BundleReport, describe_bundle
from ..replay.certificates import MTLS
from ..replay.key_files import KeyFolder
from ..replay.private_files import FILE_MODE, FOLDER_MODE
from ..replay.secrets_setup import KEYS
from .audit_report import Finding, Looked, finding_of
from .bundles.keys import read_signing_key

DAY_US = 86_400_000_000
SOON_DAYS = {"server": 14, "client": 14, "authority": 60, "previous": 0}
"""Days before its end from which on a certificate is to be rotated."""
OLDEST_KEY_DAYS = 365
_MOST_FILES = 10_000

Kind = Literal["demo", "paper", "live"]


def look_at_bundle(secrets: Path, name: str, kind: Kind, *, now_us: int) -> Looked:
    """A bundle of certificates: ends, chain, keys, modes, and how old they are.

    Args:
        secrets: The folder of secrets.
        name: The bundle's.
        kind: Type of the environment.
        now_us: The time.
    """
    try:
        report = describe_bundle(secrets / MTLS, name, now_us=now_us)
    except (DataError, JournalError) as error:
        return Looked(values={"state": "missing"}, findings=(finding_of("issue", error),))
    values = {
        "state": "ok" if report.is_good else "fail",
        "is_overlapping": report.is_overlapping,
        "authority_key_is_here": report.authority_key_is_here,
        "certificates": [_certificate(one, now_us) for one in report.to_dict()["certificates"]],
    }
    faults = [finding_of("issue", fault) for fault in report.faults]
    return Looked(values=values, findings=(*faults, *_bundle_warnings(report, kind)))


def bundles_here(secrets: Path) -> list[str]:
    """Names of the bundles that are in the folder of secrets."""
    return sorted(path.name for path in (secrets / MTLS).glob("*") if path.is_dir() and not path.name.startswith("_"))


def look_at_keys(secrets: Path, environment: str, kind: Kind, *, now_us: int) -> Looked:
    """The keys that sign an environment's journal, and those that sign bundles."""
    keys = KeyFolder(secrets / KEYS / environment)
    findings: list[Finding] = []
    files = [path for path in (keys.root_path, keys.epoch_path) if path.exists()]
    values: dict[str, Any] = {"state": "missing", "root_is_here": keys.root_is_here()}
    try:
        key = keys.current()
        values |= {"state": "ok", "kid": key.kid, "epoch": key.epoch}
    except DataError as error:
        if kind != "demo":
            made_by = f"`barstep keys init --environment {environment}` makes it."
            findings.append(finding_of("issue", error, made_by))
    except JournalError as error:
        values["state"] = "fail"
        findings.append(finding_of("issue", error))
    if keys.root_is_here() and kind != "demo":
        text = "the root key is on this machine: who has it can sign any journal of this environment."
        mend = "Move it to where it is kept; `barstep decision-log verify --root-key FILE` reads it there."
        findings.append(Finding(severity="warning", where=str(keys.root_path), text=text, mend=mend))
    signing = sorted(secrets.glob("*_signing.key"))
    for path in signing:
        try:
            read_signing_key(path)
        except (DataError, JournalError) as error:
            findings.append(finding_of("issue", error))
    values["files"] = [_file(path, now_us) for path in (*files, *signing)]
    findings += _old_keys([*files[:1], *signing], now_us)
    return Looked(values=values, findings=tuple(findings))


def look_at_modes(secrets: Path) -> Looked:
    """Every file and folder below `secrets`: nobody else may get at them, and none is a symbolic link."""
    findings, count = [], 0
    for path in _below(secrets):
        count += 1
        found = path.lstat()
        allowed = FOLDER_MODE if stat.S_ISDIR(found.st_mode) else FILE_MODE
        if stat.S_ISLNK(found.st_mode):
            text, mend = "is a symbolic link; it is refused when it is read.", "Put the file itself there."
        elif found.st_mode & 0o077:
            mode = stat.S_IMODE(found.st_mode)
            text, mend = f"has mode {mode:04o}, so that others may get at it.", f"chmod {allowed:04o}, and rotate."
        elif found.st_uid not in (os.geteuid(), 0):
            text, mend = f"belongs to user {found.st_uid}, not to us or root.", "chown it."
        else:
            continue
        findings.append(Finding(severity="issue", where=str(path), text=text, mend=mend))
    return Looked(values={"looked_at": count, "open_to_others": len(findings)}, findings=tuple(findings))


def _below(folder: Path) -> Iterator[Path]:
    if not folder.exists() and not folder.is_symlink():
        return
    yield folder
    for number, path in enumerate(sorted(folder.rglob("*"))):
        if number == _MOST_FILES:
            return
        yield path


def _certificate(told: dict[str, Any], now_us: int) -> dict[str, Any]:
    begins = told.pop("begins_us")
    ends = told.pop("ends_us")
    days = {"age_days": _days(begins, now_us), "days_left": _days(now_us, ends), "lasts_days": _days(begins, ends)}
    return {**told, **days}


def _days(from_us: int | None, to_us: int | None) -> float | None:
    return None if from_us is None or to_us is None else round((to_us - from_us) / DAY_US, 2)


def _bundle_warnings(report: BundleReport, kind: Kind) -> Iterator[Finding]:
    rotate = f"barstep keys rotate --mtls-bundle {report.bundle}"
    for one in report.certificates:
        if one.days_left is not None and 0 < one.days_left < SOON_DAYS[one.role]:
            mend = f"`{rotate}{' --authority' if one.role == 'authority' else ''}` makes it anew."
            text = f"expires in {one.days_left:.1f} days."
            yield Finding(severity="warning", where=one.path, text=text, mend=mend)
    if report.authority_key_is_here and kind != "demo":
        text = "the authority's key is on this machine: who has it can make a certificate for anybody."
        mend = "Move it to where it is kept; --authority-key FILE names it there."
        yield Finding(severity="warning", where=f"{report.folder}/ca.key", text=text, mend=mend)
    if report.is_overlapping:
        mend = f"Once all ends were started again: `{rotate} --finish`."
        text = "the authority before this one is still trusted."
        yield Finding(severity="warning", where=report.folder, text=text, mend=mend)


def _file(path: Path, now_us: int) -> dict[str, Any]:
    found = path.lstat()
    return {"path": str(path), "mode": f"{stat.S_IMODE(found.st_mode):04o}", "age_days": _age(path, now_us)}


def _age(path: Path, now_us: int) -> float:
    return round((now_us - path.lstat().st_mtime_ns // 1_000) / DAY_US, 2)


def _old_keys(paths: list[Path], now_us: int) -> Iterator[Finding]:
    for path in paths:
        if _age(path, now_us) > OLDEST_KEY_DAYS:
            text = f"is {_age(path, now_us):.0f} days old; after {OLDEST_KEY_DAYS} it should be another."
            mend = "`barstep keys rotate` makes a journal's, `barstep bundle key` one for bundles."
            yield Finding(severity="warning", where=str(path), text=text, mend=mend)
