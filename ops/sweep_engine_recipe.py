"""The sweep of an engine on its way to another process."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from ..data.whole_file import whole_file
from ..engine.backtest import set_up_backtest
from ..engine.bars import Floats
from ..engine.catalog import DEFAULT_STRATEGY_CATALOG
from ..engine.engine_file import read_engine_file, source_of
from ..engine.provenance import software
from ..engine.strategy import StrategyEngine, Value
from ..engine.sweep.kinds import Runner
from ..engine.sweep.plan import SweepPlan
from ..engine.sweep.rows import RowRunner
from ..errors import UsageError
from ..kernels._jit import CACHE_FOLDER
from .bars_data import FIT, BarsData, bars_data, first_returns
from .sweep_recipe import as_bytes, digest_of


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
class SweepRecipe:
    """The plan of an engine's sweep.

    Attributes:
        key: As of `Recipe`; likewise `software`.
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

    def runner(self, data: InstrumentData) -> Runner:
        """As of `Recipe`."""
        engine, sets = self._engine(), pl.read_ipc_stream(self.sets)
        secondary = None if data.secondary is None else data.secondary.bars()
        first = {**self.fixed, **sets.row(0, named=True)}
        setup = set_up_backtest(data.bars.bars(), engine, secondary=secondary, **first)
        if data.funding is not None:
            setup = replace(setup, funding=np.require(data.funding, np.float64, FIT))
        return RowRunner(
            SweepPlan(
                engine=engine, setups=(setup,), sets=sets, fixed=self.fixed, metrics=self.metrics, slices=self.slices,
                left_out=0, asked={},
            )
        )  # fmt: skip

    def _engine(self) -> StrategyEngine:
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


class PackedSweep:
    """An engine's sweep, taken apart; see `Packing`."""

    def __init__(self, plan: SweepPlan) -> None:
        """Take a plan apart.

        Raises:
            UsageError: Another process cannot find its engine.
        """
        self._plan = plan
        self.bars = [bars for one in plan.setups for bars in (one.bars, one.secondary) if bars is not None]
        here, source = software(), _engine_file(plan.engine)
        self.recipe = SweepRecipe(
            key=digest_of(plan.digest, here, source, first_returns(self.bars)), software=here,
            strategy=plan.engine.name, engine_file=source, sets=as_bytes(plan.sets), fixed=dict(plan.fixed),
            metrics=plan.metrics, slices=plan.slices,
        )  # fmt: skip

    def data(self, instrument: int, in_folder: Mapping[str, str]) -> InstrumentData:
        """The bars of an instrument."""
        setup = self._plan.setups[instrument]
        return InstrumentData(
            bars=bars_data(setup.bars, in_folder),
            secondary=None if setup.secondary is None else bars_data(setup.secondary, in_folder),
            funding=setup.funding,
        )

    def cells(self, instrument: int) -> int:
        """Bars of a row."""
        return len(self._plan.setups[instrument].bars)


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
