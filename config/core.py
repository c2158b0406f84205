"""The configuration as a whole."""

from __future__ import annotations

from msgspec import field
from msgspec.structs import asdict

from .environments import Environment
from .fields import Name, Text
from .risk import RiskProfile
from .runtime import Runtime
from .schedulers import Scheduler
from .section import Section
from .strategies import ENGINE_OF_SECTION, EngineSettings, Strategy
from .universes import Universe


class CoreConfig(Section, kw_only=True):
    """Every section of `config/core.yaml`.

    Attributes:
        runtime: Schedulers and limits of resources.
        risk_profiles: By name.
        strategies: By name; the specialised sections below feed the same catalog.
        environments: By name.
        instrument_universes: By name.
        engine_files: Python files with engines; all their `StrategyEngine`s join the catalog.
    """

    runtime: Runtime = field(default_factory=Runtime)
    risk_profiles: dict[Name, RiskProfile] = field(default_factory=dict)
    strategies: dict[Name, Strategy] = field(default_factory=dict)
    mean_reversion_strategies: dict[Name, EngineSettings] = field(default_factory=dict)
    volatility_target_strategies: dict[Name, EngineSettings] = field(default_factory=dict)
    cross_exchange_arbitrage_strategies: dict[Name, EngineSettings] = field(default_factory=dict)
    grid_strategies: dict[Name, EngineSettings] = field(default_factory=dict)
    environments: dict[Name, Environment] = field(default_factory=dict)
    instrument_universes: dict[Name, Universe] = field(default_factory=dict)
    engine_files: list[Text] = field(default_factory=list)

    def catalog(self) -> dict[str, tuple[str, Strategy]]:
        """Every strategy by name, with the section that it stands in; of a name given twice, the first."""
        found = {name: ("strategies", strategy) for name, strategy in self.strategies.items()}
        for section, engine in ENGINE_OF_SECTION.items():
            for name, settings in getattr(self, section).items():
                found.setdefault(name, (section, _of_engine(engine, settings)))
        return found

    def strategy(self, name: str) -> Strategy:
        """The strategy of this name; where there is none, the engine of this name with its defaults."""
        _, found = self.catalog().get(name, ("", Strategy(engine=name)))
        return found


class WrittenConfig(CoreConfig, kw_only=True):
    """What a file may say: schedulers may also stand at its top, and are then read as those of `runtime`."""

    multi_strategy_schedulers: dict[Name, Scheduler] = field(default_factory=dict)


def _of_engine(engine: str, settings: EngineSettings) -> Strategy:
    return Strategy(engine=engine, **asdict(settings))
