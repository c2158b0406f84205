"""Runs of records that follow one another, and what the order of the runs says.

A journal that nobody touched is one run. A record that was removed, moved or repeated makes several, and only all of
them together tell which it was: the runs that stand in order and hold the most records are taken for the journal. Of
the others, those whose records are in there already are DUPLICATE and the rest REORDERED; what is in none is a GAP.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ...errors import JournalError
from .faults import Fault, Verdict

MOST_RUNS = 100_000
"""So many are kept."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """Records with numbers that go up by one, in adjoining lines.

    Attributes:
        first: The first record's number.
        last: The last one's.
        file: Where the first one is.
        line: Its line.
        unread: Lines after the last one that may have been records that follow.
    """

    first: int
    last: int
    file: str
    line: int
    unread: int = 0

    @property
    def records(self) -> int:
        """How many there are."""
        return self.last - self.first + 1


class Runs:
    """Runs in the order of the files.

    A run ends where another one that was met before begins or ends, so that records that are met twice are a run of
    their own.
    """

    def __init__(self) -> None:
        self.closed: list[Run] = []
        self._edges: list[int] = []
        self._begun: Run | None = None

    def begin(self, seq: int, file: str, line: int) -> None:
        """A record that does not follow the one before it."""
        self._begun = Run(first=seq, last=seq, file=file, line=line)

    def end(self, last: int, unread: int = 0) -> None:
        """The run that was begun ends with this record.

        Raises:
            JournalError: There are far too many runs to keep them in memory.
        """
        if self._begun is None:
            return
        run = replace(self._begun, last=last, unread=unread)
        if len(self.closed) == MOST_RUNS:
            raise JournalError(
                f"{run.file}, line {run.line}: here records do not follow one another for the {MOST_RUNS:,}th time, "
                "and no more of this is read. The journal is not what it should be."
            )
        self.closed.append(run)
        for edge in (run.first, run.last + 1):
            insort(self._edges, edge)
        self._begun = None

    def next_edge(self, seq: int) -> int | None:
        """The first record after this one where a run that was met before begins or has ended."""
        place = bisect_right(self._edges, seq)
        return self._edges[place] if place < len(self._edges) else None


def judge(runs: Sequence[Run]) -> tuple[list[Fault], int]:
    """What is wrong with the order of runs, and the last record there is or may be; -1 where there is none."""
    faults: list[Fault] = []
    in_order = set(_in_order(runs))
    held = _Held(runs[index] for index in sorted(in_order))
    for index, run in enumerate(runs):
        if index not in in_order:
            faults.append(_out_of_order(run, known=held.has_all(run)))
            held.add(run)
    faults.extend(_gaps(held.runs))
    return faults, max((run.last + run.unread for run in held.runs), default=-1)


def _out_of_order(run: Run, *, known: bool) -> Fault:
    verdict = Verdict.DUPLICATE if known else Verdict.REORDERED
    many = run.records > 1
    which = f"records {run.first} to {run.last}" if many else f"record {run.first}"
    if known:
        text = f"{which} {'stand' if many else 'stands'} here again."
    else:
        text = f"{which} {'belong' if many else 'belongs'} elsewhere."
    return Fault(verdict=verdict, file=run.file, line=run.line, seq=run.first, records=run.records, text=text)


def _gaps(runs: Sequence[Run]) -> Iterator[Fault]:
    """Records that are in no run; `runs` are sorted and may overlap."""
    expected, unread = 0, 0
    for run in runs:
        missing = run.first - expected
        if missing > unread:
            first = expected + unread
            which = f"record {first} is" if first == run.first - 1 else f"records {first} to {run.first - 1} are"
            yield Fault(
                verdict=Verdict.GAP,
                file=run.file,
                line=run.line,
                seq=first,
                records=run.first - first,
                text=f"{which} missing before this line.",
            )
        if run.last + 1 >= expected:
            expected, unread = run.last + 1, run.unread


def _in_order(runs: Sequence[Run]) -> list[int]:
    """Places of the runs that go up and hold the most records together: a heaviest increasing subsequence."""
    ends = sorted({run.last for run in runs})
    best: list[tuple[int, int]] = [(0, -1)] * (len(ends) + 1)  # a Fenwick tree of (records, last run of the chain)
    before: list[int] = []
    top = (0, -1)
    for index, run in enumerate(runs):
        weight, previous = 0, -1
        place = bisect_left(ends, run.first)  # all ends below the first record
        while place > 0:
            if best[place][0] > weight:
                weight, previous = best[place]
            place -= place & -place
        before.append(previous)
        chain = (weight + run.records, index)
        if chain[0] > top[0]:
            top = chain
        place = bisect_left(ends, run.last) + 1
        while place < len(best):
            if best[place][0] < chain[0]:
                best[place] = chain
            place += place & -place
    places, index = [], top[1]
    while index >= 0:
        places.append(index)
        index = before[index]
    return places[::-1]


class _Held:
    """Records that are there, as sorted runs."""

    def __init__(self, runs: Iterator[Run]) -> None:
        self.runs = list(runs)

    def has_all(self, run: Run) -> bool:
        """Whether each of a run's records is there."""
        expected = run.first
        place = max(bisect_right(self.runs, run.first, key=lambda one: one.first) - 1, 0)
        for held in self.runs[place:]:
            if held.first > expected:
                break
            expected = max(expected, held.last + 1)
            if expected > run.last:
                return True
        return False

    def add(self, run: Run) -> None:
        """Have these too."""
        insort(self.runs, run, key=lambda one: one.first)
