"""Recorded bars of an environment: where they lie, read once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..config.core import CoreConfig
from ..config.universes import Feed
from ..data.durations import format_interval
from ..data.folder import DatasetFolder, open_folder
from ..data.presets import EMBEDDED_FOLDER
from ..errors import DataError, UsageError
from .bars import Bars, load
from .joining import coarser

EMBEDDED = "embedded"
"""What stands for the folder of the datasets that come with barstep."""


class Recorder:
    """Reads the recorded bars of one environment; a folder is looked through once, and a file read once."""

    def __init__(self, config: CoreConfig, environment: str, base_seconds: int) -> None:
        self._config, self._environment, self._base_seconds = config, environment, base_seconds
        self._folders: dict[Path, DatasetFolder] = {}
        self._read: dict[tuple[Path, str, str], Bars] = {}

    def has(self, name: str, feed: Feed) -> bool:
        """Whether a fallback can be read: one that names its folder must be there, others only stand in if they are."""
        if feed.folder is not None:
            return True
        if self._config.environments[self._environment].feed is None:
            return False
        return self._open(self._path(name, feed)).holds(feed.venue, feed.symbol or name, self._base_seconds)

    def read(self, name: str, feed: Feed) -> Bars:
        """The bars of a feed under the instrument's name, in the one interval.

        Raises:
            UsageError: The environment has no recorded bars.
            DataError: They are not there, not fit to trade on, or too few for one bar of that interval.
        """
        path = self._path(name, feed)
        key = (path, feed.venue, feed.symbol or name)
        if key not in self._read:
            recorded = load(self._open(path).find(feed.venue, feed.symbol or name, self._base_seconds))
            self._read[key] = coarser(recorded, self._base_seconds)
            if not len(self._read[key]):
                whole = f"one whole bar of {format_interval(self._base_seconds)}"
                raise DataError(f"{path}: {recorded!r} does not hold {whole}.")
        return replace(self._read[key], symbol=name)

    def _open(self, path: Path) -> DatasetFolder:
        if path not in self._folders:
            self._folders[path] = open_folder(path)
        return self._folders[path]

    def _path(self, name: str, feed: Feed) -> Path:
        environments = self._config.environments
        written = feed.folder or environments[self._environment].feed
        if written is None:
            recorded = [other for other, one in environments.items() if one.feed is not None]
            others = f" Environments that have one: {', '.join(recorded)}." if recorded else ""
            raise UsageError(
                f"environment {self._environment!r} has no recorded bars of {name}: set its 'feed' to a folder or to "
                f"{EMBEDDED}, or 'folder' at the instrument's {feed.venue} feed.{others}"
            )
        return EMBEDDED_FOLDER if written == EMBEDDED else Path(written)
