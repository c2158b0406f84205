"""What a backtest refuses, and that the text says what, which, the value and what is allowed."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import barstep as bs
import numpy as np
import pytest
from barstep.engine.execution import Execution
from barstep.errors import UsageError
from making import bars_of, walk_bars

BARS = bars_of(np.linspace(10.0, 12.0, 50))
OTHER = bars_of(np.linspace(10.0, 12.0, 50), venue="w")
OWN = [field.name for field in fields(Execution)]
OPTIONS = ", ".join(sorted(OWN))
SMA_OPTIONS = ", ".join(sorted([*OWN, "allow_short", "fast_ma", "slow_ma"]))

REFUSED: list[tuple[Any, dict[str, Any], str]] = [
    (
        "sma_crossover", {},
        "sma_crossover needs 100 bars before its first wish (fast_ma=25, slow_ma=100); the data has 50. "
        "Shorten the window or load more data.",
    ),
    (
        "mean_reversion", {"lookback": 50},
        "mean_reversion needs 51 bars before its first wish (lookback=50); the data has 50. "
        "Shorten the window or load more data.",
    ),
    ("sma_crossover", {"fee_bp": 1}, f"unknown option 'fee_bp'. Did you mean 'fee_bps'? Allowed: {SMA_OPTIONS}."),
    # The mistyped name is told before the rule that only its absence breaks.
    (
        "sma_crossover", {"fast_ma": 120, "slowma": 200},
        f"unknown option 'slowma'. Did you mean 'slow_ma'? Allowed: {SMA_OPTIONS}.",
    ),
    (np.zeros(50), {"lookback": 20}, f"unknown option 'lookback'. Allowed: {OPTIONS}."),
    (
        "sma_crossover", {"slow_ma": 1},
        "sma_crossover: slow_ma is 1; allowed is 2 to 10,000,000 (bars of the slow mean)",
    ),
    ("sma_crossover", {"slow_ma": 20}, "sma_crossover: fast_ma is 25; it must be less than slow_ma, which is 20"),
    (
        "sma_crossover", {"fast_ma": 5, "slow_ma": 20, "secondary": OTHER},
        "sma_crossover trades one venue; leave `secondary` out",
    ),
    (np.zeros(50), {"secondary": OTHER}, "wishes of your own trade one venue; leave `secondary` out"),
    (
        "cross_exchange_arbitrage", {},
        "cross_exchange_arbitrage trades two venues; give the second one's bars as `secondary`",
    ),
    (
        "cross_exchange_arbitrage", {"secondary": OTHER, "primary_exchange": "kraken"},
        "cross_exchange_arbitrage: primary_exchange is 'kraken', but these bars are of 'v'",
    ),
    (
        "cross_exchange_arbitrage", {"secondary": OTHER, "secondary_exchange": "v"},
        "cross_exchange_arbitrage: secondary_exchange is 'v', but these bars are of 'w'",
    ),
    (np.zeros(49), {}, "the array of wishes has shape (49,); there are 50 bars: (50,)"),
    (np.zeros((1, 50)), {}, "the array of wishes has shape (1, 50); there are 50 bars: (50,)"),
    (
        np.where(np.arange(50) == 7, np.nan, 1.0), {},
        "the array of wishes is nan at row 7; it must be a number, 0 stands for no position",
    ),
    (
        np.where(np.arange(50) > 7, -np.inf, 1.0), {},
        "the array of wishes is -inf at row 8; it must be a number, 0 stands for no position",
    ),
    ({"a": 1}, {}, "the strategy is a dict; it must be an engine's name, an engine or wishes by bar"),
    (["buy"] * 50, {}, "the strategy is a list; it must be an engine's name, an engine or wishes by bar"),
]  # fmt: skip


@pytest.mark.parametrize(("strategy", "options", "text"), REFUSED, ids=range(len(REFUSED)))
def test_a_refusal_in_words(strategy: Any, options: dict[str, Any], text: str) -> None:
    """Each wrong use is a UsageError with a text that tells how to go on."""
    with pytest.raises(UsageError) as caught:
        bs.backtest(BARS, strategy, **options)
    assert str(caught.value) == text


def test_an_unknown_engine_is_answered_with_the_near_name() -> None:
    """A mistyped engine is refused by the catalog that was asked."""
    with pytest.raises(UsageError, match=r"^unknown strategy engine 'grid_trader'\. Did you mean 'grid_trading'\?"):
        bs.backtest(BARS, "grid_trader")


def test_right_venue_names_are_taken() -> None:
    """Venue names that are those of the bars refuse nothing and stand in the result."""
    result = bs.backtest(
        BARS, "cross_exchange_arbitrage", secondary=OTHER, primary_exchange="v", secondary_exchange="w"
    )
    assert result.to_dict()["parameters"]["secondary_exchange"] == "w"


def test_just_enough_bars_are_enough() -> None:
    """An engine whose history is as long as the data runs; with one bar less it is refused."""
    assert len(bs.backtest(walk_bars(100), "sma_crossover").equity_values) == 100
    with pytest.raises(UsageError, match=r"needs 100 bars before its first wish .*; the data has 99"):
        bs.backtest(walk_bars(99), "sma_crossover")


def test_engines_refuse_no_bars() -> None:
    """Zero bars are too few for any engine."""
    with pytest.raises(UsageError, match=r"needs 97 bars before its first wish .*; the data has 0\."):
        bs.backtest(bars_of([]), "mean_reversion")


def test_an_engine_without_a_history_runs_over_no_bars() -> None:
    """An engine that asks for no bars may have none: its rows are there and empty."""
    engine = replace(bs.DEFAULT_STRATEGY_CATALOG["sma_crossover"], history=lambda _: 0)
    result = bs.backtest(bars_of([]), engine)
    assert result.final_equity == 100_000.0
    assert result.columns.height == 0
    assert result.columns.columns[5:8] == ["fast_mean", "slow_mean", "position"]
