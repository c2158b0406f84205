"""Reports of sweeps as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...data.whole_file import whole_file
from ..writing import format_of, require_libraries
from .sheet import SweepSheet, sheet_of

if TYPE_CHECKING:
    from ...engine.sweep.result import SweepResult


def report_sweep(result: SweepResult, path: Path, by: str) -> Path:
    """Write the report of a sweep in memory, replacing what is there; return its path."""
    return write_sweep_report(sheet_of(result, by), path)


def write_sweep_report(sheet: SweepSheet, path: Path) -> Path:
    """Write a sheet to `path` in the format of its ending, in full or not at all; return the path.

    Raises:
        UsageError: The ending is no format, or its libraries are not installed.
    """
    kind = format_of(path)
    require_libraries(kind)
    content = _content(sheet, kind)
    with whole_file(path) as temporary:
        temporary.write_bytes(content)
    return path


def _content(sheet: SweepSheet, kind: str) -> bytes:
    if kind == "html":
        from .page import page  # noqa: PLC0415 - its library takes long to import

        return page(sheet).encode()
    from .printed import printed  # noqa: PLC0415 - likewise

    return printed(sheet, kind)
