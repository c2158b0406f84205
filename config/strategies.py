"""Strategies by name: an engine with parameters, a risk profile and tags."""

from __future__ import annotations

from msgspec import field

from .fields import Name, NotNegative, Text
from .section import Section

ParameterValue = bool | int | float | str


class EngineSettings(Section, kw_only=True):
    """A strategy of a section that says which engine it runs.

    Attributes:
        risk_profile: By default the environment's; a schedule's own wins.
        tags: The first one is the primary tag.
        capability: What the licence must allow; by default the engine's.
        rebalance_threshold: Least change of a wish that is a signal; and least move, as a share of the schedule's
            capital, that a change of weights makes an order for. An engine's parameter of the same name stands under
            `parameters` and is the engine's own.
        parameters: The engine's, by name; those left out have their defaults.
    """

    risk_profile: Name | None = None
    tags: list[Name] = field(default_factory=list)
    capability: Text | None = None
    rebalance_threshold: NotNegative = 0.0
    parameters: dict[str, ParameterValue] = field(default_factory=dict)


class Strategy(EngineSettings, kw_only=True):
    """A strategy of the catalog.

    Attributes:
        engine: A built-in engine, an installed one, or one from `engine_files`.
    """

    engine: Name


ENGINE_OF_SECTION = {
    "mean_reversion_strategies": "mean_reversion",
    "volatility_target_strategies": "volatility_target",
    "cross_exchange_arbitrage_strategies": "cross_exchange_arbitrage",
    "grid_strategies": "grid_trading",
}
"""The engine that each specialised section runs."""
