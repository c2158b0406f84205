"""What a portfolio refuses, and what it says then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import barstep as bs
import numpy as np
import polars as pl
import pytest
from making import START_US
from panels import named, speaking

AB = [named("ALPHA", [10.0] * 3, volume=[1.0] * 3), named("BETA", [10.0] * 3, volume=[1.0] * 3)]
W = np.full((3, 2), 0.5)
TIMES = pl.Series([START_US]).cast(pl.Datetime("us"))


def frame(**columns: Any) -> pl.DataFrame:
    return pl.DataFrame({"timestamp": TIMES, **columns})


CASES: dict[str, tuple[Callable[[], Any], str]] = {
    "no instruments": (lambda: bs.portfolio([], W), "the bars of at least one instrument"),
    "two intervals": (
        lambda: bs.portfolio([AB[0], named("BETA", [10.0] * 3, interval_seconds=60)], W),
        "the bars are 60, 3600 seconds long; they must be alike",
    ),
    "one name twice": (lambda: bs.portfolio([AB[0], AB[0]], W), "two instruments are named 'v:ALPHA'"),
    "an unknown instrument in by_instrument": (
        lambda: bs.portfolio(AB, W, by_instrument={"BETTA": {}}),
        "unknown instrument 'BETTA'. Did you mean 'BETA'?",
    ),
    "an unknown instrument of a strategy": (
        lambda: bs.portfolio(AB, [speaking(instruments=["ALPA"])]),
        "unknown instrument 'ALPA'. Did you mean 'ALPHA'?",
    ),
    "an unknown column": (
        lambda: bs.portfolio(AB, frame(BETTA=[0.5])),
        "unknown column of the weights 'BETTA'. Did you mean 'BETA'?",
    ),
    "a frame without times": (
        lambda: bs.portfolio(AB, pl.DataFrame({"BETA": [0.5]})),
        "the weights have no column 'timestamp'",
    ),
    "times that are words": (
        lambda: bs.portfolio(AB, pl.DataFrame({"timestamp": ["now"], "BETA": [0.5]})),
        "timestamp is String; it must be a time",
    ),
    "a time between bars": (
        lambda: bs.portfolio(AB, frame(BETA=[0.5]).with_columns(pl.col("timestamp") + pl.duration(minutes=1))),
        "the times of the weights must rise, and each be the open of a bar",
    ),
    "a time after the bars": (
        lambda: bs.portfolio(AB, frame(BETA=[0.5]).with_columns(pl.col("timestamp") + pl.duration(hours=3))),
        "each be the open of a bar",
    ),
    "no time": (lambda: bs.portfolio(AB, frame(BETA=[0.5]).with_columns(timestamp=TIMES.shift(1))), "open of a bar"),
    "a time twice": (lambda: bs.portfolio(AB, pl.concat([frame(BETA=[0.5])] * 2)), "must rise"),
    "weights of another shape": (
        lambda: bs.portfolio(AB, W.T),
        "the weights have shape (2, 3); they must be [bar, instrument]: (3, 2)",
    ),
    "an infinite weight": (lambda: bs.portfolio(AB, W * np.inf), "a weight is infinite"),
    "every of 0": (lambda: bs.portfolio(AB, W, every=0), "every is 0; it must be a whole number of bars, 1 or more"),
    "every that is no number": (lambda: bs.portfolio(AB, W, every=True), "every is True; it must be a whole number"),
    "half an every": (lambda: bs.portfolio(AB, W, every=1.5), "every is 1.5; it must be a whole number"),  # type: ignore[arg-type]
    "every for strategies": (lambda: bs.portfolio(AB, [speaking()], every=2), "every is for weights"),
    "a misspelt sizing_price": (
        lambda: bs.portfolio(AB, W, sizing_price="fil"),  # type: ignore[arg-type]
        "sizing_price is 'fil'; allowed is close or fill",
    ),
    "sizes at the fill of limits": (
        lambda: bs.portfolio(AB, W, sizing_price="fill", limit_offset_bps=1),
        "sizing_price='fill' is for orders that fill at once",
    ),
    "sizes at the fill under a cap of one instrument": (
        lambda: bs.portfolio(AB, W, sizing_price="fill", by_instrument={"BETA": {"max_volume_share": 0.1}}),
        "no limits, no cap on volume",
    ),
    "an engine of two venues": (
        lambda: bs.portfolio(AB, [bs.Allocation(strategy="cross_exchange_arbitrage")]),
        "cross_exchange_arbitrage trades two venues; a portfolio's strategies trade one each",
    ),
    "an unknown engine": (
        lambda: bs.portfolio(AB, [bs.Allocation(strategy="mean_reversal")]),
        "Did you mean 'mean_reversion'?",
    ),
    "an unknown parameter": (
        lambda: bs.portfolio(AB, [bs.Allocation(strategy="mean_reversion", parameters={"lookbak": 3})]),
        "Did you mean 'lookback'?",
    ),
    "two strategies of one name": (
        lambda: bs.portfolio(AB, [speaking(), speaking()]),
        "two allocations are named 'speaker'; give them names that differ",
    ),
    "an empty plan": (lambda: bs.portfolio(AB, []), "the plan is empty"),
    "a plan of numbers": (lambda: bs.portfolio(AB, [0.5, 0.5]), "the plan holds a float"),  # type: ignore[list-item]
    "a negative share": (lambda: bs.portfolio(AB, [speaking(weight=-0.5)]), "speaker: weight is -0.5; allowed is 0"),
    "a share that is no number": (lambda: bs.portfolio(AB, [speaking(weight=np.nan)]), "speaker: weight is nan"),
    "an endless share": (lambda: bs.portfolio(AB, [speaking(weight=np.inf)]), "speaker: weight is inf"),
    "an unknown option": (lambda: bs.portfolio(AB, W, fee_bp=1), "unknown option 'fee_bp'. Did you mean 'fee_bps'?"),
    "an unknown option of a strategy": (
        lambda: bs.portfolio(AB, [speaking(options={"stop_los_pct": 1})]),
        "unknown option 'stop_los_pct'. Did you mean 'stop_loss_pct'?",
    ),
    "an unknown option of an instrument": (
        lambda: bs.portfolio(AB, W, by_instrument={"BETA": {"lots": 1}}),
        "unknown option 'lots'. Did you mean 'lot'?",
    ),
    "capital of an instrument": (
        lambda: bs.portfolio(AB, W, by_instrument={"BETA": {"capital": 1}}),
        "unknown option 'capital'",
    ),
    "an option out of range": (
        lambda: bs.portfolio(AB, [speaking(options={"leverage": 0.5})]),
        "leverage is 0.5; allowed is 1 or more",
    ),
    "a volume that is missing": (
        lambda: bs.portfolio([AB[0], named("BETA", [10.0] * 3)], W, impact_bps=1),
        "need that of every bar; Bars(v BETA 1h",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_refused(case: str) -> None:
    """What is wrong, the value, and the near name or what is allowed stand in the message."""
    call, message = CASES[case]
    with pytest.raises(bs.UsageError) as refused:
        call()
    assert message in str(refused.value)


def test_a_missing_volume_is_refused_only_where_it_is_asked_for() -> None:
    """Impact of the one instrument that has its volumes is no matter of the other."""
    bars = [AB[0], named("BETA", [10.0] * 3)]
    result = bs.portfolio(bars, W, by_instrument={"ALPHA": {"impact_bps": 1.0}})
    assert set(result.fills["instrument"]) == {"ALPHA", "BETA"}


def test_one_symbol_of_two_venues_has_two_names() -> None:
    """The venue stands before the symbol where two have the same one, and only there."""
    bars = [AB[0], replace(AB[0], venue="w"), AB[1]]
    result = bs.portfolio(bars, np.full((3, 3), 0.1), by_instrument={"w:ALPHA": {"lot": 5}})
    assert result.panel.names == ("v:ALPHA", "w:ALPHA", "BETA")
