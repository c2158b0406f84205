"""A live run as the command line and the loop's own service hold it."""

from __future__ import annotations

from collections.abc import Callable

from ...config.core import CoreConfig
from ..channel.client import ChannelClient
from ..channel.messages import Welcome
from ..managed_scheduler import ManagedScheduler
from ..resources import ResourceMonitor
from .link import VenueLink
from .past import RecordedPast
from .running import ConnectedSession


class LiveRun:
    """A run at a venue, its journal, its recording and its connection; see `replay.control.run.Run`.

    Attributes:
        connected: What keeps it connected.
        scheduler: Commands and snapshots.
        resources: What the process uses; None where nobody measures it.
    """

    def __init__(
        self,
        config: CoreConfig,
        connected: ConnectedSession,
        past: RecordedPast,
        client: ChannelClient,
        *,
        begun: tuple[VenueLink, Welcome] | None = None,
    ) -> None:
        """begun: the connection that a new run was begun on."""
        self.connected, self._past, self._client, self._begun = connected, past, client, begun
        self.scheduler = ManagedScheduler(config, connected.session)
        self.resources: ResourceMonitor | None = None

    @property
    def lag_us(self) -> int:
        """How far the last instant is behind the venue's clock, in microseconds of event time."""
        return self.connected.lag_us

    @property
    def connection(self) -> str:
        """`connected`, or why it is not."""
        return self.connected.status

    @property
    def on_fallback(self) -> tuple[str, ...]:
        """Instruments that are read from their fallback now."""
        return self.connected.session.loop.feeds.on_fallback

    def run_once(self, should_stop: Callable[[], bool]) -> bool:
        """Run each schedule at its latest due time on closed bars, and see what the venue does with its orders."""
        return self.connected.once(should_stop, self._begun)

    def run(self, should_stop: Callable[[], bool], between: Callable[[], None]) -> None:
        """Go on until it is to stop."""
        self.connected.run(should_stop, between, self._begun)

    def close(self) -> None:
        """Seal the journal, and let go of everything; a second time does nothing."""
        session = self.connected.session
        if session.is_closed:
            return
        try:
            session.close()
        finally:
            self._past.close()
            self._client.close()
