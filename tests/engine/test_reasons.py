"""Words for what fills were, why signals were refused, what became of orders: each has one, and counts are right."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import barstep as bs
import numpy as np
import pytest
from barstep.engine.reasons import DECISION_TEXTS, DECISIONS, FILL_KINDS, REFUSALS, count_refusals
from barstep.kernels import account, decisions, fill_kinds, venue
from making import bars_of


def test_every_kind_of_fill_has_a_word() -> None:
    """The numbers that the kernels write are those that have words, one each."""
    numbers = [value for name, value in vars(fill_kinds).items() if name.isupper()]
    assert sorted(FILL_KINDS) == sorted(numbers) == list(range(len(numbers)))
    assert len(set(FILL_KINDS.values())) == len(FILL_KINDS)


def test_every_refusal_of_a_signal_has_a_word_and_a_text() -> None:
    """The codes that kernels write, but that of an accepted signal, have a word each, and each word a text."""
    codes = {name: value for name, value in vars(decisions).items() if name.isupper()}
    assert {code: word.upper() for code, word in DECISIONS.items()} == {
        code: name for name, code in codes.items() if name != "ACCEPTED"
    }
    assert list(DECISION_TEXTS) == list(DECISIONS.values())
    assert len(set(DECISION_TEXTS.values())) == len(DECISION_TEXTS)


def test_every_counter_of_the_account_is_a_reason() -> None:
    """One order counted in each slot besides those of signals, fills and ambiguous bars makes one of each reason."""
    carry = np.zeros(venue.VENUE_CARRY)
    for slot in (account.WITHOUT_LOT, account.ABANDONED, account.UNAFFORDABLE, venue.BELOW_MINIMUM, venue.OVER_VOLUME):
        carry[slot] = 1.0
    carry[account.PENDING] = -7.0
    assert count_refusals(carry, 1.0) == {**dict.fromkeys(REFUSALS, 1), "cut_by_margin": 0}
    assert count_refusals(carry, 2.0) == {**dict.fromkeys(REFUSALS, 1), "cut_by_cash": 0}
    assert all(REFUSALS.values())


CASES: list[tuple[str, list[float], list[float], dict[str, Any], int]] = [
    ("without_a_whole_lot", [10.0] * 3, [0.05] * 3, {"lot": 10.0}, 1),
    ("below_minimum", [10.0] * 3, [0.05] * 3, {"min_notional": 51.0}, 1),
    ("cut_by_cash", [10.0, 11.0, 11.0], [1.0] * 3, {}, 0),
    ("cut_by_cash", [10.0, 10.0, 11.0], [1.0] * 3, {"fee_bps": 1.0}, 1),
    ("cut_by_margin", [10.0, 10.0, 11.0], [2.0] * 3, {"leverage": 2.0, "fee_bps": 1.0}, 1),
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
    assert result.refusals == {**dict.fromkeys(REFUSALS, 0), reason: count}
    signals = result.to_dict()["signals"]
    assert {name: signals[name] for name in result.refusals} == result.refusals


def test_an_order_that_grew_too_old_is_counted() -> None:
    """Five bars of a gap are more than the three that an order waits."""
    bars = bars_of([10.0] * 4, hours=[0, 1, 6, 7])
    result = bs.backtest(bars, [0.0, 1.0, 1.0, 1.0], capital=1000.0, fee_bps=0.0, lot=1.0)
    assert result.refusals["too_old"] == 1
    assert sum(result.refusals.values()) == 1


def test_bars_of_warming_up_are_told() -> None:
    """An average of five bars has none for four; of three bars, three; wishes of one's own need no warming up."""
    bars = bars_of([10.0] * 8)
    fives = {"fast_ma": 2, "slow_ma": 5}
    assert bs.backtest(bars, "sma_crossover", **fives).to_dict()["signals"]["warm_up_bars"] == 4
    assert bs.backtest(bars, [0.0] * 8).to_dict()["signals"]["warm_up_bars"] == 0
    plan = [bs.Allocation(strategy="sma_crossover", parameters=fives)]
    both = [bars_of([10.0] * 3), replace(bars, symbol="Y")]
    assert bs.portfolio(both, plan).to_dict()["signals"]["warm_up_bars"] == 3 + 4
