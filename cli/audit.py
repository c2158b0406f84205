"""`barstep audit …`: does anything look ahead, and how many bars does an engine need until it agrees with itself?"""

# ruff: noqa: PLC0415 - imported when a command runs, see `cli.app`

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import UsageError
from .settings import catalog_with, config_path, read_settings

if TYPE_CHECKING:
    from ..engine.bars import Bars
    from ..engine.lookahead import LookaheadReport
    from ..engine.strategy import StrategyEngine
    from ..engine.warmup_audit import WarmupReport

app = typer.Typer(rich_markup_mode=None, help="Audits of engines and whole schedulers: look-ahead and warming up.")

_Strategy = Annotated[str | None, typer.Option("--strategy", help="Name of a strategy engine.")]
_Settings = Annotated[list[str] | None, typer.Option("--set", help="A parameter of the engine, NAME=VALUE.")]
_EngineFiles = Annotated[
    list[Path] | None, typer.Option("--engine-file", help="A Python file with engines of your own. It is run.")
]
_Data = Annotated[
    list[Path] | None, typer.Option("--data", help="A normalised dataset; may be repeated. [binance BTCUSDT 1h]")
]
_Secondary = Annotated[
    Path | None, typer.Option(help="The second venue's dataset, for engines that trade two. [kraken BTCUSDT 1h]")
]
_Config = Annotated[
    Path | None, typer.Option(help="A scheduler's configuration. [config/core.yaml, else the one of barstep]")
]
_Scheduler = Annotated[
    str | None, typer.Option(help="A scheduler of it, in the place of an engine. [the environment's]")
]
_Environment = Annotated[
    str | None, typer.Option(help="Whose bars and capital it has: an environment's name, alias or type. [demo]")
]
_Start = Annotated[str | None, typer.Option(help="When the scheduler starts, ISO 8601, UTC; earlier bars warm it up.")]
_End = Annotated[str | None, typer.Option(help="When it ends; bars that close later are left out.")]
_Commands = Annotated[Path | None, typer.Option(help="A file of an operator's commands to the scheduler.")]
_Seed = Annotated[int, typer.Option(min=0, help="What places and made-up bars are drawn by.")]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]

_OF_ENVIRONMENT = "the environment's scheduler"


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What is to be audited: an engine over datasets, or a scheduler."""

    strategy: str | None
    settings: list[str] | None
    engine_files: list[Path] | None
    data: list[Path] | None
    secondary: Path | None
    config: Path | None
    scheduler: str | None
    environment: str | None
    start: str | None
    end: str | None
    commands: Path | None

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
        of_scheduler = {
            "--config": self.config,
            "--scheduler": self.scheduler,
            "--environment": self.environment,
            "--start": self.start,
            "--end": self.end,
            "--commands": self.commands,
        }
        engine, scheduler = ([name for name, value in each.items() if value] for each in (of_engine, of_scheduler))
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

        if self.secondary is not None and len(self.data or []) > 1:
            raise UsageError(f"--secondary goes with one dataset; {len(self.data or [])} were given")
        second = self.secondary
        if second is None and engine.needs_secondary and not self.data:
            second = EMBEDDED_FOLDER / "kraken_BTCUSDT_1h.parquet"
        for path in self.data or [EMBEDDED_FOLDER / "binance_BTCUSDT_1h.parquet"]:
            yield path.stem, load(path), None if second is None else load(second)

    def scheduled(self) -> dict[str, Any]:
        """The arguments of a scheduler's audit."""
        from ..data.instants import read_instant

        return {
            "config": config_path(self.config),
            "scheduler": self.scheduler,
            "environment": self.environment or "demo",
            "start": None if self.start is None else read_instant("--start", self.start),
            "end": None if self.end is None else read_instant("--end", self.end),
            "commands": self.commands or (),
        }


@app.command("lookahead")
def lookahead_command(
    strategy: _Strategy = None,
    settings: _Settings = None,
    engine_files: _EngineFiles = None,
    data: _Data = None,
    secondary: _Secondary = None,
    config: _Config = None,
    scheduler: _Scheduler = None,
    environment: _Environment = None,
    start: _Start = None,
    end: _End = None,
    commands: _Commands = None,
    cuts: Annotated[
        int | None, typer.Option(min=1, help="From how many places on the future is changed. [60; a scheduler's 6]")
    ] = None,
    seed: _Seed = 0,
    json_output: _Json = False,
) -> None:
    """Change the future and look whether any past output moves; exit 1 where one does."""
    from ..engine.lookahead import audit_lookahead
    from ..engine.scheduler_lookahead import audit_scheduler_lookahead

    asked = _Asked(
        strategy=strategy, settings=settings, engine_files=engine_files, data=data, secondary=secondary, config=config,
        scheduler=scheduler, environment=environment, start=start, end=end, commands=commands,
    )  # fmt: skip
    drawn: dict[str, Any] = {"seed": seed, **({} if cuts is None else {"cuts": cuts})}

    def of_engine(engine: StrategyEngine, bars: Bars, other: Bars | None, progress: Any) -> LookaheadReport:
        parameters = asked.parameters(engine)
        return audit_lookahead(engine, bars, secondary=other, progress=progress, **drawn, **parameters)

    def of_scheduler(progress: Any) -> LookaheadReport:
        return audit_scheduler_lookahead(**asked.scheduled(), progress=progress, **drawn)

    _tell(_reports(asked, of_engine, of_scheduler, quiet=json_output), _print_lookahead, json_output=json_output)


@app.command("warmup")
def warmup_audit_command(
    strategy: _Strategy = None,
    settings: _Settings = None,
    engine_files: _EngineFiles = None,
    data: _Data = None,
    secondary: _Secondary = None,
    config: _Config = None,
    scheduler: _Scheduler = None,
    environment: _Environment = None,
    start: _Start = None,
    end: _End = None,
    commands: _Commands = None,
    tolerance: Annotated[
        float, typer.Option(help="Relative difference that counts as agreement; 0: the same bits.")
    ] = 1e-6,
    warmup_bars: Annotated[
        int, typer.Option(min=0, help="Bars that you let go by; the engine's own declaration counts where it is more.")
    ] = 0,
    starts: Annotated[int, typer.Option(min=1, help="From how many places on the history is begun anew.")] = 24,
    seed: _Seed = 0,
    json_output: _Json = False,
) -> None:
    """Begin the history later and later; exit 1 where more bars are needed than the engine or schedule declares."""
    from ..engine.warmup_audit import audit_scheduler_warmup, audit_warmup

    asked = _Asked(
        strategy=strategy, settings=settings, engine_files=engine_files, data=data, secondary=secondary, config=config,
        scheduler=scheduler, environment=environment, start=start, end=end, commands=commands,
    )  # fmt: skip
    if warmup_bars and not asked.is_engine:
        raise UsageError("--warmup-bars is for an engine; a schedule's stand in its configuration")
    drawn: dict[str, Any] = {"seed": seed, "starts": starts, "tolerance": tolerance}

    def of_engine(engine: StrategyEngine, bars: Bars, other: Bars | None, progress: Any) -> WarmupReport:
        options = {**drawn, **asked.parameters(engine)}
        return audit_warmup(engine, bars, secondary=other, warmup_bars=warmup_bars, progress=progress, **options)

    def of_scheduler(progress: Any) -> WarmupReport:
        return audit_scheduler_warmup(**asked.scheduled(), progress=progress, **drawn)

    _tell(_reports(asked, of_engine, of_scheduler, quiet=json_output), _print_warmup, json_output=json_output)


def _reports(
    asked: _Asked, of_engine: Callable[..., Any], of_scheduler: Callable[..., Any], *, quiet: bool
) -> dict[str, Any]:
    """The report of each dataset, or of the scheduler, by name."""
    from .console import progress_of_bars, say_if_cold

    if not quiet:
        say_if_cold()
    if not asked.is_engine:
        with progress_of_bars("auditing", quiet=quiet) as progress:
            return {asked.scheduler or _OF_ENVIRONMENT: of_scheduler(progress)}
    engine, reports = asked.engine(), {}
    for name, bars, other in asked.histories(engine):
        with progress_of_bars(f"auditing {name}", quiet=quiet) as progress:
            reports[name] = of_engine(engine, bars, other, progress)
    return reports


def _tell(reports: dict[str, Any], show: Callable[[str, Any], None], *, json_output: bool) -> None:
    """Print the reports; exit 1 where one says fail."""
    verdict = "fail" if any(report.verdict == "fail" for report in reports.values()) else "pass"
    from .console import as_json

    if json_output:
        documents = {name: report.to_dict() for name, report in reports.items()}
        typer.echo(as_json({"verdict": verdict, "reports": documents}))
    else:
        for name, report in reports.items():
            show(name, report)
    if verdict == "fail":
        raise typer.Exit(1)


def _print_lookahead(name: str, report: LookaheadReport) -> None:
    from .console import print_columns

    outputs = sum(map(len, report.outputs.values()))
    typer.echo(
        f"{report.subject}, {name}: {report.bars:,} bars, the future changed from {report.cuts:,} places on, "
        f"{report.runs:,} runs, {outputs} outputs compared"
    )
    if report.leaks:
        rows = [("output", "first moved at", "row", "recorded", "other future", "moved by", "changed from", "by")]
        for leak in report.leaks:
            moved = "" if leak.difference is None else f"{leak.difference:.6g}"
            before, after, by = _short(leak.before), _short(leak.after), ", ".join(leak.changes)
            output = f"{leak.track}: {leak.column}"
            rows.append((output, leak.known, f"{leak.row:,}", before, after, moved, leak.cut, by))
        print_columns(rows)
    typer.echo(f"{report.verdict}: {_plural(len(report.leaks))}")


def _plural(leaks: int) -> str:
    if not leaks:
        return "nothing that was known moved"
    return f"{leaks} output{'s' if leaks > 1 else ''} moved with the future"


def _print_warmup(name: str, report: WarmupReport) -> None:
    from .console import print_columns

    typer.echo(
        f"{name}: begun anew from {report.starts} places on; bars until an output agrees with the whole history's"
    )
    levels = list(report.rows[0].history_bars)
    titles = ["exact" if level == 0.0 else f"{level:g}" for level in levels]
    rows: list[Sequence[str]] = [("of", "output", "verdict", "declared", *titles)]
    for row in report.rows:
        lengths = (_bars(row.history_bars[level]) for level in levels)
        rows.append((row.subject, row.output, row.verdict, f"{row.declared_bars:,}", *lengths))
    print_columns(rows, numbers_from=3)
    failed = sum(row.verdict == "fail" for row in report.rows)
    typer.echo(
        f"{report.verdict}: {failed} of {len(report.rows)} outputs need more bars than are declared, within "
        f"{report.tolerance:g}"
    )


def _bars(count: int | None) -> str:
    return "not seen" if count is None else f"{count:,}"


def _short(value: Any) -> str:
    return f"{value:.8g}" if isinstance(value, float) else str(value)
