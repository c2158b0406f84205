"""The options of an execution: their ranges, texts of refusals, which are plain, and the rules that kernels read."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np
import pytest
from barstep.engine.execution import Execution, describe_execution
from barstep.errors import UsageError
from barstep.kernels import account, venue

AT_LEAST_ZERO = [
    "fee_bps", "maker_fee_bps", "volume_slippage_bps", "impact_bps", "tick", "min_notional", "rebalance_threshold",
    "stop_loss_pct", "take_profit_pct", "trailing_stop_pct", "liquidation_fee_bps", "borrow_pct",
]  # fmt: skip
UNDER_ITS_BOUND = {"slippage_bps": 10_000.0, "limit_offset_bps": 10_000.0, "maintenance_margin_pct": 100.0}
ABOVE_ZERO = ["capital", "lot", "units", "max_volume_share", "leverage", "year_days"]
MAY_BE_ENDLESS = ["max_notional", "max_order_age_bars"]
WORDS = ["carry_rest", "ambiguous_fills"]


def refusal_of(**options: Any) -> str:
    with pytest.raises(UsageError) as caught:
        Execution(**options)
    return str(caught.value)


def test_every_option_is_in_one_of_these_lists() -> None:
    """No option is left out of the tests of ranges."""
    listed = [*AT_LEAST_ZERO, *UNDER_ITS_BOUND, *ABOVE_ZERO, *MAY_BE_ENDLESS, *WORDS]
    assert sorted(listed) == sorted(Execution.__dataclass_fields__)


@pytest.mark.parametrize("name", AT_LEAST_ZERO)
def test_a_cost_or_distance_is_zero_or_more(name: str) -> None:
    """0 is taken; what is negative, NaN or infinite is refused with its name and value."""
    assert getattr(Execution(**{name: 0}), name) == 0.0
    for value in (-1.0, float("nan"), inf):
        assert refusal_of(**{name: value}) == f"{name} is {value}; allowed is 0 or more"


@pytest.mark.parametrize(("name", "bound"), UNDER_ITS_BOUND.items())
def test_a_share_stays_under_the_whole(name: str, bound: float) -> None:
    """A share is 0 or more and less than all: a sale needs a price, a limit one too, a margin some value."""
    assert getattr(Execution(**{name: bound - 1.0}), name) == bound - 1.0
    for value in (bound, -1.0, float("nan"), inf):
        assert refusal_of(**{name: value}) == f"{name} is {value}; allowed is 0 or more and less than {bound:g}"


@pytest.mark.parametrize("name", ABOVE_ZERO + MAY_BE_ENDLESS)
def test_a_size_is_more_than_zero(name: str) -> None:
    """A size of 0 is none; only limits may be infinite."""
    assert getattr(Execution(**{name: 1.0}), name) == 1.0
    for value in [0.0, -1.0, float("nan"), -inf] + ([] if name in MAY_BE_ENDLESS else [inf]):
        assert refusal_of(**{name: value}) == f"{name} is {value}; allowed is more than 0"


@pytest.mark.parametrize("name", MAY_BE_ENDLESS)
def test_a_limit_may_be_infinite(name: str) -> None:
    """Without end means that it never binds."""
    assert getattr(Execution(**{name: inf}), name) == inf


@pytest.mark.parametrize("value", ["10", None, True, [1.0]])
def test_an_option_is_a_number(value: Any) -> None:
    """Text, nothing, truth and lists are no costs."""
    assert refusal_of(fee_bps=value) == f"fee_bps is {value!r}; it must be a number"


@pytest.mark.parametrize("name", ["maker_fee_bps", "max_volume_share", "units"])
def test_some_options_may_be_none(name: str) -> None:
    """None, where it is the default, stands for an option that is not used."""
    assert getattr(Execution(**{name: None}), name) is None


def test_leverage_under_one_is_a_smaller_wish() -> None:
    """Less than all of the equity is asked for by the wish, not by the margin."""
    assert refusal_of(leverage=0.5) == "leverage is 0.5; allowed is 1 or more (a smaller exposure is a smaller wish)"


def test_the_order_of_ambiguous_bars_is_one_of_two_words() -> None:
    """Any other word is refused with both."""
    assert refusal_of(ambiguous_fills="random") == "ambiguous_fills is 'random'; allowed is pessimistic or optimistic"
    assert Execution(ambiguous_fills="optimistic").ambiguous_fills == "optimistic"


@pytest.mark.parametrize(
    ("given", "taken"), [(False, False), ("no", False), ("0", False), ("True", True), (1, True), (np.bool_(0), False)]
)
def test_truth_may_come_as_text(given: Any, taken: bool) -> None:
    """The command line gives text, YAML a truth; both come out as a truth."""
    assert Execution(carry_rest=given).carry_rest is taken


def test_what_is_neither_true_nor_false_is_refused() -> None:
    """The text names the option and the value."""
    assert refusal_of(carry_rest="maybe") == "carry_rest is 'maybe'; it must be true or false"


def test_numbers_out_of_arrays_become_plain_ones() -> None:
    """What a result is written from is a float, whatever it came as."""
    assert type(Execution(fee_bps=np.int64(10)).fee_bps) is float
    assert type(Execution(stop_loss_pct=np.float32(2)).stop_loss_pct) is float


PLAIN: dict[str, Any] = {
    "capital": 5.0, "fee_bps": 3.0, "slippage_bps": 2.0, "units": 4.0, "lot": 1.0, "rebalance_threshold": 0.1,
    "max_notional": 100.0, "max_order_age_bars": 1.0, "ambiguous_fills": "optimistic", "year_days": 252.0,
}  # fmt: skip
VENUE: dict[str, Any] = {
    "maker_fee_bps": 0.0, "volume_slippage_bps": 1.0, "impact_bps": 1.0, "max_volume_share": 0.5, "carry_rest": False,
    "tick": 0.1, "min_notional": 5.0, "limit_offset_bps": 1.0, "stop_loss_pct": 1.0, "take_profit_pct": 1.0,
    "trailing_stop_pct": 1.0, "leverage": 2.0, "maintenance_margin_pct": 1.0, "liquidation_fee_bps": 1.0,
    "borrow_pct": 1.0,
}  # fmt: skip


def test_every_option_is_plain_or_a_rule_of_the_venue() -> None:
    """The two lists below hold all of them, once."""
    assert sorted([*PLAIN, *VENUE]) == sorted(Execution.__dataclass_fields__)


@pytest.mark.parametrize("name", PLAIN)
def test_costs_and_sizes_leave_an_execution_plain(name: str) -> None:
    """These the simple account follows too."""
    assert Execution(**{name: PLAIN[name]}).is_plain


@pytest.mark.parametrize("name", VENUE)
def test_any_rule_of_the_venue_is_not_plain(name: str) -> None:
    """One of them is enough to trade at the venue."""
    assert not Execution(**{name: VENUE[name]}).is_plain


def rules_of(**options: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    return Execution(**options).rules(hedged=False, interval_seconds=3600, funded=False)


SLOTS: list[tuple[str, Any, int, float]] = [
    ("fee_bps", 20.0, account.FEE, 0.002),
    ("slippage_bps", 5.0, account.SLIPPAGE, 0.0005),
    ("lot", 0.1, account.LOT, 0.1),
    ("units", 7.0, account.UNITS, 7.0),
    ("units", None, account.UNITS, 0.0),
    ("rebalance_threshold", 0.25, account.THRESHOLD, 0.25),
    ("max_notional", 900.0, account.MAX_NOTIONAL, 900.0),
    ("max_order_age_bars", 2.0, account.MAX_AGE_BARS, 2.0),
    ("maker_fee_bps", 1.0, venue.MAKER_FEE, 0.0001),
    ("maker_fee_bps", 0.0, venue.MAKER_FEE, 0.0),
    ("volume_slippage_bps", 100.0, venue.VOLUME_SLIPPAGE, 0.01),
    ("impact_bps", 100.0, venue.IMPACT, 0.01),
    ("max_volume_share", 0.1, venue.MAX_VOLUME_SHARE, 0.1),
    ("max_volume_share", None, venue.MAX_VOLUME_SHARE, 0.0),
    ("carry_rest", False, venue.CARRY_REST, 0.0),
    ("carry_rest", True, venue.CARRY_REST, 1.0),
    ("tick", 0.05, venue.TICK, 0.05),
    ("min_notional", 10.0, venue.MIN_NOTIONAL, 10.0),
    ("limit_offset_bps", 30.0, venue.LIMIT_OFFSET, 0.003),
    ("stop_loss_pct", 2.0, venue.STOP_DISTANCE, 0.02),
    ("take_profit_pct", 150.0, venue.TAKE_PROFIT_DISTANCE, 1.5),
    ("trailing_stop_pct", 3.0, venue.TRAIL_DISTANCE, 0.03),
    ("leverage", 5.0, venue.LEVERAGE, 5.0),
    ("maintenance_margin_pct", 0.5, venue.MAINTENANCE, 0.005),
    ("liquidation_fee_bps", 50.0, venue.LIQUIDATION_FEE, 0.005),
    ("borrow_pct", 10.0, venue.BORROW_RATE, 0.1),
    ("ambiguous_fills", "optimistic", venue.OPTIMISTIC, 1.0),
    ("ambiguous_fills", "pessimistic", venue.OPTIMISTIC, 0.0),
]


@pytest.mark.parametrize(("name", "given", "slot", "stored"), SLOTS)
def test_each_option_has_its_slot(name: str, given: Any, slot: int, stored: float) -> None:
    """Basis points and percent become shares; only the option's own slot is touched (and the fee that follows it)."""
    rules, usual = rules_of(**{name: given}), rules_of()
    assert rules[slot] == pytest.approx(stored, rel=1e-15)
    others = np.flatnonzero(rules != usual)
    assert set(others) <= {slot, venue.MAKER_FEE if name == "fee_bps" else slot}


def test_the_rules_have_a_slot_for_every_word() -> None:
    """Length, the slots that no option sets, and a maker's fee that is the taker's unless it is given."""
    rules = Execution(fee_bps=20.0).rules(hedged=True, interval_seconds=21_600, funded=True)
    assert rules.shape == (venue.VENUE_RULES,)
    assert (rules[account.HEDGED], rules[venue.FUNDED], rules[venue.INTERVAL_DAYS]) == (1.0, 1.0, 0.25)
    assert rules[venue.MAKER_FEE] == rules[account.FEE] == 0.002
    assert (rules_of()[account.HEDGED], rules_of()[venue.FUNDED]) == (0.0, 0.0)
    set_by_options = {slot for _, _, slot, _ in SLOTS}
    by_arguments = {account.HEDGED, venue.FUNDED, venue.INTERVAL_DAYS}
    assert set_by_options | by_arguments == set(range(venue.VENUE_RULES))


def test_options_describe_themselves() -> None:
    """Every option has its default and a text; a default without end is none."""
    table = {row["name"]: row for row in describe_execution()}
    assert list(table) == list(Execution.__dataclass_fields__)
    assert (table["fee_bps"]["default"], table["max_notional"]["default"]) == (10.0, None)
    assert all(len(row["text"]) > 10 for row in table.values())


@pytest.mark.parametrize(("leverage", "maintenance"), [(5.0, 20.0), (10.0, 50.0)])
def test_maintenance_leaves_room_for_a_position(leverage: float, maintenance: float) -> None:
    """A maintenance margin that is all of the margin would liquidate at once, and is refused with the most allowed."""
    with pytest.raises(UsageError, match=f"allowed is less than {100.0 / leverage:g}: a position would be liquidated"):
        Execution(leverage=leverage, maintenance_margin_pct=maintenance)
