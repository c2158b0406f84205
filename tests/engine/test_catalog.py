"""The catalog of strategy engines: by name, never changed in place."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest
from barstep.engine.catalog import DEFAULT_STRATEGY_CATALOG, StrategyCatalog
from barstep.errors import UsageError
from making import ENGINE_NAMES

SMA = DEFAULT_STRATEGY_CATALOG["sma_crossover"]


def test_the_catalog_holds_the_five_strategies_and_the_yardstick() -> None:
    """The engines that come with barstep, in order, each under its own name."""
    assert ENGINE_NAMES == [
        "daily_trend_momentum",
        "mean_reversion",
        "grid_trading",
        "volatility_target",
        "cross_exchange_arbitrage",
        "sma_crossover",
    ]
    assert [DEFAULT_STRATEGY_CATALOG[name].name for name in ENGINE_NAMES] == ENGINE_NAMES


def test_an_unknown_engine_is_answered_with_the_near_name() -> None:
    """A mistyped engine is refused with the nearest one and all that there are."""
    with pytest.raises(UsageError) as caught:
        DEFAULT_STRATEGY_CATALOG["mean_revertion"]
    expected = "unknown strategy engine 'mean_revertion'. Did you mean 'mean_reversion'? Allowed: "
    assert str(caught.value) == expected + ", ".join(sorted(ENGINE_NAMES)) + "."


def test_a_name_that_is_near_nothing_gets_no_advice() -> None:
    """Where no name is near, none is offered."""
    with pytest.raises(UsageError, match=r"^unknown strategy engine 'zzz'\. Allowed: "):
        DEFAULT_STRATEGY_CATALOG["zzz"]


def test_one_engine_more_makes_another_catalog() -> None:
    """with_engine leaves the catalog it was asked of as it is."""
    mine = replace(SMA, name="mine")
    larger = DEFAULT_STRATEGY_CATALOG.with_engine(mine)
    assert larger["mine"] is mine
    assert [engine.name for engine in larger] == [*ENGINE_NAMES, "mine"]
    assert [engine.name for engine in DEFAULT_STRATEGY_CATALOG] == ENGINE_NAMES


def test_two_engines_of_one_name_are_refused() -> None:
    """A name is given once."""
    with pytest.raises(UsageError, match=r"^two strategy engines are named 'sma_crossover'; names must differ$"):
        DEFAULT_STRATEGY_CATALOG.with_engine(SMA)
    with pytest.raises(UsageError, match=r"^two strategy engines are named 'sma_crossover'; names must differ$"):
        StrategyCatalog((SMA, SMA))


def test_neither_catalog_nor_engine_can_be_changed() -> None:
    """There is no way to put an engine into a catalog, or another default into an engine."""
    with pytest.raises(TypeError, match="does not support item assignment"):
        DEFAULT_STRATEGY_CATALOG["mine"] = SMA  # type: ignore[index]
    with pytest.raises(FrozenInstanceError):
        SMA.carry_size = 5  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        SMA.parameters[0].default = 5  # type: ignore[misc]
