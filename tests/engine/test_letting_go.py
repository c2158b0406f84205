"""Results are gone as soon as nobody has them: kept in a ring, hundreds of them would pile up in a loop."""

from __future__ import annotations

from collections.abc import Callable
from weakref import ref

import barstep as bs
import pytest
from barstep.config.reading import PACKAGED
from barstep.engine.portfolio_result import PortfolioResult
from barstep.engine.result import Result
from making import random_wishes, walk_bars
from panels import random_weights, walks

AnyResult = Result | PortfolioResult
BARS = walk_bars(400)
MAKERS: dict[str, Callable[[], AnyResult]] = {
    "engine": lambda: bs.backtest(BARS, "sma_crossover", fast_ma=5, slow_ma=20),
    "own wishes, with levels": lambda: bs.backtest(BARS, random_wishes(400), stop_loss_pct=2.0),
    "portfolio": lambda: bs.portfolio(walks(3, 200), random_weights(200, 3)),
    "scheduler": lambda: bs.backtest_scheduler(PACKAGED, "core_multi", end="2023-01-05"),
    "replay": lambda: bs.replay(PACKAGED, "core_multi", end="2023-01-05"),
}


def asked(result: AnyResult) -> AnyResult:
    """A result of which everything was asked; without `assert`, which keeps what it looks at."""
    dict(result.metrics)
    result.to_json()
    for table in (result.trades, result.fills, result.columns):
        table.height  # noqa: B018 - it is computed when it is asked for
    return result


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.usefixtures("no_rings")
def test_a_result_is_gone_at_once(kind: str) -> None:
    """After everything was asked of it."""
    gone = ref(asked(MAKERS[kind]()))
    assert gone() is None


def test_metrics_outlive_the_name_of_their_result() -> None:
    """Who has only them can ask for more, and each is computed once for all who ask."""
    metrics = MAKERS["engine"]().metrics
    assert metrics["sharpe"] == bs.backtest(BARS, "sma_crossover", fast_ma=5, slow_ma=20).metrics["sharpe"]
    result = MAKERS["engine"]()
    first = result.metrics["tail_ratio"]
    assert result.metrics["tail_ratio"] is first
