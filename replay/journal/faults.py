"""What can be wrong with a journal, and where it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Verdict(StrEnum):
    """What is wrong; docs/journal.md says when which is told."""

    EDITED = "EDITED"
    GAP = "GAP"
    REORDERED = "REORDERED"
    DUPLICATE = "DUPLICATE"
    FOREIGN_LOG = "FOREIGN LOG"
    WRONG_KEY = "WRONG KEY"
    TRUNCATED = "TRUNCATED"
    ROLLED_BACK = "ROLLED BACK"
    TORN = "TORN"
    UNVERIFIED = "UNVERIFIED"
    UNWITNESSED = "UNWITNESSED"


MOST_FAULTS = 10_000
"""So many are told; the others are counted."""

LENIENT = frozenset({Verdict.UNVERIFIED, Verdict.UNWITNESSED})
"""What cannot be told from what is at hand; a fault where verification is strict."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One finding.

    Attributes:
        verdict: What is wrong.
        file: Name of the file; empty where it is of none.
        line: Its line, from 1; None where it is of the file as a whole.
        seq: The record's number, as it says or as its place has it; None where neither tells.
        records: How many it is about: lines from `line` on, or records that are missing.
        text: It in words.
    """

    verdict: Verdict
    file: str
    line: int | None = None
    seq: int | None = None
    records: int = 1
    text: str = ""

    def __str__(self) -> str:
        where = f" {self.file}" if self.file else ""
        line = "" if self.line is None else f":{self.line}"
        which = "" if self.seq is None else f", seq {self.seq}"
        many = f", {self.records:,} records" if self.records > 1 else ""
        return f"{self.verdict}{where}{line}{which}{many}: {self.text}"


class Faults:
    """Findings of lines as they are read; those of adjoining lines that are alike become one.

    Args:
        most: So many are kept; the others are counted.
    """

    def __init__(self, most: int = MOST_FAULTS) -> None:
        self.kept: list[Fault] = []
        self.left_out = 0
        self._most = most

    def add(self, verdict: Verdict, file: str, line: int, seq: int | None, text: str) -> None:
        """Note what is wrong with a line."""
        if self.kept:
            last = self.kept[-1]
            adjoins = last.file == file and last.line is not None and last.line + last.records == line
            if adjoins and (last.verdict, last.text) == (verdict, text):
                self.kept[-1] = replace(last, records=last.records + 1)
                return
        if len(self.kept) < self._most:
            self.kept.append(Fault(verdict=verdict, file=file, line=line, seq=seq, text=text))
        else:
            self.left_out += 1

    @property
    def count(self) -> int:
        """How many there are, left out or kept."""
        return len(self.kept) + self.left_out

    def replace_from(self, place: int, verdict: Verdict, file: str, records: int, text: str) -> None:
        """Say one thing of a whole file in place of all that was noted from a place on."""
        if place < len(self.kept):
            line, seq = self.kept[place].line, self.kept[place].seq
            self.kept[place:] = [Fault(verdict=verdict, file=file, line=line, seq=seq, records=records, text=text)]
