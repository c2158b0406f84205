"""Orders by hand: what a profile leaves room for, what only lowers, tallies against sums over all cells, the list."""

from __future__ import annotations

import numpy as np
import pytest
from barstep.kernels import account, decisions, venue
from barstep.kernels.scheduler import layout, orders
from contract import assert_same_bits
from hypothesis import given
from hypothesis import strategies as st
from schedules import INF, NAN, Scheduler, Shape

pytestmark = pytest.mark.unit_kernel

NOW, NUMBER = 9_000, 41


def with_pairs() -> Scheduler:
    """Two schedules of one instrument at 10, its second leg at 8 and another instrument at 20; the second hedges."""
    one = Scheduler(Shape(schedules=2, instruments=2, second_legs=1), lot=0.5)
    one.schedules[layout.HEDGES, 1] = 1.0
    one.rules[1, account.HEDGED] = 1.0
    one.close_at(10.0, 20.0, 8.0)
    return one


def room(one: Scheduler, s: int, i: int, equity: float = 1000.0) -> float:
    """Lots that the profile allows a cell."""
    cell, hedges = one.cells[s, i, layout.REAL], one.schedules[layout.HEDGES, s]
    _, gross = orders.prices_of(i, hedges, one.instruments, one.others)
    own = abs(cell[account.LOTS] + cell[account.PENDING])
    return float(orders._room(i, gross, equity, own, one.profiles[0], one.instruments, one.others, one.tallies[0]))


def order(one: Scheduler, share: float, s: int = 0, i: int = 0, *, lowers_only: bool = False, row: int = -1) -> float:
    """Order a target for the decision in this row (-1: for none); returns the lots that are wanted then."""
    cell = one.cells[s, i, layout.REAL]
    one.account[layout.ON_HAND], _ = orders.order_target(
        share, one.account[layout.SIZING], NOW, NUMBER, i, row, one.schedules[layout.HEDGES, s], lowers_only,
        s * one.shape.instruments + i, one.profiles[0], one.rules[s], cell, one.instruments, one.others,
        one.tallies[0], one.hand, int(one.account[layout.ON_HAND]), one.decisions,
    )  # fmt: skip
    return float(cell[account.LOTS] + cell[account.PENDING])


def test_what_one_unit_is_worth_and_stands_for() -> None:
    """A simple one its price, both; a pair the difference of its legs, and their sum."""
    one = with_pairs()
    assert orders.prices_of(0, 0.0, one.instruments, one.others) == (10.0, 10.0)
    assert orders.prices_of(0, 1.0, one.instruments, one.others) == (2.0, 18.0)


def test_without_limits_there_is_room_for_all() -> None:
    """Infinitely much, so that no number of lots is cut."""
    assert room(with_pairs(), 0, 0) == INF


def test_a_position_limit_counts_all_schedules_of_the_profile() -> None:
    """30 % of 1000: 20 lots of 5 and 10 pairs of 9 take 190; what the cell holds itself is not taken from it."""
    one = with_pairs()
    one.profiles[0, layout.MAX_POSITION] = 0.3
    one.hold(0, 0, -20.0)
    one.hold(1, 0, 10.0)
    assert room(one, 0, 0) == 42.0  # (300 − 90) / 5
    assert room(one, 1, 0) == 22.0  # (300 − 100) / 9
    assert room(one, 0, 1) == 30.0  # (300 − 0) / 10: the other instrument has its own


def test_a_leverage_limit_counts_all_instruments() -> None:
    """Half of 1000: what is held in both, in simple positions and pairs; the lesser of the two limits holds."""
    one = with_pairs()
    one.profiles[0, layout.MAX_LEVERAGE] = 0.5
    one.hold(0, 0, 20.0)
    one.hold(0, 1, -10.0)
    one.hold(1, 0, 10.0)
    assert orders.wanted_exposure(one.instruments, one.others, one.tallies[0]) == 290.0
    assert room(one, 0, 0) == 62.0  # (500 − 190) / 5
    assert room(one, 1, 0) == 33.0  # (500 − 200) / 9
    one.profiles[0, layout.MAX_POSITION] = 0.2
    assert room(one, 0, 0) == 22.0  # (200 − 90) / 5


def test_room_is_never_less_than_nothing() -> None:
    """Where others hold more than the limit allows there is none; neither where the account is worth nothing."""
    one = with_pairs()
    one.profiles[0, layout.MAX_POSITION] = 0.05
    one.hold(1, 0, 10.0)
    assert room(one, 0, 0) == 0.0
    assert room(one, 0, 1, equity=0.0) == 0.0


def test_prices_of_what_nobody_wants_are_not_read() -> None:
    """An instrument without a close takes nothing from the room of the others."""
    one = with_pairs()
    one.close_at(10.0, NAN, NAN)
    one.profiles[0, [layout.MAX_POSITION, layout.MAX_LEVERAGE]] = 0.5
    assert room(one, 0, 0) == 100.0


@pytest.mark.parametrize(
    ("lots", "held", "most", "left"),
    [
        (5.0, 0.0, 9.0, 5.0), (-5.0, 0.0, 9.0, -5.0), (9.0, 0.0, 9.0, 9.0), (9.0, 0.0, 4.0, 4.0),
        (-9.0, 0.0, 4.0, -4.0), (9.0, 6.0, 4.0, 6.0), (-9.0, -6.0, 4.0, -6.0), (5.0, 6.0, 4.0, 5.0),
        (9.0, -6.0, 4.0, 4.0), (-9.0, 6.0, 0.0, -0.0), (9.0, 6.0, 7.0, 7.0),
    ],
)  # fmt: skip
def test_lots_within_what_is_allowed(lots: float, held: float, most: float, left: float) -> None:
    """Cut to the most; what is held on the same side is not given up for it, and on the other side does not count."""
    assert orders._within(lots, held, most) == left


@pytest.mark.parametrize(
    ("lots", "held", "raises"),
    [(5.0, 9.0, False), (9.0, 5.0, True), (-5.0, 9.0, True), (5.0, 0.0, True), (0.0, 9.0, False), (-9.0, -5.0, True),
     (-3.0, -5.0, False), (5.0, 5.0, False)],
)  # fmt: skip
def test_positions_that_raise(lots: float, held: float, raises: bool) -> None:
    """A larger one than what is held, or one on another side."""
    assert bool(orders._raises(lots, held)) is raises


def test_an_order_leads_to_a_share_of_equity() -> None:
    """A quarter of 1000 at 10 is 50 lots of a half; a pair stands for both legs: 27 lots of 9."""
    one = with_pairs()
    assert order(one, 0.25) == 50.0
    assert order(one, -0.25, 1) == -27.0
    cell = one.cells[0, 0, layout.REAL]
    assert cell[[account.PENDING, account.DECIDED, layout.SENT_AT, layout.LISTED]].tolist() == [50.0, NUMBER, NOW, 1.0]
    assert one.tallies[0].tolist() == [[50.0, 0.0], [27.0, 0.0]]
    assert one.on_hand == [0.0, 2.0]


def test_an_order_is_the_difference_to_what_is_held() -> None:
    """An order on hand is replaced, not added to, and the cell is listed once."""
    one = with_pairs()
    one.hold(0, 0, 30.0)
    assert order(one, 0.25) == 50.0
    assert order(one, 0.1) == 20.0
    assert one.cells[0, 0, layout.REAL, account.PENDING] == -10.0
    assert one.on_hand == [0.0]
    assert one.tallies[0, 0].tolist() == [20.0, 0.0]


def test_an_order_is_cut_to_the_room_of_its_profile() -> None:
    """A tenth of 1000 at 10 are 20 lots of a half; the decision stays accepted."""
    one = with_pairs()
    one.profiles[0, layout.MAX_POSITION] = 0.1
    assert order(one, 0.25, row=3) == 20.0
    assert order(one, -0.25, i=1, row=4) == -10.0
    assert (one.decisions[layout.DECIDED_REASON] == decisions.RISK).sum() == 0


def refusal(held: float, was: float, wish: float) -> Scheduler:
    """A decision for a wish whose order finds the profile's room taken by a pair."""
    one = with_pairs()
    one.profiles[0, layout.MAX_POSITION] = 0.05
    one.hold(1, 0, 10.0)
    one.hold(0, 0, held)
    cell = one.cells[0, 0, layout.REAL]
    cell[[account.ACCEPTED, account.BEFORE, layout.WAS]] = wish, was, was
    one.decisions[[layout.DECIDED_REASON, layout.IS_ACCEPTED, layout.DECIDED_WISH], 2] = 0.0, 1.0, wish
    order(one, wish, row=2)
    return one


@pytest.mark.parametrize(("held", "was", "wish"), [(0.0, 0.0, 0.5), (4.0, 0.1, 0.5), (-4.0, -0.1, -0.5)])
def test_a_signal_without_any_room_is_refused(held: float, was: float, wish: float) -> None:
    """The wish of before counts as the accepted one, and what is held stays without an order."""
    one = refusal(held, was, wish)
    cell = one.cells[0, 0, layout.REAL]
    assert one.decisions[[layout.DECIDED_REASON, layout.IS_ACCEPTED, layout.DECIDED_WISH], 2].tolist() == [
        decisions.RISK, 0.0, wish,
    ]  # fmt: skip
    assert cell[[account.ACCEPTED, account.PENDING]].tolist() == [was, 0.0]
    assert one.on_hand == []


def test_a_flip_without_any_room_becomes_a_wish_of_nothing() -> None:
    """It is accepted as such: what is held is sold, and the row keeps the reason."""
    one = refusal(4.0, 0.1, -0.5)
    cell = one.cells[0, 0, layout.REAL]
    assert one.decisions[[layout.DECIDED_REASON, layout.IS_ACCEPTED, layout.DECIDED_WISH], 2].tolist() == [
        decisions.RISK, 1.0, 0.0,
    ]  # fmt: skip
    assert cell[[account.ACCEPTED, account.PENDING]].tolist() == [0.0, -4.0]
    assert one.tallies[0, 0, 0] == 0.0


def test_a_move_without_any_room_is_none() -> None:
    """No decision is there to be refused; the position stays where it is."""
    one = with_pairs()
    one.profiles[0, layout.MAX_POSITION] = 0.0
    one.hold(0, 0, 4.0)
    assert order(one, 0.5) == 4.0
    assert one.on_hand == []


def test_only_what_lowers_passes() -> None:
    """A target above what is held, or on the other side, waits."""
    for share, left in ((0.05, 10.0), (0.5, 40.0), (-0.5, 40.0), (0.0, 0.0)):
        one = with_pairs()
        one.hold(0, 0, 40.0)
        assert order(one, share, lowers_only=True) == left


def test_a_closed_side_and_a_missing_price_get_no_order() -> None:
    """A side that a level has closed is not bought again; without a close, of a pair either's, nothing is sized."""
    one = with_pairs()
    one.cells[0, 0, layout.REAL, venue.STOPPED] = 1.0
    assert order(one, 0.5) == 0.0
    assert order(one, -0.5) == -100.0
    for closes in ((NAN, 20.0, 8.0), (10.0, 20.0, NAN)):
        one = with_pairs()
        one.close_at(*closes)
        assert order(one, 0.5, 1) == 0.0
        assert order(one, 0.5) == (0.0 if np.isnan(closes[0]) else 100.0)


def test_only_orders_for_signals_are_counted() -> None:
    """A move of less than a lot, or than the least value, adds to no count; a signal does."""
    one = with_pairs()
    one.rules[0, venue.MIN_NOTIONAL] = 100.0
    cell = one.cells[0, 0, layout.REAL]
    counts = [account.WITHOUT_LOT, venue.BELOW_MINIMUM]
    cell[account.ACCEPTED] = 0.5
    for row, expected in ((-1, [0.0, 0.0]), (0, [1.0, 1.0])):
        order(one, 0.001, row=row)
        order(one, 0.05, row=row)
        assert cell[counts].tolist() == expected
    assert cell[account.PENDING] == 0.0


def test_an_order_that_comes_to_nothing_asks_a_signal_again_and_no_move() -> None:
    """Of a signal the wish before is kept, also where a move takes its place; of a move the one that stands."""
    one = with_pairs()
    cell = one.cells[0, 0, layout.REAL]
    cell[[account.ACCEPTED, account.BEFORE]] = 0.5, 0.25
    order(one, 0.1, row=3)
    assert cell[account.BEFORE] == 0.25
    order(one, 0.2)
    assert cell[account.BEFORE] == 0.25
    cell[account.PENDING] = 0.0
    order(one, 0.3)
    assert cell[account.BEFORE] == 0.5


def test_an_order_that_opens_may_have_a_limit() -> None:
    """One that adds rests below the close; one that lowers is at the market."""
    one = with_pairs()
    one.rules[0, venue.LIMIT_OFFSET] = 0.1
    order(one, 0.25)
    assert one.cells[0, 0, layout.REAL, venue.LIMIT_PRICE] == 9.0
    one.hold(0, 0, 60.0)
    order(one, 0.25)
    assert one.cells[0, 0, layout.REAL, venue.LIMIT_PRICE] == 0.0


@given(seed=st.integers(0, 10**6))
def test_tallies_and_the_list_tell_what_all_cells_do(seed: int) -> None:
    """After any orders, fills and stops: lots held, lots wanted under a profile, and keys of orders in rising order."""
    rng = np.random.default_rng(seed)
    one = Scheduler(Shape(schedules=3, instruments=2, second_legs=2, profiles=2), lot=0.25)
    one.schedules[layout.PROFILE], one.schedules[layout.HEDGES] = [0.0, 1.0, 0.0], [0.0, 1.0, 0.0]
    one.close_at(10.0, 20.0, 9.0, 21.0)
    one.profiles[0, layout.MAX_POSITION] = 0.3
    for _ in range(40):
        s, i = int(rng.integers(3)), int(rng.integers(2))
        cell, hedges = one.cells[s, i, layout.REAL], one.schedules[layout.HEDGES, s]
        profile = int(one.schedules[layout.PROFILE, s])
        if rng.random() < 0.6:
            one.account[layout.ON_HAND], _ = orders.order_target(
                rng.normal(0.0, 0.2), 1000.0, NOW, NUMBER, i, -1, hedges, rng.random() < 0.2, s * 2 + i,
                one.profiles[profile], one.rules[s], cell, one.instruments, one.others, one.tallies[profile],
                one.hand, int(one.account[layout.ON_HAND]), one.decisions,
            )  # fmt: skip
        else:
            held, wanted = cell[account.LOTS], cell[account.LOTS] + cell[account.PENDING]
            part = np.trunc(cell[account.PENDING] * rng.choice([0.0, 0.5, 1.0]))
            cell[account.LOTS] = 0.0 if rng.random() < 0.2 else held + part
            cell[account.PENDING] = 0.0 if rng.random() < 0.5 else cell[account.PENDING] - part
            orders.tally(i, hedges, held, wanted, cell, one.instruments, one.tallies[profile])
    for i in range(2):
        simple, pairs = one.cells[[0, 2], i, layout.REAL], one.cells[1, i, layout.REAL]
        lots = simple[:, account.LOTS]
        assert one.instruments[layout.NET, i] == lots.sum()
        assert one.instruments[layout.GROSS, i] == np.abs(lots).sum()
        assert one.instruments[layout.PAIR_NET, i] == pairs[account.LOTS]
        assert one.instruments[layout.PAIR_GROSS, i] == abs(pairs[account.LOTS])
        assert one.tallies[0, 0, i] == np.abs(lots + simple[:, account.PENDING]).sum()
        assert one.tallies[1, 1, i] == abs(pairs[account.LOTS] + pairs[account.PENDING])
    assert_same_bits(one.tallies[[0, 1], [1, 0]], np.zeros((2, 2)), "of what the profiles do not trade")
    assert one.on_hand == sorted(set(one.on_hand))
    listed = one.cells[:, :, layout.REAL, layout.LISTED].reshape(-1)
    assert one.on_hand == np.flatnonzero(listed).tolist()
