"""Paths into a SQLite cache: `cache.sqlite/binance_BTCUSDT_1h` names a dataset as a path names a file of a folder."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

SUFFIX = ".sqlite"


class CachePath(NamedTuple):
    """A place in a SQLite cache.

    Attributes:
        file: The SQLite file.
        name: The dataset's name in it; empty where the path is the file itself.
    """

    file: Path
    name: str


def cache_path(path: Path) -> CachePath | None:
    """The file and the dataset that a path means; None where it leads into no SQLite file."""
    for file in (path, *path.parents):
        if file.suffix == SUFFIX and not file.is_dir():
            name = path.relative_to(file).as_posix()
            return CachePath(file, "" if name == "." else name)
    return None
