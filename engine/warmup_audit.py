"""How many bars does an engine need until it says what it would say with a longer history?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..config.core import CoreConfig
from ..errors import UsageError
from .bars import Bars, Floats
from .catalog import DEFAULT_STRATEGY_CATALOG, StrategyCatalog
from .lookahead import Progress
from .outputs import EngineOutputs
from .scheduler.backtest import backtest_scheduler
from .strategy import StrategyEngine
from .tracks import same

EXACT = 0.0
TOLERANCES = (1e-6, 1e-9, EXACT)
"""Always told; exact is the same bits."""

_STILL = 0.9
"""Where outputs still differ in the last tenth of the bars, they were not seen to agree."""


@dataclass(frozen=True, kw_only=True)
class WarmupRow:
    """When one output of one engine agrees.

    Attributes:
        subject: The engine; in a scheduler the schedule.
        output: Name of the row.
        history_bars: By tolerance, how many bars must have closed until it agrees and stays so; None: not seen.
        declared_bars: How many it is said to need.
        needed_bars: How many it needs for the tolerance that was asked for; None: not seen to agree.
    """

    subject: str
    output: str
    history_bars: Mapping[float, int | None]
    declared_bars: int
    needed_bars: int | None

    @property
    def verdict(self) -> Literal["pass", "fail"]:
        """`pass` where what is declared is enough."""
        return "pass" if self.needed_bars is not None and self.needed_bars <= self.declared_bars else "fail"

    def to_dict(self) -> dict[str, Any]:
        """The row as plain values."""
        history = {_told(tolerance): bars for tolerance, bars in self.history_bars.items()}
        return {"verdict": self.verdict, **asdict(self), "history_bars": history}


@dataclass(frozen=True, kw_only=True)
class WarmupReport:
    """What an audit found.

    Attributes:
        tolerance: The relative difference that counts as agreement.
        starts: From how many places on the history was begun anew.
        rows: One an output.
    """

    tolerance: float
    starts: int
    rows: tuple[WarmupRow, ...]

    @property
    def verdict(self) -> Literal["pass", "fail"]:
        """`pass` where every output agrees once as many bars have closed as are declared."""
        return "fail" if any(row.verdict == "fail" for row in self.rows) else "pass"

    @property
    def needed_bars(self) -> int | None:
        """Bars after which every output agrees; None where one was not seen to."""
        needed = [row.needed_bars for row in self.rows]
        return None if None in needed else max(bars for bars in needed if bars is not None)

    def to_dict(self) -> dict[str, Any]:
        """The report as plain values."""
        rows = [row.to_dict() for row in self.rows]
        return {
            "verdict": self.verdict,
            "tolerance": self.tolerance,
            "starts": self.starts,
            "needed_bars": self.needed_bars,
            "rows": rows,
        }


def audit_warmup(
    strategy: str | StrategyEngine,
    bars: Bars,
    *,
    secondary: Bars | None = None,
    tolerance: float = 1e-6,
    warmup_bars: int = 0,
    starts: int = 24,
    seed: int | np.random.Generator = 0,
    catalog: StrategyCatalog = DEFAULT_STRATEGY_CATALOG,
    progress: Progress | None = None,
    **parameters: Any,
) -> WarmupReport:
    """Begin an engine's history later and later, and find from how many bars on its outputs agree with the whole's.

    Args:
        strategy: An engine's name, or an engine.
        bars: The whole history.
        secondary: The second venue's history, for engines that read two.
        tolerance: The relative difference that counts as agreement: of the greater value, or of the row's median
            where that is greater. 0: the same bits.
        warmup_bars: Bars that you let go by before you use it; the engine's own declaration counts where it is more.
        starts: From how many places on the history is begun anew.
        seed: What these places are drawn by, or a generator.
        catalog: Where names are looked up.
        progress: Called with the starts that are done and all of them.
        **parameters: The engine's.

    Raises:
        UsageError: A name is unknown, or a value is out of range.
    """
    _check(tolerance, starts)
    engine = catalog[strategy] if isinstance(strategy, str) else strategy
    outputs = EngineOutputs(engine, parameters, bars, secondary)
    found = _histories(outputs, bars, secondary, _tolerances(tolerance), _places(bars, starts, seed), progress)
    declared = max(engine.history(outputs.parameters), warmup_bars)
    rows = _rows(engine.name, outputs.names, found, declared, tolerance)
    return WarmupReport(tolerance=tolerance, starts=starts, rows=tuple(rows))


def audit_scheduler_warmup(
    config: CoreConfig | str | Path,
    scheduler: str | None = None,
    *,
    tolerance: float = 1e-6,
    starts: int = 24,
    seed: int | np.random.Generator = 0,
    progress: Progress | None = None,
    **asked: Any,
) -> WarmupReport:
    """Audit the engine of every schedule, with its parameters, over each of its instruments; the worst one counts.

    A schedule declares its `warmup_bars`, or what its engine needs where that is more.

    Args:
        config: A configuration, or its file.
        scheduler: A scheduler of it; None: the environment's.
        tolerance: See `audit_warmup`.
        starts: From how many places on each history is begun anew.
        seed: What these places are drawn by, or a generator.
        progress: Called with the schedules that are done and all of them.
        **asked: Further arguments of `backtest_scheduler`.

    Raises:
        UsageError: A name is unknown, or a value is out of range.
        ConfigError: The configuration or the commands are refused.
        DataError: Bars are not there or not fit to trade on.
        AuthorizationError: The licence does not grant a strategy.
    """
    _check(tolerance, starts)
    setup = backtest_scheduler(config, scheduler, **asked).setup
    rng = np.random.default_rng(seed)
    rows: list[WarmupRow] = []
    for done, one in enumerate(setup.resolved):
        engine, parameters = one.strategy.engine, dict(one.strategy.parameters)
        legs = setup.schedule_bars[int(one.schedule.interval)]
        worst: dict[float, list[int | None]] = {}
        for i, name in enumerate(setup.instruments):
            if name not in one.instruments or len(legs[i]) < 2:
                continue
            other = legs[setup.others[i]] if engine.needs_secondary else None
            outputs = EngineOutputs(engine, parameters, legs[i], other)
            found = _histories(outputs, legs[i], other, _tolerances(tolerance), _places(legs[i], starts, rng))
            worst = {level: _worse(worst.get(level, of), of) for level, of in found.items()}
        names = ("target", "confidence", "volatility", *engine.diagnostics)
        declared = max(engine.history(parameters), one.schedule.warmup_bars)
        rows += _rows(one.name, names, worst, declared, tolerance)
        if progress is not None:
            progress(done + 1, len(setup.resolved))
    return WarmupReport(tolerance=tolerance, starts=starts, rows=tuple(rows))


def _check(tolerance: float, starts: int) -> None:
    if not 0.0 <= tolerance < 1.0:
        raise UsageError(f"tolerance is {tolerance}; allowed is 0 to less than 1")
    if starts < 1:
        raise UsageError(f"starts is {starts}; allowed is 1 or more")


def _tolerances(asked: float) -> tuple[float, ...]:
    return tuple(sorted({*TOLERANCES, asked}, reverse=True))


def _places(bars: Bars, starts: int, seed: int | np.random.Generator) -> list[int]:
    """Places of new first bars in the first two thirds: what comes after must be long enough to see agreement."""
    if len(bars) < 2:
        raise UsageError(f"{bars!r} has no bar after another; there is no shorter history")
    last = max(2 * len(bars) // 3, 2)
    edges = np.linspace(1, last, starts + 1)
    return sorted({int(place) for place in np.random.default_rng(seed).uniform(edges[:-1], edges[1:])})


def _histories(
    outputs: EngineOutputs,
    bars: Bars,
    secondary: Bars | None,
    tolerances: tuple[float, ...],
    places: Iterable[int],
    progress: Progress | None = None,
) -> dict[float, list[int | None]]:
    """By tolerance and row, how many bars must have closed until it agrees, in the worst of all starts."""
    whole = outputs.rows(bars, secondary)
    sizes = _median_sizes(whole)
    found: dict[float, list[int | None]] = {level: [1] * len(outputs.names) for level in tolerances}
    places = list(places)
    for done, place in enumerate(places):
        later, other = _from(bars, int(bars.ts_us[place])), secondary and _from(secondary, int(bars.ts_us[place]))
        short = outputs.rows(later, other)
        for level in tolerances:
            needed = [_history(*each, level) for each in zip(whole[:, place:], short, sizes, strict=True)]
            found[level] = _worse(found[level], needed)
        if progress is not None:
            progress(done + 1, len(places))
    return found


def _history(whole: Floats, short: Floats, size: float, tolerance: float) -> int | None:
    """Bars that must have closed until a row agrees to the end; None where it still differs in the last tenth."""
    agree = same(whole, short)
    if tolerance > EXACT:
        within = np.abs(whole - short) <= tolerance * np.maximum(np.maximum(np.abs(whole), np.abs(short)), size)
        agree = agree | within
    differs = np.flatnonzero(~agree)
    if not differs.size:
        return 1
    last = int(differs[-1])
    return None if last >= _STILL * whole.size else last + 2


def _median_sizes(whole: Floats) -> list[float]:
    finite = [np.abs(row[np.isfinite(row)]) for row in whole]
    return [float(np.median(row)) if row.size else 0.0 for row in finite]


def _worse(one: list[int | None], other: list[int | None]) -> list[int | None]:
    return [None if a is None or b is None else max(a, b) for a, b in zip(one, other, strict=True)]


def _rows(
    subject: str,
    names: Iterable[str],
    found: Mapping[float, list[int | None]],
    declared: int,
    tolerance: float,
) -> Iterator[WarmupRow]:
    for k, name in enumerate(names):
        history = {level: of[k] for level, of in found.items()}
        yield WarmupRow(
            subject=subject,
            output=name,
            history_bars=history,
            declared_bars=declared,
            needed_bars=history[tolerance],
        )


def _from(bars: Bars, begin_us: int) -> Bars:
    """The bars from an instant on, as if there had been none before."""
    place = int(np.searchsorted(bars.ts_us, begin_us))
    columns = (row[place:] for row in bars.values[:5])
    return Bars.from_arrays(
        bars.ts_us[place:], *columns, interval_seconds=bars.interval_seconds, symbol=bars.symbol, venue=bars.venue
    )


def _told(tolerance: float) -> str:
    return "exact" if tolerance == EXACT else f"{tolerance:g}"
