"""Rounds in which the yardsticks and all cases take turns, and more of them for what is not decided."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ..errors import UsageError
from ..replay.clock import elapsed_ns
from . import yardsticks
from .gate_case import Case, Fresh, Run
from .gate_estimate import BLOCKS, Estimate, Least

ROUNDS = 160
LEAST_ROUNDS = 2 * BLOCKS
MORE, MOST = 2, 8
"""How many times as many rounds an undecided case has each time it is timed on, and in all."""
ROUNDS_A_COPY = 2
"""A copy of 64 MB takes as long as hundreds of the other times; the fewest rounds have one for each block."""
YARDSTICKS = 8
"""Times of the other yardstick in a round, also where few cases are in it: an error in it is one in every ratio."""


class Timer(Protocol):
    """What takes the times, in nanoseconds."""

    def arithmetic(self) -> float:
        """Of one value of the yardstick of arithmetic."""

    def copy(self) -> float:
        """Of one value of the yardstick of copying."""

    def prepare(self, case: Case) -> Callable[[], float]:
        """Makes a case ready, and gives what takes the time of one of its bars."""


class MachineTimer:
    """Runs and measures. Each run follows one of its own kind that is not timed and fills the caches."""

    def __init__(self) -> None:
        self._arithmetic, self._copy = yardsticks.arithmetic(), yardsticks.copy()
        self._arithmetic()
        self._copy()

    def arithmetic(self) -> float:
        """Nanoseconds a value."""
        return _elapsed(self._arithmetic) / (yardsticks.ARITHMETIC_VALUES * yardsticks.ARITHMETIC_PASSES)

    def copy(self) -> float:
        """Nanoseconds a value."""
        return _elapsed(self._copy) / yardsticks.COPIED

    def prepare(self, case: Case) -> Callable[[], float]:
        """The first run, which compiles or loads kernels, is not timed."""
        fresh: Fresh = case.prepare(case.bars)
        fresh()()

        def timed() -> float:
            fresh()()
            return _elapsed(fresh()) / case.bars

        return timed


def _elapsed(run: Run) -> int:
    begin = elapsed_ns()
    run()
    return elapsed_ns() - begin


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a case may take at most; None: anything.

    Attributes:
        ns_per_bar: Nanoseconds a bar.
        times_arithmetic: Multiple of the yardstick of arithmetic.
        times_copy: Multiple of the yardstick of copying.
    """

    ns_per_bar: float | None = None
    times_arithmetic: float | None = None
    times_copy: float | None = None


@dataclass(frozen=True, kw_only=True)
class Timed:
    """What a case took.

    Attributes:
        rounds: How often it was timed.
        ns_per_bar: Nanoseconds a bar.
        times_arithmetic: Multiple of the yardstick of arithmetic.
        times_copy: Multiple of the yardstick of copying.
    """

    rounds: int
    ns_per_bar: Estimate
    times_arithmetic: Estimate
    times_copy: Estimate

    def over(self, limits: Limits) -> bool | None:
        """Whether it is over one of its limits; None where that is not decided."""
        found = [estimate.over(limit) for estimate, limit in self._limited(limits) if limit is not None]
        return True if True in found else (None if None in found else False)

    def seems_over(self, limits: Limits) -> bool:
        """The same by the medians, which always decide."""
        return any(estimate.middle > limit for estimate, limit in self._limited(limits) if limit is not None)

    def _limited(self, limits: Limits) -> Iterable[tuple[Estimate, float | None]]:
        return (
            (self.ns_per_bar, limits.ns_per_bar),
            (self.times_arithmetic, limits.times_arithmetic),
            (self.times_copy, limits.times_copy),
        )


@dataclass
class _Watched:
    case: Case
    limits: Limits
    take: Callable[[], float]
    least: Least = field(default_factory=Least)


class Rounds:
    """Times cases against limits."""

    def __init__(self, timer: Timer, rounds: int = ROUNDS) -> None:
        """rounds: how many each case has at least.

        Raises:
            UsageError: So few that blocks would be empty.
        """
        if rounds < LEAST_ROUNDS:
            raise UsageError(f"rounds is {rounds}; allowed is {LEAST_ROUNDS} or more.")
        self._timer, self._rounds = timer, rounds
        self.arithmetic, self.copy = Least(), Least()

    def run(self, cases: Sequence[Case], limits: Sequence[Limits]) -> list[tuple[Timed, bool]]:
        """What each case took, and whether it is over its limits.

        What is over once is timed again from anew, with other places in memory, and is over where it is both times.
        """
        watched = self._decide(cases, limits)
        again = [place for place, one in enumerate(watched) if self._is_over(one)]
        seconds = self._decide([cases[k] for k in again], [limits[k] for k in again])
        for place, second in zip(again, seconds, strict=True):
            watched[place] = second
        return [(self._timed(one), self._is_over(one)) for one in watched]

    def _decide(self, cases: Sequence[Case], limits: Sequence[Limits]) -> list[_Watched]:
        watched = [_Watched(case, limit, self._timer.prepare(case)) for case, limit in zip(cases, limits, strict=True)]
        self._go(watched, self._rounds)
        while open_ones := [one for one in watched if self._is_open(one)]:
            self._go(open_ones, (MORE - 1) * open_ones[0].least.rounds)
        return watched

    def _go(self, watched: Sequence[_Watched], rounds: int) -> None:
        for k in range(rounds if watched else 0):
            if k % ROUNDS_A_COPY == 0:
                self.copy.add(self._timer.copy())
            fastest = float("inf")
            for one in watched:
                for _ in range(max(1, YARDSTICKS // len(watched))):
                    fastest = min(fastest, self._timer.arithmetic())
                one.least.add(one.take())
            self.arithmetic.add(fastest)

    def _is_open(self, one: _Watched) -> bool:
        return one.least.rounds < MOST * self._rounds and self._timed(one).over(one.limits) is None

    def _is_over(self, one: _Watched) -> bool:
        return self._timed(one).seems_over(one.limits)

    def _timed(self, one: _Watched) -> Timed:
        return Timed(
            rounds=one.least.rounds,
            ns_per_bar=one.least.nanoseconds,
            times_arithmetic=one.least.over(self.arithmetic),
            times_copy=one.least.over(self.copy),
        )
