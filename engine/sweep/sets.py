"""Which parameter sets may run: each value in its own type, and none that contradicts another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from ...errors import UsageError, unknown_name
from ..bars import Integers
from ..execution import Execution
from ..metrics import DESCRIPTIONS, TAIL
from ..strategy import Parameter, StrategyEngine, Value

_NOT_VARIED = ("year_days",)


def different(
    sets: pl.DataFrame, names: Sequence[str], make: Callable[[dict[str, Any]], Any]
) -> tuple[tuple[Any, ...], Integers]:
    """What is made of each different row of some columns, and int64[set]: which is whose."""
    if not names:
        return (make({}),), np.zeros(sets.height, dtype=np.int64)
    numbered = sets.select(names).with_row_index("set")
    kinds = numbered.group_by(names, maintain_order=True).agg(pl.col("set"))
    which = np.empty(sets.height, dtype=np.int64)
    made = []
    for place, row in enumerate(kinds.iter_rows(named=True)):
        which[row.pop("set")] = place
        made.append(make(row))
    return tuple(made), which


class Reading:
    """What values parameters and options may have."""

    def __init__(self, engine: StrategyEngine, own: Mapping[str, Parameter]) -> None:
        self._engine, self._own = engine, own
        usual = {name: each.default for name, each in Execution.__dataclass_fields__.items()}
        self.defaults: dict[str, Any] = {**usual, **{name: each.default for name, each in own.items()}}

    def value(self, name: str, value: Any) -> Any:
        """The value in its own type."""
        if isinstance(value, np.generic):
            value = value.item()
        if name in self._own:
            if self._own[name].kind == "text":
                raise UsageError(f"{name} is a label that {self._engine.name} does not see; it cannot be varied")
            return self._own[name].read(value, self._engine.name)
        if name not in self.defaults or name in _NOT_VARIED:
            known = [each for each in self.defaults if each not in _NOT_VARIED]
            raise UsageError(unknown_name("parameter to vary", name, known))
        return getattr(Execution(**{name: value}), name)

    def is_whole(self, name: str) -> bool:
        """Whether it takes whole numbers."""
        return name in self._own and self._own[name].kind == "int"


def read_metrics(names: Iterable[str], *, with_tail: bool) -> tuple[str, ...]:
    """Names of metrics, each once; `with_tail`: those that need all returns of a row at once may be among them.

    Raises:
        UsageError: A name is unknown, not allowed, or there is none.
    """
    found = tuple(dict.fromkeys(names))
    for name in found:
        if name in TAIL and not with_tail:
            raise UsageError(f"{name} needs all returns of a row at once; ask a backtest of that row for it")
        if name not in DESCRIPTIONS:
            raise UsageError(unknown_name("metric", name, [each for each in DESCRIPTIONS if each not in TAIL]))
    if not found:
        raise UsageError("no metric is asked for; give at least one, such as sharpe")
    return found


def consistent(
    engine: StrategyEngine, own: Mapping[str, Parameter], drawn: pl.DataFrame, options: Mapping[str, Any]
) -> pl.DataFrame:
    """The sets whose parameters and options do not contradict each other."""
    broken = ""
    keep = np.ones(drawn.height, dtype=bool)
    for place, read in enumerate(_parameters(engine, own, drawn, options)):
        why = engine.rule(read)
        if why:
            keep[place], broken = False, broken or f"{engine.name}: {why}"
    others = [name for name in drawn.columns if name not in own]
    fixed = {
        name: value for name, value in options.items() if name in Execution.__dataclass_fields__ and name not in own
    }
    if others:
        makes, which = different(drawn, others, lambda given: _why_refused({**fixed, **given}))
        refused = np.array([why is not None for why in makes])
        keep &= ~refused[which]
        broken = broken or next((why for why in makes if why), "")
    if not keep.any():
        raise UsageError(f"no parameter set is left: all {drawn.height:,} contradict themselves ({broken})")
    return drawn.filter(pl.Series(keep))


def _why_refused(options: Mapping[str, Any]) -> str | None:
    try:
        Execution(**options)
    except UsageError as error:
        return str(error)
    return None


def _parameters(
    engine: StrategyEngine, own: Mapping[str, Parameter], sets: pl.DataFrame, options: Mapping[str, Any]
) -> Iterator[dict[str, Value]]:
    """The engine's parameters of each set. The same mapping is given each time, with other values."""
    fixed = {name: parameter.read(options.get(name, parameter.default), engine.name) for name, parameter in own.items()}
    names = [name for name in sets.columns if name in own]
    if not names:
        yield from (fixed for _ in range(sets.height))
        return
    for row in sets.select(names).iter_rows():
        fixed.update(zip(names, row, strict=True))
        yield fixed


def refuse_short(
    engine: StrategyEngine, own: Mapping[str, Parameter], sets: pl.DataFrame, options: Mapping[str, Any], bars: int
) -> None:
    """Raise UsageError where a set's windows are longer than the history."""
    for place, read in enumerate(_parameters(engine, own, sets, options)):
        needed = engine.history(read)
        if needed > bars:
            given = ", ".join(f"{name}={value}" for name, value in sets.row(place, named=True).items())
            raise UsageError(
                f"{engine.name} needs {needed:,} bars before its first wish with {given}; the data has {bars:,}. "
                "Shorten the window or load more data."
            )
