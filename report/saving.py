"""A result as a folder of files, there in full or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ..engine.result import Result
from ..errors import UsageError

TABLES = ("equity", "trades", "fills", "columns")


def save_results(results: Mapping[str, Result], folder: Path, *, overwrite: bool = False) -> None:
    """Write `folder/<name>/` for each result: `result.json`, and its tables as Parquet.

    Raises:
        UsageError: The folder is there already and is not to be replaced.
    """
    with _staged(folder, overwrite=overwrite) as staged:
        for name, result in results.items():
            place = staged / name
            place.mkdir()
            (place / "result.json").write_text(result.to_json() + "\n", encoding="utf-8")
            for table in TABLES:
                getattr(result, table).write_parquet(place / f"{table}.parquet")


@contextmanager
def _staged(folder: Path, *, overwrite: bool) -> Iterator[Path]:
    """A new folder beside `folder` that takes its name when everything in it was written."""
    if folder.exists() and not overwrite:
        raise UsageError(f"{folder}: is there already; add --overwrite to replace it, or choose another --output.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    staged = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        staged.chmod(0o755)  # a temporary folder is its owner's alone
        yield staged
        replaced = staged.with_name(f"{staged.name}-old")
        if folder.exists():
            folder.rename(replaced)
        staged.rename(folder)
        shutil.rmtree(replaced, ignore_errors=True)
    except BaseException:
        shutil.rmtree(staged, ignore_errors=True)
        raise
