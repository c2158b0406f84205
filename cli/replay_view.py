"""A running replay for people: a live table on a terminal, lines where it is piped."""

# ruff: noqa: PLC0415 - imported when the command runs, see `cli.app`

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Group

    from ..engine.scheduler.transitions import Event
    from ..replay.clock import Clock
    from ..replay.pace import Pace
    from ..replay.session import Session

_REFRESH_US = 250_000
_LINE_US = 2_000_000
_LAST_EVENTS = 6


@contextmanager
def shown(session: Session, pace: Pace | None, clock: Clock, *, watched: bool) -> Iterator[None]:
    """Show what a session does while it runs."""
    if not watched:
        yield
        return
    from rich.console import Console
    from rich.live import Live

    console = Console()
    if not console.is_terminal:
        lines = Lines(session, pace, clock)
        session.loop.listeners += (lines,)
        yield
        lines.say()
        return
    with Live(console=console, auto_refresh=False) as live:
        board = Board(session, pace, clock, live)
        session.loop.listeners += (board,)
        yield
        board.draw()


class _Watcher:
    """Counts signals, and is called at most so often by the clock."""

    def __init__(self, session: Session, pace: Pace | None, clock: Clock, every_us: int) -> None:
        from ..replay.monitor import Monitor

        self.monitor = Monitor(session.machine)
        self.session, self.pace = session, pace
        self._clock, self._every_us = clock, every_us
        self._told_us = clock.monotonic_us() - every_us

    def event(self, now_us: int, event: Event, by: str) -> None:
        """A command was applied, or something has ended."""
        self.monitor.event(now_us, event, by)

    def instant(self, now_us: int, place: int) -> None:
        """All of an instant is done."""
        self.monitor.instant(now_us, place)
        if self._clock.monotonic_us() - self._told_us >= self._every_us:
            self._told_us = self._clock.monotonic_us()
            self.tell()

    def block(self, next_bar: int) -> None:
        """The bars that were taken are done."""

    def tell(self) -> None:
        """Show how things are."""
        raise NotImplementedError

    @property
    def lag_text(self) -> str:
        """How far event time is behind the clock."""
        return "" if self.pace is None else f", {self.pace.speed:g}x, lag {self.pace.lag_us / 1e6:.2f} s"


class Lines(_Watcher):
    """One line now and then, and one for each event."""

    def __init__(self, session: Session, pace: Pace | None, clock: Clock) -> None:
        super().__init__(session, pace, clock, _LINE_US)

    def event(self, now_us: int, event: Event, by: str) -> None:
        """Say it at once."""
        super().event(now_us, event, by)
        typer.echo(self.monitor.events[-1])

    def tell(self) -> None:
        """One line."""
        self.say()

    def say(self) -> None:
        """Where the run is."""
        typer.echo(f"{self.monitor.heading}{self.lag_text}")


class Board(_Watcher):
    """A table that is drawn anew."""

    def __init__(self, session: Session, pace: Pace | None, clock: Clock, live: Any) -> None:
        super().__init__(session, pace, clock, _REFRESH_US)
        self._live = live

    def tell(self) -> None:
        """Draw it."""
        self.draw()

    def draw(self) -> None:
        """Draw how things are now."""
        self._live.update(self._picture(), refresh=True)

    def _picture(self) -> Group:
        from rich import box
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD)
        for heading in self.monitor.headings:
            right = heading in {"weight", "accepted", "dropped"}
            table.add_column(heading, justify="right" if right else "left", overflow="fold", min_width=5)
        for row in self.monitor.rows():
            table.add_row(*row)
        events = [Text(event) for event in self.monitor.events[-_LAST_EVENTS:]]
        return Group(Text(f"{self.monitor.heading}{self.lag_text}"), table, *events)
