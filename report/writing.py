"""Reports as files: the format goes by the ending, a missing library is one line, a file is whole or not there."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from ..data.whole_file import whole_file
from ..errors import UsageError, nearest
from .sheet import Sheet, sheet_of

if TYPE_CHECKING:
    from ..engine.outcome import Outcome

FORMATS = ("html", "png", "pdf")
_LIBRARIES = {"html": ("bokeh", "jinja2"), "png": ("matplotlib",), "pdf": ("matplotlib",)}


def report_outcome(result: Outcome, path: Path) -> Path:
    """Write the report of a result in memory, replacing what is there; return its path."""
    kind = format_of(path)
    require_libraries(kind)
    return write_report(sheet_of(result), path, kind)


def format_of(path: Path) -> str:
    """The format that a path's ending names.

    Raises:
        UsageError: It names none.
    """
    ending = path.suffix.removeprefix(".").lower()
    if ending not in FORMATS:
        raise UsageError(
            f"{path}: the ending says the format, and {path.suffix or 'none'!r} is not one."
            f"{nearest(ending, FORMATS)} Allowed: {', '.join(f'.{name}' for name in FORMATS)}."
        )
    return ending


def require_libraries(kind: str) -> None:
    """Refuse a format whose libraries are not installed.

    Raises:
        UsageError: One of them is missing.
    """
    for name in _LIBRARIES[kind]:
        try:
            import_module(name)
        except ModuleNotFoundError as error:
            raise UsageError(
                f"a report as {kind} needs {name}, which is not installed: pip install 'barstep[report]'"
            ) from error


def write_report(sheet: Sheet, path: Path, kind: str) -> Path:
    """Write a sheet to `path` as `kind`, in full or not at all; return the path."""
    content = _content(sheet, kind)
    with whole_file(path) as temporary:
        temporary.write_bytes(content)
    return path


def _content(sheet: Sheet, kind: str) -> bytes:
    if kind == "html":
        from .page import page  # noqa: PLC0415 - its library takes long to import

        return page(sheet).encode()
    from .printed import printed  # noqa: PLC0415 - likewise

    return printed(sheet, kind)
