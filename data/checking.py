"""Checking a file: a normalised one as it lies there, any other through the import."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from ..errors import DataError
from .cache_path import cache_path
from .check import check_bars
from .dataset import DatasetInfo, frame_digest, infer_info, read_columns
from .findings import Finding
from .formats.labels import weigh_labels
from .importing import import_file


@dataclass(frozen=True)
class Checked:
    """The bars of a file in the order they lie there, what they are, and what was found."""

    frame: pl.DataFrame
    info: DatasetInfo
    findings: tuple[Finding, ...]


def check_file(path: Path, *, now_us: int | None = None) -> Checked:
    """Check a file without changing it.

    Raises:
        DataError: The file cannot be read at all.
    """
    try:
        frame, info = read_columns(path)
    except DataError:
        if cache_path(path) is not None:
            raise
        # Not a normalised file; the import says what it is, or why nobody can read it.
        imported = import_file(path)
        bars = imported.dataset
        checks = check_bars(bars.frame, bars.info.interval_seconds, now_us=now_us)
        return Checked(bars.frame, bars.info, (*imported.notes, *checks))
    if frame.is_empty():
        raise DataError(f"{path}: holds no bars.")
    findings = []
    if info is None:
        info = infer_info(path, frame)
    elif info.digest != frame_digest(frame):
        text = "the bars do not match the digest in the metadata: the file was changed after it was written"
        findings.append(Finding(code="digest-mismatch", severity="error", text=text))
    findings += check_bars(frame, info.interval_seconds, now_us=now_us)
    findings += _suspect_end_labels(frame, info.interval_seconds)
    return Checked(frame, info, tuple(findings))


def _suspect_end_labels(frame: pl.DataFrame, interval_seconds: int) -> list[Finding]:
    """Timestamps that look like bar ENDS, as they do when a file was normalised without asking."""
    evidence = weigh_labels(frame["timestamp"].drop_nulls().sort().to_physical().to_numpy(), interval_seconds)
    if evidence.label != "end":
        return []
    text = (
        f"timestamps look like the end of bars, not their open: {evidence.for_end} of {evidence.breaks} session breaks "
        "meet the half hour only that way; import the source with --label end"
    )
    return [Finding(code="end-label-suspected", severity="warning", count=frame.height, text=text)]
