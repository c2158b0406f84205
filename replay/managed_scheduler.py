"""A scheduler that is run, as operators and programs manage it: hold it back, look at it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from ..config.command_reading import make_command
from ..config.commands import AnyCommand
from ..config.core import CoreConfig
from ..config.durations import instant_at
from ..engine.capital_policies import policy_of
from ..engine.configured import check_given_commands
from ..engine.fallback import FeedName
from ..engine.scheduler.machine import SchedulerMachine
from ..engine.scheduler.snapshots import signal_limit_snapshot, suspension_snapshot
from ..engine.scheduler.state import Mode
from ..errors import UsageError
from .announcer import Announcer
from .clock import Clock, SystemClock
from .event_loop import Listener
from .health import BY_HEALTH
from .journal.writer import TradingDecisionJournal
from .schedule_description import describe_schedules
from .session import FROM_FILE
from .sinks import StrategySignalSink
from .telemetry import TelemetryEmitter

OPERATOR = "operator"
"""Who gives a command where nobody is named."""

Seconds = float | str
Moment = datetime | str

_NOBODYS = (FROM_FILE, BY_HEALTH)


class ManagedLoop(Protocol):
    """What turns the scheduler, over recorded bars or live.

    Attributes:
        listeners: Who hears of what is done.
    """

    listeners: tuple[Listener, ...]

    @property
    def now_us(self) -> int:
        """The instant that was done last."""

    def moment_us(self, wanted_us: int = 0) -> int:
        """The instant of a command that is given at once."""


class ManagedSession(Protocol):
    """A scheduler's run with its journal, over recorded bars or live."""

    @property
    def machine(self) -> SchedulerMachine:
        """The scheduler."""

    @property
    def loop(self) -> ManagedLoop:
        """What turns it."""

    @property
    def journal(self) -> TradingDecisionJournal | None:
        """Where it writes."""

    def give(self, command: AnyCommand, by: str) -> None:
        """Apply a command at once."""


class ManagedScheduler:
    """A session of a scheduler, as it is managed.

    A command takes effect before its method returns, and the journal has it then: its instant is the event time, held
    between what is done and what comes next. Names and values are held to the same as in a file of commands.

    Attributes:
        config: The configuration.
        session: What is run, with its journal.
        clock: What commands go by where one was given; by default the machine's.
    """

    session: ManagedSession

    def __init__(
        self,
        config: CoreConfig,
        session: ManagedSession,
        *,
        clock: Clock | None = None,
        sinks: Sequence[StrategySignalSink] = (),
        emitters: Sequence[TelemetryEmitter] = (),
    ) -> None:
        """sinks: who is told every signal; emitters: who is told what every run measured. Both hear of it from now on.

        clock: by it commands have the time, as far as event time allows; None: they have the event time.
        """
        self.config, self.session = config, session
        self.clock: Clock = clock or SystemClock()
        self._follows_clock = clock is not None
        self._setup, self._machine = session.machine.setup, session.machine
        self._announcer = Announcer(self._machine, sinks, emitters)
        session.loop.listeners += (self._announcer,)

    @property
    def now_us(self) -> int:
        """The instant that was done last, in microseconds since the epoch, UTC; before the first one the start."""
        return max(self.session.loop.now_us, self._setup.start_us)

    def command(self, name: str, *, by: str = OPERATOR, **fields: Any) -> AnyCommand:
        """Give a command by its name in a file of commands, with the fields that it has there but for `at`.

        Args:
            name: Such as `suspend_schedule`.
            by: Who gives it: the id of a token, or what stands in for a person.
            **fields: None is as good as left out.

        Returns:
            The command as it was given.

        Raises:
            UsageError: A field is unknown or missing, or a value is not allowed.
            ConfigError: There is no such schedule, tag, strategy or profile in this scheduler.
            JournalError: It could not be written down; nothing is acted upon any more.
        """
        if by in _NOBODYS:
            raise UsageError(f"by {by!r}: stands in the journal for what no operator gave; say who gives the command.")
        command = self.prepare(name, fields)
        self.session.give(command, by)
        self._announcer.tell_notes()
        return command

    def prepare(self, name: str, fields: Mapping[str, Any]) -> AnyCommand:
        """The command that `command` would give now, which is refused where that would refuse it."""
        at_us = self.session.loop.moment_us(self.clock.now_us() if self._follows_clock else 0)
        command = make_command({**fields, "command": name, "at": instant_at(at_us)})
        check_given_commands([command], self.config, self._setup.name)
        return command

    def suspend_schedule(
        self,
        name: str,
        *,
        reason: str = "",
        duration_seconds: Seconds | None = None,
        until: Moment | None = None,
        flatten: bool = False,
        by: str = OPERATOR,
    ) -> None:
        """Hold a schedule back; with `flatten`, what it holds is closed at the next open. See `command`."""
        timed = {"reason": reason, "duration_seconds": duration_seconds, "until": until}
        self.command("suspend_schedule", by=by, schedule=name, flatten=flatten, **timed)

    def suspend_tag(
        self,
        tag: str,
        *,
        reason: str = "",
        duration_seconds: Seconds | None = None,
        until: Moment | None = None,
        flatten: bool = False,
        by: str = OPERATOR,
    ) -> None:
        """Hold all schedules back whose strategy carries a tag. See `command`."""
        timed = {"reason": reason, "duration_seconds": duration_seconds, "until": until}
        self.command("suspend_tag", by=by, tag=tag, flatten=flatten, **timed)

    def resume_schedule(self, name: str, *, by: str = OPERATOR) -> None:
        """End the suspension of a schedule by its name; that of its tags stays. See `command`."""
        self.command("resume_schedule", by=by, schedule=name)

    def resume_tag(self, tag: str, *, by: str = OPERATOR) -> None:
        """End the suspension of a tag. See `command`."""
        self.command("resume_tag", by=by, tag=tag)

    def configure_signal_limit(
        self,
        strategy: str,
        profile: str,
        limit: int | None,
        *,
        reason: str = "",
        duration_seconds: Seconds | None = None,
        until: Moment | None = None,
        by: str = OPERATOR,
    ) -> None:
        """Override the most signals of a run for a strategy under a profile; None ends the override. See `command`."""
        if limit is None:
            self.clear_signal_limit(strategy, profile, by=by)
            return
        timed = {"reason": reason, "duration_seconds": duration_seconds, "until": until}
        self.command("set_signal_limit", by=by, strategy=strategy, profile=profile, limit=limit, **timed)

    def clear_signal_limit(self, strategy: str, profile: str, *, by: str = OPERATOR) -> None:
        """End such an override; what the configuration limits stays. See `command`."""
        self.command("clear_signal_limit", by=by, strategy=strategy, profile=profile)

    def disable_strategy(self, name: str, *, reason: str = "", flatten: bool = False, by: str = OPERATOR) -> None:
        """Switch all schedules of a strategy off until it is enabled. See `command`."""
        self.command("disable_strategy", by=by, strategy=name, reason=reason, flatten=flatten)

    def enable_strategy(self, name: str, *, reason: str = "", by: str = OPERATOR) -> None:
        """Switch them on again. See `command`."""
        self.command("enable_strategy", by=by, strategy=name, reason=reason)

    def set_capital_policy(
        self, policy: object, *, rebalance: bool = True, apply_policy_interval: bool = False, by: str = OPERATOR
    ) -> None:
        """Take another policy and compute the weights at once, unless told not to. See `command`.

        policy: a name, a mapping as in the configuration, or one of `engine.capital_policies`.
        """
        interval = {"apply_policy_interval": apply_policy_interval}
        self.command("set_capital_policy", by=by, policy=policy_of(policy).written, rebalance=rebalance, **interval)

    def replace_capital_policy(
        self, policy: object, *, apply_policy_interval: bool = False, by: str = OPERATOR
    ) -> None:
        """Take another policy from the next computation of the weights on. See `set_capital_policy`."""
        written = policy_of(policy).written
        self.command("replace_capital_policy", by=by, policy=written, apply_policy_interval=apply_policy_interval)

    def rebalance_capital(self, *, by: str = OPERATOR) -> dict[str, float]:
        """Compute the weights at once, whenever they were computed last; returns them. See `command`.

        Before the first instant they are computed with it.
        """
        self.command("rebalance_capital", by=by)
        return self.allocation_snapshot()

    def set_allocation_rebalance_seconds(self, seconds: Seconds, *, by: str = OPERATOR) -> None:
        """Set the least time between computations of the weights. See `command`."""
        self.command("set_allocation_rebalance_seconds", by=by, seconds=seconds)

    def halt(self, *, reason: str = "", by: str = OPERATOR) -> None:
        """Refuse all signals until the loop is resumed. See `command`."""
        self.command("halt", by=by, reason=reason)

    def reduce(self, *, reason: str = "", by: str = OPERATOR) -> None:
        """Refuse all signals but those that lower a position, until the loop is resumed. See `command`."""
        self.command("reduce", by=by, reason=reason)

    def resume(self, *, reason: str = "", by: str = OPERATOR) -> None:
        """Let the loop run again. See `command`."""
        self.command("resume", by=by, reason=reason)

    def use_feed(self, feed: FeedName, instrument: str | None = None, *, by: str = OPERATOR) -> None:
        """Read instruments from their fallback until told otherwise, or from their primary. See `command`.

        instrument: whose; None: all that have a fallback.

        Over recorded bars it is refused: they are read at the start, by the commands that a run is started with.
        """
        self.command("use_feed", by=by, feed=feed, instrument=instrument)

    @property
    def mode(self) -> Mode:
        """Whether the loop is running, reducing or halted, why, and who said so."""
        return self._machine.state.mode

    def suspension_snapshot(self) -> list[dict[str, Any]]:
        """A row per suspension that holds; see `engine.scheduler.snapshots`."""
        return suspension_snapshot(self._machine.state, self.now_us)

    def signal_limit_snapshot(self) -> list[dict[str, Any]]:
        """A row per limit that holds; see `engine.scheduler.snapshots`."""
        return signal_limit_snapshot(self._machine.state, self.now_us)

    def describe_schedules(self) -> list[dict[str, Any]]:
        """Configuration, limits, weights, suspensions and last run of each schedule, in declared order."""
        return describe_schedules(self._machine, self.now_us, self._announcer.last_runs)

    def allocation_snapshot(self) -> dict[str, float]:
        """Each schedule's share of capital; 0 before weights were computed."""
        return self._machine.allocation.snapshot()

    def capital_allocation_state(self) -> dict[str, dict[str, float]]:
        """`raw` and `smoothed` shares, `weights`, and these by `profile` and primary `tag`."""
        return self._machine.allocation.state()

    def capital_policy_diagnostics(self) -> dict[str, Any]:
        """How the weights came about, by each policy of the tree."""
        return self._machine.allocation.diagnostics()

    def profile_allocation_snapshot(self) -> dict[str, float]:
        """Share of each profile that is present, where the policy budgets by profile; else empty."""
        return self._machine.allocation.profiles()

    @property
    def floor_adjustment_applied(self) -> bool:
        """Whether the policy's `profile_floor` raised a profile."""
        return self._machine.allocation.floor_adjustment_applied
