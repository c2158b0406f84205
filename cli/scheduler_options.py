"""What the commands over a whole scheduler read alike: which one, over which bars, with what left out."""

# ruff: noqa: PLC0415 - imported when a command runs, see `cli.app`

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from .settings import config_path

if TYPE_CHECKING:
    from ..engine.scheduler.setup import SchedulerSetup

DEFAULT_ENVIRONMENT = "demo"
Intervention = Literal["suspensions", "limits", "governor"]
_WITHOUT: tuple[Intervention, ...] = get_args(Intervention)


@dataclass(frozen=True, kw_only=True)
class SchedulerOptions:
    """What the command line says; a field that is None or False was not given."""

    config: Path | None
    scheduler: str | None
    environment: str | None
    start: str | None
    end: str | None
    commands: Path | None
    without_suspensions: bool = False
    without_limits: bool = False
    without_governor: bool = False

    @property
    def given(self) -> list[str]:
        """The options that were given, as they are typed."""
        return [f"--{name.replace('_', '-')}" for name, value in asdict(self).items() if value not in (None, False)]

    @property
    def without(self) -> tuple[Intervention, ...]:
        """What the run leaves out."""
        return tuple(name for name in _WITHOUT if getattr(self, f"without_{name}"))

    def arguments(self) -> dict[str, Any]:
        """What every call over a whole scheduler takes.

        Raises:
            UsageError: A time is none.
        """
        from ..data.instants import read_instant

        return {
            "config": config_path(self.config),
            "scheduler": self.scheduler,
            "environment": DEFAULT_ENVIRONMENT if self.environment is None else self.environment,
            "start": None if self.start is None else read_instant("--start", self.start),
            "end": None if self.end is None else read_instant("--end", self.end),
            "commands": self.commands or (),
        }

    def set_up(self, execution: Mapping[str, Any]) -> SchedulerSetup:
        """All that the run depends on.

        Args:
            execution: Options of costs, sizes and orders, by name.

        Raises:
            UsageError: A name is unknown, or a value is not allowed.
            ConfigError: The configuration or the commands are refused.
            DataError: Bars are not there.
        """
        from ..engine.execution import Execution
        from ..engine.portfolio import known_options
        from ..engine.scheduler.backtest import set_up_scheduler

        known_options(execution, Execution.__dataclass_fields__)  # before they meet the names of the call
        return set_up_scheduler(**self.arguments(), without=self.without, **execution)
