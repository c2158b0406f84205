"""`barstep scheduler top`: a running loop, looked at again and again."""

# ruff: noqa: PLC0415 - imported when a command runs, see `cli.app`

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...errors import UsageError
from ..connectable import HERE, ConnectOption, TokenFileOption
from ..interruption import interruptible
from ..managing import Asked, Where, connected
from . import options as typed
from .listings import NONE, bars_text, lasting, one_line, timing
from .management import told

if TYPE_CHECKING:
    from rich.console import Group

_HEADINGS = ("schedule", "last run", "status", "signals", "weight", "limit", "held back")
_NUMBERS = {"signals", "weight", "limit"}


def top_command(
    environment: typed.EnvironmentOption = "demo",
    scheduler: typed.SchedulerOption = None,
    config: typed.ConfigOption = None,
    connect: ConnectOption = HERE,
    token_file: TokenFileOption = None,
    once: Annotated[bool, typer.Option("--once", help="Look once, and exit.")] = False,
    every: Annotated[str, typer.Option("--every", help="Time between two looks: 1s, 5m.")] = "1s",
    json_output: Annotated[bool, typer.Option("--json", help="Print a JSON document a look, each on a line.")] = False,
) -> None:
    """Watch a running loop: schedules, weights, last runs, suspensions, limits, mode and lag. Ctrl-C ends it."""
    from ...config.durations import parse_duration
    from ...replay.authorization import READ
    from ...replay.clock import SystemClock

    seconds = told("--every", parse_duration, every)
    if not 0.1 <= seconds <= 86_400.0:
        raise UsageError(f"--every {every!r}: allowed is 0.1s to 1d.")
    where = Where(config=config, environment=environment, scheduler=scheduler, token_file=token_file)
    with interruptible(), connected(where, connect or HERE, READ) as there:
        if once or json_output:
            _say(there, json_output=json_output)
            while not once:
                SystemClock().sleep_us(round(seconds * 1e6))
                _say(there, json_output=json_output)
        else:
            _watch(there, seconds)


def _watch(there: Asked, seconds: float) -> None:
    from rich.console import Console
    from rich.live import Live

    from ...replay.clock import SystemClock

    console, clock = Console(), SystemClock()
    if not console.is_terminal:
        while True:
            typer.echo(heading(there.ask("status")))
            clock.sleep_us(round(seconds * 1e6))
    with Live(console=console, auto_refresh=False) as live:
        while True:
            live.update(_picture(there.ask("status")), refresh=True)
            clock.sleep_us(round(seconds * 1e6))


def _say(there: Asked, *, json_output: bool) -> None:
    from ..console import print_columns

    status = there.ask("status")
    if json_output:
        typer.echo(json.dumps(status, separators=(",", ":"), allow_nan=False))
        return
    typer.echo(heading(status))
    print_columns([_HEADINGS, *(_row(one) for one in status["schedules"])])
    for line in _notices(status):
        typer.echo(line)


def heading(status: dict[str, Any]) -> str:
    """How a loop stands, in one line."""
    mode, seq = status["mode"], status["journal_seq"]
    why = f" ({one_line(mode['reason'])})" if mode["reason"] else ""
    return (
        f"{status['at'][:19]}Z {status['scheduler']} in {status['environment']}: {mode['name']}{why}, "
        f"{bars_text(status)}, lag {status['lag_seconds']:.3f} s{_connection(status)}, "
        f"equity {status['equity']:,.2f} ({status['drawdown_pct']:.2f} % below its peak), "
        f"{len(status['suspensions'])} suspensions, {'no journal' if seq is None else f'record {seq:,}'}"
        f"{_resources(status['resources'])}"
    )


def _connection(status: dict[str, Any]) -> str:
    """How the venue is reached, and which feeds are silent; nothing over recorded bars."""
    said = status["connection"]
    told = "" if said is None else f", {said}" if said == "connected" else f", NOT CONNECTED ({one_line(said)})"
    return told + (f", fallback feeds of {', '.join(status['on_fallback'])}" if status["on_fallback"] else "")


def _resources(use: dict[str, Any] | None) -> str:
    """Which resources are near their limit or over it; nothing where all is well."""
    if use is None or use["status"] == "ok":
        return ""
    named = [
        f"{name} {one['status']}" for name, one in use.items() if name != "status" and one["status"] not in (None, "ok")
    ]
    return f", {', '.join(named)}"


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    last = one["last_run"] or {}
    held = (
        "disabled" if one["disabled"] else ", ".join(f"{each['source']} {each['name']}" for each in one["suspensions"])
    )
    status = last.get("status", NONE)
    return (
        one["schedule"],
        f"{last['due_time'][:16]}Z" if last else NONE,
        f"{status} ({last['reason']})" if last.get("reason") else status,
        str(last.get("signals", NONE)),
        f"{one['weight']:.4f}",
        NONE if one["signal_limit"] is None else str(one["signal_limit"]),
        held or NONE,
    )


def _notices(status: dict[str, Any]) -> list[str]:
    """Suspensions and limits that hold, with why and until when."""
    suspended = [f"suspended {one['source']} {one['name']} {timing(one)}" for one in status["suspensions"]]
    limited = [
        f"limit {one['strategy']}:{one['risk_profile']}={one['limit']} {timing(one)}" for one in status["signal_limits"]
    ]
    interval = status["allocation_rebalance_seconds"]
    return [*suspended, *limited, f"weights at most every {NONE if interval is None else lasting(interval)}"]


def _picture(status: dict[str, Any]) -> Group:
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    for name in _HEADINGS:
        table.add_column(name, justify="right" if name in _NUMBERS else "left", overflow="fold", min_width=5)
    for one in status["schedules"]:
        table.add_row(*(Text(cell) for cell in _row(one)))
    return Group(Text(heading(status)), table, *(Text(line) for line in _notices(status)))
