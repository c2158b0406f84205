"""The commands of `barstep`, which are imported when they are asked for.

Building all of them from their signatures takes longer than most of them take to run.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

LINES = {
    "backtest": "Backtest a strategy, or a scheduler: decisions at the close, fills at the next open, fees and "
    "slippage paid.",
    "replay": "Replay a scheduler in event time: the same decisions, weights and equity as its backtest, bit for bit.",
    "halt": "Refuse all signals until the loop is resumed; what is held is kept, with its stops.",
    "reduce": "Refuse all signals but those that lower a position, until the loop is resumed.",
    "resume": "Let the loop run again.",
    "portfolio": "Backtest a plan for many instruments over one cash account.",
    "walk-forward": "Sweep each training, trade its best set over the test that follows, join the tests to one "
    "account.",
    "report": "Write the report of a saved result: one file that needs no network.",
    "montecarlo": "Resample a saved result: how return, risk and drawdown are spread over paths that could have been.",
    "reproduce": "Run a saved result again: exit 0 when it comes out the same, 1 when not, 5 when its files were "
    "changed.",
    "risk-simulation": "Run each risk profile through stress scenarios and resampled markets, and hold it to its "
    "limits.",
    "load-test": "Run a scheduler with its journal and its sinks at a pace, and time each iteration.",
    "smoke": "Run the schedules of an environment a few times over recorded bars and check all that must come of it.",
    "paper-smoke": "Run an environment's live loop at a venue on this machine and check all that must come of it.",
    "stub-server": "Serve recorded bars as a venue, and fill the orders of loops; until SIGTERM or Ctrl-C.",
    "demo": "Backtest every engine, and the scheduler of the shipped configuration, on embedded bars made from a seed.",
    "live-demo": "Start a venue and a live loop, watch it, suspend and resume a schedule, stop all, and verify "
    "the journal.",
    "warmup": "Compile every kernel once and keep the machine code, so that no later process has to.",
    "doctor": "Say what is installed, cached and configured, and what to do; exit 1 if something has to be mended.",
    "gateway": "Serve loops with the bars of a real exchange, and place their orders there; until SIGTERM or SIGINT.",
    "data": "Import, check, generate, resample, cache and describe bar data.",
    "config": "Check and print the configuration.",
    "licence": "Licences: which strategies may be loaded.",
    "decision-log": "Verify and read the signed decision journal.",
    "keys": "Make and rotate signing keys and certificates, make tokens.",
    "scheduler": "Run a scheduler and manage it, here or in a running loop.",
    "verify": "Show that the drivers of a scheduler agree, bit for bit.",
    "sweep": "Run many parameter sets: barstep sweep STRATEGY FILE --axis NAME=VALUES …; `run --help` has it all.",
    "audit": "Audits: look-ahead and warming up of engines and schedulers, security, stage 4.",
    "acceptance": "Accept an installation: the runbook of stage 4.",
    "bench": "Hold the speed of barstep, or of a strategy, to budgets.",
    "bundle": "Make, sign and unpack bundles.",
    "verify-signature": "Check a bundle's signature, its archive's bytes and every member; exit 5 where anything "
    "is wrong.",
    "incident": "Open, close and list incidents.",
    "metrics": "Telemetry of a running loop, or of a replay, against the bounds of its risk profiles.",
    "telemetry": "What runs measured, as pictures for people.",
}
"""What the help says of each command, which is the first sentence of its own help."""

_MODULES = {"halt": "modes", "reduce": "modes", "resume": "modes"}
"""Modules of commands that do not have their names; `app` holds several."""


class Commands(TyperGroup):
    """`walk-forward` is `walk_forward_command` of `cli/walk_forward.py`, and a group the `app` of its module."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self._waiting = {name: TyperCommand(name=name, help=line) for name, line in LINES.items()}
        self.commands.update(self._waiting)

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]
        """The command itself; None where there is none of this name."""
        if self._waiting.pop(cmd_name, None) is not None:
            self.commands[cmd_name] = _load(cmd_name)
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        """List the commands by their lines, without their modules."""
        TyperGroup(name=self.name, commands=dict(self.commands)).format_commands(ctx, formatter)


def _load(name: str) -> Any:
    module_name = _MODULES.get(name, name.replace("-", "_"))
    module = import_module(f".{module_name}", __package__)
    holder = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
    if hasattr(module, "app"):
        holder.add_typer(module.app, name=None if name in _MODULES else name)
    else:
        holder.command(name)(getattr(module, f"{module_name}_command"))
    return get_group(holder).commands[name]
