"""A journal's segments and their lines."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from barstep.replay.journal import lines as module
from barstep.replay.journal.files import JournalFiles
from barstep.replay.journal.lines import batches_of_lines, is_at, open_segments, reopened
from plain_journal import PlainJournal, fill


@pytest.mark.parametrize("chunk", [1, 2, 7, 1 << 20])
@pytest.mark.parametrize(
    "data", [b"", b"\n", b"a\nb\n", b"a\nb", b"\n\na\n", "a\u2028b\r\x0b\x0cc\n".encode(), b"x" * 50 + b"\ny"]
)
def test_lines_end_with_a_line_feed_and_nothing_else(chunk: int, data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """However the file is read; a last line without one is told."""
    monkeypatch.setattr(module, "_CHUNK", chunk)
    batches = list(batches_of_lines(io.BytesIO(data)))
    whole = [line for lines, ended in batches if ended for line in lines]
    rest = [line for lines, ended in batches if not ended for line in lines]
    expected = data.split(b"\n")
    assert whole == expected[:-1]
    assert rest == ([expected[-1]] if expected[-1] else [])


def test_a_line_that_is_far_too_long_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """It becomes a short one that is no record; those around it stay."""
    monkeypatch.setattr(module, "_CHUNK", 10)
    monkeypatch.setattr(module, "LONGEST_LINE", 40)
    lines = [line for batch, _ in batches_of_lines(io.BytesIO(b"a\n" + b"x" * 1_000 + b"\nb\n")) for line in batch]
    assert (lines[0], lines[2], len(lines)) == (b"a", b"b", 3)
    assert lines[1].startswith(b"\0") and len(lines[1]) < 60


def test_a_segment_that_is_sealed_meanwhile_is_not_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that renames between opening and listing leaves a list of all segments, each once."""
    journal = fill(PlainJournal(tmp_path / "logs", bytes(32)), 3, 2, np.random.default_rng(0))
    files = JournalFiles(folder=journal.folder, environment="demo")
    listed, calls = JournalFiles.sealed_segments, []

    def seals_once(self: JournalFiles, disk: object) -> list[Path]:
        if not calls:
            calls.append(1)
            files.open_segment.rename(files.sealed(journal.first))
            journal.seal()
            journal.save()
        return listed(self, disk)  # type: ignore[arg-type]

    monkeypatch.setattr(JournalFiles, "sealed_segments", seals_once)
    with open_segments(files) as segments:
        names = [path.name for path, _ in segments]
        assert names == ["demo.000000000000.jsonl", "demo.000000000005.jsonl", "demo.jsonl"]
        with reopened(*segments[-1]) as newest:
            assert newest.read() == files.open_segment.read_bytes()


def test_an_open_file_keeps_its_content_when_it_is_renamed(tmp_path: Path) -> None:
    """And it is known that its name is another one's now."""
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with path.open("rb") as file:
        assert is_at(path, file)
        path.rename(tmp_path / "b")
        assert not is_at(path, file)
        path.write_bytes(b"new")
        assert not is_at(path, file)
        with reopened(path, file) as again:
            assert again.read() == b"old"
