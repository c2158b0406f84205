"""A scheduler on its way through time: the operator's events between the instants, the kernels over them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain

import numpy as np

from ..config.commands import ReplaceCapitalPolicy, SetCapitalPolicy
from ..config.durations import microseconds
from ..config.policies import Written
from ..config.policy_reading import read_policy
from ..kernels.capital import MAY_RUN, SCRATCH
from ..kernels.scheduler import layout
from ..kernels.scheduler.loop import run_instants
from ..kernels.scheduler.marks import see_closes
from ..kernels.scheduler.targets import close_schedule
from ..kernels.scheduler.wishes import find_all_signals
from .bars import MICROSECONDS, Bars, Integers
from .configured import ResolvedSchedule
from .panel import PRICES
from .policy_program import PolicyProgram, compile_policy
from .portfolio import rows_read
from .reasons import GOVERNED
from .scheduler_arrays import NEVER_US, SchedulerArrays
from .scheduler_controls import controls
from .scheduler_effects import Effect, FlattenSchedules, PolicyChanged, RebalanceCapital, ResetPeak
from .scheduler_metrics import Sources, measures_of, raw_register, reads_telemetry
from .scheduler_result import SchedulerResult
from .scheduler_setup import SchedulerSetup
from .scheduler_state import due_expiries, next_expiry
from .scheduler_tables import SchedulerTables
from .scheduler_transitions import Event, GovernorHalted, initial_state, transition
from .scheduler_wishes import BlockOfWishes
from .simulation import EngineRun

Progress = Callable[[int, int], None]


class SchedulerSimulation:
    """One run of a scheduler from its first instant to its last.

    Attributes:
        tables: Decisions, fills, weights and events.
        arrays: State of all accounts and positions; after `run` that at the end.
        state: The operator's state.
        program: The capital policy in force.
    """

    def __init__(self, setup: SchedulerSetup) -> None:
        self._setup = setup
        self._measures = measures_of(_policies(setup), _diagnostics(setup))
        self.arrays = SchedulerArrays(setup, self._measures, records=any(map(reads_telemetry, _policies(setup))))
        self.tables = SchedulerTables(self.arrays)
        self.state, effects = initial_state(setup.scheduler, setup.traits, setup.start_us)
        self._commands = list(setup.commands)
        first = int(np.searchsorted(setup.history.ts_us, setup.start_us))
        self._first, self._stop = first, len(setup.history)
        block = setup.block_bars
        self._wishes = BlockOfWishes(
            _engine_runs(setup), _second_legs(setup), self._measures, block, aligned=_is_aligned(setup)
        )
        legs = len(setup.panel.names)
        self._prices = np.full((legs, PRICES, block + 2), np.nan)
        self._rows = rows_read(setup.rules, inside=bool(self.arrays.desk[layout.WATCHES]))
        self._funding = np.zeros((legs, block + 2 if setup.rates else 0))
        self._columns: Integers = np.zeros((2, block + 2), dtype=np.int64)
        self.curve = np.empty(self._stop - first)
        self._registers = np.zeros((MAY_RUN + 1, len(setup.schedules)))
        self._take_policy()
        self._apply(effects, setup.start_us)

    def run(self, progress: Progress | None = None) -> None:
        """Go through all bars."""
        setup, block = self._setup, self._setup.block_bars
        self._wishes.skip(int(setup.history.ts_us[self._first - 1] + self._interval_us) if self._first else 0)
        for start in range(self._first, self._stop, block):
            self._run_block(start, min(start + block, self._stop))
            if progress is not None:
                progress(min(start + block, self._stop) - self._first, self._stop - self._first)

    def result(self) -> SchedulerResult:
        """What came of it."""
        tables, arrays = self.tables, self.arrays
        return SchedulerResult(
            setup=self._setup,
            read_fills=partial(tables.whole, "fills"),
            cells=arrays.cells[:, :, layout.REAL],
            cash=float(arrays.account[layout.BALANCE]),
            warm_up_bars=self._wishes.warm_up_bars,
            curve=self.curve,
            read_decisions=partial(tables.whole, "decisions"),
            refresh_table=tables.whole("refreshes"),
            event_table=tables.whole("events"),
            notes=tuple(tables.notes),
            program=self.program,
            registers=self._registers,
            state=self.state,
        )

    @property
    def _interval_us(self) -> int:
        return self._setup.panel.interval_seconds * MICROSECONDS

    def _run_block(self, start: int, stop: int) -> None:
        history, arrays = self._setup.history, self.arrays
        closes = history.ts_us[start:stop] + self._interval_us
        self._wishes.fill(closes)
        self._fill_prices(start, stop)
        if start == self._first and start > 0:
            see_closes(0, self._prices, arrays.instruments)  # what the first orders are sized by
        width = stop - start + 1
        find_all_signals(self._wishes.wishes, width, arrays.rules, arrays.cells, arrays.schedules, arrays.upcoming)
        if arrays.account[layout.COLUMN] >= 0.0 or start > 0:
            arrays.account[layout.COLUMN] = 0.0  # what was closed last stands before the block
        begin = self._setup.start_us if start == self._first else int(closes[0])
        end = self._setup.end_us + 1 if stop == self._stop else int(history.ts_us[stop] + self._interval_us)
        timeline = self._timeline(start, stop, begin, end)
        at = 0
        while at < timeline.shape[1]:
            timeline = self._take_events(timeline, at, end)
            cut = self._next_event(int(timeline[0, at]) + 1, end)
            until = int(np.searchsorted(timeline[0], cut))
            at = self._run_instants(timeline, at, until, width)

    def _fill_prices(self, start: int, stop: int) -> None:
        history = self._setup.history
        before = 1 if start == 0 else 0  # of the first bar there is none
        columns = np.arange(start - 1 + before, min(stop + 1, self._stop))
        self._prices[:, :, before + columns.size :] = np.nan
        history.fill_prices(columns, self._rows, self._prices, before)
        for i, rates in self._setup.rates.items():
            history.fill_own(i, rates, columns, self._funding[i, before:])
        self._columns[0, before : before + columns.size] = history.numbers[columns]
        self._columns[1, before : before + columns.size] = columns - self._first

    def _timeline(self, start: int, stop: int, begin: int, end: int) -> Integers:
        """int64[3, instant] from `begin` to before `end`, as `run_instants` reads it."""
        history, schedules = self._setup.history, self.arrays.schedules
        opened = start if start == self._first else start + 1
        opens, closes = history.ts_us[opened : stop + 1], history.ts_us[start:stop] + self._interval_us
        due = [
            np.arange(-(-begin // cadence) * cadence, end, cadence)
            for cadence in np.unique(schedules[layout.CADENCE]).astype(np.int64).tolist()
        ]
        times = np.unique(np.concatenate(([begin], opens, closes, *due)))  # weights may be due at the start
        times = times[(times >= begin) & (times < end)]
        timeline = np.full((3, times.size), -1, dtype=np.int64)
        timeline[0] = times
        for row, moments, first in ((1, closes, 1), (2, opens, 1 + opened - start)):
            inside = (moments >= begin) & (moments < end)
            timeline[row, np.searchsorted(times, moments[inside])] = (first + np.arange(moments.size))[inside]
        return timeline

    def _next_event(self, after: int, end: int) -> int:
        """The next time from `after` on, and before `end`, at which a command is given or something expires."""
        expiry = next_expiry(self.state)
        given = microseconds(self._commands[0].at) if self._commands else NEVER_US
        return min(max(given, after), expiry if expiry is not None else NEVER_US, end)

    def _take_events(self, timeline: Integers, at: int, end: int) -> Integers:
        """Apply what is due at an instant, and see that the next event has an instant of its own."""
        now = int(timeline[0, at])
        while self._commands and microseconds(self._commands[0].at) <= now:
            self._event(self._commands.pop(0), now)
        for expired in due_expiries(self.state, now):
            self._event(expired, now)
        event = self._next_event(now + 1, end)
        place = int(np.searchsorted(timeline[0], event))
        if event < end and (place == timeline.shape[1] or timeline[0, place] != event):
            timeline = np.insert(timeline, place, (event, -1, -1), axis=1)
        return timeline

    def _event(self, event: Event, now: int) -> None:
        self.state, effects = transition(self.state, event, now)
        self._apply(effects, now)

    def _apply(self, effects: Sequence[Effect], now: int) -> None:
        """Let the arrays follow the state."""
        arrays, setup = self.arrays, self._setup
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
        arrays, number = self.arrays, now // self._interval_us - 1
        rank = int(np.flatnonzero(arrays.order == s)[0])
        close_schedule(
            s, rank, now, number, arrays.rules, arrays.instruments, arrays.account, arrays.tallies, arrays.schedules,
            arrays.cells, arrays.said, arrays.upcoming, arrays.hand, arrays.unit_hand,
        )  # fmt: skip

    def _take_policy(self) -> None:
        """Compile the state's policy; its moving averages start anew."""
        setup = self._setup
        may_run = self._registers[MAY_RUN]
        self.program: PolicyProgram = compile_policy(read_policy(self.state.capital_policy), setup.traits)
        stated = {"drift_seconds": setup.drift_seconds, "latency_ms": 0.0}
        self._sources = Sources(self.program, self._measures, stated)
        self._registers = self.program.registers.copy()
        self._registers[MAY_RUN] = may_run
        schedules = len(setup.schedules)
        self._smoothing = np.zeros((len(self.program.smoothings), schedules))
        self._scratch = np.zeros((SCRATCH, schedules))
        self._raw = raw_register(self.program)

    def _run_instants(self, timeline: Integers, start: int, stop: int, width: int) -> int:
        arrays, program, tables, wishes = self.arrays, self.program, self.tables, self._wishes
        at = run_instants(
            timeline, self._columns, self._prices, self._funding, width, wishes.wishes, wishes.confidence, wishes.means,
            arrays.confidence_measure, arrays.desk, arrays.control, arrays.governor, arrays.order, arrays.rules,
            arrays.watched, arrays.warm_from, arrays.others, self._sources.rows, self._sources.stated, self._raw,
            program.rows, program.constants, program.groups, self._registers, self._smoothing, self._scratch,
            arrays.account, arrays.instruments, arrays.seen, arrays.profiles, arrays.tallies, arrays.schedules,
            arrays.cells, arrays.said, arrays.upcoming, arrays.unit_lots, arrays.runs, arrays.rests, arrays.since,
            arrays.stretch, arrays.rows, arrays.outcome, arrays.hand, arrays.unit_hand, tables.decisions,
            tables.refreshes, tables.events, tables.fills, tables.unit_fills, self.curve, start, stop,
        )  # fmt: skip
        tables.flush()
        cause = int(arrays.account[layout.HALTED_BY])
        if cause:
            arrays.account[layout.HALTED_BY] = 0.0
            self._event(GovernorHalted(reason=GOVERNED[cause]), int(timeline[0, at]))
        return int(at)


def simulate(setup: SchedulerSetup, progress: Progress | None = None) -> SchedulerResult:
    """Run a scheduler and hand everything to the result."""
    simulation = SchedulerSimulation(setup)
    simulation.run(progress)
    return simulation.result()


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
    """Whether each bar of the panel is the next one of every instrument and schedule."""
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
