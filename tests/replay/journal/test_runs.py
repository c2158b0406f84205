"""What the order of runs says, by hand and against every small journal there is."""

from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np
import pytest
from barstep.errors import JournalError
from barstep.replay.journal.runs import Run, Runs, judge


def runs(*spans: tuple[int, int], unread: dict[int, int] | None = None) -> list[Run]:
    """Runs of these first and last records, each in a file of its own."""
    unread = unread or {}
    return [
        Run(first=first, last=last, file=f"f{place}", line=1, unread=unread.get(place, 0))
        for place, (first, last) in enumerate(spans)
    ]


def told(*spans: tuple[int, int], unread: dict[int, int] | None = None) -> list[tuple[str, str, int | None, int]]:
    return [(one.verdict.value, one.file, one.seq, one.records) for one in judge(runs(*spans, unread=unread))[0]]


def test_one_run_from_the_first_record_is_all_there_is() -> None:
    """It holds no fault, and its last record is the journal's; nothing at all ends before the first."""
    assert judge(runs((0, 9))) == ([], 9)
    assert judge([]) == ([], -1)


def test_what_no_run_holds_is_a_gap() -> None:
    """At the beginning too; told at the line after it."""
    assert told((3, 9)) == [("GAP", "f0", 0, 3)]
    assert told((0, 2), (5, 9)) == [("GAP", "f1", 3, 2)]


def test_lines_that_could_not_be_read_may_be_what_is_missing() -> None:
    """As many as there are; what is missing beyond them is a gap. At the end they count as records."""
    assert told((0, 2), (5, 9), unread={0: 2}) == []
    assert told((0, 2), (7, 9), unread={0: 2}) == [("GAP", "f1", 5, 2)]
    assert judge(runs((0, 2), unread={0: 2})) == ([], 4)


def test_the_lighter_run_is_the_one_that_was_moved() -> None:
    """Whichever way it went, and several of them."""
    assert told((0, 3), (7, 7), (4, 6), (8, 9)) == [("REORDERED", "f1", 7, 1)]
    assert told((0, 3), (5, 9), (4, 4)) == [("REORDERED", "f2", 4, 1)]
    assert told((0, 1), (7, 7), (3, 6), (2, 2), (8, 9)) == [("REORDERED", "f1", 7, 1), ("REORDERED", "f3", 2, 1)]


def test_records_that_stand_twice_are_told_where_they_do_not_belong() -> None:
    """After or before their place, in part or in several pieces."""
    assert told((0, 9), (4, 6)) == [("DUPLICATE", "f1", 4, 3)]
    assert told((0, 3), (7, 8), (4, 6), (7, 8), (9, 12)) == [("DUPLICATE", "f1", 7, 2)]
    assert told((0, 4), (3, 4), (5, 9)) == [("DUPLICATE", "f1", 3, 2)]


def test_a_run_that_is_held_in_part_only_was_moved() -> None:
    """It brings records that are nowhere else."""
    assert told((0, 3), (6, 9), (3, 5)) == [("REORDERED", "f2", 3, 3)]


def longest_increasing(spans: list[tuple[int, int]]) -> int:
    """The most records that runs hold which go up, tried one by one."""
    best = [0] * len(spans)
    for place, (first, last) in enumerate(spans):
        before = max((best[i] for i in range(place) if spans[i][1] < first), default=0)
        best[place] = before + last - first + 1
    return max(best, default=0)


def test_the_runs_in_order_hold_the_most_records() -> None:
    """Over every order of five runs of drawn lengths, and what is told adds up to all the others."""
    rng = np.random.default_rng(0)
    for _ in range(6):
        edges = np.concatenate([[0], np.cumsum(rng.integers(1, 6, 5))])
        spans = [(int(a), int(b) - 1) for a, b in pairwise(edges)]
        for order in permutations(spans):
            faults = judge(runs(*order))[0]
            assert {fault.verdict.value for fault in faults} <= {"REORDERED"}
            assert sum(fault.records for fault in faults) == int(edges[-1]) - longest_increasing(list(order))


def test_a_run_ends_where_another_began() -> None:
    """So that records that are met twice are a run of their own."""
    met = Runs()
    met.begin(7, "a", 3)
    met.end(8)
    assert (met.next_edge(0), met.next_edge(7), met.next_edge(9)) == (7, 9, None)
    met.end(9)
    assert [(run.first, run.last, run.line) for run in met.closed] == [(7, 8, 3)]


def test_utter_disorder_is_not_kept_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """After so many runs reading stops, with the place where it did."""
    monkeypatch.setattr("barstep.replay.journal.runs.MOST_RUNS", 3)
    met = Runs()
    for number in range(3):
        met.begin(10 - 2 * number, "a", number)
        met.end(10 - 2 * number)
    met.begin(0, "a", 7)
    with pytest.raises(JournalError, match="a, line 7: here records do not follow one another"):
        met.end(0)
