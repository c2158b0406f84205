"""A live run as its process sees it: connected, cut off, connected again, until it is stopped."""

from __future__ import annotations

from collections.abc import Callable

from ...engine.bars import MICROSECONDS
from ...errors import AuthorizationError, FeedError, HeldError
from ..adapter_log import AdapterLog
from ..channel.messages import Goodbye, Hello, Welcome
from ..channel.service import Stream
from ..clock import Clock, sleep_while
from ..drift import OnlyLatest
from ..journal.record import at_text
from .adapter import VenueAdapter
from .backing_off import BackOff
from .event_clock import EventClock
from .greeting import hello_of
from .link import VenueLink
from .session import LiveSession
from .shadow import Shadow

SESSION = "session"
"""Name of the stream."""

LOOK_US = 20_000
"""Longest time between two looks at whether to stop, and at what operators want."""

SILENCE_US = 15_000_000
"""A venue that says nothing for so long is gone, whatever its connection says; it sends a heartbeat each second."""

PATIENCE_US = 1_000_000
"""How long a command waits for the venue to tell what the instant that is done has opened with."""

_MUTE_INTERVALS = 2

Connect = Callable[[], Stream]


class ConnectedSession:
    """Keeps a session connected to its venue.

    Attributes:
        session: The run.
        is_connected: Whether the venue has answered and goes on.
        status: `connected`, or why it is not.
        shadow: What computes the day again between messages; None: nothing does.
    """

    def __init__(
        self, session: LiveSession, connect: Connect, clock: Clock, back_off: BackOff, log: AdapterLog
    ) -> None:
        """connect: opens a stream to the venue. log: what happens to the connection."""
        self.session, self.is_connected, self.status = session, False, "not connected yet"
        self.shadow: Shadow | None = None
        self._connect, self._clock, self._back_off, self._log = connect, clock, back_off, log
        self._event_clock = EventClock(clock)
        self._link: VenueLink | None = None
        self._answered_us = 0
        self._is_once = False
        self._adapter = VenueAdapter(session)
        session.loop.drift = self._event_clock

    def run(
        self,
        should_stop: Callable[[], bool],
        between: Callable[[], None] = lambda: None,
        begun: tuple[VenueLink, Welcome] | None = None,
    ) -> None:
        """Do what the venue tells, until it is to stop.

        Args:
            should_stop: Looked at after each message and every few milliseconds.
            between: What is done then besides: operators' commands.
            begun: A connection that is open already, and what the venue has answered on it.

        Raises:
            JournalError: The journal has failed: nothing more is done.
        """
        try:
            if begun is not None:
                self._guarded(lambda: self._begin(*begun))
            while not should_stop():
                if self._may_be_managed():
                    between()
                self._do_shadow()
                if self._link is None:
                    self._guarded(self._reach)
                    if self._link is None and not self._wait(should_stop, between):
                        break
                else:
                    self._guarded(self._listen)
        finally:
            self._leave()

    def once(self, should_stop: Callable[[], bool], begun: tuple[VenueLink, Welcome] | None = None) -> bool:
        """Run each schedule at its latest due time up to where the venue stands; False where it was stopped before.

        It ends when the venue has told what that instant opened with, and so what became of the orders.
        """
        loop = self.session.loop
        self._is_once, until_us = True, None

        def is_done() -> bool:
            nonlocal until_us
            if until_us is None and self.is_connected:
                until_us = loop.now_us
            return until_us is not None and loop.opened_us >= until_us

        self.run(lambda: should_stop() or is_done(), begun=begun)
        return is_done()

    def _may_be_managed(self) -> bool:
        """Operators wait for the opens of an instant that is half done, but not for ever."""
        if self._link is None or self.session.loop.is_settled:
            return True
        return self._clock.monotonic_us() - self._answered_us > PATIENCE_US

    def _do_shadow(self) -> None:
        """Compute a part of the day again, unless a message waits."""
        if self.shadow is not None and not (self._link is not None and self._link.has_more):
            self.shadow.slice()

    def _guarded(self, step: Callable[[], None]) -> None:
        """Do something with the venue; where it fails, or refuses, the connection is given up and tried again later."""
        try:
            step()
        except (FeedError, HeldError, AuthorizationError) as error:
            self._lose(str(error))

    def _reach(self) -> None:
        self._begin(*greet(self._connect(), self._hello(), self._clock))

    def _begin(self, link: VenueLink, welcome: Welcome) -> None:
        self._link, self._adapter = link, VenueAdapter(self.session)
        self._event_clock.hear(welcome)
        self._note("connected", f"{welcome.venue} at {at_text(welcome.now_us)}")
        if self._is_once:
            self.session.loop.drift = OnlyLatest(self.session.machine.setup, welcome.now_us)
        answer = self._adapter.take(welcome)
        self.session.loop.drift = self._event_clock
        if answer is not None:
            link.send(answer)
        self._back_off.succeeded()
        self.is_connected, self.status = True, "connected"

    @property
    def lag_us(self) -> int:
        """How far what is done is behind the venue's clock, in microseconds of event time."""
        event_us = self._event_clock.now_us
        return 0 if event_us is None else max(event_us - self.session.loop.now_us, 0)

    def _hello(self) -> Hello:
        loop, plan = self.session.loop, self.session.plan
        done_us = loop.now_us if loop.has_begun else -1
        return hello_of(
            plan,
            self.session.journal.log_id,
            self.session.options,
            done_us=done_us,
            reports=loop.reports,
            waiting=loop.orders.all(),
        )

    def _listen(self) -> None:
        """Take one message, or see that there is none."""
        link = self._link
        if link is None:
            return
        message = link.receive(LOOK_US)
        if message is None:
            self.session.commit()
            self._see_silence(link)
            return
        answer = self._adapter.take(message)
        if answer is not None:
            link.send(answer)
            self._answered_us = self._clock.monotonic_us()
            self.session.past.flush()

    def _see_silence(self, link: VenueLink) -> None:
        """Raise FeedError where the stream is open and nothing comes."""
        event_us, interval_us = self._event_clock.now_us, self.session.plan.interval_seconds * MICROSECONDS
        if self._clock.monotonic_us() - link.heard_us > SILENCE_US:
            raise FeedError(f"the venue has said nothing for {SILENCE_US // MICROSECONDS} seconds.")
        late_us = 0 if event_us is None else event_us - max(self._adapter.venue_us, self.session.loop.now_us)
        if self._event_clock.goes_by_itself and late_us > _MUTE_INTERVALS * interval_us + SILENCE_US:
            raise FeedError(f"the venue is there and mute: its last bars are {late_us // MICROSECONDS} seconds old.")

    def _lose(self, why: str) -> None:
        self.status = why
        if self.is_connected:
            self._note("lost", why)
        else:
            self._log.write("not_connected", why=why)
        self._hang_up()

    def _hang_up(self) -> None:
        link, self._link, self.is_connected = self._link, None, False
        if link is not None:
            link.close()

    def _leave(self) -> None:
        if self._link is not None:
            self._guarded(lambda: self._link.send(Goodbye()) if self._link is not None else None)
        self._hang_up()

    def _wait(self, should_stop: Callable[[], bool], between: Callable[[], None]) -> bool:
        ends_us = self._clock.monotonic_us() + self._back_off.next_us()

        def stops() -> bool:
            between()
            return should_stop()

        return sleep_while(lambda: ends_us - self._clock.monotonic_us(), self._clock, stops)

    def _note(self, status: str, reason: str) -> None:
        """Tell the log and the journal what happens to the connection."""
        self._log.write(status, why=reason)
        self.session.note_connection(status, reason)


def _first_word(link: VenueLink, clock: Clock) -> Welcome:
    """The venue's answer to `Hello`.

    Raises:
        FeedError: It refuses, or does not answer in time.
    """
    ends_us = clock.monotonic_us() + SILENCE_US
    while clock.monotonic_us() < ends_us:
        message = link.receive(LOOK_US)
        if isinstance(message, Welcome):
            return message
        if message is not None:
            raise FeedError(f"the venue answers {message!r}.")
    raise FeedError(f"the venue has not answered for {SILENCE_US // MICROSECONDS} seconds.")


def greet(stream: Stream, hello: Hello, clock: Clock) -> tuple[VenueLink, Welcome]:
    """Say the first word on a stream, and hear the answer.

    Raises:
        FeedError: The venue refuses, or does not answer; the stream is closed.
    """
    link = VenueLink(stream, clock)
    try:
        link.send(hello)
        return link, _first_word(link, clock)
    except BaseException:
        link.close()
        raise
