"""What `barstep audit …` is asked for: an engine over datasets, or a scheduler of a configuration."""

# ruff: noqa: PLC0415 - imported when a command runs, see `cli.app`

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import UsageError
from .scheduler_options import SchedulerOptions
from .settings import catalog_with, read_settings

if TYPE_CHECKING:
    from ..engine.bars import Bars
    from ..engine.strategy import StrategyEngine

Strategy = Annotated[str | None, typer.Option("--strategy", help="Name of a strategy engine.")]
Settings = Annotated[list[str] | None, typer.Option("--set", help="A parameter of the engine, NAME=VALUE.")]
EngineFiles = Annotated[
    list[Path] | None, typer.Option("--engine-file", help="A Python file with engines of your own. It is run.")
]
Data = Annotated[
    list[Path] | None, typer.Option("--data", help="A normalised dataset; may be repeated. [binance BTCUSDT 1h]")
]
Secondary = Annotated[
    Path | None, typer.Option(help="The second venue's dataset, for engines that trade two. [kraken BTCUSDT 1h]")
]
Config = Annotated[
    Path | None, typer.Option(help="A scheduler's configuration. [config/core.yaml, else the one of barstep]")
]
Scheduler = Annotated[
    str | None, typer.Option(help="A scheduler of it, in the place of an engine. [the environment's]")
]
Environment = Annotated[
    str | None, typer.Option(help="Whose bars and capital it has: an environment's name, alias or type. [demo]")
]
Start = Annotated[str | None, typer.Option(help="When the scheduler starts, ISO 8601, UTC; earlier bars warm it up.")]
End = Annotated[str | None, typer.Option(help="When it ends; bars that close later are left out.")]
Commands = Annotated[Path | None, typer.Option(help="A file of an operator's commands to the scheduler.")]
Seed = Annotated[int, typer.Option(min=0, help="What places and made-up bars are drawn by.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]


@dataclass(frozen=True, kw_only=True)
class Audited:
    """What is to be audited: an engine over datasets, or a scheduler by its options."""

    strategy: str | None
    settings: list[str] | None
    engine_files: list[Path] | None
    data: list[Path] | None
    secondary: Path | None
    options: SchedulerOptions

    @property
    def is_engine(self) -> bool:
        """Whether it is an engine. Options of both, or of none, are refused."""
        of_engine = {
            "--strategy": self.strategy,
            "--set": self.settings,
            "--engine-file": self.engine_files,
            "--data": self.data,
            "--secondary": self.secondary,
        }
        scheduler = self.options.given
        engine = [name for name, value in of_engine.items() if value]
        if engine and scheduler:
            raise UsageError(f"{engine[0]} is for the audit of an engine and {scheduler[0]} for that of a scheduler")
        if not scheduler and self.strategy is None:
            raise UsageError(
                "an engine or a scheduler is needed: barstep audit … --strategy mean_reversion, or --scheduler "
                "core_multi. `barstep backtest --list` shows the engines."
            )
        return not scheduler

    def engine(self) -> StrategyEngine:
        """The engine by its name."""
        return catalog_with(self.engine_files or [])[str(self.strategy)]

    def parameters(self, engine: StrategyEngine) -> dict[str, Any]:
        """The engine's parameters; a name that is none of them is refused."""
        return dict(engine.read_parameters(read_settings(self.settings or [])))

    def histories(self, engine: StrategyEngine) -> Iterator[tuple[str, Bars, Bars | None]]:
        """Yield (name, bars, the second venue's bars or None)."""
        from ..data.presets import EMBEDDED_FOLDER
        from ..engine.bars import load

        names = [path.stem for path in self.data or []]
        for name in names:
            if names.count(name) > 1:
                raise UsageError(f"two files are named {name!r}; reports are told apart by the file's name")
        if self.secondary is not None and len(self.data or []) > 1:
            raise UsageError(f"--secondary goes with one dataset; {len(self.data or [])} were given")
        second = self.secondary
        if second is None and engine.needs_secondary and not self.data:
            second = EMBEDDED_FOLDER / "kraken_BTCUSDT_1h.parquet"
        for path in self.data or [EMBEDDED_FOLDER / "binance_BTCUSDT_1h.parquet"]:
            yield path.stem, load(path), None if second is None else load(second)
