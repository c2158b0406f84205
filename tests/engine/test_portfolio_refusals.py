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


def orders(**columns: Any) -> pl.DataFrame:
    return frame(**({"instrument": ["BETA"], "quantity": [1.0]} | columns))


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
        "the weights have the time 2024-01-01T00:01:00.000000, at which no bar opens",
    ),
    "a time after the bars": (
        lambda: bs.portfolio(AB, frame(BETA=[0.5]).with_columns(pl.col("timestamp") + pl.duration(hours=3))),
        "the weights have the time 2024-01-01T03:00:00.000000, at which no bar opens",
    ),
    "no time": (
        lambda: bs.portfolio(AB, frame(BETA=[0.5]).with_columns(timestamp=TIMES.shift(1))),
        "lack a time in row 0",
    ),
    "a time twice": (lambda: bs.portfolio(AB, pl.concat([frame(BETA=[0.5])] * 2)), "must rise"),
    "weights of another shape": (
        lambda: bs.portfolio(AB, W.T),
        "the weights have shape (2, 3); they must be [bar, instrument]: (3, 2)",
    ),
    "an infinite weight": (lambda: bs.portfolio(AB, W * np.inf), "one of the weights is infinite"),
    "every of 0": (lambda: bs.portfolio(AB, W, every=0), "every is 0; it must be a whole number of bars, 1 or more"),
    "every that is no number": (lambda: bs.portfolio(AB, W, every=True), "every is True; it must be a whole number"),
    "half an every": (lambda: bs.portfolio(AB, W, every=1.5), "every is 1.5; it must be a whole number"),  # type: ignore[arg-type]
    "every for strategies": (lambda: bs.portfolio(AB, [speaking()], every=2), "every and size_type are for tables"),
    "shares for strategies": (
        lambda: bs.portfolio(AB, [speaking()], size_type="shares"),
        "every and size_type are for tables",
    ),
    "a misspelt size_type": (
        lambda: bs.portfolio(AB, W, size_type="share"),  # type: ignore[arg-type]
        "unknown size_type 'share'. Did you mean 'shares'?",
    ),
    "no size_type": (lambda: bs.portfolio(AB, W, size_type=None), "unknown size_type 'None'"),  # type: ignore[arg-type]
    "an array of words": (
        lambda: bs.portfolio(AB, np.array([["a", "b"]] * 3)),  # type: ignore[arg-type]
        "the weights are an array of <U1; they must be numbers",
    ),
    "a column of words": (
        lambda: bs.portfolio(AB, frame(BETA=["x"])),
        "the weights' column 'BETA' is String; it must be numbers",
    ),
    "quantities that are words": (
        lambda: bs.portfolio(AB, orders(quantity=["one"]), size_type="order"),
        "the orders' column 'quantity' is String; it must be numbers",
    ),
    "funding that is no table": (
        lambda: bs.portfolio(AB, W, funding={"BETA": 3}),  # type: ignore[dict-item]
        "funding is a int; it must be a polars frame",
    ),
    "units of quantities": (lambda: bs.portfolio(AB, W, size_type="shares", units=2), "units is not for a table of"),
    "units of an instrument's quantities": (
        lambda: bs.portfolio(AB, W, size_type="shares", by_instrument={"BETA": {"units": 2}}),
        "units is not for a table of",
    ),
    "quantities sized at the fill": (
        lambda: bs.portfolio(AB, W, size_type="order", sizing_price="fill"),
        "sizing_price is not for a table of quantities",
    ),
    "every for orders": (lambda: bs.portfolio(AB, W, size_type="order", every=2), "every is not for a table of"),
    "a column that orders do not have": (
        lambda: bs.portfolio(AB, orders(price=[1.0]), size_type="order"),
        "unknown column of the orders 'price'",
    ),
    "orders without quantities": (
        lambda: bs.portfolio(AB, orders().drop("quantity"), size_type="order"),
        "the orders have no column 'quantity'",
    ),
    "an order without a quantity": (
        lambda: bs.portfolio(AB, orders(quantity=[None]), size_type="order"),
        "the order in row 0 has no quantity",
    ),
    "an order for nothing known": (
        lambda: bs.portfolio(AB, orders(instrument=["BETTA"]), size_type="order"),
        "unknown instrument 'BETTA'. Did you mean 'BETA'?",
    ),
    "two orders of one": (
        lambda: bs.portfolio(AB, pl.concat([orders()] * 2), size_type="order"),
        "two of one instrument at one time; add them up",
    ),
    "an order at a price of 0": (
        lambda: bs.portfolio(AB, orders(limit_price=[0.0]), size_type="order"),
        "the limit_price in row 0 is 0; allowed is over 0",
    ),
    "an infinite order": (
        lambda: bs.portfolio(AB, orders(quantity=[np.inf]), size_type="order"),
        "one of the orders is infinite",
    ),
    "an order before the listing": (
        lambda: bs.portfolio([AB[0], named("BETA", [10.0], hours=[1])], orders(), size_type="order"),
        "the orders have one for BETA at 2024-01-01T00:00:00.000000, before its first bar",
    ),
    "funding of an unknown instrument": (
        lambda: bs.portfolio(AB, W, funding={"BETTA": frame(rate=[0.1])}),
        "unknown instrument 'BETTA'. Did you mean 'BETA'?",
    ),
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
