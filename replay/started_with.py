"""The commands that a run is started with, when it goes on: those that the journal has, and those still to come."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

import msgspec

from ..config.commands import AnyCommand
from ..engine.scheduler.commands import Given
from ..errors import JournalError
from .catching_up import MADE_AGAIN
from .journal.files import JournalFiles
from .journal.record import at_us, fields_of


def done_us(tail: Sequence[bytes], now_us: int | None) -> int:
    """The first instant that a command may still come at; the last one may have been written in part.

    Args:
        tail: Records since the last checkpoint.
        now_us: The instant of that checkpoint; None where there is none.
    """
    for payload in reversed(tail):
        record = fields_of(payload)
        if record["kind"] in MADE_AGAIN:
            return at_us(record["at"])
    return 0 if now_us is None else now_us + 1


def still_to_come(
    files: JournalFiles, done: Sequence[AnyCommand], given: Sequence[Given], start_us: int, from_us: int
) -> Sequence[Given]:
    """The commands that a run is started with without those that the journal has.

    Args:
        files: The journal's, for messages.
        done: What the journal has of such commands.
        given: What the run is started with now.
        start_us: When the run starts; what was given before comes then.
        from_us: The first instant that a command may still come at.

    Raises:
        JournalError: The run was started with others, as far as it has come.
    """
    for number, (before, now) in enumerate(zip_longest(done, (one.command for one in given[: len(done)])), 1):
        if before != now:
            raise JournalError(
                f"{files.open_segment}: command {number} of those that the journal's run was started with is "
                f"{_shown(before)}, here it is {_shown(now)}. Give those that were done as they were."
            )
    late = next((one for one in given[len(done) :] if max(one.at_us, start_us) < from_us), None)
    if late is not None:
        raise JournalError(
            f"{files.open_segment}: the run is past {_shown(late.command)}, which it was not started with. Leave that "
            "out, or give another run its own folder."
        )
    return given[len(done) :]


def _shown(command: AnyCommand | None) -> str:
    return "none" if command is None else msgspec.json.encode(command).decode()
