"""Bars on their way to another process: their columns, or the folder where that process finds them by digest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..data.dataset import read_info
from ..engine.bars import Bars, Floats, Integers, load
from ..errors import DataError
from ..kernels.columns import RETURN

FIT: tuple[Literal["C"], Literal["A"], Literal["W"]] = ("C", "A", "W")
"""What kernels want of an array; one that came over a wire may be read-only, or not aligned."""


@dataclass(frozen=True, kw_only=True, eq=False)
class BarsData:
    """Bars as they travel: their columns, or where a file with them lies.

    Attributes:
        symbol: As of `Bars`; likewise `venue`, `interval_seconds`.
        digest: Their content digest.
        folder: Where a dataset with that digest lies; None where the columns are here.
        ts_us: int64[bar], open times; None where a folder is given.
        values: float64[column, bar]; None where a folder is given.
    """

    symbol: str
    venue: str
    interval_seconds: int
    digest: str
    folder: str | None = None
    ts_us: Integers | None = None
    values: Floats | None = None

    def bars(self) -> Bars:
        """The bars, in arrays that kernels take.

        Raises:
            DataError: The folder has no dataset with that digest, or what arrived is not what was sent.
        """
        if self.folder is not None:
            return replace(_load_by_digest(Path(self.folder), self), symbol=self.symbol, venue=self.venue)
        times, values = np.require(self.ts_us, np.int64, FIT), np.require(self.values, np.float64, FIT)
        made = Bars(self.symbol, self.venue, self.interval_seconds, times, values)
        if made.content_digest != self.digest:
            raise DataError(f"{self.venue} {self.symbol}: the bars that arrived are not those that were sent")
        return made


def bars_data(bars: Bars, in_folder: Mapping[str, str]) -> BarsData:
    """Bars as they travel; in_folder: by digest the folder of those that are not sent."""
    names: dict[str, Any] = {
        "symbol": bars.symbol, "venue": bars.venue, "interval_seconds": bars.interval_seconds,
        "digest": bars.content_digest,
    }  # fmt: skip
    if bars.content_digest in in_folder:
        return BarsData(**names, folder=in_folder[bars.content_digest])
    return BarsData(**names, ts_us=bars.ts_us, values=bars.values)


def first_returns(all_bars: Iterable[Bars]) -> list[float]:
    """What the digest of bars leaves out: a part of a longer history has a first return, a whole one NaN."""
    return [float(bars.values[RETURN, 0]) for bars in all_bars]


def digests_to_find(all_bars: Iterable[Bars]) -> list[str]:
    """Digests of the bars that may be read from files: of those whose returns are the ones that a file gives."""
    return [bars.content_digest for bars in all_bars if np.isnan(bars.values[RETURN, 0])]


def digests_in(folder: str, wanted: list[str]) -> list[str]:
    """Which of some digests datasets of a folder have, by what the files say; reading one proves it."""
    found = dict(_datasets_of(Path(folder)))
    return [digest for digest in wanted if digest in found]


def _datasets_of(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the digest that each dataset of a folder carries, and its file; what is no dataset is passed over."""
    for path in sorted(folder.glob("*.parquet")):
        with suppress(DataError):
            info = read_info(path)
            if info is not None:
                yield info.digest, path


def _load_by_digest(folder: Path, wanted: BarsData) -> Bars:
    found = dict(_datasets_of(folder))
    if wanted.digest in found:
        return load(found[wanted.digest])
    raise DataError(
        f"{folder}: no dataset of {wanted.venue} {wanted.symbol} with the digest {wanted.digest[:16]}… on this worker; "
        "others have one"
    )
