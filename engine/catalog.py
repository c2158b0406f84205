"""The catalog of strategy engines by name: those of barstep, of installed packages, and of files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from ..errors import UsageError, in_one_line, unknown_name
from .builtin import BUILTIN_ENGINES
from .engine_file import read_engine_file
from .strategy import StrategyEngine

ENTRY_POINT_GROUP = "barstep.engines"
"""An installed package offers an engine by an entry point of this group: the engine's name = module:object."""


class StrategyCatalog:
    """Strategy engines by name. A copy with more engines is made by `with_engine`; none is ever changed in place."""

    def __init__(self, engines: Iterable[StrategyEngine], *, with_installed: bool = False) -> None:
        """A catalog of `engines` and, where `with_installed`, of those that installed packages offer."""
        self._with_installed = with_installed
        self._engines: dict[str, StrategyEngine] = {}
        for engine in engines:
            if engine.name in self._engines:
                raise UsageError(f"two strategy engines are named {engine.name!r}; names must differ")
            self._engines[engine.name] = engine

    def __iter__(self) -> Iterator[StrategyEngine]:
        yield from self._engines.values()
        for name in self._installed:
            yield self[name]

    def __getitem__(self, name: str) -> StrategyEngine:
        """The engine of this name. One that a package offers is imported when it is first asked for.

        Raises:
            UsageError: There is none; the text says which are there and which is near. Or its package fails to load.
        """
        if name in self._engines:
            return self._engines[name]
        if name not in self._installed:
            raise UsageError(unknown_name("strategy engine", name, (*self._engines, *self._installed)))
        return _load(self._installed[name])

    @property
    def by_name(self) -> dict[str, StrategyEngine]:
        """All engines by their names, those of installed packages imported."""
        return {engine.name: engine for engine in self}

    def with_engine(self, engine: StrategyEngine) -> StrategyCatalog:
        """A catalog that has one engine more."""
        return StrategyCatalog((*self._engines.values(), engine), with_installed=self._with_installed)

    def with_file(self, path: str | Path) -> StrategyCatalog:
        """A catalog that has the engines of a Python file besides. The file is run.

        Raises:
            UsageError: The file cannot be read or run, or has no engine, or one of a name that is there.
        """
        found = (*self._engines.values(), *read_engine_file(Path(path)))
        return StrategyCatalog(found, with_installed=self._with_installed)

    @cached_property
    def _installed(self) -> dict[str, EntryPoint]:
        if not self._with_installed:
            return {}
        offered: dict[str, EntryPoint] = {}
        for point in entry_points(group=ENTRY_POINT_GROUP):
            if point.name in self._engines or point.name in offered:
                raise UsageError(f"{_origin(point)} offers an engine named {point.name!r}; there is one already")
            offered[point.name] = point
        return offered


def _origin(point: EntryPoint) -> str:
    return f"the package {point.dist.name}" if point.dist else f"the entry point {point.value}"


def _load(point: EntryPoint) -> StrategyEngine:
    try:
        engine = point.load()
    except Exception as error:
        raise UsageError(f"engine {point.name!r} of {_origin(point)} cannot be loaded: {in_one_line(error)}") from error
    if not isinstance(engine, StrategyEngine) or engine.name != point.name:
        found = f"an engine named {engine.name!r}" if isinstance(engine, StrategyEngine) else type(engine).__name__
        raise UsageError(f"{_origin(point)}: {point.value} is {found}; it must be an engine named {point.name!r}")
    return engine


DEFAULT_STRATEGY_CATALOG = StrategyCatalog(BUILTIN_ENGINES, with_installed=True)
