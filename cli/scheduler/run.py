"""`barstep scheduler run`: manage a scheduler, look at it, and run it."""

# ruff: noqa: PLC0415 - imported when a command runs, see `cli.app`

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import typer

from ...errors import UsageError
from .. import metrics_options as shown_as
from ..connectable import ConnectOption, TokenFileOption
from ..interruption import Signals, interruptible
from ..managing import Asked, Recorded, Where, connected, opened_here
from ..settings import read_speed
from . import options as typed
from .exports import Inspection
from .management import Call, Management, Timing
from .running import Running, refuse_other_configuration
from .running import run as run_it

_BY_CLOCK = 1.0
_HERE_ONLY = "the running loop has its own"


def run_command(
    environment: typed.EnvironmentOption = "demo",
    scheduler: typed.SchedulerOption = None,
    config: typed.ConfigOption = None,
    run_once: typed.RunOnceOption = False,
    run_forever: typed.RunForeverOption = False,
    run_after_management: typed.AfterOption = False,
    list_schedules: typed.ListSchedulesOption = False,
    export_schedules: typed.ExportSchedulesOption = None,
    suspend_schedule: typed.SuspendScheduleOption = None,
    suspend_tag: typed.SuspendTagOption = None,
    resume_schedule: typed.ResumeScheduleOption = None,
    resume_tag: typed.ResumeTagOption = None,
    suspension_reason: typed.SuspensionReasonOption = None,
    suspension_until: typed.SuspensionUntilOption = None,
    suspension_duration: typed.SuspensionDurationOption = None,
    list_suspensions: typed.ListSuspensionsOption = False,
    export_suspensions: typed.ExportSuspensionsOption = None,
    disable_strategy: typed.DisableOption = None,
    enable_strategy: typed.EnableOption = None,
    set_signal_limit: typed.SetLimitOption = None,
    clear_signal_limit: typed.ClearLimitOption = None,
    signal_limit_reason: typed.LimitReasonOption = None,
    signal_limit_until: typed.LimitUntilOption = None,
    signal_limit_duration: typed.LimitDurationOption = None,
    list_signal_limits: typed.ListLimitsOption = False,
    export_signal_limits: typed.ExportLimitsOption = None,
    show_capital_state: typed.ShowStateOption = False,
    show_capital_diagnostics: typed.ShowDiagnosticsOption = False,
    export_capital_state: typed.ExportStateOption = None,
    export_capital_diagnostics: typed.ExportDiagnosticsOption = None,
    rebalance_capital: typed.RebalanceOption = False,
    set_capital_policy: typed.SetPolicyOption = None,
    skip_policy_rebalance: typed.SkipRebalanceOption = False,
    apply_policy_interval: typed.ApplyIntervalOption = False,
    set_allocation_interval: typed.SetIntervalOption = None,
    use_feed: typed.UseFeedOption = None,
    connect: ConnectOption = None,
    token_file: TokenFileOption = None,
    journal: typed.JournalOption = typed.JOURNAL_DEFAULT,
    no_journal: typed.NoJournalOption = False,
    keys_folder: typed.KeysOption = None,
    start: typed.StartOption = None,
    end: typed.EndOption = None,
    speed: typed.SpeedOption = None,
    listen: typed.ListenOption = None,
    metrics_port: shown_as.PortOption = None,
    metrics_address: shown_as.AddressOption = None,
    metrics_mtls_bundle: shown_as.BundleOption = None,
    metrics_token_file: shown_as.TokenFileOption = None,
    json_output: typed.JsonOption = False,
) -> None:
    """Manage a scheduler, look at it, and run it.

    With flags that change or list something it does that and exits; --run-after-management goes on. With none it runs
    until SIGTERM or Ctrl-C, which end it in order. Changes need a token with runtime.schedule.write. With --connect
    the loop that runs already is asked.
    """
    asked = Management(
        suspend_schedule=suspend_schedule or (),
        suspend_tag=suspend_tag or (),
        resume_schedule=resume_schedule or (),
        resume_tag=resume_tag or (),
        suspension=Timing(
            flag="--suspension", reason=suspension_reason, until=suspension_until, duration=suspension_duration
        ),
        set_signal_limit=set_signal_limit or (),
        clear_signal_limit=clear_signal_limit or (),
        signal_limit=Timing(
            flag="--signal-limit", reason=signal_limit_reason, until=signal_limit_until, duration=signal_limit_duration
        ),
        disable_strategy=disable_strategy or (),
        enable_strategy=enable_strategy or (),
        use_feed=None if use_feed is None else use_feed.value,
        set_capital_policy=set_capital_policy,
        skip_policy_rebalance=skip_policy_rebalance,
        apply_policy_interval=apply_policy_interval,
        set_allocation_interval=set_allocation_interval,
        rebalance_capital=rebalance_capital,
    )
    inspection = Inspection(
        shown={
            "schedules": list_schedules,
            "suspensions": list_suspensions,
            "signal_limits": list_signal_limits,
            "capital_state": show_capital_state,
            "capital_diagnostics": show_capital_diagnostics,
        },
        exported={
            "schedules": export_schedules,
            "suspensions": export_suspensions,
            "signal_limits": export_signal_limits,
            "capital_state": export_capital_state,
            "capital_diagnostics": export_capital_diagnostics,
        },
    )
    calls = asked.calls()
    managed = bool(calls) or inspection.is_asked
    where = Where(config=config, environment=environment, scheduler=scheduler, token_file=token_file)
    metrics = shown_as.MetricsOptions(
        port=metrics_port, address=metrics_address, bundle=metrics_mtls_bundle, token_file=metrics_token_file
    )
    with interruptible() as signals:
        if connect is not None:
            own = {"--run-once": run_once, "--run-forever": run_forever, "--run-after-management": run_after_management,
                   "--no-journal": no_journal, "--keys-folder": keys_folder, "--start": start, "--end": end,
                   "--speed": speed, "--listen": listen, "--metrics-port": metrics.port is not None}  # fmt: skip
            _refuse_with_connect(own, managed=managed)
            found = _manage_there(where, connect, calls, inspection, quiet=json_output)
        else:
            running = Running.asked(
                once=run_once,
                forever=run_forever,
                after=run_after_management,
                managed=managed,
                listen=listen,
                metrics=metrics,
            )
            recorded = Recorded(
                journal=None if no_journal else journal,
                keys=keys_folder,
                start=start,
                end=end,
                speed=_speed(speed, running, is_live=where.is_live),
                latest=running.once,
            )
            found = _manage_here(where, recorded, calls, inspection, running, signals, quiet=json_output)
        if json_output:
            typer.echo(json.dumps(found, indent=2, allow_nan=False))
        if signals.have_come():
            raise typer.Exit(signals.exit_code)


def _manage_here(
    where: Where,
    recorded: Recorded,
    calls: Sequence[Call],
    inspection: Inspection,
    running: Running,
    signals: Signals,
    *,
    quiet: bool,
) -> dict[str, Any]:
    from ..console import compile_if_cold, say_if_cold

    if where.is_live and running.is_asked:
        compile_if_cold(quiet=quiet)  # not while a venue waits
    elif not quiet:
        say_if_cold()
    if calls and recorded.journal is None and not running.is_asked:
        raise UsageError("--no-journal: what is changed would be forgotten at once; leave it out, or add --run-once.")
    with opened_here(where, recorded, writes=bool(calls), runs=running.is_asked, begun=signals.wait_for_them) as here:
        if running.is_asked:
            refuse_other_configuration(here, where)
        elif not here.opened.is_current:
            typer.echo(
                f"{where.path}: is not the configuration in force; `barstep scheduler reload` takes it", err=True
            )
        found: dict[str, Any] = {"environment": where.environment_name, "scheduler": where.scheduler_name}
        found |= _manage(here, calls, inspection, quiet=quiet)
        if running.is_asked and not signals.have_come():
            found["run"] = run_it(here, where, running, signals, quiet=quiet)
    return found


def _manage_there(
    where: Where, connect: str, calls: Sequence[Call], inspection: Inspection, *, quiet: bool
) -> dict[str, Any]:
    from ...replay.authorization import READ, WRITE

    with connected(where, connect, WRITE if calls else READ) as there:
        return _manage(there, calls, inspection, quiet=quiet)


def _manage(asked: Asked, calls: Sequence[Call], inspection: Inspection, *, quiet: bool) -> dict[str, Any]:
    """Give the commands, all of them or none, then look."""
    if calls:
        asked.ask("check", commands=[list(call) for call in calls])
    done = []
    for verb, fields in calls:
        done.append(asked.ask(verb, **fields))
        if not quiet:
            typer.echo(_done(verb, fields))
    return {"commands": done} | inspection.look(asked, quiet=quiet)


def _done(verb: str, fields: dict[str, Any]) -> str:
    """A line of what was done."""
    told = [f"{name}={value}" for name, value in fields.items() if value not in (None, "", False) and name != "policy"]
    return " ".join([f"done: {verb}", *([f"({', '.join(told)})"] if told else [])])


def _refuse_with_connect(own: Mapping[str, object], *, managed: bool) -> None:
    for name, value in own.items():
        if value:
            raise UsageError(f"--connect and {name}: {_HERE_ONLY}; leave {name} out.")
    if not managed:
        raise UsageError("--connect: say what to change or list, or watch the loop with `barstep scheduler top`.")


def _speed(text: str | None, running: Running, *, is_live: bool) -> float | None:
    if text is None:
        return _BY_CLOCK if running.forever and not is_live else None
    if running.once or not running.is_asked:
        raise UsageError("--speed: only with --run-forever; --run-once goes as fast as it can.")
    return read_speed(text)
