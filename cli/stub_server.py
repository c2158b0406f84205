"""`barstep stub-server`: a venue over recorded bars, which fills as a backtest does or misbehaves on request."""

# ruff: noqa: PLC0415 - imported when the command runs, see `cli.app`

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import AuthorizationError, UsageError

if TYPE_CHECKING:
    from ..replay.channel.addresses import Address
    from ..replay.channel.identity import Identity
    from ..replay.clock import Clock
    from ..replay.stub.service import StubService

_ADAPTER_VARIABLE = "BARSTEP_ADAPTER_TOKEN"
_FULL = "full"


def stub_server_command(
    dataset: Annotated[
        list[str] | None,
        typer.Option(help="Recorded bars: a folder, a SQLite cache, a file; may be given often. [embedded]"),
    ] = None,
    address: Annotated[
        str, typer.Option(help="Where loops connect; port 0: at one that is free.")
    ] = "grpc://127.0.0.1:8815",
    speed: Annotated[str, typer.Option(help="Event time over time on the clock, such as 60x, or full.")] = _FULL,
    exact: Annotated[
        bool | None,
        typer.Option("--exact/--paced", help="Lock step with a backtest's fills, or by the clock. [exact at full]"),
    ] = None,
    start: Annotated[
        str | None, typer.Option(help="Where new runs begin, ISO 8601, UTC. [after --history bars]")
    ] = None,
    end: Annotated[str | None, typer.Option(help="The last instant. [the last close]")] = None,
    history: Annotated[int, typer.Option(help="Bars before the start, where none is given.")] = 250,
    step: Annotated[
        str | None, typer.Option(help="An instant comes at least so often, such as 15m. [with each bar]")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="End with the recorded bars.")] = False,
    latency: Annotated[str, typer.Option(help="Paced: event time between an order and its fill.")] = "0s",
    slippage_bps: Annotated[
        float | None, typer.Option(help="Paced: how much worse fills are. [what the loop expects]")
    ] = None,
    partial: Annotated[float, typer.Option(help="Paced: share of orders that are filled in two parts.")] = 0.0,
    reject: Annotated[float, typer.Option(help="Paced: share of orders that are rejected.")] = 0.0,
    updates: Annotated[int, typer.Option(help="Paced: how often an unfinished bar is told of.")] = 4,
    fault: Annotated[
        list[str] | None, typer.Option(help="What goes wrong, such as drop:0.01 or disconnect:30s; may be given often.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.")] = 1,
    token_env: Annotated[
        str, typer.Option(help="The environment variable that holds the token which loops present.")
    ] = _ADAPTER_VARIABLE,
    token_file: Annotated[
        Path | None,
        typer.Option(help="A private file that holds it. [the variable; on this machine secrets/tokens/venue.token]"),
    ] = None,
    mtls_bundle: Annotated[
        str | None, typer.Option(help="Bundle of certificates for that address; needed with grpc+tls.")
    ] = None,
    mtls_folder: Annotated[Path, typer.Option(help="Folder of bundles.")] = Path("secrets/mtls"),
    ledger: Annotated[
        Path | None, typer.Option(help="File for all orders and what became of them, a line of JSON each.")
    ] = None,
    log_folder: Annotated[Path, typer.Option(help="Where its log is.")] = Path("logs/adapters"),
    plan: Annotated[bool, typer.Option("--print-runtime-plan", help="Print what would be served, and exit.")] = False,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Serve recorded bars as a venue, and fill the orders of loops; until SIGTERM or Ctrl-C.

    At the end it prints what became of the orders: no order is traded twice, and this shows it.
    """
    from ..replay.stub.faults import parse_faults
    from ..replay.stub.manner import Manner
    from ..replay.stub.market import Market

    times = _read_speed(speed)
    manner = Manner(
        exact=times == float("inf") if exact is None else exact, speed=times, start_us=_instant("--start", start),
        end_us=_instant("--end", end), history_bars=history, step_seconds=_step(step), once=once,
        latency_us=_duration("--latency", latency), slippage_bps=slippage_bps, partial=partial, reject=reject,
        updates=updates, seed=seed,
    )  # fmt: skip
    faults, listening = parse_faults(fault or ()), _address(address)
    if listening.is_tls != (mtls_bundle is not None):
        raise UsageError(f"--address {address!r}: grpc+tls goes with --mtls-bundle NAME, and grpc without one.")
    market = Market(datasets=dataset or ["embedded"])
    if plan:
        from ..replay.stub.plan import runtime_plan

        _print_plan(
            runtime_plan(market, manner, fault or (), address=address, tls=mtls_bundle), json_output=json_output
        )
        return
    from ..replay.adapter_log import AdapterLog
    from ..replay.clock import SystemClock
    from ..replay.stub.service import StubService
    from ..replay.stub.venue import StubVenue

    clock = SystemClock()
    identity = _identity(mtls_folder, mtls_bundle, clock)
    token = _token(token_env, token_file, listening)
    service = StubService(
        StubVenue(market, manner), faults, clock, AdapterLog(log_folder / f"{manner.name}.log", clock)
    )
    _serve(service, listening, identity, token, clock, ledger, json_output=json_output)


def _serve(
    service: StubService,
    address: Address,
    identity: Identity | None,
    token: str,
    clock: Clock,
    ledger: Path | None,
    *,
    json_output: bool,
) -> None:
    from ..replay.stub.serving import serve_venue
    from .console import say_if_cold
    from .interruption import interruptible

    def say_ready(where: str) -> None:
        typer.echo(json.dumps({"address": where}) if json_output else f"listening at {where}")

    if not json_output:
        say_if_cold()
    with interruptible() as signals:
        signals.wait_for_them()
        has_ended = serve_venue(
            service, address=address, identity=identity, token=token, clock=clock, should_stop=signals.have_come,
            say_ready=say_ready,
        )  # fmt: skip
        _close_books(service, ledger, json_output=json_output)
        code = signals.exit_code if signals.came else 0
    if not has_ended:
        os._exit(code)  # a thread of the channel is stuck, and the interpreter would wait for it
    raise typer.Exit(code)


def _close_books(service: StubService, ledger: Path | None, *, json_output: bool) -> None:
    """Write the ledger, and print what became of the orders."""
    import sys

    from ..data.whole_file import whole_file
    from ..replay.stub.ledger import summary_of

    if ledger is not None:
        with whole_file(ledger) as temporary, temporary.open("w", encoding="utf-8") as file:
            file.writelines(f"{json.dumps(entry)}\n" for entry in service.venue.ledger_entries())
    summary = summary_of(service.venue.ledgers)
    if json_output:
        typer.echo(json.dumps({"ledger": summary}))
    else:
        statuses = ", ".join(f"{count:,} {status}" for status, count in summary["by_status"].items())
        typer.echo(f"orders: {summary['orders']:,} of {summary['runs']:,} runs ({statuses or 'none'})")
        typer.echo(f"fills: {summary['fills']:,}")
        typer.echo(f"orders that came again: {summary['came_again']:,}, and were taken once")
        typer.echo(f"orders traded twice: {summary['traded_twice']:,}; ordered twice: {summary['ordered_twice']:,}")
    sys.stdout.flush()


def _print_plan(plan: dict[str, Any], *, json_output: bool) -> None:
    if json_output:
        typer.echo(json.dumps(plan, indent=2))
        return
    from .console import print_columns

    legs = plan.pop("legs")
    plan["faults"] = ", ".join(plan["faults"]) or "none"
    print_columns([(name.replace("_", " "), "-" if value is None else str(value)) for name, value in plan.items()])
    head = ("venue", "symbol", "interval", "bars", "first", "last", "path")
    print_columns([head, *(tuple(str(leg.get(name) or "-") for name in head) for leg in legs)])


def _read_speed(text: str) -> float:
    if text == _FULL:
        return float("inf")
    try:
        return float(text.removesuffix("x"))
    except ValueError:
        raise UsageError(
            f"--speed {text!r}: write how many times as fast as the clock, such as 60x, or full."
        ) from None


def _instant(name: str, text: str | None) -> int | None:
    from ..config.durations import microseconds
    from ..data.instants import read_instant

    return None if text is None else microseconds(read_instant(name, text))


def _duration(name: str, text: str) -> int:
    from ..replay.stub.durations import duration_us

    try:
        return duration_us(text)
    except UsageError as error:
        raise UsageError(f"{name}: {error}.") from None


def _step(text: str | None) -> int | None:
    if text is None:
        return None
    seconds, rest = divmod(_duration("--step", text), 1_000_000)
    if rest:
        raise UsageError(f"--step {text!r}: allowed are whole seconds.")
    return seconds


def _address(text: str) -> Address:
    """Where it listens; port 0 stands for one that is free, which nobody could connect to by that name."""
    from dataclasses import replace

    from ..replay.channel.addresses import parse_address

    if text.endswith(":0"):
        return replace(parse_address(f"{text[:-1]}1"), port=0)
    return parse_address(text)


def _identity(folder: Path, bundle: str | None, clock: Clock) -> Identity | None:
    from ..replay.certificates import load_identity

    return None if bundle is None else load_identity(folder, bundle, "server", now_us=clock.now_us())


def _token(variable: str, path: Path | None, address: Address) -> str:
    """The token that loops present; on this machine one is made for a demonstration."""
    from ..replay.authorization import new_token, read_token, token_path, write_token
    from ..replay.channel.addresses import is_loopback
    from ..replay.stub.serving import OWNER
    from .journal_options import TOKENS

    given = read_token(path) if path is not None else os.environ.get(variable, "").strip()
    if given:
        return given
    if not is_loopback(address.host):
        raise AuthorizationError(f"no token for loops to present: set {variable}, or give --token-file FILE.")
    made = token_path(TOKENS, OWNER)
    if not made.exists():
        write_token(made, new_token())
        typer.echo(f"made for the demonstration: {made}", err=True)
    return read_token(made)
