"""The rule by which a gate decides, on machines whose true times are known."""

from __future__ import annotations

import itertools
import os

import pytest
from barstep.errors import UsageError
from barstep.ops.gate_rounds import Limits, Rounds
from simulated_timer import ARITHMETIC_NS, COPY_NS, SimulatedTimer, case

SEEDS = int(os.environ.get("SEEDS", "1"))
TIMES = {"fast": 0.4, "middling": 3.0, "slow": 600.0}
CASES = [case(name, ns) for name, ns in TIMES.items()]
LIMITS = [Limits(times_arithmetic=1.15 * ns / ARITHMETIC_NS) for ns in TIMES.values()]


@pytest.mark.parametrize("seed", range(20 * SEEDS))
def test_what_is_as_fast_as_before_passes(seed: int) -> None:
    """On a machine that is busy half of the time no case of twenty runs is over a budget of 1.15 times its own time."""
    found = Rounds(SimulatedTimer(seed)).run(CASES, LIMITS)
    assert [over for _, over in found] == [False, False, False]


@pytest.mark.parametrize("seed", range(20 * SEEDS))
def test_a_slow_down_by_three_tenths_is_caught(seed: int) -> None:
    """Twenty times of twenty, in whichever case it is, and in no other."""
    planted = list(TIMES)[seed % 3]
    found = Rounds(SimulatedTimer(seed, {planted: 1.3})).run(CASES, LIMITS)
    assert [over for _, over in found] == [name == planted for name in TIMES]


@pytest.mark.parametrize("speed", [0.25, 4.0])
def test_a_gate_means_the_same_on_a_slow_and_on_a_fast_machine(speed: float) -> None:
    """Multiples of the yardsticks do not depend on the machine's speed; nanoseconds do."""
    (timed, over), *_ = Rounds(SimulatedTimer(3, speed=speed)).run(CASES, LIMITS)
    assert not over
    assert timed.times_arithmetic.middle == pytest.approx(TIMES["fast"] / ARITHMETIC_NS, rel=0.06)
    assert timed.times_copy.middle == pytest.approx(TIMES["fast"] / COPY_NS, rel=0.1)
    assert timed.ns_per_bar.middle == pytest.approx(TIMES["fast"] / speed, rel=0.08)


@pytest.mark.parametrize(
    ("limits", "over"),
    [
        (Limits(ns_per_bar=2.5), True),
        (Limits(ns_per_bar=4.0), False),
        (Limits(times_copy=2.5 / COPY_NS), True),
        (Limits(times_copy=4.0 / COPY_NS), False),
        (Limits(ns_per_bar=4.0, times_arithmetic=2.5 / ARITHMETIC_NS), True),
        (Limits(), False),
    ],
)
def test_each_limit_counts(limits: Limits, over: bool) -> None:
    """A case is over where it is over any of its limits."""
    ((_, found),) = Rounds(SimulatedTimer(5)).run([CASES[1]], [limits])
    assert found is over


def test_what_is_clear_has_no_more_rounds_than_asked_for() -> None:
    """And is prepared once."""
    timer = SimulatedTimer(1)
    found = Rounds(timer, rounds=48).run(CASES, [Limits(times_arithmetic=1_000.0)] * 3)
    assert [timed.rounds for timed, _ in found] == [48, 48, 48]
    assert timer.prepared == list(TIMES)


class Wavering(SimulatedTimer):
    """A machine on which the times of one case never agree: every eighth round is as fast as the eighth before."""

    def prepare(self, one):  # type: ignore[no-untyped-def]
        super().prepare(one)
        ns, rounds = TIMES[one.name], itertools.count()
        return lambda: ns * (1.0 + 0.02 * (next(rounds) % 8))


@pytest.mark.parametrize(("share", "over"), [(1.05, True), (1.1, False)])
def test_what_is_not_decided_has_more_rounds(share: float, over: bool) -> None:
    """It alone, eight times as many in the end, and then the median decides."""
    near, far = Limits(ns_per_bar=share * TIMES["middling"]), Limits(ns_per_bar=1_000.0)
    found = Rounds(Wavering(2), rounds=16).run(CASES, [far, near, far])
    assert [timed.rounds for timed, _ in found] == [16, 128, 16]
    assert [over for _, over in found] == [False, over, False]


def test_what_is_over_is_timed_again_from_anew() -> None:
    """With inputs made anew: chance of where they lie does not fail a gate."""
    timer = SimulatedTimer(4, {"slow": 2.0})
    Rounds(timer).run(CASES, LIMITS)
    assert timer.prepared == [*TIMES, "slow"]


class OnceSlow(SimulatedTimer):
    """The first preparation of a case lies badly."""

    def prepare(self, one):  # type: ignore[no-untyped-def]
        take = super().prepare(one)
        return (lambda: 1.4 * take()) if self.prepared.count(one.name) == 1 else take


def test_what_is_over_once_only_passes() -> None:
    """The second look decides."""
    found = Rounds(OnceSlow(6)).run(CASES, LIMITS)
    assert [over for _, over in found] == [False, False, False]


@pytest.mark.parametrize("rounds", [15, 0, -1])
def test_too_few_rounds_are_refused(rounds: int) -> None:
    """Each of the eight blocks has two at least."""
    with pytest.raises(UsageError, match=f"rounds is {rounds}; allowed is 16 or more"):
        Rounds(SimulatedTimer(0), rounds)
