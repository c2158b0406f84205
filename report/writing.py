"""Reports as files: the format goes by the ending, a missing library is one line, a file is whole or not there."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from ..data.whole_file import whole_file
from ..engine.montecarlo import montecarlo as resample
from ..engine.outcome import Outcome
from ..errors import UsageError, nearest
from .reading import read_sheet, result_folder
from .sheet import Sheet, sheet_of

if TYPE_CHECKING:
    from ..engine.montecarlo_result import MonteCarloResult
    from ..engine.risk.result import RiskSimulation

FORMATS = ("html", "png", "pdf")
_LIBRARIES = {"html": ("bokeh", "jinja2"), "png": ("matplotlib",), "pdf": ("matplotlib",)}


def report_outcome(result: Outcome, path: Path, *, montecarlo: int | None = None) -> Path:
    """Write the report of a result in memory, replacing what is there; return its path.

    montecarlo: how many resampled paths to show besides.
    """
    kind = format_of(path)
    if montecarlo is not None:
        check_montecarlo(kind, path)
        return report_montecarlo(resample(result, paths=montecarlo), path)
    require_libraries(kind)
    return write_report(sheet_of(result), path, kind)


def report_montecarlo(found: MonteCarloResult, path: Path) -> Path:
    """Write the report of the result that was resampled, with the Monte Carlo in it; return its path.

    Raises:
        UsageError: The ending is not `.html`: a printed page has no room for it.
    """
    check_montecarlo(format_of(path), path)
    origin = found.origin
    sheet = sheet_of(origin) if isinstance(origin, Outcome) else read_sheet(result_folder(origin))
    return write_report(replace(sheet, montecarlo=found), path, "html")


def report_risk(found: RiskSimulation) -> bytes:
    """The pages of a risk simulation, as PDF.

    Raises:
        UsageError: Its library is missing.
    """
    require_libraries("pdf")
    from .risk import risk_pages  # noqa: PLC0415 - its library takes long to import

    return risk_pages(found)


def check_montecarlo(kind: str, path: Path) -> None:
    """Refuse a format that shows no Monte Carlo, and one whose libraries are missing, before any path is made.

    Raises:
        UsageError: It is one of them.
    """
    if kind != "html":
        raise UsageError(f"{path}: a Monte Carlo is shown by the page, not by the printed sheet; name a file .html")
    require_libraries(kind)


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
