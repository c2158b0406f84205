"""Runs by hand and by plain scans: which wishes are signals, every reason in its order, limits, flips, closed sides."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from barstep.kernels import account, decisions, venue
from barstep.kernels.scheduler import layout, runs
from contract import POISON, assert_same_bits
from hypothesis import given
from hypothesis import strategies as st
from inputs import Floats
from schedules import INF, NAN, Scheduler, Shape

pytestmark = pytest.mark.unit_kernel

YES, WARMUP, DRIFT, SUSPENDED = decisions.ACCEPTED, decisions.WARMUP, decisions.DRIFT, decisions.SUSPENDED
LIMIT, GOVERNOR, RISK, HALTED = decisions.LIMIT, decisions.GOVERNOR, decisions.RISK, decisions.HALTED
NOW, NUMBER = 5_000, 41


class Run(Scheduler):
    """One run of one schedule at the last of some columns. `accepted`: the wishes that stand, by instrument."""

    def __init__(
        self,
        wishes: Sequence[float],
        *,
        accepted: Sequence[float] | None = None,
        confidence: Sequence[float] | None = None,
        threshold: float = 0.0,
    ) -> None:
        count = len(wishes)
        super().__init__(Shape(instruments=count), threshold=threshold)
        self.wishes = np.full((count, 4), 0.77)
        self.wishes[:, 1], self.wishes[:, 2:] = wishes, POISON
        self.confidence = np.full((count, 4), POISON)
        self.confidence[:, 1] = 0.5 if confidence is None else confidence
        standing = [0.0] * count if accepted is None else accepted
        self.cells[0, :, :, account.ACCEPTED] = np.array(standing)[:, None]
        self.said[layout.STANDING, 0] = standing

    def decide(
        self,
        *,
        refusal: int = 0,
        reduces: bool = False,
        profile_reduces: bool = False,
        limit: float = INF,
        governed: float = INF,
        stop: int = 2,
    ) -> list[tuple[float, ...]]:
        """(instrument, wish, reason, accepted) of every signal."""
        before = self.wishes.copy(), self.confidence.copy()
        accepted, rows = runs.decide_run(
            NOW, 0, 1, stop, float(refusal), reduces, profile_reduces, limit, governed, self.wishes,
            self.confidence, self.warm_from[0], self.rules[0], self.cells[0], self.said[layout.STANDING, 0],
            self.upcoming[0], self.rows[0], self.outcome, self.decisions, 0,
        )  # fmt: skip
        self.account[layout.DECISIONS] = rows
        assert accepted == sum(row[3] for row in self.decided)
        assert_same_bits(self.wishes, before[0], "wishes")
        assert_same_bits(self.confidence, before[1], "confidence")
        return self.decided

    @property
    def accepted(self) -> list[float]:
        """The wishes that stand, in both accounts and for targets."""
        own, unit, standing = *self.cells[0, :, :, account.ACCEPTED].T, self.said[layout.STANDING, 0]
        assert own.tolist() == unit.tolist() == standing.tolist()
        return [float(wish) for wish in own]


@st.composite
def rows_of_wishes(draw: st.DrawFn) -> tuple[Floats, float, float, float]:
    """Wishes with holes, the accepted one, a closed side and a threshold."""
    size = draw(st.sampled_from([0, 1, 7, 63, 64, 65, 150]))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    fresh = rng.choice([0.0, 0.4, 0.5, -0.5, NAN], size, p=[0.15, 0.25, 0.3, 0.15, 0.15])
    rarely = rng.random(size) < draw(st.sampled_from([0.02, 0.5]))
    wishes = fresh[np.maximum.accumulate(np.where(rarely, np.arange(size), 0))] if size else fresh
    accepted, stopped = draw(st.sampled_from([(0.0, 0.0), (0.5, 0.0), (0.4, 0.0), (0.5, 1.0), (-0.5, -1.0)]))
    return wishes, accepted, stopped, draw(st.sampled_from([0.0, 0.15]))


@given(row=rows_of_wishes(), start=st.integers(0, 160))
def test_the_next_signal_is_never_missed(row: tuple[Floats, float, float, float], start: int) -> None:
    """Before the column that is found no wish is a signal; it stops where a wish has to be looked at."""
    wishes, accepted, stopped, threshold = row
    rules, cell = Scheduler(threshold=threshold).rules[0], np.zeros(layout.CELL)
    cell[account.ACCEPTED], cell[venue.STOPPED] = accepted, stopped
    found = runs.next_signal(wishes, start, wishes.size, rules, cell)
    assert found >= min(start, wishes.size)
    for column in range(start, min(found, wishes.size)):
        wish = wishes[column]
        assert wish * stopped > 0.0 or (stopped == 0.0 and not abs(wish - accepted) > threshold)
    if start < wishes.size and found < wishes.size:
        wish = wishes[found]
        assert not wish * stopped > 0.0
        assert stopped != 0.0 or abs(wish - accepted) > threshold
    assert_same_bits(cell[[account.ACCEPTED, venue.STOPPED]], np.array([accepted, stopped]), "only looked at")


def test_the_first_signal_of_a_schedule_is_the_least_of_its_instruments() -> None:
    """Each instrument has its own next column; where there is none it is the stop."""
    one = Scheduler(Shape(instruments=3))
    wishes = np.array([[0.0, 0.0, 0.5, 0.0], [0.0, 0.0, 0.0, 0.0], [NAN, NAN, NAN, -1.0]])
    assert runs.find_signals(wishes, 0, 4, one.rules[0], one.cells[0], one.upcoming[0]) == 2
    assert one.upcoming[0].tolist() == [2, 4, 3]
    assert runs.find_signals(wishes, 3, 4, one.rules[0], one.cells[0], one.upcoming[0]) == 3


def test_a_wish_that_differs_is_accepted_in_both_accounts() -> None:
    """One row a signal; a wish that stands, and one that is no number, are none."""
    run = Run([0.5, 0.3, NAN, -1.0], accepted=[0.0, 0.3, 0.1, 0.0], confidence=[0.9, 0.8, 0.7, 0.6])
    assert run.decide() == [(0, 0.5, YES, 1), (3, -1.0, YES, 1)]
    assert run.accepted == [0.5, 0.3, 0.1, -1.0]
    assert run.decisions[layout.DECIDED_AT, :2].tolist() == [NOW, NOW]
    assert run.decisions[layout.DECIDED_CONFIDENCE, :2].tolist() == [0.9, 0.6]
    cell = run.cells[0, 3, layout.REAL]
    assert cell[[layout.WAS, account.SIGNALS]].tolist() == [0.0, 1.0]
    assert run.rows[0].tolist() == [0, -1, -1, 1]


def test_what_stood_before_is_kept_until_the_order() -> None:
    """The accepted wish, and what targets counted: on a side that a level had closed that was nothing."""
    run = Run([-0.5], accepted=[0.5])
    run.said[layout.STANDING, 0, 0] = 0.0
    run.decide()
    assert run.cells[0, 0, layout.REAL, layout.WAS] == 0.0


def test_rows_follow_those_of_other_schedules() -> None:
    """A cell's number counts all instruments of the schedules before it; rows go on where the table is."""
    run, second = Run([0.0, 0.5]), Run([0.0, 0.5])
    runs.decide_run(
        NOW, 3, 1, 2, 0.0, False, False, INF, INF, run.wishes, run.confidence, run.warm_from[0], run.rules[0],
        run.cells[0], run.said[layout.STANDING, 0], run.upcoming[0], run.rows[0], run.outcome, second.decisions, 5,
    )  # fmt: skip
    assert second.decisions[layout.DECIDED_CELL, 5] == 3 * 2 + 1
    assert run.rows[0].tolist() == [-1, 5]


def test_a_threshold_must_be_passed() -> None:
    """A change of as much as the threshold is none yet."""
    run = Run([0.5, 0.75], accepted=[0.25, 0.25], threshold=0.25)
    assert run.decide() == [(1, 0.75, YES, 1)]


REASONS = [DRIFT, HALTED, WARMUP, RISK, LIMIT, GOVERNOR]


@pytest.mark.parametrize("first", range(len(REASONS) + 1))
def test_the_first_reason_that_holds_refuses(first: int) -> None:
    """All that stand after it hold too; without any the signal is accepted."""
    run = Run([0.5])
    holds = [reason in REASONS[first:] for reason in REASONS]
    run.warm_from[0] = NOW + 1 if holds[2] else NOW
    got = run.decide(
        refusal=DRIFT if holds[0] else 0, reduces=holds[1], profile_reduces=holds[3],
        limit=0.0 if holds[4] else INF, governed=0.0 if holds[5] else INF,
    )  # fmt: skip
    reason = REASONS[first] if first < len(REASONS) else YES
    assert got == [(0, 0.5, reason, float(reason == YES))]
    assert run.accepted == [0.5 if reason == YES else 0.0]


def test_what_lowers_passes_all_but_a_halt_and_the_warm_up() -> None:
    """A wish of 0, and one for less on the same side, are not held back by what lets positions only shrink."""
    lower = {"wishes": [0.0, 0.2, -0.2], "accepted": [0.5, 0.5, -0.5]}
    taken = [(0, 0.0, YES, 1), (1, 0.2, YES, 1), (2, -0.2, YES, 1)]
    assert Run(**lower).decide(reduces=True, profile_reduces=True, limit=0.0, governed=0.0) == taken
    assert [row[2] for row in Run(**lower).decide(refusal=SUSPENDED)] == [SUSPENDED] * 3
    cold = Run(**lower)
    cold.warm_from[:] = NOW + 1
    assert [row[2] for row in cold.decide()] == [WARMUP] * 3


@pytest.mark.parametrize(("wish", "accepted"), [(0.6, 0.5), (-0.6, -0.5), (0.1, 0.0), (-0.1, 0.5)])
def test_what_does_not_lower(wish: float, accepted: float) -> None:
    """More, and the other side."""
    run = Run([wish], accepted=[accepted])
    assert [row[2] for row in run.decide(profile_reduces=True)] == [RISK]


def test_the_surest_signals_fill_a_limit() -> None:
    """Two of five pass, by confidence and of equals in order; those that lower are not counted."""
    run = Run([0.5, 0.5, 0.2, 0.5, 0.5], accepted=[0.0, 0.0, 0.5, 0.0, 0.0], confidence=[0.3, 0.7, 0.1, 0.7, 0.7])
    assert [(row[0], row[2]) for row in run.decide(limit=2.0)] == [
        (0, LIMIT), (1, YES), (2, YES), (3, YES), (4, LIMIT),
    ]  # fmt: skip


def test_the_governor_cuts_on_top_of_the_limit() -> None:
    """Three would pass and the governor lets one: the other two are its; a stricter limit leaves it nothing."""
    confidence = [0.1, 0.2, 0.3, 0.4]
    assert [row[2] for row in Run([0.5] * 4, confidence=confidence).decide(limit=3.0, governed=1.0)] == [
        LIMIT, GOVERNOR, GOVERNOR, YES,
    ]  # fmt: skip
    assert [row[2] for row in Run([0.5] * 4, confidence=confidence).decide(limit=1.0, governed=3.0)] == [
        LIMIT, LIMIT, LIMIT, YES,
    ]  # fmt: skip


@given(seed=st.integers(0, 10**6), limit=st.integers(0, 6), governed=st.integers(0, 6))
def test_ranks_are_those_of_a_sorted_list(seed: int, limit: int, governed: int) -> None:
    """With ties, cold instruments, lowering and flipping signals: against sorting by hand."""
    rng = np.random.default_rng(seed)
    wishes, accepted = rng.choice([0.0, 0.5, -0.5, 0.25], (2, 6))
    sure = rng.choice([0.1, 0.2, 0.3], 6)
    run = Run(wishes.tolist(), accepted=accepted.tolist(), confidence=sure.tolist())
    run.warm_from[0] = np.where(rng.random(6) < 0.2, NOW + 1, 0)
    expected = {}
    ranked = []
    for i in range(6):
        wish, was = wishes[i], accepted[i]
        if wish == was:
            continue
        if run.warm_from[0, i] > NOW:
            expected[i] = (wish, WARMUP, 0.0)
        elif wish == 0.0 or (wish * was > 0.0 and abs(wish) < abs(was)):
            expected[i] = (wish, YES, 1.0)
        else:
            ranked.append(i)
    for rank, i in enumerate(sorted(ranked, key=lambda each: (-sure[each], each))):
        reason = LIMIT if rank >= limit else GOVERNOR if rank >= governed else YES
        flips = wishes[i] * accepted[i] < 0.0 and reason != YES
        expected[i] = (0.0 if flips else wishes[i], reason, float(reason == YES or flips))
    got = run.decide(limit=float(limit), governed=float(governed))
    assert got == [(i, *expected[i]) for i in sorted(expected)]


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"limit": 0.0}, LIMIT), ({"governed": 0.0}, GOVERNOR), ({"profile_reduces": True}, RISK),
        ({"reduces": True}, HALTED),
    ],
)  # fmt: skip
def test_a_flip_that_is_refused_becomes_a_wish_of_nothing(how: dict[str, float], reason: int) -> None:
    """It is accepted as such, and its row keeps the reason; a signal from nothing is refused."""
    run = Run([-0.5, -0.5], accepted=[0.5, 0.0])
    assert run.decide(**how) == [(0, 0.0, reason, 1), (1, -0.5, reason, 0)]
    assert run.accepted == [0.0, 0.0]


@pytest.mark.parametrize("reason", [DRIFT, SUSPENDED, HALTED])
def test_a_flip_that_is_held_back_stays_what_it_was(reason: int) -> None:
    """A schedule that does not run keeps what it has, whatever else would have cut the signal."""
    run = Run([-0.5], accepted=[0.5])
    assert run.decide(refusal=reason, reduces=True, limit=0.0) == [(0, -0.5, reason, 0)]
    assert run.accepted == [0.5]


def test_a_flip_before_it_is_warm_is_refused() -> None:
    """The warm-up is none of the limits that a flip passes as a wish of 0."""
    run = Run([-0.5], accepted=[0.5])
    run.warm_from[0] = NOW + 1
    assert run.decide(limit=0.0) == [(0, -0.5, WARMUP, 0)]


def test_a_side_that_a_level_has_closed_asks_for_nothing() -> None:
    """A wish on the closed side is no signal; one that leaves it opens the side and is one."""
    for wish, rows in ((0.5, []), (0.9, []), (0.0, [(0, 0.0, YES, 1)]), (-0.3, [(0, -0.3, YES, 1)])):
        run = Run([wish], accepted=[0.5])
        run.cells[0, 0, layout.REAL, venue.STOPPED] = 1.0
        assert run.decide() == rows
        assert run.cells[0, 0, layout.REAL, venue.STOPPED] == (1.0 if not rows else 0.0)


def test_a_refused_wish_is_asked_again_and_an_accepted_one_is_not() -> None:
    """What was refused is looked at by the next run, also of the same bar; what was accepted where it changes."""
    run = Run([0.5, 0.5], confidence=[0.9, 0.1])
    run.wishes[:, 2], run.wishes[:, 3] = 0.5, 0.6
    run.decide(limit=1.0, stop=4)
    assert run.upcoming[0].tolist() == [3, 1]


def test_what_is_further_on_is_not_looked_at() -> None:
    """An instrument whose next signal comes later is passed over, whatever stands in this column."""
    run = Run([0.5, 0.5])
    run.upcoming[0] = [2, 0]
    assert run.decide() == [(1, 0.5, YES, 1)]
    assert run.upcoming[0].tolist() == [2, 2]


def test_a_run_without_signals_moves_on() -> None:
    """A wish that came back to the accepted one writes nothing, and the next signal is sought from there."""
    run = Run([0.0], accepted=[0.0])
    run.wishes[0, 2:] = [0.0, 0.4]
    assert run.decide(stop=4) == []
    assert run.upcoming[0].tolist() == [3]
