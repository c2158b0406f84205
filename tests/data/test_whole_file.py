"""A file that is there in full or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from barstep.data.whole_file import whole_file


def test_a_file_gets_its_name_when_all_is_written(tmp_path: Path) -> None:
    """Until then what was there is there; folders are made, and others may read it."""
    path = tmp_path / "some" / "where.txt"
    for text in ("first", "second"):
        before = path.read_text() if path.exists() else None
        with whole_file(path) as temporary:
            temporary.write_text(text)
            assert (path.read_text() if path.exists() else None) == before
        assert path.read_text() == text
    assert path.stat().st_mode & 0o777 == 0o644
    assert [each.name for each in path.parent.iterdir()] == ["where.txt"]


def test_what_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    """The old file stays as it was."""
    path = tmp_path / "where.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="full"), whole_file(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError("full")
    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["where.txt"]
