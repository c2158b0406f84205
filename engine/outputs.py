"""What can be audited bar by bar: an engine's rows, or whatever a function makes of bars."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from ..errors import UsageError
from ..kernels import account
from ..kernels.moments import NUMBER
from .bars import Bars, Floats
from .execution import Execution
from .futures import CHANGES, changed_from
from .pairing import pair, pair_values
from .simulation import EngineRun, Setup, simulate
from .strategy import StrategyEngine, Values
from .tracks import Moved, Track, bars_track, column_of, same

OUTPUTS, FILLS = "outputs", "fills"
_FILLED = {"lots": account.FILL_LOTS, "price": account.FILL_PRICE, "fee": account.FILL_FEE, "leg": account.FILL_LEG}
_YEAR_DAYS = 365.0


class EngineOutputs:
    """An engine with parameters, whose rows can be asked for over any bars.

    Attributes:
        engine: The engine.
        parameters: All of its parameters.
        names: Names of its rows, in order.
    """

    def __init__(self, engine: StrategyEngine, given: Values, bars: Bars, secondary: Bars | None) -> None:
        if engine.needs_secondary != (secondary is not None):
            needed = "trades two venues; give the second one's bars" if engine.needs_secondary else "trades one venue"
            raise UsageError(f"{engine.name} {needed} (secondary)")
        self.engine, self.parameters = engine, engine.read_parameters(given)
        self._bars, self._secondary = bars, secondary
        self.names = ("target", "confidence", "volatility", *engine.diagnostics)

    def rows(self, bars: Bars, secondary: Bars | None) -> Floats:
        """float64[row, bar]: the rows over these bars, made in one go."""
        return self._run_on(bars, _values(bars, secondary)).rows()

    def tracks(self, bars: Bars, secondary: Bars | None) -> list[Track]:
        """The rows, each bar's known at its close, and the fills of their plain backtest, settled by their open."""
        columns = dict(zip(self.names, self.rows(bars, secondary), strict=True))
        return [Track(name=OUTPUTS, known_us=bars.closes_us, columns=columns), self._fills(bars, secondary)]

    def bar_by_bar(self, rng: np.random.Generator) -> Iterator[tuple[int, Moved]]:
        """Show it one bar at a time with another future behind, and yield (cut, move) for each row that differs first.

        Every bar is a cut here, so what leaks at a few bars only is found too, and what an engine reads of the bars of
        one call beyond each bar.
        """
        bars = self._bars
        recorded = _values(bars, self._secondary)
        whole = self._run_on(bars, recorded).rows()
        for change in (one for one in CHANGES if one.name in {"noise", "shocked"}):
            start_us = int(bars.ts_us[0])
            other = None if self._secondary is None else changed_from(self._secondary, start_us, change, rng)
            shown = _values(changed_from(bars, start_us, change, rng), other)
            found = np.empty_like(whole)
            self._step_through(shown, recorded, found)
            yield from self._moves(whole, found)

    def _fills(self, bars: Bars, secondary: Bars | None) -> Track:
        both = None if secondary is None else pair(bars, secondary)
        run = self._run_on(bars, bars.values if both is None else both.values)
        fills = simulate(Setup(bars, Execution(), run=run, secondary=secondary, pair=both)).fill_table
        columns = {name: fills[row] for name, row in _FILLED.items()}
        known_us = bars.ts_us[fills[account.FILL_BAR].astype(np.int64)]
        return Track(name=FILLS, known_us=known_us, columns=columns, at_open=True)

    def _step_through(self, shown: Floats, recorded: Floats, found: Floats) -> None:
        """Run call by call over `shown`, in which each bar becomes the recorded one just before its call."""
        kernel, numbers = self.engine.kernel, self._bars.numbers
        params = self.engine.pack(self.parameters, self._bars.interval_seconds, _YEAR_DAYS)
        carry, out = self.engine.new_carry(), np.full((self.engine.rows, 1), np.nan)
        for bar in range(len(self._bars)):
            shown[:, bar] = recorded[:, bar]
            out[:] = np.nan
            carry[NUMBER] = numbers[bar]
            kernel(shown, params, carry, out, bar, bar + 1, 0)
            found[:, bar] = out[:, 0]

    def _moves(self, whole: Floats, found: Floats) -> Iterator[tuple[int, Moved]]:
        closes_us = self._bars.closes_us
        for name, one, other in zip(self.names, whole, found, strict=True):
            differs = np.flatnonzero(~same(one, other))
            if differs.size:
                row = int(differs[0])
                before, after, known_us = float(one[row]), float(other[row]), int(closes_us[row])
                yield (
                    known_us,
                    Moved(track=OUTPUTS, column=name, row=row, known_us=known_us, before=before, after=after),
                )

    def _run_on(self, bars: Bars, values: Floats) -> EngineRun:
        return EngineRun(self.engine, self.parameters, bars, values, _YEAR_DAYS)


def pipeline_tracks(
    pipeline: Callable[..., Any], at_open: tuple[str, ...]
) -> Callable[[Bars, Bars | None], Sequence[Track]]:
    """A function of (bars, second venue's bars or None) that gives a pipeline's outputs as tracks."""
    return lambda bars, secondary: _tracks_of(
        pipeline(bars) if secondary is None else pipeline(bars, secondary), bars, at_open
    )


def _tracks_of(made: Any, bars: Bars, at_open: tuple[str, ...]) -> list[Track]:
    if isinstance(made, Bars):
        return [bars_track(made)]
    columns = {name: column_of(name, values) for name, values in _named(made).items()}
    for name, values in columns.items():
        if values.size != len(bars):
            raise UsageError(f"output {name!r} has {values.size:,} values for {len(bars):,} bars; it must be one a bar")
    for name in at_open:
        if name not in columns:
            raise UsageError(f"at_open: there is no output {name!r}; there are {', '.join(columns)}")
    at_close = {name: values for name, values in columns.items() if name not in at_open}
    tracks = [Track(name=OUTPUTS, known_us=bars.closes_us, columns=at_close)]
    settled = {name: columns[name] for name in at_open}
    return (
        [*tracks, Track(name="at the open", known_us=bars.ts_us, columns=settled, at_open=True)] if settled else tracks
    )


def _named(made: Any) -> Mapping[str, Any]:
    """Outputs by name."""
    if isinstance(made, pl.DataFrame):
        return {column.name: column.to_physical() for column in made.iter_columns()}
    if isinstance(made, Mapping):
        return {str(name): values for name, values in made.items()}
    if isinstance(made, np.ndarray | pl.Series):
        return {"output": made}
    raise UsageError(
        f"the function gives a {type(made).__name__}; it must give one value a bar by name, as a mapping or a table, "
        "or Bars"
    )


def _values(bars: Bars, secondary: Bars | None) -> Floats:
    """float64[column, bar] as the kernel reads it, a copy."""
    return bars.values.copy() if secondary is None else pair_values(bars, secondary, 0, len(bars))
