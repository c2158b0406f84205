"""The loop over instants: one order of things, and the same bits however it is cut, whatever comes later."""

from __future__ import annotations

import numpy as np
import pytest
from barstep.kernels import account, decisions, modes, venue
from barstep.kernels.capital import MAY_RUN, NONE, NORMALISE
from barstep.kernels.columns import CLOSE, OPEN
from barstep.kernels.fill_kinds import BORROW_COST
from barstep.kernels.scheduler import layout, telemetry
from contract import OTHER_POISON, POISON, assert_same_bits, bits
from hypothesis import given
from hypothesis import strategies as st
from inputs import Floats
from instants import BARS, INTERVAL_US, Command, Instants, rebalance, suspend
from schedules import DAY_US, HOUR_US, INF, NAN

pytestmark = pytest.mark.unit_kernel

SEEDS = st.integers(0, 10**6)
PLACES = st.lists(st.integers(1, BARS - 1), max_size=4)


def assert_same(got: dict[str, Floats], expected: dict[str, Floats], what: str) -> None:
    assert got.keys() == expected.keys()
    for name, values in expected.items():
        assert_same_bits(got[name], values, f"{name}, {what}")


@given(seed=SEEDS, cuts=st.lists(st.integers(0, 110), max_size=8))
def test_cutting_instants_changes_no_bit(seed: int, cuts: list[int]) -> None:
    """Called for any ranges of instants, in order, it leaves the same state and tables; where signals are next, too."""
    whole, cut = Instants(seed).go(), Instants(seed).go(cuts=cuts)
    assert_same(cut.state(), whole.state(), f"cut at {cuts}")
    assert_same_bits(cut.schedules, whole.schedules, "schedules")
    assert_same_bits(cut.upcoming.astype(float), whole.upcoming.astype(float), "upcoming")


def test_an_instant_at_a_time() -> None:
    """The finest cut there is, as a live loop calls it."""
    for seed in range(4):
        assert_same(Instants(seed).go(cuts=range(200)).state(), Instants(seed).go().state(), f"seed {seed}")


@given(seed=SEEDS, blocks=PLACES)
def test_blocks_of_columns_change_no_bit(seed: int, blocks: list[int]) -> None:
    """Laid anew wherever a block begins, with the bar before it in column 0."""
    assert_same(Instants(seed).go(blocks).state(), Instants(seed).go().state(), f"blocks from {blocks}")


def test_a_bar_at_a_time() -> None:
    """The smallest blocks."""
    for seed in range(4):
        assert_same(Instants(seed).go(range(BARS)).state(), Instants(seed).go().state(), f"seed {seed}")


@given(seed=SEEDS, blocks=PLACES)
def test_tables_with_room_for_one_instant(seed: int, blocks: list[int]) -> None:
    """They are taken over as they run full; what is returned is the instant to go on from."""
    assert_same(Instants(seed, room=36).go(blocks).state(), Instants(seed).go().state(), "small tables")


@given(seed=SEEDS)
def test_what_was_in_tables_and_scratch_is_not_read(seed: int) -> None:
    """Full of a NaN or of 1e300 before: the same rows, each of them written whole, and prices beyond a block unread."""
    one, other = Instants(seed).go([9]), Instants(seed, poison=OTHER_POISON).go([9])
    assert_same(one.state(), other.state(), "another poison")
    for name, rows in one.written.items():
        assert not (bits(rows) == bits(np.float64(POISON))).any(), name
    assert not (bits(one.curve) == bits(np.float64(POISON))).any()


@given(seed=SEEDS)
def test_inputs_are_only_read(seed: int) -> None:
    """Rules, limits of profiles and what is declared are as they were."""
    before, one = Instants(seed), Instants(seed).go()
    for name in ("rules", "governor", "constants", "program", "groups", "sources", "warm_from", "order", "watched"):
        assert_same_bits(getattr(one, name).astype(float), getattr(before, name).astype(float), name)
    kept = [layout.CADENCE, layout.MAX_DRIFT, layout.WARM_AT, layout.PROFILE, layout.GROUP, layout.CEILING]
    assert_same_bits(one.schedules[kept], before.schedules[kept], "schedules")
    assert_same_bits(one.profiles[:, : layout.IS_REDUCING], before.profiles[:, : layout.IS_REDUCING], "profiles")


@given(seed=SEEDS, first=st.integers(1, BARS - 1), garbage=st.sampled_from([NAN, 50.0, 0.5]))
def test_what_comes_later_changes_nothing_before(seed: int, first: int, garbage: float) -> None:
    """Prices, wishes and rates from a bar on are something else: all that was written up to its open is the same."""
    whole, changed = Instants(seed).go([5, 17]), Instants(seed)
    changed.prices[:, :, first:] = garbage
    changed.funding[:, first:] = 0.01
    changed.wishes[:, :, first:], changed.confidence[:, :, first:], changed.means[:, :, first:] = -0.25, 0.9, 7.0
    changed.go([5, 17])
    opened = whole.opens_us[first]
    for name, row, last in (
        ("decisions", layout.DECIDED_AT, opened), ("refreshes", 0, opened), ("events", layout.EVENT_AT, opened),
        ("fills", account.FILL_BAR, first - 1),
    ):  # fmt: skip
        got, expected = (one.written[name][:, one.written[name][row] <= last] for one in (changed, whole))
        assert_same_bits(got, expected, name)
    assert_same_bits(changed.curve[:first], whole.curve[:first], "curve")


def others_of(one: Instants, gone: int) -> dict[str, Floats]:
    """State and tables without a schedule, as if the others had been counted without it."""
    kept = [s for s in range(one.shape.schedules) if s != gone]
    state = {}
    for name, axis in (("schedules", 1), ("cells", 0), ("said", 1), ("unit_lots", 2), ("runs", 1), ("rests", 1),
                       ("since", 0), ("registers", 1), ("smoothing", 1)):  # fmt: skip
        state[name] = np.take(one.state()[name], kept, axis=axis)
    state["schedules"][layout.GROUP] = 0.0
    for name in ("instruments", "tallies", "profiles", "curve"):
        state[name] = one.state()[name]
    state["account"] = np.delete(one.state()["account"], layout.DUE)
    state["refreshes"] = one.written["refreshes"][[0, *(1 + s for s in kept), *(4 + s for s in kept)]]
    state["events"] = one.written["events"]
    for name, row, size in (
        ("decisions", layout.DECIDED_CELL, one.shape.instruments), ("fills", account.FILL_LEG, one.others.size)
    ):  # fmt: skip
        table = one.written[name].copy()
        whose = table[row] // size
        table[row] -= np.where(whose > gone, size, 0.0)
        state[name] = np.ascontiguousarray(table[:, whose != gone])
    return state


class Fewer(Instants):
    """The same without one of the schedules."""

    def __init__(self, seed: int, gone: int) -> None:
        super().__init__(seed)
        self.gone = gone
        self.commands = []

    def drop(self) -> Fewer:
        gone = self.gone
        for name in ("rules", "watched", "warm_from", "upcoming", "rows", "cells", "since", "wishes", "confidence"):
            setattr(self, name, np.delete(getattr(self, name), gone, axis=0))
        for name in ("schedules", "said", "control", "registers", "smoothing", "groups", "scratch", "means", "runs",
                     "rests"):  # fmt: skip
            setattr(self, name, np.delete(getattr(self, name), gone, axis=1))
        self.unit_lots = np.delete(self.unit_lots, gone, axis=2)
        self.order = np.array([s - (s > gone) for s in self.order if s != gone])
        self.schedules[layout.GROUP] = np.unique(self.schedules[layout.GROUP], return_inverse=True)[1]
        self.refreshes = np.delete(self.refreshes, [1 + gone, 4 + gone], axis=0)
        return self


@given(seed=SEEDS, gone=st.integers(1, 2), order=st.permutations(range(3)))
def test_a_schedule_that_is_suspended_might_as_well_not_be_there(seed: int, gone: int, order: list[int]) -> None:
    """All along, and at a cadence that another has too: the others do the same, bit for bit."""
    there, absent = Fewer(seed, gone), Fewer(seed, gone)
    for one in (there, absent):
        one.order = np.array(order)
    there.control[layout.REFUSAL, gone] = decisions.SUSPENDED
    there.go()
    absent.drop().go()
    found = others_of(there, gone)
    for name, expected in found.items():
        got = absent.state()[name]
        if name == "schedules":
            got[layout.GROUP] = 0.0
        assert_same_bits(np.delete(got, layout.DUE) if name == "account" else got, expected, name)


@given(seed=SEEDS, order=st.permutations(range(3)))
def test_the_declared_order_matters_to_nobody_where_there_is_enough_for_all(seed: int, order: list[int]) -> None:
    """Prices on a grid, so that sums are exact; no limits, and half of the money at most: the same but for rows."""
    one, other = Instants(seed, quiet=True), Instants(seed, quiet=True)
    other.order = np.array(order)
    one.go()
    other.go()
    assert one.written["fills"].shape[1] > 3
    for run in (one, other):
        for name, keys in (
            ("fills", [account.FILL_LEG, account.FILL_BAR]), ("decisions", [layout.DECIDED_CELL, layout.DECIDED_AT])
        ):  # fmt: skip
            table = run.written[name]
            run.written[name] = np.ascontiguousarray(table[:, np.lexsort(table[keys])])
    expected, got = one.state(), other.state()
    for name in ("hand", "unit_hand"):
        assert len(got.pop(name)) == len(expected.pop(name))
    assert_same(got, expected, f"declared {order}")


@given(seed=SEEDS)
def test_fills_add_up_to_the_account(seed: int) -> None:
    """Cash is what was there less what all rows took, and what is held the sum of the units; equity is both."""
    one = Instants(seed).go()
    table = one.written["fills"]
    spent = (table[account.FILL_LOTS] * table[account.FILL_PRICE] + table[account.FILL_FEE]).sum()
    assert one.account[layout.BALANCE] == pytest.approx(1000.0 - spent, rel=1e-9)
    worth = one.account[layout.BALANCE]
    for s in range(3):
        for i in range(2):
            for leg, sign in ((i, 1.0), *([(2, -1.0)] if s == 2 and i == 0 else [])):
                units = table[account.FILL_LOTS, table[account.FILL_LEG] == 3 * s + leg].sum()
                assert units == pytest.approx(sign * 0.5 * one.cells[s, i, layout.REAL, account.LOTS], abs=1e-9)
    for leg in range(3):
        units = table[account.FILL_LOTS, (table[account.FILL_LEG] % 3 == leg)].sum()
        worth += units * (one.instruments[layout.MARK, leg] if units else 0.0)
    assert one.curve[-1] == pytest.approx(worth, rel=1e-9)


@given(seed=SEEDS)
def test_sums_over_schedules_are_what_their_cells_hold(seed: int) -> None:
    """After all bars: lots by instrument, wants by profile, unit accounts, wishes as targets count them."""
    one = Instants(seed).go()
    for s in range(3):
        pair = int(one.schedules[layout.HEDGES, s])
        assert one.unit_lots[pair, :, s].tolist() == one.cells[s, :, layout.UNIT, account.LOTS].tolist()
    lots = one.cells[:, :, layout.REAL, account.LOTS]
    wanted = np.abs(lots + one.cells[:, :, layout.REAL, account.PENDING])
    assert one.instruments[layout.NET, :2].tolist() == lots[:2].sum(axis=0).tolist()
    assert one.instruments[layout.GROSS, :2].tolist() == np.abs(lots[:2]).sum(axis=0).tolist()
    assert one.instruments[layout.PAIR_NET, :2].tolist() == lots[2].tolist()
    assert one.tallies[0].tolist() == [wanted[0].tolist(), [0.0, 0.0]]
    assert one.tallies[1].tolist() == [wanted[1].tolist(), wanted[2].tolist()]
    assert np.isfinite(one.said).all()


@given(seed=SEEDS)
def test_a_run_has_the_number_of_its_due_time(seed: int) -> None:
    """Of the due time over the cadence, whatever else falls on other instants; the telemetry's last one is it too."""
    one = Instants(seed).go()
    last = (one.opens_us[-1] + INTERVAL_US) // one.schedules[layout.CADENCE]
    assert one.schedules[layout.RUN].tolist() == last.tolist()
    assert one.schedules[layout.NEXT_DUE].tolist() == ((last + 1.0) * one.schedules[layout.CADENCE]).tolist()
    skipped = np.isfinite(one.schedules[layout.MAX_DRIFT])
    assert one.since[~skipped, one.stretch.size + telemetry.LAST_RUN].tolist() == last[~skipped].tolist()


class Plain(Instants):
    """Bars at 10 without gaps, half of the wishes from bar 2 on; only the first schedule wants anything."""

    def __init__(self) -> None:
        super().__init__(0, quiet=True)
        self.rules[:, [account.FEE, account.SLIPPAGE]] = 0.0
        self.numbers = self.numbers[0] + np.arange(BARS)
        self.opens_us = self.numbers * INTERVAL_US
        self.prices[:] = 10.0
        self.wishes[:] = 0.0
        self.wishes[0, 0, 2:] = 0.5
        self.warm_from[:] = 0
        self.schedules[layout.WARM_AT] = 0.0
        self.due_every(INTERVAL_US)
        self.program = np.array([[NORMALISE, 6, MAY_RUN, NONE, 0, 0, 0]])  # equal parts
        self.raw = 6
        self.schedules[layout.CEILING] = INF

    def due_every(self, cadence: int, s: int | slice = slice(None)) -> None:
        """At its multiples since the epoch, from the first open on."""
        runs = -(-int(self.opens_us[0]) // cadence)
        self.schedules[layout.CADENCE, s], self.schedules[layout.NEXT_DUE, s] = cadence, runs * cadence
        self.schedules[layout.RUN, s] = runs - 1

    def rows_of(self, name: str, *slots: int) -> list[tuple[float, ...]]:
        return [tuple(map(float, row)) for row in self.written[name][list(slots)].T]

    def time(self, bar: int) -> int:
        """Hours after the first open at which a bar opens, in microseconds."""
        return int(self.opens_us[bar])


FILL = (account.FILL_BAR, account.FILL_LEG, account.FILL_LOTS)


def test_a_wish_of_a_closed_bar_fills_at_the_open_of_its_close() -> None:
    """Bar 2 closes where bar 3 opens: decided there and filled there, a third of half of 1000 at 10."""
    one = Plain().go()
    assert one.rows_of("decisions", layout.DECIDED_AT, layout.DECIDED_CELL) == [(one.time(3), 0.0)]
    assert one.rows_of("fills", *FILL) == [(3, 0, 16.5)]


def test_a_cadence_of_three_bars_decides_at_its_multiples() -> None:
    """The first bar after a multiple of 18 hours since the epoch, or at it."""
    one = Plain()
    one.due_every(3 * INTERVAL_US, 0)
    one.go()
    first = next(bar for bar in range(3, 9) if one.time(bar) % (3 * INTERVAL_US) == 0)
    assert one.rows_of("decisions", layout.DECIDED_AT) == [(one.time(first),)]
    assert one.rows_of("fills", *FILL) == [(first, 0, 16.5)]


def test_between_two_closes_the_last_closed_bar_is_seen() -> None:
    """Due every five hours: at the first time at or after the close of bar 2, by its wish; filled at the next open."""
    one, step = Plain(), 5 * HOUR_US
    one.due_every(step, 0)
    one.go()
    due = -(-one.time(3) // step) * step
    assert one.rows_of("decisions", layout.DECIDED_AT) == [(due,)]
    assert one.rows_of("fills", *FILL) == [(3 if due == one.time(3) else 4, 0, 16.5)]


def test_the_governor_is_heard_before_the_first_run() -> None:
    """A fall of 5 % at the close of bar 5: what is decided there already meets a halted loop."""
    one = Plain()
    one.governor[layout.GOVERNOR_ACTION], one.governor[layout.GOVERNOR_FALL] = layout.ON_HALT, 0.05
    one.prices[0, 1:, 5], one.prices[0, :, 6:] = 5.0, 5.0
    one.prices[0, 1, 5] = 10.0
    one.wishes[0, 0, 5:] = 0.0
    one.go()
    told = one.rows_of("decisions", layout.DECIDED_AT, layout.DECIDED_REASON)
    assert told[:2] == [(one.time(3), decisions.ACCEPTED), (one.time(6), decisions.HALTED)]
    assert one.rows_of("events", layout.EVENT_AT, layout.EVENT_KIND)[0] == (one.time(6), layout.GOVERNOR_LIMITS)


def test_weights_are_computed_at_the_interval_and_when_the_set_changes() -> None:
    """At the first due time, after 24 hours each, and at once where one is suspended and resumed between due times."""
    one = Plain()
    start = one.time(0)
    one.commands = [
        (start + 31 * HOUR_US, suspend(1, decisions.SUSPENDED)), (start + 32 * HOUR_US, suspend(1, 0)),
        (start + 32 * HOUR_US + 1, suspend(2, 0)),
    ]  # fmt: skip
    one.go()
    hours = [(row[0] - start) / HOUR_US for row in one.rows_of("refreshes", 0)]
    assert hours[:6] == [0.0, 24.0, 31.0, 32.0, 60.0, 84.0]
    weights = one.written["refreshes"][4:, 2].tolist()
    assert weights == [0.5, 0.0, 0.5]


def test_a_refresh_that_is_asked_for_is_done_once() -> None:
    """At its instant, whether or not something is due."""
    one = Plain()
    one.desk[layout.REBALANCE_US] = INF
    one.commands = [(one.time(2) + 77, rebalance)]
    one.go()
    assert [row[0] for row in one.rows_of("refreshes", 0)] == [one.time(0), one.time(2) + 77]


def test_an_order_on_its_way_misses_an_open_and_a_late_run_is_skipped() -> None:
    """A second on the way it misses the open at its due time; a run later than it may be is skipped, and counts."""
    one = Plain()
    one.desk[layout.ORDER_DELAY_US] = 1e6
    one.go()
    assert one.rows_of("fills", *FILL) == [(4, 0, 16.5)]
    late = Plain()
    late.desk[layout.DRIFT_US], late.schedules[layout.MAX_DRIFT] = 1e6, 1e6 - 1
    late.wishes[0, 0, 3:] = 0.0
    late.go()
    assert late.rows_of("decisions", layout.DECIDED_AT, layout.DECIDED_REASON) == [(late.time(3), decisions.DRIFT)]
    assert (late.since == 0.0).all()
    just = Plain()
    just.desk[layout.DRIFT_US] = just.schedules[layout.MAX_DRIFT] = 1e6
    just.go()
    assert just.rows_of("fills", *FILL) == [(3, 0, 16.5)]


def test_telemetry_counts_runs_by_their_numbers() -> None:
    """Held back: a run with a confidence of nothing; accepted signals and means of the bar seen else."""
    one = Plain()
    one.means[:] = 0.75
    one.commands = [(one.time(20), suspend(1, decisions.SUSPENDED))]
    one.go()
    last = one.time(BARS - 1) + INTERVAL_US
    size = one.stretch.size
    assert one.since[:, size + telemetry.LAST_RUN].tolist() == [last // INTERVAL_US] * 3
    assert len(set(one.since[:, size + telemetry.PLACE])) == 3, "blocks do not begin together"
    counts = [one.rests[int(one.since[s, size + telemetry.LEFT]), s, telemetry.RUNS] for s in range(3)]
    assert (counts + one.since[:, telemetry.RUNS]).tolist() == [8.0] * 3
    windows = [(s, one.rests, one.since, np.zeros(size)) for s in range(3)]
    means = [telemetry.metric(telemetry.MEAN_OF, 0, *window, 1.0, NAN, INF, NAN) for window in windows]
    assert means == [0.75, 0.75 / 8.0, 0.75]


def test_a_desk_without_records_keeps_none() -> None:
    """Where no policy reads telemetry nothing is kept of the runs."""
    one = Plain()
    one.desk[layout.RECORDS] = 0.0
    one.go()
    assert (one.since == 0.0).all()
    assert (one.runs == 0.0).all()


@pytest.mark.parametrize(("missing", "filled"), [(1, 4), (2, 6)])
def test_an_order_on_hand_waits_for_a_bar_of_its_instrument(missing: int, filled: int) -> None:
    """Bar 3 lacks: it fills at bar 4. Where 4 lacks too it is given up at 5, three bars old, and decided anew."""
    one = Plain()
    one.prices[0, :, 3 : 3 + missing], one.prices[0, CLOSE, 3 : 3 + missing] = NAN, 10.0
    one.go()
    assert one.rows_of("fills", *FILL) == [(filled, 0, 16.5)]
    assert one.rows_of("decisions", layout.DECIDED_AT) == [(one.time(bar),) for bar in (3, filled)[:missing]]


def over_midnight() -> tuple[Plain, int]:
    """Bars of six hours of which the two around a midnight are missing, and the place of the last one before."""
    one = Plain()
    before = next(bar for bar in range(4, 9) if one.time(bar + 1) % DAY_US == 18 * HOUR_US)
    one.numbers[before + 1 :] += 2
    one.opens_us = one.numbers * INTERVAL_US
    one.due_every(INTERVAL_US)
    one.rules[:, account.MAX_AGE_BARS] = 9.0
    return one, before


def test_what_fills_after_a_gap_over_midnight_belongs_to_the_new_day() -> None:
    """The last bar closes at 18:00, the next one opens at 6:00: its fill is in the turnover of the new day."""
    one, before = over_midnight()
    one.wishes[0, 0] = 0.0
    one.wishes[0, 0, before:] = 0.5
    traded: list[float] = []
    one.commands = [(one.time(before + 2) + 1, lambda run, _: traded.append(run.account[layout.TRADED]))]
    one.go()
    assert one.rows_of("fills", *FILL) == [(before + 1, 0, 16.5)]
    assert traded == [165.0]


@pytest.mark.parametrize("cadence", [6 * HOUR_US, 17 * HOUR_US])
def test_a_day_that_is_spent_ends_at_midnight_without_a_mark(cadence: int) -> None:
    """More than 1 % is lost at 18:00; the next instant at midnight or after it is of another day, without a close."""
    one, before = over_midnight()
    one.due_every(cadence)
    one.wishes[0, 0] = 0.5
    one.profiles[0, layout.DAY_BUDGET] = 0.01
    one.prices[0, 1:, before], one.prices[0, :, before + 1 :] = 9.0, 9.0
    one.prices[0, 1, before] = 10.0
    one.go()
    midnight = one.time(before) + 2 * INTERVAL_US
    instants = [-(-midnight // cadence) * cadence, one.time(before + 1)]
    assert one.rows_of("events", layout.EVENT_AT, layout.EVENT_KIND) == [
        (one.time(before) + INTERVAL_US, layout.PROFILE_REDUCES), (min(instants), layout.PROFILE_RECOVERS),
    ]  # fmt: skip


def set_slot(name: str, slot: int | tuple[int, int], value: float) -> Command:
    """Put a number into one of the arrays."""
    return lambda run, _: getattr(run, name).__setitem__(slot, value)


RAISED = [(3, 0, 16.5), (6, 0, 8.5)]
"""A third, and then a half, of half of the capital at 10."""


@pytest.mark.parametrize(
    ("restriction", "fills"),
    [
        (set_slot("desk", layout.MODE, modes.RUNNING), RAISED),
        (set_slot("desk", layout.MODE, modes.REDUCING), RAISED[:1]),
        (set_slot("desk", layout.MODE, modes.HALTED), RAISED[:1]),
        (set_slot("profiles", (0, layout.MAX_FALL), -1.0), RAISED[:1]),
        (set_slot("governor", layout.GOVERNOR_TURNOVER, 0.0), RAISED[:1]),
        (suspend(0, decisions.DISABLED), RAISED[:1]),
    ],
)
def test_a_weight_that_rises_moves_a_target_unless_that_is_held_back(
    restriction: Command, fills: list[tuple[float, ...]]
) -> None:
    """One of three is suspended: the others have a half each from then on, and the next run buys."""
    one = Plain()
    one.governor[layout.GOVERNOR_ACTION] = layout.ON_SCALE
    one.commands = [(one.time(4) + 1, restriction), (one.time(5) + 1, suspend(1, decisions.SUSPENDED))]
    one.go()
    assert one.rows_of("fills", *FILL) == fills


def test_what_a_suspended_schedule_holds_is_not_weighted_anew() -> None:
    """It has no weight any more, and keeps what it has until it runs again."""
    one = Plain()
    one.commands = [(one.time(5), suspend(0, decisions.SUSPENDED)), (one.time(9), suspend(2, decisions.SUSPENDED))]
    one.go()
    assert one.schedules[layout.WEIGHT].tolist() == [0.0, 1.0, 0.0]
    assert one.rows_of("fills", *FILL) == [(3, 0, 16.5)]


def test_returns_are_between_neighbouring_runs_that_count_in_full() -> None:
    """50 units in the unit account, a quarter more at each close; the run held back and the one after it have none."""
    one = Plain()
    closes = 10.0 + 0.25 * np.maximum(np.arange(BARS) - 3.0, 0.0)
    one.prices[0, 1:4] = closes
    one.prices[0, OPEN, 4:] = closes[3:-1]
    one.commands = [(one.time(22), suspend(0, decisions.SUSPENDED)), (one.time(23), suspend(0, 0))]
    one.go()
    growth = []
    for bar in range(20, BARS + 1):  # each run at the close of the bar before
        number = (one.time(0) + bar * INTERVAL_US) // INTERVAL_US
        growth.append(one.runs[number % 8, 0, telemetry.GROWTH])
    equity = 1000.0 + 50.0 * (closes - 10.0)
    expected = equity[19:] / equity[18:-1] - 1.0
    expected[[2, 3]] = NAN
    assert growth == pytest.approx(expected.tolist(), rel=1e-9, nan_ok=True)


def test_a_short_position_pays_for_each_midnight_once() -> None:
    """1 % a day of 165 units of money, from the bar after its fill on."""
    one = Plain()
    one.wishes *= -1.0
    one.rules[0, venue.BORROW_RATE] = 3.65
    one.watched[0] = one.desk[layout.WATCHES] = 1
    one.go()
    nights = [bar for bar in range(4, BARS) if one.time(bar) % DAY_US == 0]
    paid = one.written["fills"][:, one.written["fills"][account.FILL_KIND] == BORROW_COST]
    assert paid[account.FILL_BAR].tolist() == nights
    assert paid[account.FILL_FEE].tolist() == pytest.approx([1.65] * len(nights))


def test_the_close_at_midnight_ends_its_day() -> None:
    """Its mark is what the new day is measured from, and what traded before it is of the day that ends."""
    one = Plain()
    ends = next(bar for bar in range(5, 10) if one.time(bar + 1) % DAY_US == 0)
    one.prices[0, 1:, ends], one.prices[0, :, ends + 1 :] = 9.0, 9.0
    one.prices[0, 1, ends] = 10.0
    seen: list[list[float]] = []
    slots = [layout.DAY_EQUITY, layout.TRADED]
    one.commands = [(one.time(ends + 1) + 1, lambda run, _: seen.append(run.account[slots].tolist()))]
    one.go()
    assert one.curve[ends] < 1000.0
    assert seen == [[one.curve[ends], 0.0]]
