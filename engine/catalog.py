"""The catalog of strategy engines by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..errors import UsageError, unknown_name
from .builtin import BUILTIN_ENGINES
from .strategy import StrategyEngine


class StrategyCatalog:
    """Strategy engines by name. A copy with more engines is made by `with_engine`; none is ever changed in place."""

    def __init__(self, engines: Iterable[StrategyEngine]) -> None:
        self._engines: dict[str, StrategyEngine] = {}
        for engine in engines:
            if engine.name in self._engines:
                raise UsageError(f"two strategy engines are named {engine.name!r}; names must differ")
            self._engines[engine.name] = engine

    def __iter__(self) -> Iterator[StrategyEngine]:
        return iter(self._engines.values())

    def __getitem__(self, name: str) -> StrategyEngine:
        """The engine of this name.

        Raises:
            UsageError: There is none; the text says which are there and which is near.
        """
        if name not in self._engines:
            raise UsageError(unknown_name("strategy engine", name, self._engines))
        return self._engines[name]

    def with_engine(self, engine: StrategyEngine) -> StrategyCatalog:
        """A catalog that has one engine more."""
        return StrategyCatalog((*self, engine))


DEFAULT_STRATEGY_CATALOG = StrategyCatalog(BUILTIN_ENGINES)
