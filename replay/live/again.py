"""What a live run's journal holds, done again: restart, replay and shadow are all this.

What the venue told is taken from the journal; everything else is made, and held against what was written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...engine.bars import Bars
from ...engine.growing import Row
from ...engine.scheduler.checkpoint import restore_checkpoint
from ...engine.scheduler.commands import Given
from ...engine.scheduler.live_machine import LiveMachine
from ...engine.scheduler.live_setup import LivePlan, set_up_live
from ...engine.scheduler.setup import SchedulerSetup
from ..catching_up import MADE_AGAIN, CatchUp, DivergedError
from ..drift import RecordedDrift
from ..journal.record import at_us, fields_of
from ..journal.writer import TradingDecisionJournal
from .feeds import LiveFeeds
from .loop import LiveLoop
from .records import TOLD, LiveRecords, report_of
from .scribe import LiveScribe

COMPARED = MADE_AGAIN | TOLD | {"order"}
"""Kinds of records that a live run makes again, or takes from its journal and writes the same."""

_NO_CHECKPOINT = {"opened_us": -1, "reports": 0, "tags": {}}


@dataclass(frozen=True, kw_only=True)
class Tail:
    """What a journal holds from one of its checkpoints on, or from its beginning.

    Attributes:
        records: Members of the records after it; they can be gone through more than once.
        checkpoint: That checkpoint; None: there is none before them.
        tags: By id the tags of the orders among the records.
        commands: What operators did in them.
    """

    records: Iterable[bytes]
    checkpoint: Mapping[str, Any] | None
    tags: Mapping[str, str]
    commands: Sequence[Given]

    @property
    def now_us(self) -> int | None:
        """The instant of the checkpoint."""
        return None if self.checkpoint is None else at_us(self.checkpoint["at"])


def set_up_again(
    plan: LivePlan, bars: Sequence[Bars], start_us: int, tail: Tail, room: int, options: Mapping[str, Any]
) -> tuple[SchedulerSetup, LiveFeeds]:
    """A live run's setup as it stood at a tail's checkpoint, and where its bars came from.

    Args:
        plan: What it trades.
        bars: By leg all bars that are known.
        start_us: When the run has started.
        tail: What comes after the checkpoint.
        room: Bars that may come after all of these.
        options: Fields of `Execution`.
    """
    until_us = start_us if tail.now_us is None else tail.now_us
    legs = [one.part(0, int(np.searchsorted(one.closes_us, until_us, side="right"))) for one in bars]
    room += sum(len(one) - len(leg) for one, leg in zip(bars, legs, strict=True))
    feeds = LiveFeeds(plan)
    if tail.checkpoint is None:
        feeds.hear_history(legs)
    else:
        feeds.restore(tail.checkpoint["live"]["feeds"])
    return set_up_live(plan, feeds.merged(legs), start_us, room, **options), feeds


class Again:
    """A run on its way through what its journal holds.

    Attributes:
        loop: What turns it.
        ledger: What compares.
        writer: Who writes there.
    """

    def __init__(
        self,
        setup: SchedulerSetup,
        feeds: LiveFeeds,
        bars: Sequence[Bars],
        tail: Tail,
        run: str,
        ledger: CatchUp,
        journal: TradingDecisionJournal | None = None,
        *,
        drift: RecordedDrift | None = None,
    ) -> None:
        """A run as it stood at the tail's checkpoint.

        Args:
            setup: Its setup, with the bars up to that checkpoint.
            feeds: Where bars come from.
            bars: By leg all bars.
            tail: What is done again.
            run: The id of its journal.
            ledger: What compares the tail's records of the kinds `COMPARED`.
            journal: Where the ledger writes once everything is done again; None: nowhere.
            drift: How late its runs were; None: as the tail says.
        """
        machine, now_us = LiveMachine(setup), tail.now_us
        live: Mapping[str, Any] = _NO_CHECKPOINT
        if tail.checkpoint is not None:
            live = tail.checkpoint["live"]
            restore_checkpoint(machine, tail.checkpoint["state"])
        self.ledger = ledger
        self.loop = LiveLoop(
            machine, run, feeds, tail.commands, now_us=now_us, opened_us=live["opened_us"], reports=live["reports"]
        )
        tags = {**live["tags"], **tail.tags}
        self.loop.writer = self.writer = LiveScribe(machine, ledger, journal, self.loop.orders, now_us, tags)
        self.loop.drift = RecordedDrift(tail.records, setup) if drift is None else drift
        self._follower = Follower(self.loop, bars)

    def do(self) -> None:
        """Do all of it.

        Raises:
            DivergedError: Something else came out.
        """
        for _ in self.steps():
            pass

    def steps(self) -> Iterator[None]:
        """Do all of it, an instant or a report at a time.

        Raises:
            DivergedError: Something else came out.
        """
        ledger = self.ledger
        while (upcoming := ledger.upcoming) is not None:
            stood_us = self.loop.now_us
            self._follower.make(fields_of(upcoming))
            if ledger.upcoming is upcoming and self.loop.now_us == stood_us:
                raise DivergedError(upcoming, None)
            yield


class Follower:
    """Has a loop do what a journal's records tell of."""

    def __init__(self, loop: LiveLoop, bars: Sequence[Bars]) -> None:
        """bars: by leg all bars, those that the loop has had among them."""
        self._loop, self._records, self._bars = loop, LiveRecords(loop.machine.setup), bars
        self._places = [int(np.searchsorted(one.closes_us, loop.now_us, side="right")) for one in self._bars]

    def make(self, record: Mapping[str, Any]) -> None:
        """Do what brings a record about; where that is done already, nothing."""
        now_us, loop = at_us(record["at"]), self._loop
        if not loop.has_begun:
            loop.start()
        elif now_us > loop.now_us:
            loop.advance(now_us, self._rows(now_us))
        elif record["kind"] == "report":
            loop.report(report_of(record, at_us(record["told_at"])))
        elif record["kind"] == "opens":
            loop.begin(now_us, self._records.opens_of(record))

    def _rows(self, now_us: int) -> dict[int, Row]:
        rows = {}
        for leg, bars in enumerate(self._bars):
            at = self._places[leg]
            while at < len(bars) and int(bars.closes_us[at]) < now_us:
                at += 1
            if at < len(bars) and int(bars.closes_us[at]) == now_us:
                rows[leg] = tuple(bars.values[:5, at].tolist())
                at += 1
            self._places[leg] = at
        return rows
