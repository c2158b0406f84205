"""`barstep risk-simulation`: each risk profile through stress scenarios and resampled markets."""

# ruff: noqa: PLC0415 - imported when the command runs, see `cli.app`

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .interruption import interruptible
from .settings import config_path

if TYPE_CHECKING:
    from ..engine.risk.result import ProfileRisk, RiskSimulation

_DEFAULT_FOLDER = Path("var/risk_simulation")


def risk_simulation_command(
    config: Annotated[Path | None, typer.Option("--config", help="The configuration.")] = None,
    environment: Annotated[
        str, typer.Option("--environment", help="A name, an alias or a type; its recorded bars are the market.")
    ] = "demo",
    scheduler: Annotated[
        str | None, typer.Option("--scheduler", help="Of the configuration. [the environment's]")
    ] = None,
    profile: Annotated[
        list[str] | None, typer.Option("--profile", help="A risk profile; may be given again. [all]")
    ] = None,
    scenarios: Annotated[
        Path | None, typer.Option("--scenarios", help="What markets are put through. [what comes with barstep]")
    ] = None,
    paths: Annotated[int, typer.Option("--paths", help="How many resampled markets.")] = 500,
    seed: Annotated[int, typer.Option("--seed", help="What they are drawn from.")] = 0,
    block_bars: Annotated[
        float | None, typer.Option("--block-bars", help="Mean length of their blocks. [by the size of moves]")
    ] = None,
    horizon: Annotated[str, typer.Option("--horizon", help="How long they are measured, as 30d.")] = "30d",
    threads: Annotated[int | None, typer.Option("--threads", help="Runs made at a time. [the cores]")] = None,
    output_dir: Annotated[Path, typer.Option("--output-dir", help="Where both reports go.")] = _DEFAULT_FOLDER,
    json_output: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Run each risk profile through stress scenarios and resampled markets, and hold it to its limits.

    Writes risk_simulation_report.json and risk_simulation_report.pdf. Exits 1 where a limit is not kept.
    """
    from ..engine.risk.simulation import risk_simulation
    from ..report.writing import require_libraries
    from .console import progress_of_bars, say_if_cold

    require_libraries("pdf")  # before a long run
    if not json_output:
        say_if_cold()
    with interruptible(), progress_of_bars("simulating", quiet=json_output) as told:
        found = risk_simulation(
            config_path(config),
            scheduler,
            environment=environment,
            profiles=profile or (),
            scenarios=scenarios,
            paths=paths,
            seed=seed,
            block_bars=block_bars,
            horizon=horizon,
            threads=threads,
            progress=told,
        )
    found.save(output_dir)
    if json_output:
        typer.echo(found.to_json())
    else:
        _print(found)
        typer.echo(f"wrote {output_dir}")
        for breach in found.breaches:
            typer.echo(f"breach: {breach.words}")
    if found.breach:
        raise typer.Exit(1)


def _print(found: RiskSimulation) -> None:
    from .console import print_columns

    for one in found.profiles:
        typer.echo(f"{one.name}: {'BREACH' if one.breach else 'ok'}")
        print_columns(list(_scenarios(one)), numbers_from=1)
        print_columns(list(_limits(one)), numbers_from=1)
        typer.echo(
            f"  {len(one.resampled):,} resampled markets of {one.growth.shape[1]:,} bars, blocks of "
            f"{one.block_bars:,.0f} on average: {_tails(found, one)}"
        )


def _scenarios(one: ProfileRisk) -> Iterator[tuple[str, ...]]:
    from ..engine.risk.verdict import LIMITS, worst_of

    yield ("scenario, worst of its moments", "loss %", "drawdown %", "worst day %", "position %", "leverage", "")
    for runs in one.stressed:
        checks = list(runs.checks(one.limits))
        word = "BREACH" if any(check.breach for check in checks) else "ok"
        worst = (runs.worst_loss_pct, *(worst_of(runs.measures, limit)[0] for limit in LIMITS))
        yield (runs.name, *(f"{value:.2f}" for value in worst), word)


def _limits(one: ProfileRisk) -> Iterator[tuple[str, ...]]:
    from ..engine.risk.verdict import UNITS

    yield ("limit in resampled markets", "allowed", "stays within", "over it at", "tolerated", "")
    for check in one.checks:
        over = f"{check.exceeded_pct:.2f} % of {UNITS[check.limit]}"
        word = "BREACH" if check.breach else "ok"
        yield (check.limit, f"{check.allowed:g}", f"{check.value:.2f}", over, f"{check.tolerated_pct:g} %", word)


def _tails(found: RiskSimulation, one: ProfileRisk) -> str:
    levels = found.scenarios.confidence_pct
    return "; ".join(
        f"{tail['confidence_pct']:g} % value at risk {tail['value_at_risk_pct']:.2f} %, expected shortfall "
        f"{tail['expected_shortfall_pct']:.2f} %"
        for tail in one.tails(one.losses, levels)
    )
