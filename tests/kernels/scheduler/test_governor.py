"""The governor by hand: each limit and each action, exposure of what runs and what is held back, scale and limit."""

from __future__ import annotations

import pytest
from barstep.kernels import modes
from barstep.kernels.scheduler import governor, layout
from schedules import INF, Scheduler, Shape

pytestmark = pytest.mark.unit_kernel

NOW = 9_000


def governed(action: int, *, fall: float = INF, exposure: float = INF, turnover: float = INF) -> Scheduler:
    """Three schedules in an instrument at 10 and a pair at 10 and 8; the third is suspended."""
    one = Scheduler(Shape(schedules=3, instruments=2, second_legs=1), lot=0.5)
    one.others[:2] = -1, 2
    one.close_at(10.0, 10.0, 8.0)
    one.governor[layout.GOVERNOR_ACTION], one.governor[layout.GOVERNOR_LIMIT] = action, 2.0
    one.governor[[layout.GOVERNOR_FALL, layout.GOVERNOR_EXPOSURE, layout.GOVERNOR_TURNOVER]] = fall, exposure, turnover
    one.schedules[layout.WEIGHT] = [0.5, 0.25, 0.25]
    one.schedules[layout.HEDGES, 2] = 1.0
    one.control[layout.REFUSAL, 2] = 3.0
    return one


def watch(one: Scheduler) -> bool:
    return bool(
        governor.watch_portfolio(
            NOW, one.desk, one.governor, one.control, one.instruments, one.others, one.account, one.schedules,
            one.cells, one.said, one.events,
        )
    )  # fmt: skip


def scale(one: Scheduler) -> float:
    governor.set_scale(
        NOW, one.governor, one.control, one.instruments, one.others, one.account, one.schedules,
        one.cells, one.said, one.events,
    )  # fmt: skip
    return float(one.account[layout.SCALE])


def wish(one: Scheduler) -> None:
    """The first wants 0.6 and −0.8, the second 0.4, so that 0.5 + 0.1 are wanted; the third holds 10 pairs of 9."""
    one.said[layout.STANDING] = [[0.6, -0.8], [0.4, 0.0], [1.0, 1.0]]
    one.hold(2, 1, -10.0)


def exposures(one: Scheduler) -> tuple[float, float]:
    return tuple(
        governor._exposures(one.control, one.instruments, one.others, one.account, one.schedules, one.cells, one.said)
    )


def test_what_is_wanted_and_what_the_others_hold() -> None:
    """Of each schedule its weight at most; of one that is held back the size of its positions over equity."""
    one = governed(layout.ON_SCALE)
    wish(one)
    assert exposures(one) == pytest.approx((0.6, 0.09))
    one.account[layout.EQUITY] = 500.0
    assert exposures(one) == pytest.approx((0.6, 0.18))
    one.account[layout.EQUITY] = 0.0
    assert exposures(one)[1] == INF


def test_positions_of_those_that_run_are_not_counted_twice() -> None:
    """What the first holds is in what it wants; what the third wants does not count while it may not run."""
    one = governed(layout.ON_SCALE)
    wish(one)
    one.hold(0, 0, 100.0)
    assert exposures(one) == pytest.approx((0.6, 0.09))


@pytest.mark.parametrize("action", [layout.NO_GOVERNOR, layout.ON_SCALE])
def test_one_that_scales_or_none_does_nothing_before_the_runs(action: int) -> None:
    """Whatever is broken, runs go on without a limit."""
    one = governed(action, fall=0.0)
    one.account[layout.EQUITY] = 500.0
    assert not watch(one)
    assert governor.governed_limit(one.governor, one.account) == INF
    assert one.noted == []


BROKEN = [
    ({"fall": 0.1}, 890.0, 0.0, governor.BY_FALL, 0.11, 0.1),
    ({"fall": 0.25}, 750.0, 0.0, governor.NOTHING, 0.0, 0.0),
    ({"exposure": 0.68}, 1000.0, 0.0, governor.BY_EXPOSURE, 0.69, 0.68),
    ({"exposure": 0.7}, 1000.0, 0.0, governor.NOTHING, 0.0, 0.0),
    ({"turnover": 2.0}, 1000.0, 2000.0, governor.BY_TURNOVER, 2.0, 2.0),
    ({"turnover": 2.0}, 1000.0, 1999.0, governor.NOTHING, 0.0, 0.0),
    ({"fall": 0.1, "exposure": 0.1, "turnover": 0.1}, 800.0, 1e6, governor.BY_FALL, 0.2, 0.1),
    ({"exposure": 0.1, "turnover": 0.1}, 1000.0, 1e6, governor.BY_EXPOSURE, 0.69, 0.1),
]


@pytest.mark.parametrize(("limits", "equity", "traded", "which", "value", "limit"), BROKEN)
def test_a_halt_says_which_limit_is_broken(
    limits: dict[str, float], equity: float, traded: float, which: int, value: float, limit: float
) -> None:
    """A drawdown and an exposure are broken above their limit, the turnover is used up at it; the first one counts."""
    one = governed(layout.ON_HALT, **limits)
    wish(one)
    one.account[[layout.EQUITY, layout.TRADED]] = equity, traded
    assert watch(one) == (which != governor.NOTHING)
    assert one.account[layout.HALTED_BY] == which
    row = (NOW, layout.GOVERNOR_LIMITS, which, pytest.approx(value), limit)
    assert one.noted == ([row] if which != governor.NOTHING else [])


@pytest.mark.parametrize("action", [layout.ON_HALT, layout.ON_SCALE])
def test_an_exposure_at_its_limit_is_not_broken(action: int) -> None:
    """As much as is wanted and held, to the bit, and the bit under it."""
    for limit, broken in ((1.0, False), (1.0 - 2.0**-53, True)):
        one = governed(action, exposure=limit)
        one.schedules[layout.WEIGHT], one.said[layout.STANDING] = 0.5, 1.0
        assert watch(one) == (broken and action == layout.ON_HALT)
        assert (scale(one) < 1.0) == (broken and action == layout.ON_SCALE)


def test_the_turnover_is_over_the_last_mark_before_midnight() -> None:
    """Twice the 500 that the day began with are used up by 1000."""
    one = governed(layout.ON_HALT, turnover=2.0)
    one.account[[layout.DAY_EQUITY, layout.TRADED]] = 500.0, 1000.0
    assert watch(one)
    assert one.noted == [(NOW, layout.GOVERNOR_LIMITS, governor.BY_TURNOVER, 2.0, 2.0)]


def test_a_loop_that_is_halted_is_not_halted_again() -> None:
    """It is reported once; a loop that only lowers positions is halted all the same."""
    one = governed(layout.ON_HALT, fall=0.1)
    one.account[layout.EQUITY] = 500.0
    one.desk[layout.MODE] = modes.HALTED
    one.account[layout.HALTED_BY] = governor.BY_FALL
    assert not watch(one)
    assert one.account[layout.HALTED_BY] == governor.NOTHING
    one.desk[layout.MODE] = modes.REDUCING
    assert watch(one)


def test_its_drawdown_is_from_its_own_peak() -> None:
    """A peak that was set anew after a halt, not the account's highest mark."""
    one = governed(layout.ON_HALT, fall=0.1)
    one.account[[layout.EQUITY, layout.GOVERNED_PEAK]] = 500.0, 520.0
    assert not watch(one)


def test_a_limit_holds_while_it_is_broken() -> None:
    """Each run may have two signals; when it is broken, and when it no longer is, one event tells it."""
    one = governed(layout.ON_LIMIT, fall=0.1)
    for equity, limit in ((800.0, 2.0), (790.0, 2.0), (950.0, INF), (960.0, INF)):
        one.account[layout.EQUITY] = equity
        assert not watch(one)
        assert governor.governed_limit(one.governor, one.account) == limit
    assert one.noted == [
        (NOW, layout.GOVERNOR_LIMITS, governor.BY_FALL, pytest.approx(0.2), 0.1),
        (NOW, layout.GOVERNOR_RELAXES, governor.NOTHING, 0.0, 0.0),
    ]


def test_signals_wait_for_the_next_day_where_turnover_is_used_up() -> None:
    """Of a governor that scales; one without a limit of turnover never does."""
    one = governed(layout.ON_SCALE, turnover=1.0)
    assert governor.governed_limit(one.governor, one.account) == INF
    one.account[layout.TRADED] = 1000.0
    assert governor.governed_limit(one.governor, one.account) == 0.0


@pytest.mark.parametrize(
    ("limits", "equity", "expected", "which"),
    [
        ({}, 500.0, 1.0, governor.NOTHING),
        ({"fall": 0.25}, 750.0, 1.0, governor.NOTHING),
        ({"fall": 0.1}, 800.0, 0.5, governor.BY_FALL),
        ({"exposure": 0.39}, 1000.0, 0.5, governor.BY_EXPOSURE),
        ({"exposure": 0.69}, 1000.0, 1.0, governor.NOTHING),
        ({"exposure": 0.05}, 1000.0, 0.0, governor.BY_EXPOSURE),
        ({"fall": 0.05, "exposure": 0.4}, 800.0, 0.25, governor.BY_FALL),
        ({"fall": 0.18, "exposure": 0.1725}, 800.0, 0.1, governor.BY_EXPOSURE),
    ],
)
def test_the_scale_brings_the_broken_limit_back(
    limits: dict[str, float], equity: float, expected: float, which: int
) -> None:
    """(limit − 0.09) / 0.6, of half the equity less; limit over fall; the lesser of the two, and 0 at least."""
    one = governed(layout.ON_SCALE, **limits)
    wish(one)
    one.account[layout.EQUITY] = equity
    assert scale(one) == pytest.approx(expected, abs=1e-12)
    row = (NOW, layout.GOVERNOR_SCALES, which, pytest.approx(expected), 1.0)
    assert one.noted == ([row] if which != governor.NOTHING else [])


def test_a_scale_is_told_when_it_changes() -> None:
    """To where it is, once; and back to 1."""
    one = governed(layout.ON_SCALE, fall=0.1)
    scales = []
    for equity in (800.0, 800.0, 1000.0, 1000.0):
        one.account[layout.EQUITY] = equity
        scales.append(scale(one))
    assert scales == pytest.approx([0.5, 0.5, 1.0, 1.0])
    assert [row[2:4] for row in one.noted] == [(governor.BY_FALL, pytest.approx(0.5)), (governor.NOTHING, 1.0)]


def test_what_others_hold_alone_scales_nothing() -> None:
    """Where nobody wants anything, there is nothing to be multiplied."""
    one = governed(layout.ON_SCALE, exposure=0.01)
    one.hold(2, 1, -10.0)
    assert scale(one) == 1.0


@pytest.mark.parametrize("action", [layout.NO_GOVERNOR, layout.ON_LIMIT, layout.ON_HALT])
def test_only_one_that_scales_scales(action: int) -> None:
    """Others leave the scale at 1."""
    one = governed(action, fall=0.1)
    one.account[layout.EQUITY] = 500.0
    assert scale(one) == 1.0
