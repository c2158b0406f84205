"""One look at a live run's day: it is computed again from its journal and its bars, in small pieces.

The engines' wishes are made for whole columns, by another machine than the one that lives. What is done with them is
done again with what the venue told, and held against the journal record by record; where the venue has filled, it is
done once more with fills as a backtest has them, which is what the live equity is measured by.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any

from ...engine.bars import Bars
from ...engine.scheduler.checkpoint import restore_checkpoint
from ...engine.scheduler.live_setup import LivePlan, with_all_bars
from ...engine.scheduler.machine import SchedulerMachine
from ...engine.scheduler.wishes import FAILURES, IS_BEHIND
from ...engine.scheduler.wishes_ahead import WishesAhead
from ...kernels.scheduler import layout
from ..catching_up import CatchUp, DivergedError
from ..drift import RecordedDrift
from ..health import BY_HEALTH
from ..journal.record import at_us, fields_of
from ..twin import WHOLE_COLUMNS
from .again import COMPARED, Again, Follower, Tail, set_up_again
from .loop import LiveLoop

Steps = Generator[Future[Any] | None, None, None]
"""Pieces of work; where one gives a future, that is waited for before the next."""

_FILL = b'"kind":"fill"'
_FROM_A_VENUE = (b'"kind":"report"', b'"kind":"order"')


@dataclass(frozen=True, kw_only=True)
class Difference:
    """The first record in which a live run and its shadow differ.

    Attributes:
        at: Its instant.
        kind: Its kind.
        schedule: Whose it is; empty where it is nobody's.
        live: What the journal has; None: nothing more.
        shadow: What the shadow has; None: nothing.
    """

    at: str
    kind: str
    schedule: str
    live: Mapping[str, Any] | None
    shadow: Mapping[str, Any] | None

    def told(self) -> str:
        """In one sentence."""
        whose = f" of {self.schedule}" if self.schedule else ""
        return f"live and shadow differ first at {self.at}, in {self.kind}{whose}: {self._first_member()}"

    def _first_member(self) -> str:
        if self.live is None or self.shadow is None:
            return f"{'live' if self.live is None else 'the shadow'} has no such record"
        names = [name for name in {**self.live, **self.shadow} if self.live.get(name) != self.shadow.get(name)]
        return f"{names[0]} is {self.live.get(names[0])!r}, the shadow's {self.shadow.get(names[0])!r}"


class ShadowDay:
    """A day on its way through the journal.

    Attributes:
        compared: How many records came out the same.
        difference: The first that did not.
        equity_gap: How much more live equity has grown since the day began than the shadow's, whose orders are filled
            as a backtest's, up to the last close; None until that is known.
    """

    def __init__(
        self,
        plan: LivePlan,
        tail: Tail,
        bars: Sequence[Bars],
        *,
        start_us: int,
        day_us: int,
        options: Mapping[str, Any],
        run: str,
        aside: Executor,
    ) -> None:
        """A look at what a journal holds since a checkpoint.

        Args:
            plan: What is traded.
            tail: What the journal holds.
            bars: By leg all bars up to the last one that the tail tells of.
            start_us: When the run has started.
            day_us: When the day has, which the equity gap is counted from.
            options: Fields of `Execution`.
            run: The id of the journal.
            aside: What does that which cannot be divided.
        """
        self._plan, self._tail, self._bars = plan, tail, bars
        self._start_us, self._day_us, self._options, self._run = start_us, day_us, options, run
        self._aside = aside
        self.compared = 0
        self.difference: Difference | None = None
        self.equity_gap: float | None = None

    def steps(self) -> Steps:
        """Do all of it, a piece at a time; what cannot be divided is done in a thread, and waited for."""
        yield from self._compare()
        if self.difference is not None:
            return
        if any(one.startswith(_FILL) for one in self._tail.records):
            yield from self._measure()
        else:
            self.equity_gap = 0.0

    def _compare(self) -> Steps:
        """Make every record anew with what the venue told."""
        ledger = CatchUp(self._tail.records, None, COMPARED)
        again = yield from self._begun(ledger)
        try:
            for _ in again.steps():
                again.writer.take_waiting()
                yield None
        except DivergedError as error:
            self.difference = _difference(error.with_traceback(None))  # its frames hold the loop, which holds it
        self.compared = ledger.compared

    def _measure(self) -> Steps:
        """Do it once more with orders that are filled at the opens."""
        again = yield from self._begun(CatchUp(()))
        loop = again.loop
        loop.machine.arrays.desk[layout.FILLS_ARE_TOLD] = 0.0
        follower, before, gap = Follower(loop, self._bars), 0.0, 0.0
        for payload in self._tail.records:
            if payload.startswith(_FROM_A_VENUE) or not _is_compared(payload):
                continue
            record = fields_of(payload)
            follower.make(record)
            again.writer.take_waiting()
            if record["kind"] == "bars":
                gap = record["equity"] - float(loop.machine.arrays.account[layout.EQUITY])
                before = gap if at_us(record["at"]) <= self._day_us else before
            yield None
        self.equity_gap = gap - before

    def _begun(self, ledger: CatchUp) -> Generator[Future[Again] | None, None, Again]:
        """The run as it stood at the tail's checkpoint, as late as it was."""
        made = self._aside.submit(self._set_up, ledger)
        yield made
        again = made.result()
        drift = RecordedDrift((), again.loop.machine.setup)
        for payload in self._tail.records:
            drift.take(payload)
            yield None
        again.loop.drift = drift
        return again

    def _set_up(self, ledger: CatchUp) -> Again:
        """All of it is its own: no other thread has any of it."""
        setup, feeds = set_up_again(self._plan, self._bars, self._start_us, self._tail, 1, self._options)
        again = Again(setup, feeds, self._bars, self._tail, self._run, ledger, drift=RecordedDrift((), setup))
        self._lend_wishes(again.loop)
        return again

    def _lend_wishes(self, loop: LiveLoop) -> None:
        """Have whole columns made; where an engine has failed that day, it is asked bar by bar, as it was."""
        machine, checkpoint = loop.machine, self._tail.checkpoint
        health = machine.wishes.health
        has_failed = any(one.by == BY_HEALTH for one in self._tail.commands) or health[FAILURES].any()
        if has_failed or (checkpoint is not None and health[IS_BEHIND].any()):
            return
        legs = loop.feeds.told(one.command for one in self._tail.commands).merged(self._bars)
        whole = SchedulerMachine(with_all_bars(machine.setup, legs, WHOLE_COLUMNS), observed=True)
        if checkpoint is None:
            whole.warm_up()
        else:
            restore_checkpoint(whole, checkpoint["state"])
        machine.wishes.lend(WishesAhead(whole, loop.next_bar))


def _is_compared(payload: bytes) -> bool:
    return payload[8 : payload.index(b'"', 8)].decode("ascii") in COMPARED


def _difference(error: DivergedError) -> Difference:
    live, shadow = (None if one is None else fields_of(one) for one in (error.written, error.made))
    first = live or shadow or {}
    schedule = first.get("schedule", "")
    if not schedule and live and shadow and first["kind"] == "weights":
        schedule = next((name for name in live["raw"] if live["raw"][name] != shadow["raw"].get(name)), "")
    return Difference(at=first["at"], kind=first["kind"], schedule=schedule, live=live, shadow=shadow)
