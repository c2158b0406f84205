"""`barstep metrics watch`: telemetry against the bounds of risk profiles, of a running loop or of a replay."""

# ruff: noqa: PLC0415 - imported when a command runs, see `cli.app`

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import UsageError
from .interruption import interruptible
from .scheduler_options import SchedulerOptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..ops.headers_report import Bounded
    from ..replay.bounds import Change

ACCOUNT_TOLD = "the account"

app = typer.Typer(help="Telemetry of a running loop, or of a replay, against the bounds of its risk profiles.")


@app.callback()
def _group() -> None:
    """Hold telemetry against bounds."""


@app.command("watch")
def watch_command(
    headers_report: Annotated[
        bool, typer.Option("--headers-report", help="Look once, write a report and exit; without it, go on.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The report; one that is there is replaced.")
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(help="A loop's endpoint, http://127.0.0.1:PORT/metrics. [a replay of the environment's bars]"),
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option("--token-file", help="With --url: a private file with the endpoint's bearer token.")
    ] = None,
    mtls_bundle: Annotated[
        str | None, typer.Option("--mtls-bundle", help="With --url: whose client certificate of secrets/mtls is shown.")
    ] = None,
    every: Annotated[str, typer.Option("--every", help="With --url: time between two looks, 5s.")] = "5s",
    config: Annotated[
        Path | None, typer.Option(help="The configuration. [config/core.yaml, else the one of barstep]")
    ] = None,
    scheduler: Annotated[str | None, typer.Option(help="A scheduler of it. [the environment's]")] = None,
    environment: Annotated[str | None, typer.Option(help="Whose bars it has. [demo]")] = None,
    start: Annotated[str | None, typer.Option(help="When a replay starts, ISO 8601, UTC.")] = None,
    end: Annotated[str | None, typer.Option(help="When it ends.")] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Hold each schedule's telemetry against the bounds of its risk profile.

    With --headers-report a report is written, and the exit code is 1 where a metric fails. Without it every change is a
    line, until Ctrl-C or the end of the bars.
    """
    if headers_report and output is None:
        raise UsageError("--headers-report: name its file with --output, such as headers_report.json.")
    if output is not None and not headers_report:
        raise UsageError("--output: is for --headers-report; lines go to the terminal.")
    if output is not None and output.is_dir():
        raise UsageError(f"--output {output}: is a folder; name a file, such as {output / 'headers_report.json'}.")
    asked = SchedulerOptions(
        config=config, scheduler=scheduler, environment=environment, start=start, end=end, commands=None
    )
    if url is not None and asked.given:
        raise UsageError(f"--url and {asked.given[0]}: the endpoint shows the run that it belongs to; leave one out.")
    if url is None and (token_file is not None or mtls_bundle is not None):
        raise UsageError("--token-file, --mtls-bundle: are for --url.")
    with interruptible():
        if url is None:
            found, source = _replayed(asked, _nothing if headers_report else _sayer(json_output=json_output))
        else:
            look = _endpoint(url, token_file, mtls_bundle)
            if not headers_report:
                _poll(look, every, json_output=json_output)
            found, source = look(), {"kind": "endpoint", "url": url}
    if output is not None:
        _report(found, source, output, json_output=json_output)


def _report(found: list[Bounded], source: dict[str, Any], output: Path, *, json_output: bool) -> None:
    from ..ops.headers_report import headers_report, write_report
    from .console import print_columns

    report = headers_report(found, source)
    write_report(report, output)
    if json_output:
        typer.echo(json.dumps(report, indent=2, sort_keys=True, allow_nan=False))
    else:
        heads = ("schedule", "risk profile", "metric", "value", "warn", "fail", "status")
        rows = [
            (one.schedule or ACCOUNT_TOLD, one.risk_profile, one.metric, f"{one.value:,.3f}", f"{one.bounds.warn:g}",
             f"{one.bounds.fail:g}", one.status)
            for one in found
        ]  # fmt: skip
        print_columns([heads, *rows], numbers_from=3)
        for name in report["not_measured"]:
            typer.echo(f"not measured: {name}")
        typer.echo(f"{'FAIL' if report['status'] == 'fail' else 'PASS'}: {report['status']}; wrote {output}")
    if report["status"] == "fail":
        raise typer.Exit(1)


def _replayed(asked: SchedulerOptions, told: Callable[[Change], None]) -> tuple[list[Bounded], dict[str, Any]]:
    """Replay an environment's bars; gives what its runs measured last, and tells of every change."""
    from ..ops.watched_replay import last_values, replay_watched
    from .console import quiet_log, say_if_cold

    say_if_cold()
    quiet_log()
    setup = asked.set_up({})
    watch = replay_watched(setup, told)
    source = {
        "kind": "replay",
        "environment": setup.environment,
        "scheduler": setup.name,
        "config_sha384": setup.config_digest,
    }
    return list(last_values(watch, setup)), source


def _endpoint(url: str, token_file: Path | None, bundle: str | None) -> Callable[[], list[Bounded]]:
    from ..ops.headers_report import bounded_of_scrape
    from ..ops.scrape import scrape
    from ..replay.certificates import MTLS
    from ..replay.clock import SystemClock
    from ..replay.replaying import SECRETS

    def look() -> list[Bounded]:
        text = scrape(url, SystemClock(), token_file=token_file, bundle=bundle, folder=SECRETS / MTLS)
        return list(bounded_of_scrape(text))

    return look


def _poll(look: Callable[[], list[Bounded]], every: str, *, json_output: bool) -> None:
    """Look again and again, and tell what stands otherwise than before; a signal ends it."""
    from ..config.durations import parse_duration
    from ..replay.bounds import Change
    from ..replay.clock import SystemClock
    from .scheduler.management import told

    seconds, clock, say = told("--every", parse_duration, every), SystemClock(), _sayer(json_output=json_output)
    if not 0.1 <= seconds <= 86_400.0:
        raise UsageError(f"--every {every!r}: allowed is 0.1s to 1d.")
    before: dict[tuple[str, str, str], str] = {}
    while True:
        for one in look():
            place = (one.schedule, one.risk_profile, one.metric)
            if before.get(place) != one.status:
                before[place] = one.status
                say(Change(clock.now_us(), one.schedule, one.risk_profile, one.metric, one.value, one.status))
        clock.sleep_us(round(seconds * 1e6))


def _nothing(_change: Change) -> None:
    """Tell nobody."""


def _sayer(*, json_output: bool) -> Callable[[Change], None]:
    from ..replay.journal.record import at_text

    def say(change: Change) -> None:
        told = {"at": at_text(change.due_us), **change._asdict()}
        del told["due_us"]
        if json_output:
            typer.echo(json.dumps(told, separators=(",", ":"), allow_nan=False))
        else:
            who = f"{change.schedule or ACCOUNT_TOLD} ({change.risk_profile})"
            typer.echo(f"{told['at'][:19]}Z {who} {change.metric} {change.value:,.3f} {change.status}")

    return say
