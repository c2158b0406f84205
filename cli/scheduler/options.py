"""The options of `barstep scheduler run`, as they are typed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..journal_options import JOURNALS
from . import names

EnvironmentOption = Annotated[
    str, typer.Option("--environment", help="A name, an alias or a type.", autocompletion=names.environments)
]
SchedulerOption = Annotated[
    str | None,
    typer.Option("--scheduler", help="A scheduler of it. [the environment's]", autocompletion=names.schedulers),
]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="The configuration. [config/core.yaml, else the one of barstep]")
]
JournalOption = Annotated[Path, typer.Option("--journal", "--journal-folder", help="Folder of the signed journal.")]
NoJournalOption = Annotated[bool, typer.Option("--no-journal", help="Write nothing down; nothing survives.")]
KeysOption = Annotated[
    Path | None, typer.Option("--keys-folder", help="Folder of its keys. [secrets/journal/<environment>]")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
JOURNAL_DEFAULT = JOURNALS

RunOnceOption = Annotated[
    bool, typer.Option("--run-once", help="Run each schedule at its latest due time, on closed bars, and exit.")
]
RunForeverOption = Annotated[bool, typer.Option("--run-forever", help="Run until SIGTERM or Ctrl-C.")]
AfterOption = Annotated[
    bool, typer.Option("--run-after-management", help="Run after what else is asked, instead of exiting.")
]
StartOption = Annotated[str | None, typer.Option("--start", help="When recorded bars start, ISO 8601, UTC.")]
EndOption = Annotated[str | None, typer.Option("--end", help="When they end.")]
SpeedOption = Annotated[
    str | None,
    typer.Option("--speed", help="Event time over time on the clock, such as 60x. [--run-once: as fast as it goes]"),
]
ListenOption = Annotated[
    str, typer.Option("--listen", help="Where --run-forever can be managed; port 0: one that is free.")
]

ShowStateOption = Annotated[bool, typer.Option("--show-capital-state", help="Print raw, smoothed and other shares.")]
ShowDiagnosticsOption = Annotated[
    bool, typer.Option("--show-capital-diagnostics", help="Print how the policy came to the weights.")
]
RebalanceOption = Annotated[bool, typer.Option("--rebalance-capital", help="Compute the weights at once.")]
ExportStateOption = Annotated[Path | None, typer.Option("--export-capital-state", help="Write the shares as JSON.")]
ExportDiagnosticsOption = Annotated[
    Path | None, typer.Option("--export-capital-diagnostics", help="Write the diagnostics as JSON.")
]
SetPolicyOption = Annotated[
    Path | None, typer.Option("--set-capital-policy", help="Take the policy of a YAML or JSON file.")
]
SkipRebalanceOption = Annotated[
    bool, typer.Option("--skip-policy-rebalance", help="With it: compute weights when they are due next.")
]
ApplyIntervalOption = Annotated[
    bool, typer.Option("--apply-policy-interval", help="With it: take the interval that it recommends.")
]
SetIntervalOption = Annotated[
    str | None,
    typer.Option("--set-allocation-interval", metavar="SECONDS", help="Least time between computations: 90, 15m, 1h."),
]

SetLimitOption = Annotated[
    list[str] | None,
    typer.Option("--set-signal-limit", metavar="STRATEGY:PROFILE=LIMIT", help="Most signals of a run; repeatable.",
                 autocompletion=names.limits),
]  # fmt: skip
ClearLimitOption = Annotated[
    list[str] | None,
    typer.Option("--clear-signal-limit", metavar="STRATEGY:PROFILE", help="End such an override; repeatable.",
                 autocompletion=names.limits),
]  # fmt: skip
ListLimitsOption = Annotated[bool, typer.Option("--list-signal-limits", help="Print the limits that hold.")]
ExportLimitsOption = Annotated[Path | None, typer.Option("--export-signal-limits", help="Write them as JSON.")]
LimitReasonOption = Annotated[str | None, typer.Option("--signal-limit-reason", help="Why; kept with the limits.")]
LimitUntilOption = Annotated[str | None, typer.Option("--signal-limit-until", help="When they end, ISO 8601.")]
LimitDurationOption = Annotated[
    str | None, typer.Option("--signal-limit-duration", help="How long they hold: 15m, 2h, 3600.")
]

SuspendScheduleOption = Annotated[
    list[str] | None,
    typer.Option("--suspend-schedule", help="Hold a schedule back; repeatable.", autocompletion=names.schedules),
]
SuspendTagOption = Annotated[
    list[str] | None,
    typer.Option("--suspend-tag", help="Hold all back that carry a tag; repeatable.", autocompletion=names.tags),
]
ResumeScheduleOption = Annotated[
    list[str] | None,
    typer.Option("--resume-schedule", help="End its suspension; repeatable.", autocompletion=names.schedules),
]
ResumeTagOption = Annotated[
    list[str] | None,
    typer.Option("--resume-tag", help="End a tag's suspension; repeatable.", autocompletion=names.tags),
]
SuspensionReasonOption = Annotated[
    str | None, typer.Option("--suspension-reason", help="Why; kept with suspensions and disabled strategies.")
]
SuspensionUntilOption = Annotated[str | None, typer.Option("--suspension-until", help="When they end, ISO 8601.")]
SuspensionDurationOption = Annotated[
    str | None, typer.Option("--suspension-duration", help="How long they hold: 15m, 2h, 3600.")
]
ListSuspensionsOption = Annotated[bool, typer.Option("--list-suspensions", help="Print those that hold.")]
ExportSuspensionsOption = Annotated[Path | None, typer.Option("--export-suspensions", help="Write them as JSON.")]

ListSchedulesOption = Annotated[
    bool, typer.Option("--list-schedules", help="Print schedules, limits, weights, suspensions and last runs.")
]
ExportSchedulesOption = Annotated[Path | None, typer.Option("--export-schedules", help="Write them as JSON.")]
DisableOption = Annotated[
    list[str] | None,
    typer.Option("--disable-strategy", help="Switch a strategy's schedules off; repeatable.",
                 autocompletion=names.strategies),
]  # fmt: skip
EnableOption = Annotated[
    list[str] | None,
    typer.Option("--enable-strategy", help="Switch them on again; repeatable.", autocompletion=names.strategies),
]
