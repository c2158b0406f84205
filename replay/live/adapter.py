"""Between a venue's messages and the loop: bars are gathered until they are complete, orders go out once durable."""

from __future__ import annotations

import msgspec
import numpy as np

from ...engine.bars import MICROSECONDS
from ...engine.growing import Row
from ...errors import FeedError
from ...kernels.account import MAX_AGE_BARS
from ..channel.messages import (
    VERSION,
    Bar,
    Begun,
    Complete,
    FromLoop,
    FromVenue,
    Heartbeat,
    Order,
    Orders,
    Refusal,
    Report,
    Unfinished,
    Welcome,
)
from .loop import OWN_WORD
from .session import LiveSession


class VenueAdapter:
    """One connection's messages, one after the other.

    Attributes:
        venue_us: Where the venue stands, as far as it has told.
    """

    def __init__(self, session: LiveSession) -> None:
        self._session, self._loop, self._past = session, session.loop, session.past
        self._interval_us = session.plan.interval_seconds * MICROSECONDS
        self._legs = len(session.plan.names) + len(session.plan.fallback)
        self._bars: dict[int, dict[int, Row]] = {}
        self._opens: dict[int, dict[int, float]] = {}
        self.venue_us = -1

    def take(self, message: FromVenue) -> FromLoop | None:
        """Do what a message says; returns the answer that it wants, which may be sent at once.

        Raises:
            FeedError: The venue refuses, or tells what cannot be.
        """
        match message:
            case Welcome():
                return self._welcome(message)
            case Bar(leg=leg, ts_us=ts_us):
                self._check_leg(leg)
                row = (message.open, message.high, message.low, message.close, message.volume)
                if ts_us + self._interval_us > self._loop.now_us:
                    self._bars.setdefault(ts_us + self._interval_us, {})[leg] = row
            case Unfinished(leg=leg, ts_us=ts_us):
                self._check_leg(leg)
                self._opens.setdefault(ts_us, {}).setdefault(leg, message.open)
            case Complete(at_us=at_us):
                self.venue_us = max(self.venue_us, at_us)
                return self._complete(at_us)
            case Begun(at_us=at_us):
                self._begun(at_us)
            case Report():
                self._loop.report(message)
            case Heartbeat(at_us=at_us):
                self.venue_us = max(self.venue_us, at_us)
            case Refusal():
                raise FeedError(f"the venue refuses ({message.code}): {message.message}")
        return None

    def _check_leg(self, leg: int) -> None:
        if not 0 <= leg < self._legs:  # kernels take it for a place
            raise FeedError(f"the venue tells of leg {leg}; this run has {self._legs}, from 0 on.")

    def _welcome(self, welcome: Welcome) -> Orders:
        if welcome.version != VERSION:
            raise FeedError(f"the venue speaks version {welcome.version} of the protocol; this is version {VERSION}.")
        self.venue_us = max(self.venue_us, welcome.now_us)
        loop = self._loop
        if not loop.has_begun:
            loop.start()
        self._fill_gap(welcome.now_us)
        again, wanted = [], loop.orders.all()
        for order_id, order in wanted.items():
            if order_id in welcome.known:
                continue
            if self._is_young(order, welcome.now_us):
                again.append(msgspec.structs.replace(order, tag=self._session.writer.tags[order_id]))
            else:
                self._abandon(order_id)
        self._session.commit()
        self._session.writer.take_waiting()  # all of it is in this answer, as far as the venue has it not
        cancels = [order_id for order_id in welcome.orders if order_id not in wanted]
        return Orders(at_us=loop.now_us, orders=again, cancels=cancels)

    def _fill_gap(self, until_us: int) -> None:
        """The venue goes on later than this loop stands: what lies between is in its history."""
        loop = self._loop
        if until_us <= loop.now_us:
            return
        legs = self._past.fetch(loop.now_us, until_us)
        rows: dict[int, dict[int, Row]] = {}
        for leg, bars in enumerate(legs):
            for at in np.flatnonzero((bars.closes_us > loop.now_us) & (bars.closes_us <= until_us)).tolist():
                rows.setdefault(int(bars.closes_us[at]), {})[leg] = tuple(bars.values[:5, at].tolist())
        for close_us in sorted(rows):
            loop.advance(close_us, rows[close_us])
        if until_us > loop.now_us:
            loop.advance(until_us, {})

    def _is_young(self, order: Order, now_us: int) -> bool:
        most_bars = float(self._session.machine.arrays.rules[order.schedule, MAX_AGE_BARS])
        return order.never_ages or now_us - order.sent_us <= most_bars * self._interval_us

    def _abandon(self, order_id: str) -> None:
        now_us = self._loop.now_us
        word = Report(number=OWN_WORD, order_id=order_id, at_us=now_us, status="abandoned", reason="age")
        self._loop.report(word)

    def _complete(self, at_us: int) -> Orders:
        loop = self._loop
        for close_us in sorted(self._bars):
            if close_us <= at_us:
                rows = self._bars.pop(close_us)
                if close_us > loop.now_us:
                    loop.advance(close_us, rows)
                    self._past.add(close_us - self._interval_us, rows)
        if at_us > loop.now_us:
            loop.advance(at_us, {})
        self._session.commit()
        orders, cancels = self._session.writer.take_waiting()
        return Orders(at_us=at_us, orders=orders, cancels=cancels)

    def _begun(self, at_us: int) -> None:
        opens = self._opens.pop(at_us, {})
        for old in [ts_us for ts_us in self._opens if ts_us < at_us]:
            del self._opens[old]
        if opens:
            self._loop.begin(at_us, self._loop.feeds.opens(opens))
