"""A note or an incident in the journal: written here under its lock, or by the loop that holds it."""

# ruff: noqa: PLC0415 - imported when a command runs, see `cli.app`

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import HeldError
from .journal_options import journal_files, key_folder
from .managing import Where, connected, held


def write_note(
    where: Where, connect: str | None, fields: dict[str, Any], journal_folder: Path, keys_folder: Path | None
) -> tuple[int, dict[str, Any]]:
    """Write a record of `replay.journal.notes`, allowed by a token of the environment's scheduler.

    Args:
        where: Whose journal, and who writes.
        connect: The loop that holds it; None: it is taken here.
        fields: `category`, `status` and `message`.
        journal_folder: The folder of journals.
        keys_folder: The folder of the signing keys; None: the environment's own.

    Returns:
        The record's number, and the record.

    Raises:
        AuthorizationError: The token does not allow it.
        HeldError: A loop holds the journal, or none listens.
        DataError: There is no journal.
    """
    if connect is None:
        return _append(where, fields, journal_folder, keys_folder)
    return _have_appended(where, connect, fields)


def _append(
    where: Where, fields: dict[str, Any], journal_folder: Path, keys_folder: Path | None
) -> tuple[int, dict[str, Any]]:
    """Write one record, allowed by a token of the environment's scheduler, under the journal's lock."""
    from ..replay.authorization import WRITE
    from ..replay.clock import SystemClock
    from ..replay.journal.notes import append_note, make_note
    from ..replay.journal.rotation import open_existing

    now_us = SystemClock().now_us()
    note = make_note(by=where.authorized(WRITE), now_us=now_us, **fields)
    files, keys = journal_files(journal_folder, where.environment_name), key_folder(keys_folder, where.environment_name)
    try:
        with open_existing(keys, files, now_us=now_us) as journal:
            return append_note(journal, note), note
    except HeldError as error:
        raise held(error) from None


def _have_appended(where: Where, connect: str, fields: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Have the loop that holds the journal write it."""
    from ..replay.authorization import WRITE

    with connected(where, connect, WRITE) as there:
        written = there.ask("note", **fields)
    return written["seq"], written["record"]
