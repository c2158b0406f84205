"""What people write into the journal: notes and incidents, under the id of the token that allowed it."""

from __future__ import annotations

from typing import Any, Literal, Protocol, get_args

from ...errors import UsageError, unknown_name
from .record import at_text

Category = Literal["note", "incident", "config_change", "stage4_smoke"]
Status = Literal["acknowledged", "approved", "disabled", "restored"]
LONGEST_MESSAGE = 10_000


class Writer(Protocol):
    """What appends to a journal."""

    def append_record(self, record: dict[str, Any]) -> int:
        """Sign one more record of the group and return its number."""

    def commit(self) -> None:
        """Make the group durable."""


def make_note(
    *, message: str, by: str, now_us: int, category: str = "note", status: str | None = None
) -> dict[str, Any]:
    """The record of a note.

    Args:
        message: What happened, or what was decided.
        by: Id of the token of whoever writes it.
        now_us: The time, in microseconds since the epoch.
        category: One of `Category`; an incident is a record of kind `incident`.
        status: One of `Status`, or None.

    Raises:
        UsageError: A word is not one of these, or the message is empty or too long.
    """
    if category not in get_args(Category):
        raise UsageError(unknown_name("category", category, get_args(Category)))
    if status is not None and status not in get_args(Status):
        raise UsageError(unknown_name("status", status, get_args(Status)))
    if not message.strip():
        raise UsageError("--message is empty: say what happened, or what was decided.")
    if len(message) > LONGEST_MESSAGE:
        raise UsageError(f"--message has {len(message):,} characters; at most {LONGEST_MESSAGE:,} are kept.")
    kind = "incident" if category == "incident" else "note"
    return {
        "kind": kind, "at": at_text(now_us), "category": category, "message": message, "status": status, "by": by,
    }  # fmt: skip


def append_note(writer: Writer, note: dict[str, Any]) -> int:
    """Write a note of `make_note` durably and return its number.

    Raises:
        JournalError: It was not written.
    """
    seq = writer.append_record(note)
    writer.commit()
    return seq
