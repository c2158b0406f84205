"""Findings, as they are collected."""

from __future__ import annotations

from barstep.replay.journal.faults import Fault, Faults, Verdict


def test_alike_findings_of_adjoining_lines_are_one() -> None:
    """The same verdict and text, one line after the other, in one file."""
    faults = Faults()
    for file, line, text in (("a", 1, "x"), ("a", 2, "x"), ("a", 4, "x"), ("a", 5, "y"), ("b", 6, "y")):
        faults.add(Verdict.EDITED, file, line, line + 10, text)
    faults.add(Verdict.FOREIGN_LOG, "b", 7, 17, "y")
    assert [(one.file, one.line, one.seq, one.records) for one in faults.kept] == [
        ("a", 1, 11, 2), ("a", 4, 14, 1), ("a", 5, 15, 1), ("b", 6, 16, 1), ("b", 7, 17, 1),
    ]  # fmt: skip


def test_too_many_are_counted() -> None:
    """So that a file of rubbish does not fill the memory."""
    faults = Faults(most=3)
    for line in range(1, 20, 2):
        faults.add(Verdict.EDITED, "a", line, None, "x")
    assert (len(faults.kept), faults.left_out, faults.count) == (3, 7, 10)


def test_a_file_may_be_judged_as_a_whole() -> None:
    """What was noted of it from a place on gives way to one finding at its first line."""
    faults = Faults()
    faults.add(Verdict.GAP, "a", 1, 0, "x")
    faults.add(Verdict.EDITED, "b", 2, 5, "y")
    faults.add(Verdict.EDITED, "b", 9, 8, "y")
    faults.replace_from(1, Verdict.WRONG_KEY, "b", 30, "z")
    assert faults.kept[1:] == [Fault(verdict=Verdict.WRONG_KEY, file="b", line=2, seq=5, records=30, text="z")]
    assert faults.kept[0].verdict is Verdict.GAP
