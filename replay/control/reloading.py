"""The configuration anew: all of it or nothing, while the loop runs.

What may change is what the state of a scheduler can take: docs/operations.md lists it. The rest is refused with the
paths that changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from ...config.core import CoreConfig
from ...config.digest import content_sha384
from ...config.durations import microseconds
from ...config.limits import SignalLimit
from ...config.problems import Problem
from ...config.runtime import ResourceLimits
from ...config.schedulers import Scheduler
from ...config.tokens import Token
from ...errors import ConfigError
from ..clock import Clock
from ..journal.record import at_text
from ..managed_scheduler import ManagedScheduler
from .configurations import CHANGE, keep

Place: TypeAlias = tuple[str, ...]
Call: TypeAlias = tuple[str, dict[str, Any]]

_SCHEDULERS = ("runtime", "multi_strategy_schedulers")
MAY_CHANGE = (
    "rbac_tokens",
    "capital_policy",
    "allocation_rebalance_seconds",
    "initial_suspensions",
    "initial_signal_limits",
)
"""Of the scheduler that runs. What none of its decisions depend on may change, too."""
_ORDER = Problem(path=(), text="the order of schedules or instruments has changed, which decides ties.")


class Reloader:
    """Takes the configuration of a run anew.

    Attributes:
        config: The one in force.
        take_tokens: Lets in whom tokens allow from now on, and nobody else; by default nobody comes.
        take_limits: Holds the process to other limits of its resources; by default nobody measures it.
    """

    def __init__(
        self,
        scheduler: ManagedScheduler,
        config: CoreConfig,
        read: Callable[[], CoreConfig],
        clock: Clock,
        *,
        folder: Path | None = None,
    ) -> None:
        """read: reads the configuration as it is written now.

        folder: that of journals; None: nothing is written down.
        """
        self.config = config
        self._scheduler, self._read, self._clock = scheduler, read, clock
        self._folder = folder
        self.take_tokens: Callable[[Sequence[Token]], None] = lambda _: None
        self.take_limits: Callable[[ResourceLimits], None] = lambda _: None

    def __call__(self, by: str) -> dict[str, Any]:
        """Take it; gives both digests, the paths that changed and the commands that it made.

        Raises:
            ConfigError: It is refused, or something changed that cannot change here; nothing was taken.
            JournalError: It could not be written down.
        """
        new = self._read()
        old_digest, new_digest = content_sha384(self.config), content_sha384(new)
        told: dict[str, Any] = {"old_config": old_digest, "new_config": new_digest, "changed": [], "commands": []}
        if old_digest == new_digest:
            return told
        setup = self._scheduler.session.machine.setup
        places = list(differences(msgspec.to_builtins(self.config), msgspec.to_builtins(new)))
        refuse(places, setup.name, setup.environment)
        calls = list(self._calls(new.runtime.multi_strategy_schedulers[setup.name]))
        for name, fields in calls:
            self._scheduler.prepare(name, fields)
        told |= {"changed": [".".join(place) for place in places], "commands": [name for name, _ in calls]}
        if self._folder is not None:
            keep(self._folder, new)
        self.take_tokens(new.runtime.multi_strategy_schedulers[setup.name].rbac_tokens)
        self._write(told, by)
        for name, fields in calls:
            self._scheduler.command(name, by=by, **fields)
        self.take_limits(new.runtime.resource_limits)
        self.config = new
        return told

    def _write(self, told: dict[str, Any], by: str) -> None:
        journal = self._scheduler.session.journal
        if journal is None:
            return
        message = f"configuration reloaded: {', '.join(told['changed'])}"
        written = {"at": at_text(self._clock.now_us()), "category": CHANGE, "message": message, "status": None}
        journal.append_record({"kind": "note", **written, "by": by, **told})
        if not told["commands"]:
            journal.commit()  # else it is in one group with the first of them

    def _calls(self, new: Scheduler) -> Iterator[Call]:
        """The commands that bring the run to what the configuration says now."""
        old = self._scheduler_in(self.config)
        if new.capital_policy != old.capital_policy:
            yield "set_capital_policy", {"policy": msgspec.to_builtins(new.capital_policy)}
        if (seconds := _interval(new)) != _interval(old):
            if seconds is None:
                path = (*_SCHEDULERS, self._scheduler.session.machine.setup.name, "allocation_rebalance_seconds")
                raise ConfigError([Problem(path=path, text="cannot be left out any more while the loop runs.")])
            yield "set_allocation_rebalance_seconds", {"seconds": seconds}
        yield from self._limits(old, new)
        for one in new.initial_suspensions:
            if one not in old.initial_suspensions and not self._is_past(one.until):
                kind, name = ("tag", one.tag) if one.schedule is None else ("schedule", one.schedule)
                timed = {"until": one.until, "duration_seconds": one.duration_seconds}
                yield f"suspend_{kind}", {kind: name, "reason": one.reason, "flatten": one.flatten, **timed}

    def _limits(self, old: Scheduler, new: Scheduler) -> Iterator[Call]:
        for strategy, by_profile in new.initial_signal_limits.items():
            for profile, written in by_profile.items():
                limit = written if isinstance(written, SignalLimit) else SignalLimit(limit=written)
                if written != old.initial_signal_limits.get(strategy, {}).get(profile) and not self._is_past(
                    limit.until
                ):
                    yield "set_signal_limit", {"strategy": strategy, "profile": profile, **msgspec.to_builtins(limit)}

    def _is_past(self, until: Any) -> bool:
        return until is not None and microseconds(until) <= self._scheduler.now_us

    def _scheduler_in(self, config: CoreConfig) -> Scheduler:
        return config.runtime.multi_strategy_schedulers[self._scheduler.session.machine.setup.name]


def differences(old: Any, new: Any, place: Place = ()) -> Iterator[Place]:
    """Where two trees of plain values differ; lists are compared as a whole."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in [*old, *(each for each in new if each not in old)]:
            yield from differences(old.get(name), new.get(name), (*place, str(name)))
    elif old != new:
        yield place


def refuse(places: Sequence[Place], scheduler: str, environment: str) -> None:
    """Raise ConfigError where something changed that cannot change while the loop runs."""
    refused = [place for place in places if not _may_change(place, scheduler, environment)]
    allowed = f"Of scheduler {scheduler!r} {', '.join(MAY_CHANGE)} may; for the rest begin a new journal."
    problems = [Problem(path=place, text=f"cannot change while the loop runs. {allowed}") for place in refused]
    if problems or not places:
        raise ConfigError(problems or [_ORDER])


def _may_change(place: Place, scheduler: str, environment: str) -> bool:
    if place[:2] == _SCHEDULERS:
        return place[2] != scheduler or (place[3:4] != () and place[3] in MAY_CHANGE)
    if place[0] == "environments":
        return place[1] != environment
    return place[:2] == ("runtime", "resource_limits")


def _interval(scheduler: Scheduler) -> float | None:
    if scheduler.allocation_rebalance_seconds is not None:
        return scheduler.allocation_rebalance_seconds
    return None if isinstance(scheduler.capital_policy, str) else scheduler.capital_policy.rebalance_seconds
