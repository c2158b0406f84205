"""A smoke test's report as a file."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from .smoke import SmokeReport


def write_report(report: SmokeReport, path: Path) -> None:
    """Write the report in full or not at all, in the place of one that is there; folders are made."""
    text = json.dumps(report.to_dict(), indent=2, allow_nan=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"{text}\n")
        temporary.chmod(0o644)  # a temporary file is its owner's alone
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
