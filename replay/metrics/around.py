"""What a scheduler's metrics say besides what its machine does: time, connection, feeds, orders, journal, shadow."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Protocol

from ..journal.writer import TradingDecisionJournal
from ..session import Session


class ShadowLooks(Protocol):
    """What shadow parity has found; see `live.shadow.Shadow`."""

    looks: int
    differences: int
    equity_gap: float


class Around(Protocol):
    """What is beside a machine."""

    @property
    def now_us(self) -> int:
        """The event time that it is now, in microseconds since the epoch."""

    @property
    def lag_us(self) -> int:
        """How far what is done is behind its moment."""

    @property
    def is_connected(self) -> bool | None:
        """Whether the venue answers; None where there is none."""

    def on_fallback(self, now_us: int) -> Collection[str]:
        """Instruments that are read from their fallback."""

    @property
    def orders(self) -> Mapping[str, int] | None:
        """How many orders were sent and ended, by status; None where no venue is told of any."""

    @property
    def journal(self) -> TradingDecisionJournal | None:
        """Where it is written down."""

    @property
    def shadow(self) -> ShadowLooks | None:
        """What computes the day again."""


class AroundRecorded:
    """Beside a session over recorded bars."""

    is_connected = None
    orders = None
    shadow = None

    def __init__(self, session: Session, lag_us: Callable[[], int] = lambda: 0) -> None:
        """lag_us: how far the last instant was behind its moment, in microseconds of the clock."""
        self._session, self._lag_us = session, lag_us
        self._changes, self._next = session.machine.setup.feed_changes, 0
        self._on_fallback: set[str] = set()

    @property
    def now_us(self) -> int:
        """The instant that was done last."""
        return max(self._session.loop.now_us, self._session.machine.setup.start_us)

    @property
    def lag_us(self) -> int:
        """How far it was behind its moment."""
        return self._lag_us()

    def on_fallback(self, now_us: int) -> Collection[str]:
        """Instruments whose bars came from their fallback then; it is never asked for an earlier instant."""
        while self._next < len(self._changes) and self._changes[self._next].at_us <= now_us:
            change = self._changes[self._next]
            (self._on_fallback.add if change.change == "fallback" else self._on_fallback.discard)(change.instrument)
            self._next += 1
        return self._on_fallback

    @property
    def journal(self) -> TradingDecisionJournal | None:
        """Where it is written down."""
        return self._session.journal
