"""A scheduler as a machine: its state, the operator's events that move it, and the kernels over its instants.

Every driver turns the same machine: a backtest over blocks of bars, cut where an event falls; event time instant by
instant. Where it is cut does not change a bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain

import numpy as np

from ...config.commands import ReplaceCapitalPolicy, SetCapitalPolicy
from ...config.policies import Written
from ...config.policy_reading import read_policy
from ...kernels.account import FILL_BAR
from ...kernels.capital import MAY_RUN, SCRATCH
from ...kernels.scheduler import layout
from ...kernels.scheduler.book import PAGES
from ...kernels.scheduler.columns import take_columns
from ...kernels.scheduler.loop import run_instants
from ...kernels.scheduler.targets import close_schedule
from ...kernels.scheduler.timeline import fill_timeline
from ..bars import MICROSECONDS, Bars, Floats, Integers
from ..book import Book
from ..configured import ResolvedSchedule
from ..growing import GrowingPanel
from ..panel import PRICES
from ..policy_program import PolicyProgram, compile_policy
from ..portfolio import rows_read
from ..reasons import GOVERNED
from ..simulation import EngineRun
from .allocation import Allocation
from .arrays import SchedulerArrays
from .controls import controls
from .effects import Effect, FlattenSchedules, PolicyChanged, RebalanceCapital, ResetPeak
from .metrics import Sources, every_measure, measures_of, raw_register, reads_telemetry, stated_metrics
from .result import SchedulerResult
from .setup import SchedulerSetup
from .state import SchedulerState
from .tables import SchedulerTables
from .transitions import Event, GovernorHalted, initial_state, transition
from .wishes import BlockOfWishes


class SchedulerMachine:
    """One scheduler, from its first instant on.

    Attributes:
        setup: What it runs on and how.
        interval_us: Length of a bar.
        measures: What is averaged over the instruments of each schedule.
        bars: Places in the history of the first bar that is traded, and of the one after the last.
        taken: Places in the history of the bars that were taken last.
        timeline: int64[3, instant], what falls on the instants of the bars taken last, as `run_instants` reads it.
        until_us: The time before which these instants lie.
        tables: Decisions, fills, weights and events.
        arrays: State of all accounts and positions.
        state: The operator's state.
        program: The capital policy in force.
        registers: float64[register, schedule], what it made of the last telemetry.
        smoothing: float64[·, schedule], what its moving averages remember.
        wishes: What the engines want.
        curve: float64[bar], equity at each close so far.
    """

    def __init__(self, setup: SchedulerSetup, *, observed: bool = False) -> None:
        """observed: whether all telemetry is kept, also what no policy of the setup reads: others may look."""
        self.setup, self.interval_us = setup, setup.panel.interval_seconds * MICROSECONDS
        self.measures = (
            every_measure(_diagnostics(setup)) if observed else measures_of(_policies(setup), _diagnostics(setup))
        )
        records = observed or any(map(reads_telemetry, _policies(setup)))
        self.arrays = SchedulerArrays(setup, self.measures, records=records)
        self.tables = SchedulerTables(self.arrays)
        self.state, effects = initial_state(setup.scheduler, setup.traits, setup.start_us)
        first = int(np.searchsorted(setup.history.ts_us, setup.start_us))
        self.bars = range(first, len(setup.history))
        block = setup.block_bars
        self.wishes = BlockOfWishes(
            _engine_runs(setup), _second_legs(setup), self.measures, block, aligned=_is_aligned(setup)
        )
        legs = len(setup.panel.names)
        self._prices = np.full((legs, PRICES, block + 2), np.nan)
        self._rows = rows_read(setup.rules, inside=bool(self.arrays.desk[layout.WATCHES]))
        self._funding = np.zeros((legs, block + 2 if setup.rates else 0))
        self._columns: Integers = np.zeros((2, block + 2), dtype=np.int64)
        self.taken = range(first, first)
        self.timeline: Integers = np.zeros((3, 0), dtype=np.int64)
        self.until_us = setup.start_us
        self._cadences = np.unique(self.arrays.schedules[layout.CADENCE]).astype(np.int64)
        self.curve = np.empty(len(self.bars))
        self.registers = np.zeros((MAY_RUN + 1, len(setup.schedules)))
        self._book = self._open_book()
        self._take_policy()
        self._apply(effects, setup.start_us)

    def begins_us(self, bar: int) -> int:
        """The first instant that belongs to a bar: its close; the start for the first one, past the end for none."""
        if bar == self.bars.start:
            return self.setup.start_us
        return self.setup.end_us + 1 if bar == self.bars.stop else int(self.setup.history.ts_us[bar] + self.interval_us)

    def warm_up(self) -> None:
        """Advance the engines over the bars before the first that is traded."""
        self.wishes.skip(self._close_before(self.bars.start))

    def _close_before(self, bar: int) -> int:
        """When the bar before this one closed; 0 where there is none."""
        return int(self.setup.history.ts_us[bar - 1] + self.interval_us) if bar else 0

    def take_bars(self, start: int, stop: int) -> None:
        """Take the bars `start` to `stop` of the history, which follow those taken last, and make their timeline."""
        self.take_columns(start, stop)
        self.until_us = self.begins_us(stop)
        self._set_timeline(self._timeline(start, stop, self.begins_us(start), self.until_us))

    def take_columns(self, start: int, stop: int) -> None:
        """Lay out the bars `start` to `stop`, and what the engines want at them; none: only what stands before them."""
        self._fill_columns(start, stop)
        self.take_wishes(start, stop)

    def take_wishes(self, start: int, stop: int) -> None:
        """The same without prices."""
        closes_us = self.setup.history.column_closes_us(start, stop)
        if self.wishes.asks_outside:
            self.wishes.fill_outside(closes_us, self._close_before(start))
        self._book.put(closes_us=closes_us)
        self._take_columns(start, stop)

    def _take_columns(self, start: int, stop: int) -> None:
        self.taken = range(start, stop)
        take_columns(self._book.pages, start, stop)

    def next_event(self, given_us: int) -> int:
        """When the state is moved next, where the next command is given at a time: by that, or by an expiry.

        Where that lies before the end of the bars that are taken, it is made an instant.
        """
        following = min(given_us, self.state.next_expiry_us)
        if following < self.until_us:
            self._add_instant(following)
        return following

    def event(self, event: Event, now: int) -> None:
        """Move the state, and let the arrays follow."""
        self.state, effects = transition(self.state, event, now)
        self._apply(effects, now)

    def run(self, start: int, stop: int) -> int:
        """Do what falls on the instants `start` to `stop` of the timeline; returns the one to go on from."""
        at = int(run_instants(self._book.pages, start, stop))
        if at < stop:
            self._attend(at)
        return at

    def _attend(self, at: int) -> None:
        """The kernel stopped: a table is full, or the governor halts."""
        account = self.arrays.account
        cause = int(account[layout.HALTED_BY])
        if cause:
            account[layout.HALTED_BY] = 0.0
            self.event(GovernorHalted(reason=GOVERNED[cause]), int(self.timeline[0, at]))
        else:
            self.tables.make_room()

    @property
    def allocation(self) -> Allocation:
        """The shares of capital that are in force."""
        raw = np.nan_to_num(self.registers[raw_register(self.program)])
        return Allocation(self.setup, self.program, self.registers, raw, self.arrays.schedules[layout.WEIGHT].copy())

    def result(self) -> SchedulerResult:
        """What came of it; the tables are handed over, and it is over."""
        self.tables.flush()
        whole = self.tables.whole
        read = {name: partial(whole, name) for name in ("fills", "decisions", "refreshes")}
        return self._result(self.setup, read, kept=False)

    def result_so_far(self, now_us: int) -> SchedulerResult:
        """What came of it up to an instant, the last that was done; it may go on, and the result stays as it is.

        The result ends with the last bar that is closed then: what was filled at its close is not in it.

        Raises:
            UsageError: No bar has closed yet.
        """
        self.tables.flush()
        setup = self.setup.until(now_us)
        fills, decided, refreshed = (self.tables.whole(name, kept=True) for name in ("fills", "decisions", "refreshes"))
        fills = fills[:, fills[FILL_BAR] < len(setup.panel)]
        read = {"fills": lambda: fills, "decisions": lambda: decided, "refreshes": lambda: refreshed}
        return self._result(setup, read, kept=True)

    def _result(
        self, setup: SchedulerSetup, read: Mapping[str, Callable[[], Floats]], *, kept: bool
    ) -> SchedulerResult:
        """The result; `read` gives its large tables by name."""
        arrays, curve, cells = self.arrays, self.curve, self.arrays.cells[:, :, layout.REAL]
        return SchedulerResult(
            setup=setup,
            read_fills=read["fills"],
            cells=cells.copy() if kept else cells,
            cash=float(arrays.account[layout.BALANCE]),
            warm_up_bars=self.wishes.warm_up_bars,
            curve=curve[: len(setup.panel)].copy() if kept else curve,
            read_decisions=read["decisions"],
            read_refreshes=read["refreshes"],
            event_table=self.tables.whole("events", kept=kept),
            notes=tuple(self.tables.notes),
            program=self.program,
            registers=self.registers.copy() if kept else self.registers,
            state=self.state,
        )

    def _fill_columns(self, start: int, stop: int) -> None:
        history = self.setup.history
        before = 1 if start == 0 else 0  # of the first bar there is none
        first, end = start - 1 + before, min(stop + 1, self.bars.stop)
        history.fill_columns(first, end, before, self.bars.start, self._rows, self._prices, self._columns)
        for i, rates in self.setup.rates.items():
            history.fill_own(i, rates, np.arange(first, end), self._funding[i, before:])

    def _timeline(self, start: int, stop: int, begin: int, end: int) -> Integers:
        """The instants from `begin` to before `end`."""
        history = self.setup.history
        opened = start if start == self.bars.start else start + 1
        opens, closes = history.ts_us[opened : stop + 1], history.ts_us[start:stop] + self.interval_us
        due = sum(-(-(end - begin) // cadence) for cadence in self._cadences.tolist())
        timeline: Integers = np.empty((3, 1 + opens.size + closes.size + due), dtype=np.int64)
        count = fill_timeline(begin, end, opens, 1 + opened - start, closes, 1, self._cadences, timeline)
        return np.ascontiguousarray(timeline[:, :count])

    def _add_instant(self, now: int) -> None:
        place = int(np.searchsorted(self.timeline[0], now))
        if place == self.timeline.shape[1] or self.timeline[0, place] != now:
            self._set_timeline(np.insert(self.timeline, place, (now, -1, -1), axis=1))

    def _set_timeline(self, timeline: Integers) -> None:
        self.timeline = timeline
        self._book.put(timeline=timeline)

    def _apply(self, effects: Sequence[Effect], now: int) -> None:
        """Let the arrays follow the state."""
        arrays, setup = self.arrays, self.setup
        for effect in effects:
            match effect:
                case RebalanceCapital():
                    arrays.desk[layout.REFRESH_NOW] = 1.0
                case PolicyChanged():
                    self._take_policy()
                case FlattenSchedules() if "suspensions" not in setup.without:
                    for name in effect.schedules:
                        self._close(setup.schedules.index(name), now)
                case ResetPeak():
                    arrays.account[layout.GOVERNED_PEAK] = arrays.account[layout.EQUITY]
        self.tables.note(effects, now)
        held = controls(self.state, {one.name: one.schedule for one in setup.resolved}, setup.without)
        arrays.control[layout.REFUSAL], arrays.control[layout.LIMIT] = held.refusal, held.limit
        arrays.desk[layout.MODE] = held.mode
        seconds = self.state.allocation_rebalance_seconds
        arrays.desk[layout.REBALANCE_US] = (seconds or 0.0) * MICROSECONDS

    def _close(self, s: int, now: int) -> None:
        arrays, number = self.arrays, now // self.interval_us - 1
        rank = int(np.flatnonzero(arrays.order == s)[0])
        close_schedule(
            s, rank, now, number, arrays.rules, arrays.instruments, arrays.account, arrays.tallies, arrays.schedules,
            arrays.cells, arrays.said, arrays.upcoming, arrays.hand, arrays.unit_hand,
        )  # fmt: skip

    def resume(self, state: SchedulerState) -> None:
        """Take a state that was reached before, with its policy; nothing is noted of it."""
        self.state = state
        self._take_policy()

    def _take_policy(self) -> None:
        """Compile the state's policy; its moving averages start anew."""
        setup = self.setup
        may_run = self.registers[MAY_RUN]
        self.program: PolicyProgram = compile_policy(read_policy(self.state.capital_policy), setup.traits)
        program, schedules = self.program, len(setup.schedules)
        sources = Sources(program, self.measures, stated_metrics(setup))
        self.registers = program.registers.copy()
        self.registers[MAY_RUN] = may_run
        self.smoothing = np.zeros((len(program.smoothings), schedules))
        self._book.put(
            sources=sources.rows, stated=sources.stated, raw=raw_register(program), program=program.rows,
            constants=program.constants, groups=program.groups, registers=self.registers, smoothing=self.smoothing,
            scratch=np.zeros((SCRATCH, schedules)),
        )  # fmt: skip

    def _open_book(self) -> Book:
        """All arrays that stay in their places."""
        arrays, tables, wishes, book = self.arrays, self.tables, self.wishes, Book(PAGES)
        book.put(
            columns=self._columns, prices=self._prices, funding=self._funding, wishes=wishes.wishes,
            confidence=wishes.confidence, means=wishes.means, confidence_measure=arrays.confidence_measure,
            desk=arrays.desk, control=arrays.control, governor=arrays.governor, order=arrays.order, rules=arrays.rules,
            watched=arrays.watched, warm_from=arrays.warm_from, others=arrays.others, account=arrays.account,
            instruments=arrays.instruments, seen=arrays.seen, profiles=arrays.profiles, tallies=arrays.tallies,
            schedules=arrays.schedules, cells=arrays.cells, said=arrays.said, upcoming=arrays.upcoming,
            unit_lots=arrays.unit_lots, runs=arrays.runs, rests=arrays.rests, since=arrays.since,
            stretch=arrays.stretch, rows=arrays.rows, outcome=arrays.outcome, hand=arrays.hand,
            unit_hand=arrays.unit_hand, decisions=tables.decisions, refreshes=tables.refreshes, events=tables.events,
            fills=tables.fills, unit_fills=tables.unit_fills, curve=self.curve, engines=wishes.books.pages,
            panel=self.setup.history.pages, origin=self.bars.start,
        )  # fmt: skip
        return book


def _engine_runs(setup: SchedulerSetup) -> list[list[EngineRun | None]]:
    """Each schedule's engine on each of its instruments."""
    return [[_engine_run(setup, one, i) for i in range(len(setup.instruments))] for one in setup.resolved]


def _engine_run(setup: SchedulerSetup, one: ResolvedSchedule, i: int) -> EngineRun | None:
    if setup.instruments[i] not in one.instruments:
        return None
    bars = setup.schedule_bars[int(one.schedule.interval)][i]
    return EngineRun(one.strategy.engine, dict(one.strategy.parameters), bars, bars.values, setup.execution.year_days)


def _second_legs(setup: SchedulerSetup) -> list[list[Bars | None]]:
    """By schedule and instrument the second venue's bars, where it trades pairs."""
    return [
        [
            setup.schedule_bars[int(one.schedule.interval)][other] if one.strategy.engine.needs_secondary else None
            for other in setup.others[: len(setup.instruments)]
        ]
        for one in setup.resolved
    ]


def _is_aligned(setup: SchedulerSetup) -> bool:
    """Whether each bar of the panel is the next one of every instrument and schedule; nobody knows of bars to come."""
    if isinstance(setup.history, GrowingPanel):
        return False
    legs = setup.history.instruments[: len(setup.instruments)]
    same = all(len(bars) == len(setup.history) for bars in legs)
    return same and list(setup.schedule_bars) == [setup.panel.interval_seconds]


def _policies(setup: SchedulerSetup) -> Iterator[Written]:
    """Every capital policy that is in force at some time."""
    yield read_policy(setup.scheduler.capital_policy)
    for command in setup.commands:
        if isinstance(command, SetCapitalPolicy | ReplaceCapitalPolicy):
            yield read_policy(command.policy)


def _diagnostics(setup: SchedulerSetup) -> Iterator[str]:
    return chain.from_iterable(one.strategy.engine.diagnostics for one in setup.resolved)
