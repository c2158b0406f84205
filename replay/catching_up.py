"""What is done again, held against what was written: record by record, byte by byte."""

from __future__ import annotations

from collections.abc import Container, Iterable

from ..errors import JournalError
from .journal.record import fields_of
from .scribe import Ledger

MADE_AGAIN = frozenset(
    {"bars", "feed", "command", "health", "expiry", "mode", "weights", "governor", "run", "decision", "fill"}
)
"""Kinds of records that follow from what was there before them; the others came from outside, or tell of the journal
itself."""


class DivergedError(JournalError):
    """What was done again is not what was written.

    Attributes:
        written: The record in the journal; None where it has none more.
        made: The record that came out now; None where nothing did.
    """

    def __init__(self, written: bytes | None, made: bytes | None) -> None:
        at = fields_of(written or made or b"").get("at", "")
        super().__init__(
            f"the run made again is not the one that was written, from {at} on: the journal has "
            f"{_shown(written)}; now it is {_shown(made)}."
        )
        self.written, self.made = written, made


class CatchUp:
    """A ledger that compares while there is something to compare with, and then writes on.

    Attributes:
        compared: How many records were the same.
    """

    def __init__(
        self, written: Iterable[bytes], journal: Ledger | None = None, kinds: Container[str] = MADE_AGAIN
    ) -> None:
        """written: members of the records to be made again, in order. journal: where later ones go; None: nowhere.

        kinds: those that are made again.
        """
        self._written = (payload for payload in written if _kind(payload) in kinds)
        self._next = next(self._written, None)
        self._journal = journal
        self.compared = 0

    @property
    def upcoming(self) -> bytes | None:
        """What has to be made next; None where there is nothing to compare with."""
        return self._next

    @property
    def is_behind(self) -> bool:
        """Whether there is something to compare with."""
        return self._next is not None

    @property
    def is_full(self) -> bool:
        """Whether the journal wants a checkpoint."""
        return self._next is None and self._journal is not None and self._journal.is_full

    def append(self, payload: bytes) -> None:
        """Compare a record, or write it.

        Raises:
            DivergedError: It is another one than the journal has.
        """
        if self._next is not None:
            if self._next != payload:
                raise DivergedError(self._next, payload)
            self.compared += 1
            self._next = next(self._written, None)
        elif self._journal is not None:
            self._journal.append(payload)

    def end_group(self) -> None:
        """What is written now belongs to another group."""
        if self._journal is not None:
            self._journal.end_group()

    def commit(self) -> None:
        """Make what was written durable."""
        if self._journal is not None:
            self._journal.commit()

    def seal(self, checkpoint: bytes) -> None:
        """Begin a new segment."""
        if self._journal is not None:
            self._journal.seal(checkpoint)

    def finish(self) -> None:
        """The run is over: nothing may be left that was written and not made again.

        Raises:
            DivergedError: Something is.
        """
        if self._next is not None:
            raise DivergedError(self._next, None)


def _kind(payload: bytes) -> str:
    return payload[8 : payload.index(b'"', 8)].decode("ascii")


def _shown(payload: bytes | None) -> str:
    return "nothing more" if payload is None else payload.decode("ascii")
