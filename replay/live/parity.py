"""The proof that a live session decided as the other drivers do over the bars that it was told."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...engine.scheduler.machine import SchedulerMachine
from ...engine.scheduler.result import SchedulerResult
from ...engine.scheduler.setup import SchedulerSetup
from ...errors import UsageError
from ...kernels.account import FILL_BAR
from ..catching_up import CatchUp, DivergedError
from ..journal.record import at_text, at_us, fields_of
from ..journal_tables import JournalTables
from ..parity import REPLAYED, VECTORISED, Divergence, Parity, first_divergence
from ..twin import run_twin
from .again import COMPARED
from .done_again import LiveJournal, Progress

LIVE, AGAIN = "live", "live, again"


@dataclass(frozen=True, kw_only=True)
class LiveParity(Parity):
    """What came of running a live session by the other drivers, and of doing it again.

    Attributes:
        exact: Whether its venue filled as the kernels do. Where not, equity is another one, and what follows from it:
            vectorised and replayed are held against each other, and the session against itself, done again with what
            its venue told.
        diverged: The first record that does not come out as it was written; None where all do.
    """

    exact: bool
    diverged: DivergedError | None

    @property
    def holds(self) -> bool:
        """Whether all that is to be the same has the same bits."""
        return self.divergence is None and self.diverged is None


def verify_live(session: LiveJournal, progress: Progress | None = None) -> LiveParity:
    """Run a live session's bars and commands vectorised and instant by instant, and do it again.

    Raises:
        UsageError: It began inside of a bar, where no backtest begins.
        DataError: No bar has closed in it.
    """
    setup, drift = session.twin_setup(), session.drift()
    if setup.start_us != session.start_us:
        raise UsageError(
            f"the session began at {at_text(session.start_us)}, inside of a bar; a backtest of its bars begins at "
            f"{at_text(setup.start_us)}. It can be done again: barstep replay --from-journal."
        )
    commands = session.tail.commands
    runs = {
        VECTORISED: run_twin(setup, commands, drift),
        REPLAYED: run_twin(setup, commands, drift, block_bars=1),
    }
    folding = _Folding(session, setup)
    diverged = session.do_again(folding, progress)
    runs |= {LIVE: _folded(session, setup), AGAIN: folding.result()}
    exact = _filled_alike(runs[VECTORISED], runs[LIVE])
    return LiveParity(
        digests={name: run.digests for name, run in runs.items()},
        counts={
            "bars": len(setup.panel),
            "decisions": len(runs[LIVE].decisions),
            "fills": len(runs[LIVE].fills),
            "records": folding.compared,
        },
        divergence=_divergence(runs, exact=exact),
        exact=exact,
        diverged=diverged,
    )


class _Folding(CatchUp):
    """Compares what is made, and folds it."""

    def __init__(self, session: LiveJournal, setup: SchedulerSetup) -> None:
        super().__init__(session.tail.records, None, COMPARED)
        self._tables = _Tables(setup)

    def append(self, payload: bytes) -> None:
        """Fold a record and compare it."""
        self._tables.take(payload)
        super().append(payload)

    def result(self) -> SchedulerResult:
        """What was made."""
        return self._tables.result()


class _Tables:
    """Folds the records of a live session up to its last close, where its twin ends."""

    def __init__(self, setup: SchedulerSetup) -> None:
        self._setup, self._tables = setup, JournalTables(setup)

    def take(self, payload: bytes) -> None:
        record = fields_of(payload)
        is_later = record.get("bar", 0) >= len(self._setup.panel) or at_us(record["at"]) > self._setup.end_us
        if not is_later:
            self._tables.take(record)

    def result(self) -> SchedulerResult:
        machine = SchedulerMachine(self._setup, observed=True)
        machine.curve[:] = np.nan  # of what is not in the records
        self._tables.put_into(machine)
        return machine.result()


def _folded(session: LiveJournal, setup: SchedulerSetup) -> SchedulerResult:
    """What a session's journal says."""
    tables = _Tables(setup)
    for payload in session.tail.records:
        tables.take(payload)
    return tables.result()


def _divergence(runs: dict[str, SchedulerResult], *, exact: bool) -> Divergence | None:
    """The first instant at which a driver differs from the vectorised one, as far as they are to be the same."""
    held = [REPLAYED, LIVE] if exact else [REPLAYED]
    pairs = [(VECTORISED, name) for name in held] + [(LIVE, AGAIN)]
    found = (
        first_divergence({one: runs[one], other: runs[other]})
        for one, other in pairs
        if runs[one].digests != runs[other].digests
    )
    return next(found, None)


def _filled_alike(twin: SchedulerResult, live: SchedulerResult) -> bool:
    """Whether a venue has filled as the kernels do, up to the first instant at which the runs differ otherwise."""
    differs_us = _first_other_fill_us(twin, live)
    if differs_us is None:
        return True
    other = first_divergence({VECTORISED: twin, LIVE: live})
    return other is not None and at_us(other.at) <= differs_us


def _first_other_fill_us(twin: SchedulerResult, live: SchedulerResult) -> int | None:
    """When the bar opens that two runs' fills first differ in; None where they do not."""
    one, other = twin.fill_table, live.fill_table
    rows = min(one.shape[1], other.shape[1])
    first, second = one[:, :rows], other[:, :rows]
    unequal = ((first != second) & ~(np.isnan(first) & np.isnan(second))).any(axis=0)
    if unequal.any():
        row = int(unequal.argmax())
        bar = int(min(one[FILL_BAR, row], other[FILL_BAR, row]))
    elif one.shape[1] != other.shape[1]:
        bar = int((one if one.shape[1] > rows else other)[FILL_BAR, rows])
    else:
        return None
    return int(twin.setup.panel.ts_us[bar])
