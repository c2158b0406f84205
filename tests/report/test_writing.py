"""Reports as files: pages and prints, whole or not there."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import barstep as bs
import pytest
from barstep.report.printed import printed
from barstep.report.sheet import sheet_of

Made = Callable[..., bs.Result]


@pytest.mark.parametrize("kind", ["html", "pdf", "png"])
def test_a_result_reports_itself(made: Made, tmp_path: Path, kind: str) -> None:
    """`result.report` writes what the ending says, returns where, makes folders, and replaces what was there."""
    path = tmp_path / "new" / f"tear_sheet.{kind.upper()}"
    first = {"html": b"<!doctype html>", "pdf": b"%PDF-", "png": b"\x89PNG"}[kind]
    for n in (40, 50):
        assert made(n).report(path) == path
        assert path.read_bytes().startswith(first)
    assert made(50).report(str(tmp_path / f"b.{kind}")).read_bytes() == path.read_bytes()
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    ("name", "text"), [("a.htm", "'.htm' is not one. Did you mean 'html'?"), ("a", "'none' is not one")]
)
def test_an_unknown_ending_is_refused(made: Made, tmp_path: Path, name: str, text: str) -> None:
    """An ending that names no format is told with those there are."""
    with pytest.raises(bs.UsageError) as caught:
        made(5).report(tmp_path / name)
    assert text in str(caught.value)
    assert "Allowed: .html, .png, .pdf." in str(caught.value)


@pytest.mark.parametrize(("kind", "library"), [("html", "bokeh"), ("html", "jinja2"), ("pdf", "matplotlib")])
def test_a_missing_library_is_one_line(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, library: str
) -> None:
    """Without the extra there is one line that says what to install, and no file."""
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(bs.UsageError, match=rf"needs {library}.*: pip install 'barstep\[report\]'$"):
        made(5).report(tmp_path / f"a.{kind}")
    assert list(tmp_path.iterdir()) == []


def test_a_print_needs_no_charts_library_of_the_page() -> None:
    """What prints is imported where the page's libraries are not installed."""
    script = "import sys; sys.modules['bokeh'] = sys.modules['jinja2'] = None; import barstep.report.printed"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("there", [True, False])
def test_a_failure_leaves_what_was_there(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    """When writing fails half-way, an old report stays as it was and nothing else is left."""
    path = tmp_path / "a.html"
    if there:
        path.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        made(5).report(path)
    assert [(entry.name, entry.read_text()) for entry in tmp_path.iterdir()] == ([("a.html", "old")] if there else [])


@pytest.mark.parametrize("kind", ["pdf", "png"])
def test_prints_are_the_same_every_time(hours: bs.Result, kind: str) -> None:
    """A print has the same bytes on every run: neither a date nor a version stands in it."""
    content = printed(sheet_of(hours), kind)
    assert content == printed(sheet_of(hours), kind)
    assert b"CreationDate" not in content


def test_prints_are_one_sheet_of_a4(hours: bs.Result) -> None:
    """A PDF is one page of 210 × 297 mm, and a PNG has its proportions."""
    pdf = printed(sheet_of(hours), "pdf")
    assert len(re.findall(rb"/Type /Page\b", pdf)) == 1
    box = re.search(rb"/MediaBox \[ ?0 0 ([\d.]+) ([\d.]+) ?\]", pdf)
    assert box is not None
    assert [round(float(side) / 72 * 25.4) for side in box.groups()] == [210, 297]
    width, height = struct.unpack(">II", printed(sheet_of(hours), "png")[16:24])
    assert height / width == pytest.approx(297 / 210, rel=0.01)


@pytest.mark.parametrize("n", [0, 1, 2, 31])
def test_prints_of_few_bars(made: Made, n: int) -> None:
    """Few bars and none are a print too, also under a name that looks like mathematics."""
    assert printed(sheet_of(made(n, symbol="$x_{^$ \\frac")), "pdf").startswith(b"%PDF")
