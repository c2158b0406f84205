"""A saved result, made again from what its folder holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from msgspec.structs import replace

from ..config.command_reading import read_commands
from ..config.digest import content_sha384
from ..config.reading import read_config
from ..data.dataset import read_columns
from ..engine import inputs
from ..engine.allocation import Allocation
from ..engine.backtest import backtest
from ..engine.bars import Bars
from ..engine.catalog import DEFAULT_STRATEGY_CATALOG, StrategyCatalog
from ..engine.execution import Execution
from ..engine.outcome import Outcome
from ..engine.portfolio import portfolio
from ..engine.scheduler.backtest import backtest_scheduler
from ..engine.scheduler.setup import NO_PAIR, SECOND_LEG
from ..engine.seal import BAR_FILES
from ..engine.sweep.axes import described_axes
from ..engine.walk_forward import walk_forward
from ..engine.walk_windows import Walk
from ..errors import ConfigError, DataError, JournalError, UsageError

_DEFAULTS = {each.name: each.default for each in fields(Execution)}


@dataclass(frozen=True, kw_only=True)
class SavedRun:
    """What a saved result was made from.

    Attributes:
        folder: Where it lies.
        document: Its `result.json`.
        engine_files: Files of engines that may be run.
    """

    folder: Path
    document: Mapping[str, Any]
    engine_files: Sequence[Path]

    def again(self) -> Outcome:
        """Run it.

        Raises:
            UsageError: It needs an engine from a file that was not named; or a kind of run is not known.
            DataError: A file cannot be read.
            JournalError: The saved configuration is not the one that the document names.
        """
        kinds = {
            "backtest": self._backtest,
            "portfolio": self._portfolio,
            "scheduler": self._scheduler,
            "walk_forward": self._walk_forward,
        }
        kind = self._run["kind"]
        if kind not in kinds:
            raise DataError(f"{self.folder}: is a run of kind {kind!r}; known are {', '.join(kinds)}")
        return kinds[kind]()

    @property
    def _run(self) -> Mapping[str, Any]:
        run: Mapping[str, Any] = self.document["run"]
        return run

    def _backtest(self) -> Outcome:
        bars = self._bars[0]
        funding = self._table(inputs.funding_file(0))
        wishes = self._table(inputs.WISHES)
        if wishes is not None:
            return backtest(bars, wishes["wish"].to_numpy(), funding=funding, **self._execution)
        engine = self._catalog[self.document["strategy"]]
        options = {name: value for name, value in self._execution.items() if name not in engine.own}
        secondary = self._table(inputs.SECONDARY)
        return backtest(
            bars,
            engine,
            secondary=None if secondary is None else _bars_of(secondary, self.document["data"][1]),
            funding=funding,
            **options,
            **self.document["parameters"],
        )

    def _portfolio(self) -> Outcome:
        run = self._run
        return portfolio(
            self._bars,
            self._plan(),
            size_type=run["size_type"],
            every=run["every"],
            sizing_price=run["sizing_price"],
            funding=self._funding(self.document["instruments"]),
            by_instrument={name: _restored(own) for name, own in run["by_instrument"].items()},
            catalog=self._catalog,
            **_restored(run["options"]),
        )

    def _plan(self) -> Any:
        kind = self._run["plan"]
        if kind == "strategies":
            allocations = [dict(one) for one in self._run["allocations"]]
            return [Allocation(**{**one, "options": _restored(one["options"])}) for one in allocations]
        table = self._table(inputs.PLAN)
        if table is None:
            raise DataError(f"{self.folder}: has no {inputs.PLAN}, which its run needs")
        return table if kind == "table" else table.to_numpy().astype(np.float64)

    def _scheduler(self) -> Outcome:
        document, run = self.document, self._run
        read = read_config(self.folder / inputs.CONFIG)
        if read.errors:
            raise ConfigError(read.errors)
        if content_sha384(read.config) != document["config_sha384"]:
            raise JournalError(f"{self.folder / inputs.CONFIG}: is not the configuration that the result names")
        _ = self._catalog  # engines that are missing are told first
        commands = read_commands(self.folder / inputs.COMMANDS).commands if run["commands"] else ()
        names = document["instruments"]
        return backtest_scheduler(
            replace(read.config, engine_files=[str(path) for path in self.engine_files]),
            document["scheduler"],
            environment=document["environment"],
            bars=self._given_bars(),
            start=run["start"],
            end=run["end"],
            commands=commands,
            without=document["without"],
            drift_seconds=document["drift_seconds"],
            funding=self._funding(names),
            **self._execution,
        )

    def _walk_forward(self) -> Outcome:
        run, told = self._run, self.document["walk_forward"]
        secondary = self._table(inputs.SECONDARY)
        return walk_forward(
            self._bars[0],
            self._catalog[self.document["strategy"]],
            described_axes(run["axes"]),
            **{name: told[name] for name in (*Walk.__dataclass_fields__, "select", "lowest")},
            sampling=run["sampling"],
            sets=run["sets"],
            seed=run["seed"],
            secondary=None if secondary is None else _bars_of(secondary, self.document["data"][1]),
            funding=self._table(inputs.funding_file(0)),
            **_restored(run["options"]),
        )

    def _given_bars(self) -> dict[str, Bars | tuple[Bars, Bars]]:
        """By instrument its bars from the first one on, or those of both venues."""
        legs = [self._with_earlier(place, bars) for place, bars in enumerate(self._bars)]
        given: dict[str, Bars | tuple[Bars, Bars]] = {}
        for place, other in enumerate(self._run["second_legs"]):
            if other != SECOND_LEG:
                own = legs[place]
                given[self.document["instruments"][place]] = own if other == NO_PAIR else (own, legs[other])
        return given

    def _with_earlier(self, place: int, bars: Bars) -> Bars:
        earlier = self._table(inputs.earlier_file(place))
        if earlier is None:
            return bars
        return _bars_of(pl.concat([earlier, bars.to_frame()]), self.document["data"][place])

    @cached_property
    def _bars(self) -> list[Bars]:
        frames = [read_columns(self.folder / file)[0] for file in self.document[BAR_FILES]]
        return [_bars_of(*each) for each in zip(frames, self.document["data"], strict=False)]

    @cached_property
    def _execution(self) -> dict[str, Any]:
        return _restored(self.document["execution"])

    @cached_property
    def _catalog(self) -> StrategyCatalog:
        """The engines of barstep, of installed packages and of the files that may be run."""
        catalog = DEFAULT_STRATEGY_CATALOG
        for path in self.engine_files:
            catalog = catalog.with_file(path)
        there = catalog.by_name
        for engine in self._run["engines"]:
            if engine["name"] not in there:
                raise UsageError(
                    f"{engine['name']!r} is an engine of {engine['from']}; its text is saved with the result and is "
                    f"run only when you say so: add --engine-file {self.folder / engine['file']}"
                )
        return catalog

    def _funding(self, names: Sequence[str]) -> dict[str, pl.DataFrame]:
        tables = {name: self._table(inputs.funding_file(place)) for place, name in enumerate(names)}
        return {name: table for name, table in tables.items() if table is not None}

    def _table(self, name: str) -> pl.DataFrame | None:
        """A saved table; None where the run had none."""
        return read_table(self.folder / name) if name in self.document["files"] else None


def read_table(path: Path) -> pl.DataFrame:
    """A Parquet file as a table.

    Raises:
        DataError: It cannot be read.
    """
    try:
        return pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"{path}: cannot be read: {str(error).splitlines()[0]}") from error


def _restored(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as they were: where None is no value, it stood for infinity, which JSON has no word for."""
    missing = {name for name, value in options.items() if value is None and _DEFAULTS.get(name) is not None}
    return {name: inf if name in missing else value for name, value in options.items()}


def _bars_of(frame: pl.DataFrame, described: Mapping[str, Any]) -> Bars:
    columns = (frame[name].to_numpy() for name in ("open", "high", "low", "close", "volume"))
    return Bars.from_arrays(
        frame["timestamp"].to_physical().to_numpy(),
        *columns,
        interval_seconds=described["interval_seconds"],
        symbol=described["symbol"],
        venue=described["venue"],
    )
