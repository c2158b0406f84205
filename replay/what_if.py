"""What another capital policy would have made of a session."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl

from ..config.commands import ReplaceCapitalPolicy, SetCapitalPolicy
from ..config.core import CoreConfig
from ..config.policies import Policy
from ..config.policy_file import read_policy_file
from ..engine.bars import MICROSECONDS
from ..engine.configuration_checks import check_policy
from ..engine.configured import catalog_of, load_core_config
from ..engine.scheduler.result import SchedulerResult
from ..errors import ConfigError, DataError
from .drift import RecordedDrift
from .journal.reading import read_payloads
from .journal.record import at_text
from .journal_replay import journal_files, live_journal_of, setup_of, what_was_told
from .twin import run_twin

_METRICS = ("final_equity", "total_return_pct", "max_drawdown_pct", "sharpe", "trades", "turnover", "fees_paid")


@dataclass(frozen=True)
class WhatIf:
    """Two runs over the same bars, with the same operators.

    Attributes:
        actual: With the policies of the session.
        other: With the other policy from the first instant on; commands that would have changed it are left out.
        of_live: Whether the session was a live one. What its venue told of orders holds for these orders only, so both
            runs fill theirs as a backtest does, at the recorded opens.
    """

    actual: SchedulerResult
    other: SchedulerResult
    of_live: bool = False

    def metrics(self) -> pl.DataFrame:
        """`metric`, `actual`, `other`, `difference`: of equity, trades and costs."""
        sides = [{**dict(run.metrics), "final_equity": run.final_equity} for run in (self.actual, self.other)]
        columns = [[float(side[name]) for name in _METRICS] for side in sides]
        table = pl.DataFrame({"metric": _METRICS, "actual": columns[0], "other": columns[1]})
        return table.with_columns(difference=pl.col("other") - pl.col("actual"))

    def weights(self) -> pl.DataFrame:
        """`schedule`, `actual`, `other`, `difference`: mean share of capital over the session, and `last_…`."""
        names = self.actual.setup.schedules
        means = [_mean_weights(run) for run in (self.actual, self.other)]
        last = [list(run.allocation_snapshot().values()) for run in (self.actual, self.other)]
        return pl.DataFrame(
            {
                "schedule": names,
                "actual": means[0],
                "other": means[1],
                "difference": [b - a for a, b in zip(*means, strict=True)],
                "last_actual": last[0],
                "last_other": last[1],
            }
        )

    def decisions(self) -> pl.DataFrame:
        """`schedule`, and how many of its signals were accepted and how many dropped, actually and otherwise."""
        sides = [
            run.signals_by_schedule.select(
                "schedule",
                pl.col("accepted").alias(f"accepted_{side}"),
                (pl.col("seen") - pl.col("accepted")).alias(f"dropped_{side}"),
            )
            for side, run in (("actual", self.actual), ("other", self.other))
        ]
        return sides[0].join(sides[1], on="schedule", maintain_order="left")

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {
            "from": at_text(self.actual.setup.start_us),
            "to": at_text(self.actual.setup.end_us),
            "metrics": self.metrics().to_dicts(),
            "weights": self.weights().to_dicts(),
            "decisions": self.decisions().to_dicts(),
            "fills": "modelled at the recorded opens, in both" if self.of_live else "as in the session",
            "digests": {"actual": self.actual.digests, "other": self.other.digests},
        }


def what_if(
    journal: str | Path,
    config: CoreConfig | str | Path,
    policy: str | Path,
    *,
    recording: str | Path | None = None,
    **asked: Any,
) -> WhatIf:
    """Run a journal's session with another capital policy, and as it was, up to the journal's last bar.

    Args:
        journal: Its open segment, such as `audit/decision_logs/demo.jsonl`.
        config: The configuration that it was made with, or its file.
        policy: The file of the other policy.
        recording: Of a live session, its bars; None: where the live loop keeps them, under the working folder.
        **asked: Of a replay, `bars` and `funding`, where they are not the environment's recorded ones.

    Raises:
        ConfigError: The configuration or the policy is refused.
        JournalError: The journal is damaged, or was made with another configuration.
        DataError: There is no journal, nothing has happened in it, or its bars are not there.
    """
    files = journal_files(journal)
    core = config if isinstance(config, CoreConfig) else load_core_config(config)
    commands, last_us = what_was_told(files)
    if not last_us:
        raise DataError(f"{files.open_segment}: no bars have closed in it; there is nothing to be done otherwise.")
    live = live_journal_of(files, core, recording)
    setup = setup_of(files, core, **({"end": at_text(last_us)} | asked)) if live is None else live.twin_setup()
    other = msgspec.structs.replace(setup.scheduler, capital_policy=_read(policy, core, setup.name))
    kept = [one for one in commands if not isinstance(one.command, SetCapitalPolicy | ReplaceCapitalPolicy)]
    drift = RecordedDrift((payload for _, payload in read_payloads(files)), setup)
    return WhatIf(
        actual=run_twin(setup, commands, drift),
        other=run_twin(replace(setup, scheduler=other), kept, drift),
        of_live=live is not None,
    )


def _read(path: str | Path, core: CoreConfig, scheduler: str) -> Policy:
    """The policy of a file, held to what the scheduler has."""
    read = read_policy_file(Path(path))
    if read.policy is not None:
        wanted = core.runtime.multi_strategy_schedulers[scheduler]
        read = read.with_problems(check_policy(read.policy, read.place, core, wanted, catalog_of(core)))
    if read.errors or read.policy is None:
        raise ConfigError(read.errors)
    return read.policy


def _mean_weights(run: SchedulerResult) -> list[float]:
    """Each schedule's share of capital, averaged over the time from the start to the end."""
    table = run.capital_weights
    if not len(table):
        return [0.0] * len(run.setup.schedules)
    moments = table["time"].to_physical().to_numpy()
    spans = np.diff(np.append(moments, run.setup.end_us)) / MICROSECONDS
    whole = (run.setup.end_us - run.setup.start_us) / MICROSECONDS
    return [float((table[name].to_numpy() * spans).sum() / whole) for name in run.setup.schedules]
