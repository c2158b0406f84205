"""A copy of a journal's head, kept elsewhere: who rolls back journal and head together does not roll back that."""

from __future__ import annotations

import os
from pathlib import Path

from ...errors import DataError, JournalError
from .disk import REAL_DISK
from .files import Head, JournalFiles, parse_head, read_head

FOLDER = Path("var/audit/witness")
"""Where witnesses are looked for and written by default."""


def default_witness(environment: str) -> Path:
    """The file that a witness of an environment is kept in."""
    return FOLDER / f"{environment}.json"


def read_witness(path: Path) -> Head:
    """What a witness has seen. It comes from elsewhere, so that its mode says nothing.

    Raises:
        DataError: There is no such file, or no head in it.
    """
    try:
        head = parse_head(path.read_bytes())
    except FileNotFoundError:
        raise DataError(f"{path}: no such witness.") from None
    if head is None:
        raise DataError(f"{path}: is no witness; `barstep decision-log head --export` writes one.")
    return head


def export_head(files: JournalFiles, path: Path) -> Head:
    """Write a journal's head as a witness; one that is there already goes on, and never back.

    Raises:
        DataError: There is no journal, or something else is at `path`.
        JournalError: The head cannot be read, or the witness has seen another journal or more of this one.
    """
    head = head_of(files)
    if path.exists():
        seen = read_witness(path)
        if seen.log != head.log:
            raise JournalError(
                f"{path}: has seen journal {seen.log}, and {files.head} is of {head.log}. Where that is "
                "as it should be, move the witness away first."
            )
        if seen.seq > head.seq or (seen.seq == head.seq and seen.mac != head.mac):
            raise JournalError(
                f"{path}: has seen record {seen.seq}, and {files.head} says {head.seq}: the journal was rolled back. "
                "The witness was kept."
            )
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(head.line())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return head


def head_of(files: JournalFiles) -> Head:
    """How far a journal goes.

    Raises:
        DataError: There is none.
        JournalError: The head cannot be read, or is not private.
    """
    head = read_head(REAL_DISK, files.head)
    if head is None:
        raise DataError(f"{files.head}: no such head; there is no journal of {files.environment!r} in this folder.")
    return head
