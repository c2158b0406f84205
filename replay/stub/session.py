"""One stream of a loop to the venue, without the stream: what the loop says goes in, what is due comes out."""

from __future__ import annotations

from abc import ABC, abstractmethod

from ..channel.messages import FromLoop, FromVenue, Goodbye, Heartbeat, Orders, Refusal
from .run import Run

MOST_AT_ONCE = 1_000
"""Messages that one call gives, about: who catches up with a year is given it in pieces."""


class Session(ABC):
    """What both kinds of sessions do. Times named `now_us` are of the clock, all others of event time.

    Attributes:
        run: The run that it belongs to.
        is_over: Whether nothing more comes, and nothing is heard.
    """

    def __init__(self, run: Run, reports: int, heartbeat_us: int, now_us: int) -> None:
        """reports: how many the loop has."""
        self.run = run
        self.is_over = False
        self._reported = reports
        self._heartbeat_us, self._spoke_us = heartbeat_us, now_us
        self._outbox: list[FromVenue] = []

    @property
    @abstractmethod
    def event_us(self) -> int:
        """Where it stands."""

    @abstractmethod
    def hear_orders(self, orders: Orders, now_us: int) -> None:
        """Take the orders of an instant."""

    @abstractmethod
    def advance(self, now_us: int) -> None:
        """Say what is due."""

    @abstractmethod
    def following_us(self) -> int | None:
        """When the clock lets the next instant come; None where only the loop does, or nothing comes any more."""

    def hear(self, message: FromLoop, now_us: int) -> None:
        """Take what the loop says."""
        if self.is_over:
            return
        if isinstance(message, Orders):
            self.hear_orders(message, now_us)
        elif isinstance(message, Goodbye):
            self.is_over = True
        else:
            self.refuse("hello", "the stream is open already: Hello is its first message, and comes once.")

    def due(self, now_us: int) -> list[FromVenue]:
        """What is to be sent now, in order."""
        if not self.is_over:
            self.advance(now_us)
            if not self._outbox and now_us >= self._spoke_us + self._heartbeat_us:
                self.say(Heartbeat(at_us=self.event_us))
        said, self._outbox = self._outbox, []
        if said:
            self._spoke_us = now_us
        return said

    @property
    def next_us(self) -> int | None:
        """When something is due, if the loop says nothing before; None where it is over."""
        if self._outbox:
            return self._spoke_us
        if self.is_over:
            return None
        following, beat_us = self.following_us(), self._spoke_us + self._heartbeat_us
        return beat_us if following is None else min(following, beat_us)

    def say(self, message: FromVenue) -> None:
        """Send a message with the next ones."""
        self._outbox.append(message)

    def say_reports(self, until_us: int) -> None:
        """Send the reports that the loop does not have, of what has happened until an instant."""
        reports = self.run.ledger.reports
        while self._reported < len(reports) and reports[self._reported].at_us <= until_us:
            self.say(reports[self._reported])
            self._reported += 1

    def refuse(self, code: str, message: str) -> None:
        """End it and say why."""
        self.say(Refusal(code=code, message=message))
        self.is_over = True

    @property
    def is_full(self) -> bool:
        """Whether enough is said for one call."""
        return len(self._outbox) >= MOST_AT_ONCE
