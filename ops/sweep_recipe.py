"""A plan as plain values, and the plan again: what travels to another process is data, and no closure."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ..data.dataset import read_info
from ..data.whole_file import whole_file
from ..engine.backtest import set_up_backtest
from ..engine.bars import Bars, Floats, Integers, load
from ..engine.catalog import DEFAULT_STRATEGY_CATALOG
from ..engine.engine_file import read_engine_file, source_of
from ..engine.provenance import software
from ..engine.simulation import Setup
from ..engine.strategy import StrategyEngine, Value
from ..engine.sweep.plan import SweepPlan
from ..errors import DataError, UsageError
from ..kernels._jit import CACHE_FOLDER
from ..kernels.columns import RETURN


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
        """The bars, in arrays that kernels take: what came over a wire may be read-only, or not aligned.

        Raises:
            DataError: The folder has no dataset with that digest, or what arrived is not what was sent.
        """
        if self.folder is not None:
            return replace(_load_by_digest(Path(self.folder), self), symbol=self.symbol, venue=self.venue)
        times, values = np.require(self.ts_us, np.int64, "CAW"), np.require(self.values, np.float64, "CAW")
        made = Bars(self.symbol, self.venue, self.interval_seconds, times, values)
        if made.content_digest != self.digest:
            raise DataError(f"{self.venue} {self.symbol}: the bars that arrived are not those that were sent")
        return made


@dataclass(frozen=True, kw_only=True, eq=False)
class InstrumentData:
    """What the rows of one instrument are run on.

    Attributes:
        bars: Its history.
        secondary: The second venue's.
        funding: float64[bar], the rate paid at each bar's open.
    """

    bars: BarsData
    secondary: BarsData | None = None
    funding: Floats | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Recipe:
    """A plan but for its bars.

    Attributes:
        key: Digest of all of it, and of all bars.
        software: What must be there, too, for the same bits.
        strategy: The engine's name.
        engine_file: Name and text of the file that has the engine; None where barstep or a package has it.
        sets: The table of sets, as an Arrow stream.
        fixed: What is not varied.
        metrics: What is measured.
        slices: Equal parts of the history.
    """

    key: str
    software: Mapping[str, str]
    strategy: str
    engine_file: tuple[str, bytes] | None
    sets: bytes
    fixed: Mapping[str, Value]
    metrics: tuple[str, ...]
    slices: int

    def plan(self, data: InstrumentData) -> SweepPlan:
        """The plan for one instrument.

        Raises:
            DataError: The bars are not there.
            UsageError: The engine is not here, or its file cannot be run.
        """
        engine, sets = self.engine(), pl.read_ipc_stream(self.sets)
        secondary = None if data.secondary is None else data.secondary.bars()
        first = {**self.fixed, **sets.row(0, named=True)}
        setup = set_up_backtest(data.bars.bars(), engine, secondary=secondary, **first)
        if data.funding is not None:
            setup = replace(setup, funding=np.require(data.funding, np.float64, "CAW"))
        return SweepPlan(
            engine=engine, setups=(setup,), sets=sets, fixed=self.fixed, metrics=self.metrics, slices=self.slices,
            left_out=0, asked={},
        )  # fmt: skip

    def engine(self) -> StrategyEngine:
        """The engine; one of a file is run from a copy in the folder of compiled kernels."""
        if self.engine_file is None:
            return DEFAULT_STRATEGY_CATALOG[self.strategy]
        name, text = self.engine_file
        if CACHE_FOLDER is None:
            raise UsageError("an engine file needs a folder to be run from; point BARSTEP_CACHE_DIR at one")
        path = CACHE_FOLDER / "engine_files" / hashlib.blake2b(text, digest_size=12).hexdigest() / name
        if not path.exists() or path.read_bytes() != text:
            with whole_file(path) as file:
                file.write_bytes(text)
                os.utime(file, (0, 0))  # Numba goes by the time: to processes that write it at once it is one file
        return next(engine for engine in read_engine_file(path) if engine.name == self.strategy)


def recipe_of(plan: SweepPlan) -> Recipe:
    """A plan without its bars.

    Raises:
        UsageError: Another process cannot find the engine.
    """
    sets = io.BytesIO()
    plan.sets.write_ipc_stream(sets)
    source = _engine_file(plan.engine)
    # A part of a longer history has its first return; its digest does not.
    first_returns = [bars.values[RETURN, 0] for setup in plan.setups for bars in _bars_of(setup)]
    here = software()
    depends = repr((plan.digest, here, source, first_returns)).encode()
    return Recipe(
        key=hashlib.blake2b(depends, digest_size=16).hexdigest(), software=here, strategy=plan.engine.name,
        engine_file=source, sets=sets.getvalue(), fixed=dict(plan.fixed), metrics=plan.metrics, slices=plan.slices,
    )  # fmt: skip


def _engine_file(engine: StrategyEngine) -> tuple[str, bytes] | None:
    source = source_of(engine)
    if source is not None:
        return source[0].name, source[1]
    if any(each is engine for each in DEFAULT_STRATEGY_CATALOG):
        return None
    raise UsageError(
        f"{engine.name} is in this process alone; other processes need it in a file (--engine-file, or "
        "StrategyCatalog.with_file) or in an installed package"
    )


def instrument_data(plan: SweepPlan, instrument: int, in_folder: Mapping[str, str]) -> InstrumentData:
    """What the rows of an instrument are run on; in_folder: by digest the folder where a dataset is read from."""
    setup = plan.setups[instrument]
    return InstrumentData(
        bars=_bars_data(setup.bars, in_folder),
        secondary=None if setup.secondary is None else _bars_data(setup.secondary, in_folder),
        funding=setup.funding,
    )


def digests_to_find(plan: SweepPlan) -> list[str]:
    """Digests of the bars that may be read from files: of those whose returns are the ones that a file gives."""
    return [bars.content_digest for setup in plan.setups for bars in _bars_of(setup) if np.isnan(bars.values[RETURN, 0])]


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


def _bars_of(setup: Setup) -> list[Bars]:
    return [bars for bars in (setup.bars, setup.secondary) if bars is not None]


def _bars_data(bars: Bars, in_folder: Mapping[str, str]) -> BarsData:
    names: dict[str, Any] = {
        "symbol": bars.symbol, "venue": bars.venue, "interval_seconds": bars.interval_seconds,
        "digest": bars.content_digest,
    }  # fmt: skip
    if bars.content_digest in in_folder:
        return BarsData(**names, folder=in_folder[bars.content_digest])
    return BarsData(**names, ts_us=bars.ts_us, values=bars.values)


def _load_by_digest(folder: Path, wanted: BarsData) -> Bars:
    found = dict(_datasets_of(folder))
    if wanted.digest in found:
        return load(found[wanted.digest])
    raise DataError(
        f"{folder}: no dataset of {wanted.venue} {wanted.symbol} with the digest {wanted.digest[:16]}… on this worker; "
        "others have one"
    )
