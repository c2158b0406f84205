"""Words for what fills were and for what became of orders: each has one, and small cases are counted by them."""

from __future__ import annotations

from typing import Any

import barstep as bs
import pytest
from barstep.engine.reasons import END_OF_DATA, FILL_KINDS, REFUSALS
from barstep.kernels import account, fill_kinds, venue
from making import bars_of


def test_every_kind_of_fill_has_a_word() -> None:
    """The numbers that the kernels write are those that have words, one each."""
    numbers = [value for name, value in vars(fill_kinds).items() if name.isupper()]
    assert sorted(FILL_KINDS) == sorted(numbers) == list(range(len(numbers)))
    assert len(set(FILL_KINDS.values())) == len(FILL_KINDS)


def test_every_counter_of_the_account_has_a_word() -> None:
    """What the account counts besides signals, fills and ambiguous bars is a reason, one each."""
    slots = [slot for slot, _ in REFUSALS.values()]
    counters = [account.WITHOUT_LOT, account.ABANDONED, account.UNAFFORDABLE, venue.BELOW_MINIMUM, venue.OVER_VOLUME]
    assert sorted(slots) == sorted(counters)
    assert all(text for _, text in REFUSALS.values())
    assert END_OF_DATA not in REFUSALS


CASES: list[tuple[str, list[float], list[float], dict[str, Any], int]] = [
    ("without_a_whole_lot", [10.0] * 3, [0.05] * 3, {"lot": 10.0}, 1),
    ("below_minimum", [10.0] * 3, [0.05] * 3, {"min_notional": 51.0}, 1),
    ("cut_by_cash", [10.0, 11.0, 11.0], [1.0] * 3, {}, 0),
    ("cut_by_cash", [10.0, 10.0, 11.0], [1.0] * 3, {"fee_bps": 1.0}, 1),
    ("cut_by_volume", [10.0] * 4, [1.0] * 4, {"max_volume_share": 0.4}, 2),
    ("end_of_data", [10.0] * 3, [0.0, 0.0, 1.0], {}, 1),
    ("end_of_data", [10.0] * 3, [0.0, 1.0, 1.0], {}, 0),
]


@pytest.mark.parametrize(("reason", "prices", "wishes", "options", "count"), CASES)
def test_orders_are_counted_by_reason(
    reason: str, prices: list[float], wishes: list[float], options: dict[str, Any], count: int
) -> None:
    """Bars open at the close before; each has a volume of 100. Only the reason of the case is counted."""
    free = {"capital": 1000.0, "fee_bps": 0.0, "lot": 1.0}
    bars = bars_of(prices, volume=[100.0] * len(prices))
    result = bs.backtest(bars, wishes, **(free | options))
    assert result.refusals == {**dict.fromkeys([*REFUSALS, END_OF_DATA], 0), reason: count}
    signals = result.to_dict()["signals"]
    assert {name: signals[name] for name in result.refusals} == result.refusals


def test_an_order_that_grew_too_old_is_counted() -> None:
    """Five bars of a gap are more than the three that an order waits."""
    bars = bars_of([10.0] * 4, hours=[0, 1, 6, 7])
    result = bs.backtest(bars, [0.0, 1.0, 1.0, 1.0], capital=1000.0, fee_bps=0.0, lot=1.0)
    assert result.refusals["too_old"] == 1
    assert sum(result.refusals.values()) == 1
