"""Findings are one type, told to people and to programs, and every code is explained."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from barstep.data.findings import Finding, counted, has_errors, iso_times, some

ROOT = Path(__file__).resolve().parents[2]


def test_times_are_told_as_exactly_as_needed() -> None:
    """Whole seconds are told without a fraction, others with microseconds."""
    assert iso_times(np.array([0, 60_000_000])) == ("1970-01-01T00:00:00Z", "1970-01-01T00:01:00Z")
    assert iso_times(np.array([1])) == ("1970-01-01T00:00:00.000001Z",)
    assert iso_times(np.array([], dtype=np.int64)) == ()


def test_sentences_count_and_shorten() -> None:
    """One is singular, and long lists end in how many more."""
    assert (counted(1, "bar"), counted(1209, "bar")) == ("1 bar", "1,209 bars")
    assert some(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"


def test_a_finding_is_plain_values() -> None:
    """JSON gets every location, and only errors are defects."""
    finding = Finding(code="gaps", severity="warning", count=1, text="t", locations=("x",))
    assert finding.as_json() == {"code": "gaps", "severity": "warning", "count": 1, "text": "t", "locations": ["x"]}
    assert not has_errors([finding])


def test_every_code_is_explained() -> None:
    """The documentation names every code that the source can report."""
    explained = (ROOT / "docs" / "data-formats.md").read_text()
    sources = [path.read_text() for path in sorted((ROOT / "data").rglob("*.py"))]
    places = ("code=", r"_finding\(\s*", r"_note\(\s*", "code, text = ", r", code = [^\n]*", "(?:True|False), ")
    pattern = rf'(?:{"|".join(places)})"([a-z]+(?:-[a-z]+)+|gaps)"'
    codes = {code for source in sources for code in re.findall(pattern, source)}
    assert len(codes) > 35
    assert {code for code in codes if f"`{code}`" not in explained} == set()
