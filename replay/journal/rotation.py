"""A new root for an environment's journal: what comes after is signed with another key, what was stays verifiable."""

from __future__ import annotations

from ...errors import UsageError
from ..catching_up import MADE_AGAIN
from ..key_files import KeyFolder
from ..keys import EpochKey, random_bytes
from .disk import REAL_DISK
from .files import JournalFiles
from .reading import read_segment
from .record import at_text, members
from .witness import head_of
from .writer import TradingDecisionJournal


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
        checkpoint = _last_checkpoint(files)
        key = keys.next_root()
        journal.seal(checkpoint, reason="rotated", key=key)
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


def _last_checkpoint(files: JournalFiles) -> bytes:
    """The open segment's checkpoint, which still says the state: nothing that changes it has come after it."""
    with REAL_DISK.read(files.open_segment) as file:
        records = read_segment(file, files.open_segment)
        place, body = next(records)
        is_later = any(one.kind in MADE_AGAIN for one, _ in records)
    if place.kind != "checkpoint" or is_later:
        raise UsageError(
            f"{files.open_segment}: the loop has not ended in order, and only it can say the state that the next "
            "segment begins with. Start it, stop it with SIGTERM, then rotate."
        )
    return body[body.index(b'"kind":') :]
