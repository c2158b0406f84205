"""What is printed of a scheduler: suspensions, limits, schedules, capital. Why something holds stands in brackets."""

# ruff: noqa: PLC0415 - imported when a command runs, see `cli.app`

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import typer

Row = Mapping[str, Any]
NONE = "-"


def print_suspensions(rows: Sequence[Row]) -> None:
    """A line a suspension."""
    typer.echo(f"suspensions: {len(rows) or 'none'}")
    _print([(row["source"], row["name"], timing(row), f"holds back {', '.join(row['schedules'])}") for row in rows])


def print_signal_limits(rows: Sequence[Row]) -> None:
    """A line a limit."""
    typer.echo(f"signal limits: {len(rows) or 'none'}")
    _print([
        (f"{row['strategy']}:{row['risk_profile']}={row['limit']}", row["source"], timing(row)) for row in rows
    ])  # fmt: skip


def print_schedules(rows: Sequence[Row]) -> None:
    """A line a schedule, and below it what holds it back or limits it."""
    typer.echo(f"schedules: {len(rows)}")
    heading = ("schedule", "strategy", "profile", "tags", "every", "limit", "weight", "last run", "state")
    _print([heading, *(_schedule(row) for row in rows)])
    for row in rows:
        for held in row["suspensions"]:
            typer.echo(f"  {row['schedule']}: suspended by {held['source']} {held['name']} {timing(held)}")
        for limit in row["signal_limits"]:
            typer.echo(f"  {row['schedule']}: at most {limit['limit']} by {limit['source']} {timing(limit)}")


def print_capital_state(state: Mapping[str, Mapping[str, float]]) -> None:
    """Shares of schedules before and after smoothing and ceilings, then those of profiles and tags."""
    typer.echo("capital state:")
    _print(
        [
            ("schedule", "raw", "smoothed", "weight"),
            *(
                (name, *(f"{state[kind][name]:.4f}" for kind in ("raw", "smoothed", "weights")))
                for name in state["weights"]
            ),
        ]
    )
    for kind in ("profile", "tag"):
        _print([(kind, name, f"{share:.4f}") for name, share in state[kind].items()])


def print_capital_diagnostics(told: Mapping[str, Any]) -> None:
    """How the policy came to the weights, policy by policy."""
    typer.echo("capital diagnostics:")
    _print_tree(told, "  ")


def timing(row: Row) -> str:
    """`(reason=…, until=…, remaining=…)`, a dash for what there is not."""
    left = row["remaining_seconds"]
    remaining = NONE if left is None else lasting(left)
    return f"(reason={one_line(row['reason']) or NONE}, until={row['expires_at'] or NONE}, remaining={remaining})"


def lasting(seconds: float) -> str:
    """A length of time in its two largest units: `1d 2h`, `29m 59s`."""
    parts, left = [], round(seconds)
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        count, left = divmod(left, length)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2]) or "0s"


def one_line(text: str) -> str:
    """A text in one line, with nothing that a terminal would obey."""
    return text if text.isprintable() else json.dumps(text)


def _schedule(row: Row) -> tuple[str, ...]:
    last = row["last_run"]
    state = "disabled" if row["disabled"] else "suspended" if row["suspensions"] else "runs"
    return (
        row["schedule"],
        row["strategy"],
        row["risk_profile"],
        ",".join(row["tags"]) or NONE,
        lasting(row["cadence_seconds"]),
        NONE if row["signal_limit"] is None else str(row["signal_limit"]),
        f"{row['weight']:.4f}",
        NONE if last is None else last_run(last),
        state if not row["failures"] else f"{state}, failed {row['failures']}x",
    )


def last_run(last: Row) -> str:
    """When it was due, and what came of it as far as that is known."""
    due = f"{last['due_time'][:16]}Z"
    if "status" not in last:
        return due
    why = f" ({last['reason']})" if last["reason"] else ""
    return f"{due} {last['status']}{why}, {last['signals']} signals"


def _print_tree(value: Mapping[str, Any], indent: str) -> None:
    for name, inner in value.items():
        if isinstance(inner, Mapping):
            typer.echo(f"{indent}{name}:")
            _print_tree(inner, indent + "  ")
        elif isinstance(inner, list) and any(isinstance(one, Mapping) for one in inner):
            typer.echo(f"{indent}{name}:")
            for number, one in enumerate(inner, 1):
                typer.echo(f"{indent}  {number}:")
                _print_tree(one, indent + "    ")
        else:
            typer.echo(f"{indent}{name}: {_worded(inner)}")


def _worded(value: Any) -> str:
    if value is None:
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_worded, value)) or NONE
    return f"{value:.6g}" if isinstance(value, float) else one_line(str(value))


def _print(rows: Sequence[Sequence[str]]) -> None:
    from ..console import print_columns

    if rows:
        print_columns(rows)


def bars_text(status: dict[str, Any]) -> str:
    """How many bars are done, and of how many where that is known."""
    return (
        f"{status['bars_done']:,} bars"
        if status["bars"] is None
        else f"{status['bars_done']:,} of {status['bars']:,} bars"
    )
