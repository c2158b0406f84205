"""Orders of one run by hand: targets of signals, what moves them, thresholds, unit accounts, and closing it all."""

from __future__ import annotations

import numpy as np
import pytest
from barstep.kernels import account, decisions, venue
from barstep.kernels.scheduler import layout, targets
from schedules import INF, NAN, Scheduler, Shape

pytestmark = pytest.mark.unit_kernel

NOW, NUMBER, COLUMN = 9_000, 41, 3


class Run(Scheduler):
    """A schedule with half of the capital in two instruments at 10 and 20; `accept` is what its runs decide."""

    def __init__(self, *, instruments: int = 2, weight: float = 0.5, **terms: float) -> None:
        super().__init__(Shape(schedules=2, instruments=instruments), **terms)
        self.close_at(*[10.0, 20.0][:instruments])
        self.schedules[layout.WEIGHT] = weight
        self.schedules[layout.FIRST] = 9.0
        self.upcoming[:] = 9
        self.count = 0

    @property
    def decided_reasons(self) -> list[tuple[float, ...]]:
        """(wish, reason, accepted) of every decision."""
        rows = [layout.DECIDED_WISH, layout.DECIDED_REASON, layout.IS_ACCEPTED]
        return [tuple(map(float, row)) for row in self.decisions[rows, : self.count].T]

    def accept(self, i: int, wish: float) -> None:
        """Accept a wish, as a run does."""
        self.decisions[[layout.DECIDED_REASON, layout.IS_ACCEPTED, layout.DECIDED_WISH], self.count] = 0.0, 1.0, wish
        real, unit = self.cells[0, i]
        self.rows[0, i] = self.count
        self.count += 1
        real[layout.WAS] = self.said[layout.STANDING, 0, i]
        for cell in (real, unit):
            account.accept(wish, NUMBER, cell)
        self.said[layout.STANDING, 0, i] = wish
        self.schedules[layout.ACCEPTED_NOW, 0] += 1.0

    def place_orders(self, *, lowers_only: bool = False) -> None:
        targets.order_run(
            0, 1, NOW, NUMBER, COLUMN, lowers_only, self.rules, self.instruments, self.others, self.account,
            self.profiles, self.tallies, self.schedules, self.cells, self.said, self.upcoming, self.rows, self.hand,
            self.unit_hand, self.decisions,
        )  # fmt: skip

    def fill(self) -> None:
        """All orders fill."""
        for which in (layout.REAL, layout.UNIT):
            for i in range(self.shape.instruments):
                cell = self.cells[0, i, which]
                self.hold(0, i, cell[account.LOTS] + cell[account.PENDING], unit=which == layout.UNIT)
                cell[[account.PENDING, layout.LISTED]] = 0.0
        self.tallies[0, 0] = np.abs(self.cells[:, :, layout.REAL, account.LOTS]).sum(axis=0)
        self.account[[layout.ON_HAND, layout.ON_UNIT_HAND]] = 0.0

    def pending(self, which: int = layout.REAL) -> list[float]:
        return [float(lots) for lots in self.cells[0, :, which, account.PENDING]]

    @property
    def shares(self) -> list[float]:
        return [float(share) for share in self.said[layout.SHARE, 0]]


def holding(*wishes: float, **terms: float) -> Run:
    """After a run that accepted these wishes, with all of its orders filled."""
    run = Run(**terms)
    for i, wish in enumerate(wishes):
        run.accept(i, wish)
    run.place_orders()
    run.fill()
    return run


def test_a_target_is_a_share_of_the_schedules_capital() -> None:
    """Wishes of 1 and −0.6 are divided by 1.6 and take half of 1000; the unit account has a weight of 1."""
    run = Run()
    run.accept(0, 1.0)
    run.accept(1, -0.6)
    run.place_orders()
    assert run.shares == pytest.approx([0.3125, -0.1875])
    assert run.pending() == [31.0, -9.0]
    assert run.pending(layout.UNIT) == [62.0, -18.0]
    assert run.schedules[[layout.DIVISOR, layout.FACTOR], 0].tolist() == [1.6, 0.5]
    assert run.on_hand == run.on_unit_hand == [2.0, 3.0]  # the second of the declared schedules
    assert run.rows[0].tolist() == [-1, -1]


def test_a_side_that_a_level_has_closed_in_one_account_divides_the_other_alone() -> None:
    """The unit account still divides by 2; the account itself has one wish left, and new weights move it whole."""
    run = holding(1.0, 1.0, stop_distance=0.1)
    run.hold(0, 0, 0.0)
    run.cells[0, 0, layout.REAL, venue.STOPPED] = 1.0
    run.said[:2, 0, 0] = 0.0
    run.schedules[[layout.FACTOR, layout.DIVISOR], 0] = NAN
    run.place_orders()
    run.fill()
    assert run.schedules[layout.DIVISOR, 0] == 2.0
    run.schedules[layout.WEIGHT, 0] = 0.8
    run.place_orders()
    assert run.shares == [0.0, 0.8]


def test_wishes_of_less_than_everything_are_not_divided() -> None:
    """Half and a quarter of the capital are left as they are."""
    run = Run()
    run.accept(0, 0.5)
    run.accept(1, 0.25)
    run.place_orders()
    assert run.shares == [0.25, 0.125]
    assert run.schedules[layout.DIVISOR, 0] == 1.0


def test_the_scale_of_the_governor_multiplies() -> None:
    """Half the weight at a scale of 0.5 is a quarter; the unit account knows of no governor."""
    run = Run()
    run.account[layout.SCALE] = 0.5
    run.accept(0, 1.0)
    run.place_orders()
    assert run.pending() == [25.0, 0.0]
    assert run.pending(layout.UNIT) == [100.0, 0.0]


def test_all_are_sized_by_the_same_equity() -> None:
    """The account's, whatever its last mark was; unit accounts by their own."""
    run = Run()
    run.account[[layout.SIZING, layout.EQUITY]] = 2000.0, 1000.0
    run.schedules[layout.UNIT_EQUITY, 0] = 500.0
    run.accept(0, 1.0)
    run.place_orders()
    assert run.pending() == [100.0, 0.0]
    assert run.pending(layout.UNIT) == [50.0, 0.0]


def test_a_signal_that_changes_the_divisor_moves_the_others_at_once() -> None:
    """A second wish of 1 halves the first: 50 lots become 25, and 100 of the unit account 50."""
    run = holding(1.0)
    run.accept(1, 1.0)
    run.place_orders()
    assert run.pending() == [-25.0, 12.0]
    assert run.pending(layout.UNIT) == [-50.0, 25.0]


def test_a_change_of_equity_makes_no_order() -> None:
    """The same weights and wishes, and half the money: nothing moves."""
    run = holding(1.0)
    run.account[layout.SIZING] = run.schedules[layout.UNIT_EQUITY, 0] = 500.0
    run.place_orders()
    assert run.pending() == run.pending(layout.UNIT) == [0.0, 0.0]


@pytest.mark.parametrize(("weight", "moved"), [(0.42, [0.0, 0.0]), (0.38, [-12.0, 0.0]), (0.65, [15.0, 0.0])])
def test_a_move_must_pass_the_threshold(weight: float, moved: list[float]) -> None:
    """A target of half the account moves by more than a fifth of the schedule's own weight, or not at all."""
    run = holding(1.0, threshold=0.2)
    run.schedules[layout.WEIGHT, 0] = weight
    run.place_orders()
    assert run.pending() == moved
    assert run.shares[0] == (weight if any(moved) else 0.5)
    assert run.pending(layout.UNIT) == [0.0, 0.0]


def test_a_move_that_comes_to_no_order_is_tried_from_where_it_was() -> None:
    """Lots of 5 at 10: 530 are ten of them, as 500 were; 0.55 is 0.05 off what was ordered, and 0.02 off that try."""
    run = Run(lot=5.0, threshold=0.04)
    run.accept(0, 1.0)
    run.place_orders()
    run.fill()
    for weight, pending, share in ((0.53, 0.0, 0.5), (0.55, 1.0, 0.55)):
        run.schedules[layout.WEIGHT, 0] = weight
        run.place_orders()
        assert run.pending() == [pending, 0.0]
        assert run.shares[0] == share


def test_a_signal_that_comes_to_no_lot_stands_all_the_same() -> None:
    """Its share counts as ordered: it is not tried again as a move."""
    run = Run()
    run.accept(0, 0.001)
    run.place_orders()
    assert run.shares[0] == 0.0005
    assert run.cells[0, 0, layout.REAL, account.WITHOUT_LOT] == 1.0


def test_a_move_that_would_raise_waits_while_only_lowering_passes() -> None:
    """It is not made and looked at again at the next run; one that lowers is made."""
    run = holding(1.0)
    run.schedules[layout.WEIGHT, 0] = 0.7
    run.place_orders(lowers_only=True)
    assert run.pending() == [0.0, 0.0]
    assert run.shares[0] == 0.5
    assert np.isnan(run.schedules[layout.FACTOR, 0])
    run.schedules[layout.WEIGHT, 0] = 0.3
    run.place_orders(lowers_only=True)
    assert run.pending() == [-20.0, 0.0]
    assert run.schedules[layout.FACTOR, 0] == 0.3


def test_a_smaller_share_of_more_money_raises_nothing() -> None:
    """0.4 of 2000 is more than the 50 lots that are held: where only lowering passes they stay."""
    run = holding(1.0)
    run.account[layout.SIZING], run.schedules[layout.WEIGHT, 0] = 2000.0, 0.4
    run.place_orders(lowers_only=True)
    assert run.pending() == [0.0, 0.0]


def test_the_share_before_an_order_is_kept_while_it_waits() -> None:
    """An order that replaces another goes back to the share before both."""
    run = holding(1.0)
    for weight in (0.3, 0.2):
        run.schedules[layout.WEIGHT, 0] = weight
        run.place_orders()
        assert run.cells[0, 0, layout.REAL, layout.SHARE_WAS] == 0.5
    assert run.shares[0] == 0.2


def test_a_closed_side_counts_as_nothing() -> None:
    """A stop has closed the long side of the first: it is in no sum, and no target is moved there."""
    run = holding(1.0, 1.0)
    run.hold(0, 0, 0.0)
    for cell in run.cells[0, 0]:
        cell[[account.LOTS, venue.STOPPED]] = 0.0, 1.0
    run.said[:2, 0, 0] = 0.0
    run.schedules[[layout.FACTOR, layout.DIVISOR], 0] = NAN
    run.place_orders()
    assert run.pending() == [0.0, 13.0]  # 500 at 20 are 25, of which 12 are held
    assert run.pending(layout.UNIT) == [0.0, 25.0]


def tight(run: Run) -> Run:
    """Leave no room under the profile: another schedule holds all of it in the first instrument."""
    run.profiles[0, layout.MAX_POSITION] = 0.05
    run.tallies[0, 0, 0] += 5.0
    return run


def test_what_finds_no_room_is_not_accepted() -> None:
    """The wish of before stands again and is asked again at the next run; nothing is ordered in either account."""
    run = tight(Run())
    run.accept(0, 1.0)
    run.place_orders()
    assert run.decided_reasons == [(1.0, decisions.RISK, 0.0)]
    assert run.said[:, 0, 0].tolist() == [0.0, 0.0, 0.0]
    assert run.pending() == run.pending(layout.UNIT) == [0.0, 0.0]
    assert run.upcoming[0].tolist() == [COLUMN, 9]
    assert run.schedules[[layout.FIRST, layout.ACCEPTED_NOW], 0].tolist() == [COLUMN, 0.0]
    assert np.isnan(run.schedules[[layout.FACTOR], 0]).all()


def test_what_finds_no_room_leaves_the_unit_account_alone() -> None:
    """A wish for more is refused: the unit account keeps its lots, though half of its money is gone meanwhile."""
    run = tight(holding(0.5))
    run.schedules[layout.UNIT_EQUITY, 0] = 500.0
    run.accept(0, 0.8)
    run.place_orders()
    assert run.decided_reasons[1:] == [(0.8, decisions.RISK, 0.0)]
    assert run.said[layout.STANDING, 0, 0] == 0.5
    assert run.pending(layout.UNIT) == [0.0, 0.0]


@pytest.mark.parametrize(("accepted", "stood"), [(INF, 0.4), (0.5, 0.0)])
def test_what_finds_no_room_counts_as_it_did_before(accepted: float, stood: float) -> None:
    """A part of an order that was filled, and a side that a level had closed: neither is what targets counted."""
    run = tight(Run())
    run.cells[0, 0, layout.REAL, account.ACCEPTED], run.said[layout.STANDING, 0, 0] = accepted, stood
    run.said[layout.SHARE, 0, 0], run.said[layout.UNIT_SHARE, 0, 0] = 0.5 * stood, stood
    run.accept(0, 0.8)
    run.place_orders()
    assert run.said[layout.STANDING, 0, 0] == stood
    assert run.cells[0, 0, layout.REAL, account.ACCEPTED] == accepted
    assert run.said[layout.SHARE, 0, 0] == 0.5 * stood
    assert run.pending(layout.UNIT) == [0.0, 0.0]


def test_a_refusal_for_want_of_room_is_no_signal_that_was_accepted() -> None:
    """Also where the account still holds what a wish of 0 was to close."""
    run = tight(holding(0.5))
    run.cells[0, 0, :, account.ACCEPTED] = run.said[layout.STANDING, 0, 0] = 0.0
    run.schedules[layout.ACCEPTED_NOW, 0] = 0.0
    run.accept(0, 0.8)
    run.place_orders()
    assert run.decided_reasons[1:] == [(0.8, decisions.RISK, 0.0)]
    assert run.schedules[layout.ACCEPTED_NOW, 0] == 0.0


def test_a_flip_that_finds_no_room_closes_both_accounts() -> None:
    """A wish of 0 is accepted in its place, which is a signal that counts."""
    run = tight(holding(0.5))
    run.accept(0, -0.5)
    run.schedules[layout.ACCEPTED_NOW, 0] = 1.0
    run.place_orders()
    assert run.decided_reasons[1:] == [(0.0, decisions.RISK, 1.0)]
    assert run.said[:, 0, 0].tolist() == [0.0, 0.0, 0.0]
    assert run.pending() == [-25.0, 0.0]
    assert run.pending(layout.UNIT) == [-50.0, 0.0]
    assert run.schedules[layout.ACCEPTED_NOW, 0] == 1.0


def test_the_divisor_is_taken_anew_after_a_wish_found_no_room() -> None:
    """It was 2 as if both were accepted; the unit account has only the second, whole, and the next run moves."""
    run = tight(Run())
    run.accept(0, 1.0)
    run.accept(1, 1.0)
    run.place_orders()
    assert run.pending() == [0.0, 2.0]  # 250 of 1000, cut to the 50 of the profile
    assert run.pending(layout.UNIT) == [0.0, 50.0]
    assert np.isnan(run.schedules[layout.FACTOR, 0])
    assert run.schedules[layout.DIVISOR, 0] == 1.0


@pytest.mark.parametrize("lots", [12.0, 0.0])
def test_a_schedule_is_closed_whole(lots: float) -> None:
    """Both accounts sell what they hold and take back what is on order; accepted wishes are 0, and it never ages."""
    run = Run()
    run.hold(0, 0, lots)
    run.hold(0, 0, 2.0 * lots, unit=True)
    run.accept(0, 1.0)
    run.place_orders()
    targets.close_schedule(
        0, 1, NOW + 5, NUMBER, run.rules, run.instruments, run.account, run.tallies, run.schedules, run.cells,
        run.said, run.upcoming, run.hand, run.unit_hand,
    )  # fmt: skip
    assert run.pending() == [-lots, 0.0]
    assert run.pending(layout.UNIT) == [-2.0 * lots, 0.0]
    assert run.tallies[0, 0].tolist() == [0.0, 0.0]
    assert (run.cells[0, :, :, account.ACCEPTED] == 0.0).all()
    assert (run.cells[0, :, :, account.BEFORE] == 0.0).all()
    assert (run.cells[0, :, :, account.DECIDED] == INF).all()
    assert (run.said[:, 0] == 0.0).all()
    assert run.on_hand == run.on_unit_hand == [2.0]
    assert run.upcoming[0].tolist() == [0, 0]
    assert run.schedules[layout.FIRST, 0] == 0.0
    assert np.isnan(run.schedules[layout.DIVISOR, 0])


def test_closing_one_schedule_leaves_the_others() -> None:
    """Their positions, wishes and orders are not touched."""
    run = holding(1.0)
    run.hold(1, 0, 7.0)
    run.said[:, 1] = 0.25
    before = run.cells[1].copy()
    targets.close_schedule(
        0, 0, NOW, NUMBER, run.rules, run.instruments, run.account, run.tallies, run.schedules, run.cells, run.said,
        run.upcoming, run.hand, run.unit_hand,
    )  # fmt: skip
    assert (run.cells[1] == before).all()
    assert (run.said[:, 1] == 0.25).all()
    assert run.on_hand == run.on_unit_hand == [0.0]
    assert run.tallies[0, 0, 0] == 7.0


def test_a_unit_account_buys_no_side_that_a_level_has_closed() -> None:
    """Until the wish leaves it; a missing close is no price to size by."""
    run = Run()
    run.cells[0, 0, layout.UNIT, venue.STOPPED] = 1.0
    run.accept(0, 1.0)
    run.place_orders()
    assert run.pending(layout.UNIT) == [0.0, 0.0]
    run.accept(0, -1.0)
    run.place_orders()
    assert run.pending(layout.UNIT) == [-100.0, 0.0]
    assert run.cells[0, 0, layout.UNIT, venue.STOPPED] == 0.0
    run.close_at(10.0, NAN)
    run.accept(1, 0.0)
    run.place_orders()
    assert run.pending(layout.UNIT) == [-100.0, 0.0]


def test_a_pair_waits_for_the_closes_of_both_venues() -> None:
    """Where the second has not begun nothing can be sized, in either account."""
    run = Run()
    run.others[0] = 1
    run.schedules[layout.HEDGES, 0] = 1.0
    run.close_at(10.0, NAN)
    run.accept(0, 1.0)
    run.place_orders()
    assert run.pending() == run.pending(layout.UNIT) == [0.0, 0.0]
