"""Answers what is asked of a run: the same from its own machine and over the channel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from ...engine.outcome import without_endless
from ...errors import UsageError, unknown_name
from ..clock import Clock
from ..journal.notes import append_note, make_note
from ..managed_scheduler import ManagedScheduler
from .run import Run
from .status import mode_of, status_of
from .verbs import COMMANDS, READING, scope_of

Reload = Callable[[str], Mapping[str, Any]]
"""Takes the configuration anew for somebody; gives what changed."""

_SNAPSHOTS: Mapping[str, Callable[[ManagedScheduler], Any]] = MappingProxyType(
    {
        "schedules": ManagedScheduler.describe_schedules,
        "suspensions": ManagedScheduler.suspension_snapshot,
        "signal_limits": ManagedScheduler.signal_limit_snapshot,
        "capital_state": ManagedScheduler.capital_allocation_state,
        "capital_diagnostics": ManagedScheduler.capital_policy_diagnostics,
        "mode": mode_of,
    }
)
_NOTE_FIELDS = ("message", "category", "status")


class Desk:
    """Answers by verb. It is called by the thread that runs the loop, or where none runs.

    Attributes:
        run: What it answers for.
    """

    def __init__(self, run: Run, clock: Clock, reload: Reload) -> None:
        """clock: when notes are written. reload: takes the configuration anew."""
        self.run, self._clock, self._reload = run, clock, reload

    def answer(self, verb: str, fields: Mapping[str, Any], by: str) -> Any:
        """What a verb gives, as plain values; `by` was allowed to ask for it.

        Raises:
            UsageError: There is no such verb, or a field is not one of its.
            ConfigError: A name is none of the scheduler's, or a configuration is refused.
            JournalError: It could not be written down.
        """
        scope_of(verb)
        if verb in COMMANDS:
            return _plain(self.run.scheduler.command(verb, by=by, **_fields_of_command(fields)))
        if verb == "check":
            return self._check(**_only(verb, fields, ("commands",)))
        if verb == "note":
            return self._note(by=by, **_only(verb, fields, _NOTE_FIELDS))
        _only(verb, fields, ())
        if verb == "reload":
            return _plain(self._reload(by))
        return self._read(verb)

    def _read(self, verb: str) -> Any:
        if verb not in READING:
            raise UsageError(unknown_name("verb", verb, READING))
        return _plain(status_of(self.run) if verb == "status" else _SNAPSHOTS[verb](self.run.scheduler))

    def _check(self, commands: object = ()) -> int:
        """Refuse all where one would be refused; returns how many there are."""
        try:
            asked = msgspec.convert(commands, list[tuple[str, dict[str, Any]]])
        except msgspec.ValidationError as error:
            raise UsageError(f"check: commands is a list of pairs of a name and its fields: {error}") from None
        for name, fields in asked:
            if name not in COMMANDS:
                raise UsageError(unknown_name("command", name, COMMANDS))
            self.run.scheduler.prepare(name, _fields_of_command(fields))
        return len(asked)

    def _note(self, *, by: str, message: str = "", **others: Any) -> dict[str, Any]:
        """Write a note or an incident; see `journal.notes`."""
        journal = self.run.scheduler.session.journal
        if journal is None:
            raise UsageError("this loop writes no journal: it was started with --no-journal.")
        words = {name: value for name, value in others.items() if value is not None}
        if not all(isinstance(value, str) for value in (message, *words.values())):
            raise UsageError("note: message, category and status are texts.")
        note = make_note(message=message, by=by, now_us=self._clock.now_us(), **words)
        return {"seq": append_note(journal, note), "record": note}


def _only(verb: str, fields: Mapping[str, Any], known: tuple[str, ...]) -> dict[str, Any]:
    for name in fields:
        if name not in known:
            allowed = f"{verb} takes {', '.join(known)}" if known else f"{verb} takes no fields"
            raise UsageError(f"unknown field {name!r}: {allowed}.")
    return dict(fields)


def _fields_of_command(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a command without those that it has from the loop."""
    for name in ("command", "at", "by", "name", "self"):
        if name in fields:
            raise UsageError(f"{name!r} is not for a caller to say; who asks and when is known here.")
    return dict(fields)


def _plain(value: Any) -> Any:
    """Values as JSON has them; what has no end or is none is None."""
    return without_endless({"value": msgspec.to_builtins(value)})["value"]
