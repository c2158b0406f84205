"""The recorded bars that the stub venue trades, by venue, symbol and interval."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from ...data.cache_path import CachePath, cache_path
from ...data.dataset import DatasetInfo
from ...data.durations import format_interval
from ...data.folder import open_folder
from ...data.presets import EMBEDDED_FOLDER
from ...engine.bars import Bars, load
from ...engine.joining import coarser
from ...engine.recorder import EMBEDDED
from ...errors import DataError, nearest

_FEW = 12
"""Most recordings that an error names."""


@dataclass(frozen=True, kw_only=True)
class Recording:
    """Bars of one instrument on one venue.

    Attributes:
        info: What they are.
        path: Where they lie; None: in memory.
        bars: Gives them; those on disk are read when they are asked for.
    """

    info: DatasetInfo
    path: Path | None
    bars: Callable[[], Bars]

    @classmethod
    def of(cls, bars: Bars, path: Path | None = None) -> Recording:
        """The recording of bars that are read."""
        info = DatasetInfo(symbol=bars.symbol, venue=bars.venue, interval_seconds=bars.interval_seconds)
        return cls(info=info, path=path, bars=lambda: bars)

    @property
    def key(self) -> tuple[str, str, int]:
        """Venue, symbol, interval in seconds."""
        return self.info.venue, self.info.symbol, self.info.interval_seconds

    def __str__(self) -> str:
        return _label(*self.key)


class Market:
    """What is recorded.

    Args:
        bars: Bars that are in memory.
        datasets: Folders, SQLite caches and files of recorded bars; `embedded`: those that come with barstep.

    Raises:
        DataError: There is no such folder or file, or there are no bars at all.
    """

    def __init__(self, bars: Iterable[Bars] = (), datasets: Sequence[str] = ()) -> None:
        found = [Recording.of(own) for own in bars]
        for dataset in datasets:
            found += _recordings(Path(EMBEDDED_FOLDER if dataset == EMBEDDED else dataset))
        if not found:
            raise DataError(f"{', '.join(datasets) or 'nothing'}: no recorded bars that a venue could trade.")
        self.recordings = tuple(sorted(found, key=lambda one: one.key))
        self._joined: dict[tuple[str, str, int], Bars] = {}

    def bars(self, venue: str, symbol: str, interval_seconds: int) -> Bars:
        """Bars of an interval, joined from the longest ones that divide it; trades before quotes and marks.

        Raises:
            DataError: There are none, or two recordings have them.
        """
        key = (venue, symbol, interval_seconds)
        if key not in self._joined:
            self._joined[key] = coarser(self._choose(*key).bars(), interval_seconds)
        return self._joined[key]

    def _choose(self, venue: str, symbol: str, interval_seconds: int) -> Recording:
        found = [
            one
            for one in self.recordings
            if one.key[:2] == (venue, symbol) and interval_seconds % one.info.interval_seconds == 0
        ]
        traded = [one for one in found if one.info.side == "trade"] or found
        longest = max((one.info.interval_seconds for one in traded), default=0)
        chosen = [one for one in traded if one.info.interval_seconds == longest]
        if not chosen:
            raise DataError(self._absent(_label(venue, symbol, interval_seconds)))
        if len(chosen) > 1:
            raise DataError(f"two recordings have {chosen[0]}: {', '.join(str(one.path) for one in chosen)}.")
        return chosen[0]

    def _absent(self, wanted: str) -> str:
        there = list(map(str, self.recordings))
        more = f" and {len(there) - _FEW} more" if len(there) > _FEW else ""
        return (
            f"no recorded bars of {wanted}, nor shorter ones that divide it.{nearest(wanted, there)} "
            f"There are: {', '.join(there[:_FEW])}{more}."
        )


def _recordings(path: Path) -> Iterator[Recording]:
    """The recordings of a folder, a cache or a file."""
    if path.is_dir() or cache_path(path) == CachePath(path, ""):
        for file, info in open_folder(path).files.items():
            yield Recording(info=info, path=file, bars=cache(partial(load, file)))
    elif cache_path(path) is not None or path.suffix:
        yield Recording.of(load(path), path)
    else:
        open_folder(path)  # says that there is none, and which one is near


def _label(venue: str, symbol: str, interval_seconds: int) -> str:
    return f"{venue} {symbol} {format_interval(interval_seconds)}"
