"""What a result was made from beside its bars, in a form that can be saved: enough to make it again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import polars as pl

from ..config.writing import as_yaml
from .bars import Bars, Floats
from .engine_file import source_of
from .strategy import StrategyEngine

if TYPE_CHECKING:
    from .allocation import Allocation
    from .portfolio import PortfolioSetup
    from .scheduler.setup import SchedulerSetup
    from .simulation import Setup
    from .walk_setup import WalkSetup

File = bytes | pl.DataFrame

CONFIG, COMMANDS = "core.yaml", "commands.json"
PLAN, WISHES, SECONDARY = "plan.parquet", "wishes.parquet", "secondary.parquet"


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What a run was asked for.

    Attributes:
        run: Plain values: `kind` (backtest, portfolio, scheduler or walk_forward), what was asked, `engines` that came
            from files.
        files: Texts in UTF-8 and tables by the names of their files.
    """

    run: Mapping[str, Any]
    files: Mapping[str, File] = field(default_factory=dict)


def funding_file(place: int) -> str:
    """Where the funding rates of an instrument are, by its place."""
    return f"funding/{place}.parquet"


def earlier_file(place: int) -> str:
    """Where the bars of a leg are that open before the start, by its place."""
    return f"earlier/{place}.parquet"


def of_backtest(setup: Setup) -> Inputs:
    """The inputs of a single backtest."""
    files: dict[str, File] = {}
    if setup.own_wishes is not None:
        files[WISHES] = pl.DataFrame({"wish": setup.own_wishes})
    if setup.secondary is not None:
        files[SECONDARY] = setup.secondary.to_frame()
    if setup.funding is not None:
        files[funding_file(0)] = _rates(setup.bars, setup.funding)
    engines, sources = _sources([setup.run.engine] if setup.run else [])
    return Inputs(run={"kind": "backtest", "engines": engines}, files={**files, **sources})


def of_portfolio(setup: PortfolioSetup) -> Inputs:
    """The inputs of a portfolio."""
    asked, bars = setup.asked, setup.panel.instruments
    files: dict[str, File] = {funding_file(i): _rates(bars[i], rates) for i, rates in setup.rates.items()}
    run: dict[str, Any] = {
        "kind": "portfolio",
        "size_type": asked.size_type,
        "every": int(asked.every),
        "sizing_price": asked.sizing_price,
        "options": plain(asked.options),
        "by_instrument": plain(asked.by_instrument),
    }
    if isinstance(asked.plan, pl.DataFrame):
        run["plan"], files[PLAN] = "table", asked.plan
    elif isinstance(asked.plan, np.ndarray):
        columns = {f"{i}": np.ascontiguousarray(column) for i, column in enumerate(asked.plan.T)}
        run["plan"], files[PLAN] = "array", pl.DataFrame(columns)
    else:
        run["plan"], run["allocations"] = "strategies", [_allocation(one) for one in asked.plan]
    engines, sources = _sources(asked.engines)
    return Inputs(run={**run, "engines": engines}, files={**files, **sources})


def of_scheduler(setup: SchedulerSetup) -> Inputs:
    """The inputs of a scheduler's backtest. The configuration is written out: its file may change."""
    files: dict[str, File] = {CONFIG: as_yaml(setup.config).encode()}
    if setup.commands:
        files[COMMANDS] = msgspec.json.encode({"commands": setup.commands})
    for i, rates in setup.rates.items():
        files[funding_file(i)] = _rates(setup.history.instruments[i], rates)
    if setup.history is not setup.panel:
        for i, bars in enumerate(setup.history.instruments):
            before = int(np.searchsorted(bars.ts_us, setup.start_us))
            files[earlier_file(i)] = bars.to_frame().head(before)
    engines, sources = _sources([one.strategy.engine for one in setup.resolved])
    run = {
        "kind": "scheduler",
        "config": setup.config_file,
        "start": _instant(setup.start_us),
        "end": _instant(setup.end_us),
        "commands": len(setup.commands),
        "second_legs": [int(place) for place in setup.others],
        "engines": engines,
    }
    return Inputs(run=run, files={**files, **sources})


def of_walk_forward(setup: WalkSetup, drawn: Mapping[str, Any], options: Mapping[str, Any]) -> Inputs:
    """The inputs of a walk forward.

    Args:
        setup: What it ran on.
        drawn: How its sets were, as `SweepPlan.asked` tells.
        options: What is not varied, each in its own type.
    """
    files: dict[str, File] = {}
    if setup.secondary is not None:
        files[SECONDARY] = setup.secondary.to_frame()
    if setup.funding is not None:
        files[funding_file(0)] = setup.funding
    engines, sources = _sources([setup.engine])
    run = {
        "kind": "walk_forward",
        **drawn,
        "sets": setup.sets,
        "options": plain(options),
        "engines": engines,
    }
    return Inputs(run=run, files={**files, **sources})


def plain(value: Any) -> Any:
    """Numbers of numpy, tuples and paths as JSON has them, at any depth."""
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, np.generic):
        return value.item()
    return str(value) if isinstance(value, Path) else value


def _allocation(one: Allocation) -> dict[str, Any]:
    strategy = one.strategy if isinstance(one.strategy, str) else one.strategy.name
    return {
        "strategy": strategy,
        "weight": float(one.weight),
        "instruments": None if one.instruments is None else list(one.instruments),
        "parameters": plain(one.parameters),
        "options": plain(one.options),
        "name": one.name,
        "tag": one.tag,
    }


def _rates(bars: Bars, rates: Floats) -> pl.DataFrame:
    """Funding as it is given: a time and a rate for each open at which one is paid."""
    paid = np.flatnonzero(rates)
    times = pl.Series("timestamp", bars.times[paid]).dt.replace_time_zone("UTC")
    return pl.DataFrame([times, pl.Series("rate", rates[paid])])


def _sources(engines: Iterable[StrategyEngine]) -> tuple[Sequence[Mapping[str, str]], dict[str, File]]:
    """The engines that came from files, each with its saved file and that one's digest; and these files."""
    described: dict[str, Mapping[str, str]] = {}
    files: dict[str, File] = {}
    for engine in engines:
        source = source_of(engine)
        if source is None or engine.name in described:
            continue
        path, content = source
        digest = hashlib.sha384(content).hexdigest()
        name = f"engines/{digest[:8]}_{path.name}"
        files[name] = content
        described[engine.name] = {"name": engine.name, "file": name, "from": str(path), "sha384": digest}
    return list(described.values()), files


def _instant(moment_us: int) -> str:
    return f"{np.datetime64(moment_us, 'us')}Z"
