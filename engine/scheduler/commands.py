"""Commands that wait for their instant."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ...config.commands import AnyCommand
from ...config.durations import microseconds
from .arrays import NEVER_US


@dataclass(frozen=True, kw_only=True)
class Given:
    """A command that was given.

    Attributes:
        command: What is to be done; it says when.
        by: Who gave it: the id of a token, or what stands in for a person.
    """

    command: AnyCommand
    by: str = "commands"

    @property
    def at_us(self) -> int:
        """When it applies, in microseconds since the epoch, UTC."""
        return microseconds(self.command.at)


class CommandQueue:
    """Commands in order of their instants; of one instant, as they were given."""

    def __init__(self, given: Iterable[Given] = ()) -> None:
        self._waiting = sorted(given, key=_instant)

    def put(self, given: Given) -> None:
        """Add one, behind those of its instant."""
        insort(self._waiting, given, key=_instant)

    def take(self, now_us: int) -> Iterator[Given]:
        """Take out those whose instant has come."""
        while self._waiting and self._waiting[0].at_us <= now_us:
            yield self._waiting.pop(0)

    def next_us(self) -> int:
        """When the next one applies."""
        return self._waiting[0].at_us if self._waiting else NEVER_US


def _instant(given: Given) -> int:
    return given.at_us
