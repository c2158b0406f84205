"""The report as a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from barstep.config.reading import PACKAGED
from barstep.ops.smoke import smoke
from barstep.ops.smoke_report import SmokeReport, write_report


@pytest.fixture(scope="module")
def report() -> SmokeReport:
    """A short one."""
    return smoke(PACKAGED, "hedged_multi", cycles=1)


def test_written_whole_with_its_folders(report: SmokeReport, tmp_path: Path) -> None:
    """Folders are made, the file is the report, anybody may read it, and nothing else is left."""
    path = tmp_path / "new" / "folder" / "smoke_report.json"
    write_report(report, path)
    assert json.loads(path.read_text()) == json.loads(json.dumps(report.to_dict()))
    assert path.stat().st_mode & 0o777 == 0o644
    assert list(path.parent.iterdir()) == [path]


def test_one_that_is_there_stays_until_the_new_one_is_whole(
    report: SmokeReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report takes the place of an earlier one at once or not at all."""
    path = tmp_path / "smoke_report.json"
    path.write_text("before")

    def fails(*_: object) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as broken:
        broken.setattr(Path, "chmod", fails)
        with pytest.raises(OSError, match="no space left"):
            write_report(report, path)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]
    write_report(report, path)
    assert json.loads(path.read_text())["status"] == "ok"
