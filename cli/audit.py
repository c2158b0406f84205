"""`barstep audit …`: does anything look ahead, and how many bars does an engine need until it agrees with itself?

Those of security stand in `security_audits`.
"""

# ruff: noqa: PLC0415 - imported when a command runs, see `cli.app`

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import UsageError
from . import security_audits
from .audited import (
    Audited,
    Commands,
    Config,
    Data,
    End,
    EngineFiles,
    Environment,
    Json,
    Scheduler,
    Secondary,
    Seed,
    Settings,
    Start,
    Strategy,
)
from .scheduler_options import SchedulerOptions

if TYPE_CHECKING:
    from ..engine.bars import Bars
    from ..engine.lookahead import LookaheadReport
    from ..engine.strategy import StrategyEngine
    from ..engine.warmup_audit import WarmupReport

app = typer.Typer(
    rich_markup_mode=None,
    help="Audits: look-ahead and warming up of engines and schedulers, security, stage 4.",
)
app.command("security")(security_audits.security_command)
app.command("stage4")(security_audits.stage4_command)

_OF_ENVIRONMENT = "the environment's scheduler"


@app.command("lookahead")
def lookahead_command(
    strategy: Strategy = None,
    settings: Settings = None,
    engine_files: EngineFiles = None,
    data: Data = None,
    secondary: Secondary = None,
    config: Config = None,
    scheduler: Scheduler = None,
    environment: Environment = None,
    start: Start = None,
    end: End = None,
    commands: Commands = None,
    cuts: Annotated[
        int | None, typer.Option(min=1, help="From how many places on the future is changed. [60; a scheduler's 6]")
    ] = None,
    seed: Seed = 0,
    json_output: Json = False,
) -> None:
    """Change the future and look whether any past output moves; exit 1 where one does."""
    from ..engine.lookahead import audit_lookahead
    from ..engine.scheduler.lookahead import audit_scheduler_lookahead

    asked = Audited(
        strategy=strategy, settings=settings, engine_files=engine_files, data=data, secondary=secondary,
        options=SchedulerOptions(
            config=config, scheduler=scheduler, environment=environment, start=start, end=end, commands=commands
        ),
    )  # fmt: skip
    drawn: dict[str, Any] = {"seed": seed, **({} if cuts is None else {"cuts": cuts})}

    def of_engine(engine: StrategyEngine, bars: Bars, other: Bars | None, progress: Any) -> LookaheadReport:
        parameters = asked.parameters(engine)
        return audit_lookahead(engine, bars, secondary=other, progress=progress, **drawn, **parameters)

    def of_scheduler(progress: Any) -> LookaheadReport:
        return audit_scheduler_lookahead(**asked.options.arguments(), progress=progress, **drawn)

    _tell(_reports(asked, of_engine, of_scheduler, quiet=json_output), _print_lookahead, json_output=json_output)


@app.command("warmup")
def warmup_audit_command(
    strategy: Strategy = None,
    settings: Settings = None,
    engine_files: EngineFiles = None,
    data: Data = None,
    secondary: Secondary = None,
    config: Config = None,
    scheduler: Scheduler = None,
    environment: Environment = None,
    start: Start = None,
    end: End = None,
    commands: Commands = None,
    tolerance: Annotated[
        float, typer.Option(help="Relative difference that counts as agreement; 0: the same bits.")
    ] = 1e-6,
    warmup_bars: Annotated[
        int, typer.Option(min=0, help="Bars that you let go by; the engine's own declaration counts where it is more.")
    ] = 0,
    starts: Annotated[int, typer.Option(min=1, help="From how many places on the history is begun anew.")] = 24,
    seed: Seed = 0,
    json_output: Json = False,
) -> None:
    """Begin the history later and later; exit 1 where more bars are needed than the engine or schedule declares."""
    from ..engine.warmup_audit import audit_scheduler_warmup, audit_warmup

    asked = Audited(
        strategy=strategy, settings=settings, engine_files=engine_files, data=data, secondary=secondary,
        options=SchedulerOptions(
            config=config, scheduler=scheduler, environment=environment, start=start, end=end, commands=commands
        ),
    )  # fmt: skip
    if warmup_bars and not asked.is_engine:
        raise UsageError("--warmup-bars is for an engine; a schedule's stand in its configuration")
    drawn: dict[str, Any] = {"seed": seed, "starts": starts, "tolerance": tolerance}

    def of_engine(engine: StrategyEngine, bars: Bars, other: Bars | None, progress: Any) -> WarmupReport:
        options = {**drawn, **asked.parameters(engine)}
        return audit_warmup(engine, bars, secondary=other, warmup_bars=warmup_bars, progress=progress, **options)

    def of_scheduler(progress: Any) -> WarmupReport:
        return audit_scheduler_warmup(**asked.options.arguments(), progress=progress, **drawn)

    _tell(_reports(asked, of_engine, of_scheduler, quiet=json_output), _print_warmup, json_output=json_output)


def _reports(
    asked: Audited, of_engine: Callable[..., Any], of_scheduler: Callable[..., Any], *, quiet: bool
) -> dict[str, Any]:
    """The report of each dataset, or of the scheduler, by name."""
    from .console import progress_of_bars, say_if_cold

    if not quiet:
        say_if_cold()
    if not asked.is_engine:
        with progress_of_bars("auditing", quiet=quiet) as progress:
            return {asked.options.scheduler or _OF_ENVIRONMENT: of_scheduler(progress)}
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
        f"{report.tolerance:g}; the most is {_bars(report.needed_bars)}"
    )


def _bars(count: int | None) -> str:
    return "not seen" if count is None else f"{count:,}"


def _short(value: Any) -> str:
    return f"{value:.8g}" if isinstance(value, float) else str(value)
