"""A new root for an environment's journal: what comes after is signed with another key, what was stays verifiable."""

from __future__ import annotations

from typing import Any

from ..errors import UsageError
from .journal import TradingDecisionJournal
from .journal_files import JournalFiles
from .journal_reading import tail_from_checkpoint
from .journal_record import at_text, members
from .key_files import KeyFolder
from .keys import EpochKey, random_bytes
from .witness import head_of

_STATELESS = frozenset({"note", "incident", "recovered"})
"""Kinds of records that change nothing that the next record depends on."""


def rotate_keys(keys: KeyFolder, files: JournalFiles, *, now_us: int) -> EpochKey:
    """Make a new root, seal the open segment where there is one, and sign from then on with the new key.

    Args:
        keys: The environment's keys.
        files: Its journal.
        now_us: The time, in microseconds since the epoch.

    Raises:
        DataError: There are no keys.
        HeldError: A loop holds the journal.
        JournalError: The journal or a key is not as it should be.
        UsageError: The old root is still on the machine, or the loop did not end in order.
    """
    keys.current()
    if not files.open_segment.exists():
        key = keys.next_root()
        keys.advance(key)
        return key
    with open_existing(keys, files, now_us=now_us) as journal:
        checkpoint = {**_last_checkpoint(files), "at": at_text(now_us)}
        key = keys.next_root()
        journal.seal(members(checkpoint), reason="rotated", key=key)
    return key


def open_existing(keys: KeyFolder, files: JournalFiles, *, now_us: int) -> TradingDecisionJournal:
    """Take a journal that is there already for writing.

    Raises:
        DataError: There is none, or there are no keys.
        HeldError: Another process writes it.
        JournalError: What is there was not left by a crash.
    """
    keys.current()
    head_of(files)
    genesis = members({"kind": "genesis", "at": at_text(now_us), "environment": files.environment})
    return TradingDecisionJournal.open(
        files.folder, files.environment, keys, log_id=random_bytes(16).hex(), genesis=genesis, now_us=now_us
    )


def _last_checkpoint(files: JournalFiles) -> dict[str, Any]:
    """The open segment's checkpoint, which still says the state: only what people wrote has come after it."""
    records = tail_from_checkpoint(files.folder, files.environment)
    place, checkpoint = next(records)
    later = next((one.kind for one, _ in records if one.kind not in _STATELESS), None)
    if place.kind != "checkpoint" or later is not None:
        raise UsageError(
            f"{files.open_segment}: the loop has not ended in order, and only it can say the state that the next "
            "segment begins with. Start it, stop it with SIGTERM, then rotate."
        )
    return checkpoint
