"""The datasets of a folder or of a SQLite cache, found by what they hold and not by their names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import DataError, nearest
from .cache import list_cache
from .cache_path import CachePath, cache_path
from .dataset import DatasetInfo, read_info
from .durations import format_interval
from .findings import some

_NAMED = 12
"""Most datasets that an error names."""


@dataclass(frozen=True)
class DatasetFolder:
    """Datasets that lie side by side.

    Attributes:
        path: The folder, or the SQLite file.
        files: What each dataset's metadata says, by its file or its path into the cache, in the order of their names.
        passed_over: Parquet files that are unreadable or without barstep's metadata.
    """

    path: Path
    files: dict[Path, DatasetInfo]
    passed_over: tuple[Path, ...]

    def find(self, venue: str, symbol: str, interval_seconds: int) -> Path:
        """The file of these bars, or of the longest ones that they can be joined from; trades before quotes and marks.

        Raises:
            DataError: There is none, or there are two.
        """
        found = self._of(venue, symbol, interval_seconds)
        if not found:
            raise DataError(self._absent(f"{venue} {symbol}", format_interval(interval_seconds)))
        traded = {path: info for path, info in found.items() if info.side == "trade"} or found
        longest = max(info.interval_seconds for info in traded.values())
        paths = [path for path, info in traded.items() if info.interval_seconds == longest]
        if len(paths) > 1:
            raise DataError(
                f"{self.path}: {paths[0].name} and {paths[1].name} both hold {venue} {symbol} in "
                f"{format_interval(longest)}; leave one there, or join them with `barstep data import`."
            )
        return paths[0]

    def holds(self, venue: str, symbol: str, interval_seconds: int) -> bool:
        """Whether there are these bars, or some that they can be joined from."""
        return bool(self._of(venue, symbol, interval_seconds))

    def _of(self, venue: str, symbol: str, interval_seconds: int) -> dict[Path, DatasetInfo]:
        return {
            path: info
            for path, info in self.files.items()
            if (info.venue, info.symbol) == (venue, symbol) and interval_seconds % info.interval_seconds == 0
        }

    def _absent(self, instrument: str, interval: str) -> str:
        there = [_label(info) for info in self.files.values()]
        near = nearest(f"{instrument} {interval}", there)
        listed = f"There is {some(there, _NAMED)}." if there else "There are no datasets."
        names = [path.name for path in self.passed_over]
        others = f" Not made by barstep: {some(names)}; `barstep data import` reads them." if names else ""
        wanted = f"no bars of {instrument} in {interval}, nor shorter ones that divide it"
        return f"{self.path}: {wanted}.{near} {listed}{others}"


def open_folder(path: Path) -> DatasetFolder:
    """Look at the metadata of a folder's Parquet files, or of a SQLite cache; folders inside are not looked into.

    Raises:
        DataError: There is no such folder or cache, or the cache is damaged.
    """
    if cache_path(path) == CachePath(path, ""):
        infos = {path / name: cached.info for name, cached in list_cache(path).items()}
        return DatasetFolder(path=path, files=infos, passed_over=())
    if not path.is_dir():
        siblings = [entry.name for entry in path.parent.iterdir() if entry.is_dir()] if path.parent.is_dir() else []
        raise DataError(f"{path}: no such folder of recorded bars.{nearest(path.name, siblings)}")
    found = {file: _info_or_none(file) for file in sorted(path.glob("*.parquet"))}
    return DatasetFolder(
        path=path,
        files={file: info for file, info in found.items() if info is not None},
        passed_over=tuple(file for file, info in found.items() if info is None),
    )


def _info_or_none(file: Path) -> DatasetInfo | None:
    """A file that is damaged is told of where bars are missing, and does not bar the way to the others."""
    try:
        return read_info(file)
    except DataError:
        return None


def _label(info: DatasetInfo) -> str:
    return f"{info.venue} {info.symbol} {format_interval(info.interval_seconds)}"
