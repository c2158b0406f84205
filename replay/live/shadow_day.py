"""One look at a live run's day: it is computed again from its journal and its bars, in small pieces.

The engines' wishes are made for whole columns, by another machine than the one that lives. What is done with them is
done again with what the venue told, and held against the journal record by record; where the venue has filled, it is
done once more with fills as a backtest has them, which is what the live equity is measured by.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...engine.bars import Bars
from ...engine.scheduler.checkpoint import restore_checkpoint
from ...engine.scheduler.live_setup import LivePlan, with_all_bars
from ...engine.scheduler.machine import SchedulerMachine
from ...engine.scheduler.setup import SchedulerSetup
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
        """
        self._plan, self._tail, self._bars = plan, tail, bars
        self._start_us, self._day_us, self._options, self._run = start_us, day_us, options, run
        self.compared = 0
        self.difference: Difference | None = None
        self.equity_gap: float | None = None

    def steps(self) -> Iterator[None]:
        """Do all of it, a piece at a time."""
        drift = RecordedDrift((), self._set_up())
        yield
        for payload in self._tail.records:
            drift.take(payload)
            yield
        yield from self._compare(drift)
        if self.difference is None:
            yield from self._measure(drift)

    def _compare(self, drift: RecordedDrift) -> Iterator[None]:
        """Make every record anew with what the venue told."""
        ledger = CatchUp(self._tail.records, None, COMPARED)
        again = Again(self._set_up(), self._bars, self._tail, self._run, ledger, drift=drift)
        yield
        self._lend_wishes(again.loop)
        yield
        try:
            for _ in again.steps():
                again.writer.take_waiting()
                yield
        except DivergedError as error:
            self.difference = _difference(error)
        self.compared = ledger.compared

    def _measure(self, drift: RecordedDrift) -> Iterator[None]:
        """Do it once more with orders that are filled at the opens."""
        if not any(one.startswith(_FILL) for one in self._tail.records):
            self.equity_gap = 0.0
            return
        again = Again(self._set_up(), self._bars, self._tail, self._run, CatchUp(()), drift=drift)
        loop = again.loop
        yield
        self._lend_wishes(loop)
        yield
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
            yield
        self.equity_gap = gap - before

    def _set_up(self) -> SchedulerSetup:
        until_us = self._start_us if self._tail.now_us is None else self._tail.now_us
        return set_up_again(self._plan, self._bars, self._start_us, until_us, 1, self._options)

    def _lend_wishes(self, loop: LiveLoop) -> None:
        """Have whole columns made; where an engine has failed that day, what it saw when decides, bar by bar."""
        machine = loop.machine
        own = machine.wishes
        if any(one.by == BY_HEALTH for one in self._tail.commands) or own.health[FAILURES].any():
            return
        legs = self._bars[: len(machine.setup.panel.names)]
        whole = SchedulerMachine(with_all_bars(machine.setup, legs, WHOLE_COLUMNS), observed=True)
        if self._tail.checkpoint is None:
            whole.warm_up()
        elif own.health[IS_BEHIND].any():
            return
        else:
            restore_checkpoint(whole, self._tail.checkpoint["state"])
        own.ahead = WishesAhead(whole, loop.next_bar)


def _is_compared(payload: bytes) -> bool:
    return payload[8 : payload.index(b'"', 8)].decode("ascii") in COMPARED


def _difference(error: DivergedError) -> Difference:
    live, shadow = (None if one is None else fields_of(one) for one in (error.written, error.made))
    first = live or shadow or {}
    schedule = first.get("schedule", "")
    if not schedule and live and shadow and first["kind"] == "weights":
        schedule = next((name for name in live["raw"] if live["raw"][name] != shadow["raw"].get(name)), "")
    return Difference(at=first["at"], kind=first["kind"], schedule=schedule, live=live, shadow=shadow)
