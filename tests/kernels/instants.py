"""A scheduler over some bars, made from a seed, and the loop that an engine would drive it by, cut where a test wants.

Everything that may happen does in some seed: gaps, pairs, limit orders, stops, leverage, funding, volume, profiles,
each kind of governor, late runs, suspensions with and without closing, limits, a desk that only lowers positions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from barstep.engine.book import Book
from barstep.kernels import account, decisions, modes, venue
from barstep.kernels.capital import MULTIPLY, NONE, NORMALISE, RISK_PARITY, SCRATCH, SMOOTH
from barstep.kernels.columns import CLOSE
from barstep.kernels.portfolio import fill_watched
from barstep.kernels.scheduler import layout, loop, targets, telemetry
from barstep.kernels.scheduler.book import PAGES
from barstep.kernels.scheduler.columns import take_columns
from contract import POISON
from inputs import Floats
from schedules import HOUR_US, INF, NAN, NO_PANEL, Integers, Scheduler, Shape, laid_out
from venues import rules_of

BARS, INTERVAL_US, FIRST_NUMBER = 26, 6 * HOUR_US, 4 * 20_000
_SPARE = 2
_TABLES = {
    "decisions": layout.DECISIONS, "fills": layout.WRITTEN, "refreshes": layout.REFRESHES, "events": layout.EVENTS,
}  # fmt: skip
_LENT = [account.CASH, account.FILLS, venue.ELSEWHERE, venue.BOUND]
_STATE = (
    "account", "instruments", "seen", "profiles", "tallies", "schedules", "cells", "said", "unit_lots", "runs", "rests",
    "since", "registers", "smoothing", "desk",
)  # fmt: skip

Command = Callable[["Instants", int], object]


class Instants(Scheduler):
    """Three schedules in two instruments, the first of which has a second leg; the third may trade pairs of it.

    Attributes:
        opens_us: When each bar opens; `prices`, `funding`, `wishes`, `confidence` and `means` are those of all bars.
        commands: What an operator does, with its instant.
        curve: Equity at each close.
        written: The tables, whole, after `go`.
    """

    def __init__(self, seed: int, *, poison: float = POISON, room: int = 2000, quiet: bool = False) -> None:
        shape = Shape(schedules=3, instruments=2, second_legs=1, profiles=2, measures=2)
        super().__init__(shape, poison=poison, room=room)
        self._rng = np.random.default_rng(seed)
        self._make_bars()
        self._make_wishes(0.25 if quiet else 1.0)
        self._make_policy()
        self._make_rules(quiet)
        self.commands: list[tuple[int, Command]] = []
        if not quiet:
            self._make_limits(seed)
            self._make_commands()
        self.curve = np.full(BARS, poison)
        self.written = {name: [] for name in _TABLES}
        self.count = 0

    def _make_bars(self) -> None:
        rng, legs = self._rng, self.others.size
        numbers = FIRST_NUMBER + np.cumsum(rng.choice([1, 1, 1, 1, 1, 1, 2, 5], BARS))
        self.numbers, self.opens_us = numbers, numbers * INTERVAL_US
        close = 16.0 * np.exp(np.cumsum(rng.normal(0.0, 0.03, (legs, BARS)), axis=1))
        close[-1] = close[0] * np.exp(rng.normal(0.0, 0.01, BARS))
        opens = np.concatenate((close[:, :1], close[:, :-1]), axis=1) * np.exp(rng.normal(0.0, 0.005, close.shape))
        close, opens = np.round(close * 64.0) / 64.0, np.round(opens * 64.0) / 64.0
        spread = rng.uniform(0.0, 0.5, (2, *close.shape))
        self.prices = np.stack(
            (opens, np.maximum(opens, close) + spread[0], np.minimum(opens, close) - spread[1], close,
             rng.uniform(0.0, 40.0, close.shape)), axis=1,
        )  # fmt: skip
        for leg, missing in enumerate(rng.random(close.shape) < 0.12):
            self.prices[leg, :, missing] = NAN
            for k in np.flatnonzero(missing):
                self.prices[leg, CLOSE, k] = self.prices[leg, CLOSE, k - 1] if k else NAN
        self.funding = np.where(rng.random((legs, BARS)) < 0.2, rng.normal(0.0, 1e-3, (legs, BARS)), 0.0)

    def _make_wishes(self, most: float) -> None:
        rng, cells = self._rng, (3, 2, BARS)
        changes = np.where(rng.random(cells) < 0.3, np.arange(BARS), 0)
        fresh = most * rng.choice([-1.0, -0.5, 0.0, 0.5, 1.0], cells)
        self.wishes = np.take_along_axis(fresh, np.maximum.accumulate(changes, axis=2), axis=2)
        self.wishes[rng.random(cells) < 0.05] = NAN
        self.wishes[2, 1] = NAN  # it has no second leg
        self.confidence = rng.choice([0.25, 0.5, 0.75], cells)
        self.means = np.where(rng.random((2, 3, BARS)) < 0.1, NAN, rng.uniform(0.1, 1.0, (2, 3, BARS)))

    def _make_policy(self) -> None:
        """Risk parity of the unit accounts times the mean confidence, smoothed."""
        self.sources = np.array([[1, telemetry.VOLATILITY, 0], [2, telemetry.MEAN_OF, 0]])
        self.stated, self.constants = np.full(2, NAN), np.array([0.5, 0.01])
        self.program = np.array([
            [RISK_PARITY, 3, 1, 1, 0, 0, 0], [MULTIPLY, 4, 3, 2, 0, 0, 0],
            [NORMALISE, 5, 4, NONE, 0, 0, 0], [SMOOTH, 6, 5, 0, 0, 0, 0],
        ])  # fmt: skip
        self.registers, self.smoothing = np.full((7, 3), self.poison), np.zeros((1, 3))
        self.registers[0] = 0.0
        self.groups, self.raw = np.zeros((1, 3), dtype=np.int64), 5
        self.scratch = np.full((SCRATCH, 3), self.poison)
        self.desk[layout.REBALANCE_US] = 24 * HOUR_US
        self.schedules[layout.CEILING] = [0.5, 0.5, INF]
        self.schedules[layout.GROUP] = [0.0, 0.0, 1.0]

    def _make_rules(self, quiet: bool) -> None:
        rng = self._rng
        pays = {"fee": 2.0**-10, "slippage": 2.0**-9, "lot": 0.5, "max_age_bars": 2.0, "interval_days": 0.25}
        leverage = 1.0 if quiet else float(rng.choice([1.0, 3.0]))
        may = {} if quiet else {"leverage": leverage, "borrow_rate": 0.5, "funded": float(rng.random() < 0.5)}
        self.rules[:] = rules_of(**pays, **may)
        self.rules[2] = rules_of(**pays, hedged=1.0)
        self.instruments[layout.LOT_OF], self.instruments[layout.LEVERAGE_OF] = 0.5, leverage
        self.schedules[layout.HEDGES, 2] = 1.0
        cadences = 3 * HOUR_US * np.array([1, *rng.choice([1, 2, 4], 2)])
        self.schedules[layout.CADENCE] = cadences
        self.schedules[layout.NEXT_DUE] = -(-self.opens_us[0] // cadences) * cadences
        self.schedules[layout.RUN] = -(-self.opens_us[0] // cadences) - 1
        self.schedules[layout.BLOCKS_FROM] = [0.0, 3.0, 5.0]
        self.schedules[layout.MAX_DRIFT] = INF
        self.desk[layout.INTERVAL_US] = INTERVAL_US
        self.account[layout.DAY] = self.opens_us[0] // (24 * HOUR_US)
        self.warm_from[1, 1] = self.opens_us[6]
        self.warm_from[2, 1] = np.iinfo(np.int64).max
        self.schedules[layout.WARM_AT] = self.warm_from.min(axis=1)
        if not quiet:
            self.rules[0, venue.STOP_DISTANCE] = 0.05
            self.rules[1, venue.LIMIT_OFFSET] = rng.choice([0.0, 0.01])
            self.rules[:2, venue.MAX_VOLUME_SHARE] = rng.choice([0.0, 0.5])
            self.rules[:2, venue.MIN_NOTIONAL] = 20.0
            self.rules[:, account.THRESHOLD] = rng.choice([0.0, 0.1])
        fill_watched(self.rules[:, None], self.watched[:, None])
        self.desk[layout.WATCHES] = float(self.watched.any() or (self.rules[:, venue.LIMIT_OFFSET] > 0.0).any())

    def _make_limits(self, seed: int) -> None:
        rng = self._rng
        self.schedules[layout.PROFILE] = [0.0, 1.0, 1.0]
        self.schedules[layout.GROUP] = [0.0, 1.0, 2.0]
        self.profiles[0, : layout.IS_REDUCING] = 0.4, INF, 0.06, 0.03
        self.profiles[1, : layout.IS_REDUCING] = INF, 0.7, 0.1, INF
        self.governor[layout.GOVERNOR_ACTION] = seed % 4
        self.governor[: layout.GOVERNOR_ACTION] = 0.05, 0.9, 1.5, 1.0
        self.control[layout.LIMIT, 0] = 1.0
        if rng.random() < 0.3:
            self.desk[[layout.DRIFT_US, layout.ORDER_DELAY_US]], self.schedules[layout.MAX_DRIFT] = (
                60e6,
                [INF, INF, 30e6],
            )

    def _make_commands(self) -> None:
        rng, first = self._rng, int(self.opens_us[0])
        at = first + np.sort(rng.integers(1, 6 * BARS, 6)) * HOUR_US + rng.integers(0, 2, 6) * 1_234_567
        s = int(rng.integers(3))
        for time, command in zip(
            at.tolist(),
            (
                suspend(s, decisions.SUSPENDED), in_mode(modes.REDUCING), suspend(s, 0),
                suspend((s + 1) % 3, decisions.DISABLED, flatten=True), in_mode(modes.RUNNING), rebalance,
            ),
            strict=True,
        ):  # fmt: skip
            self.commands.append((time, command))
        self.commands.append((int(at[-1]) + 20 * HOUR_US, suspend((s + 1) % 3, 0)))

    def go(self, blocks: Sequence[int] = (), cuts: Sequence[int] = ()) -> Instants:
        """Run through all bars: in blocks that begin at these bars, called anew at these instants."""
        for start, stop in pairwise(sorted({0, *blocks, BARS})):
            self._run_block(start, stop, frozenset(cuts))
        self.written = {name: np.concatenate(pieces, axis=1) for name, pieces in self.written.items()}
        return self

    def _run_block(self, start: int, stop: int, cuts: frozenset[int]) -> None:
        width = stop - start + 1
        block = {name: self._columns_of(name, start, stop) for name in ("wishes", "confidence", "means")}
        prices, funding = self._columns_of("prices", start, stop + 1), self._columns_of("funding", start, stop + 1)
        columns = np.full((2, width + 1 + _SPARE), -1)
        inside = np.arange(max(start - 1, 0), min(stop + 1, BARS))
        columns[:, inside - start + 1] = self.numbers[inside], inside
        timeline = self._timeline(start, stop)
        book = self._book(
            timeline=timeline,
            columns=columns,
            prices=prices,
            funding=funding,
            width=-1,
            engines=laid_out(len(self.rules)),
            panel=NO_PANEL,
            origin=0,
            closes_us=self.opens_us[start:stop] + INTERVAL_US,
            confidence_measure=0,
            **block,
        )
        take_columns(book.pages, start, stop)
        at, instants = 0, timeline.shape[1]
        while at < instants:
            now = int(timeline[0, at])
            self._obey(now)
            given = [int(np.searchsorted(timeline[0], time)) for time, _ in self.commands]
            until = min([instants, *(one - self.count for one in cuts if one > self.count + at), *given])
            reached = loop.run_instants(book.pages, at, until)
            taken, halted = self._take_tables(), self.account[layout.HALTED_BY] != 0.0
            assert reached == until or taken or halted, "no instant was done"
            if halted:
                self._halt(int(timeline[0, reached]))
            at = reached
        self.count += instants

    def _book(self, **given: Any) -> Book:
        """What the loop works on: what is given, and everything else by its name."""
        book = Book(PAGES)
        book.put(**given, **{name: getattr(self, name) for name in PAGES if name not in given})
        return book

    def _halt(self, now: int) -> None:
        """The governor was heard: nothing runs until an operator resumes."""
        self.account[layout.HALTED_BY] = 0.0
        self.desk[layout.MODE] = modes.HALTED
        self.commands.append((now + 30 * HOUR_US, resume))

    def _obey(self, now: int) -> None:
        due = [one for one in self.commands if one[0] <= now]
        self.commands = [one for one in self.commands if one[0] > now]
        for _, command in due:
            command(self, now)

    def _columns_of(self, name: str, start: int, stop: int) -> Floats:
        """Bars start − 1 .. stop of a table from column 0 on; poison where there is none, and beyond them."""
        whole = getattr(self, name)
        out = np.full((*whole.shape[:-1], stop - start + 1 + _SPARE), self.poison)
        bars = np.arange(max(start - 1, 0), min(stop, BARS))
        out[..., bars - start + 1] = whole[..., bars]
        return out

    def _timeline(self, start: int, stop: int) -> Integers:
        """Opens, closes, due times and commands: the first block's from its first open on, else from a close on."""
        closes = self.opens_us + INTERVAL_US
        begin = int(self.opens_us[0] if start == 0 else closes[start])
        end = int(closes[-1] + 1 if stop == BARS else closes[stop])
        closing = {int(closes[k]): k - start + 1 for k in range(start, min(stop + 1, BARS))}
        opening = {int(self.opens_us[k]): k - start + 1 for k in range(start, min(stop + 1, BARS))}
        steps = (range(-(-begin // c) * c, end, c) for c in self.schedules[layout.CADENCE].astype(int).tolist())
        times = {*closing, *opening, *(time for step in steps for time in step), *(time for time, _ in self.commands)}
        rows = [(time, closing.get(time, -1), opening.get(time, -1)) for time in sorted(times) if begin <= time < end]
        return np.ascontiguousarray(np.array(rows, dtype=np.int64).T)

    def _take_tables(self) -> bool:
        """Take over what was written, and poison the tables again; whether there was anything."""
        taken = False
        for name, slot in _TABLES.items():
            rows = self.table(name, slot)
            taken = taken or rows.shape[1] > 0
            self.written[name].append(rows.copy())
            rows[:] = self.poison
            self.account[slot] = 0.0
        return taken

    def state(self) -> dict[str, Floats]:
        """All that the next instant depends on; places in tables and columns are not what it is about."""
        found = {name: np.array(getattr(self, name), dtype=np.float64) for name in _STATE}
        found["account"][layout.COLUMN] = found["schedules"][layout.FIRST] = 0.0
        found["cells"][..., _LENT] = 0.0
        found["hand"], found["unit_hand"] = np.array(self.on_hand), np.array(self.on_unit_hand)
        return found | {"curve": self.curve} | self.written


def suspend(s: int, reason: int, *, flatten: bool = False) -> Command:
    """Hold a schedule back, or (0) no longer; close it if asked to."""

    def command(one: Instants, now: int) -> None:
        one.control[layout.REFUSAL, s] = reason
        if flatten:
            targets.close_schedule(
                s, int(np.flatnonzero(one.order == s)[0]), now, now // INTERVAL_US - 1, one.rules, one.instruments,
                one.account, one.tallies, one.schedules, one.cells, one.said, one.upcoming, one.hand, one.unit_hand,
            )  # fmt: skip

    return command


def in_mode(mode: int) -> Command:
    """Let the loop do anything, or only lower positions, unless the governor has halted it."""

    def command(one: Instants, now: int) -> None:
        if one.desk[layout.MODE] != modes.HALTED:
            one.desk[layout.MODE] = mode

    return command


def rebalance(one: Instants, now: int) -> None:
    """Compute the weights at once."""
    one.desk[layout.REFRESH_NOW] = 1.0


def resume(one: Instants, now: int) -> None:
    """Go on after a halt; the governor's peak starts anew."""
    one.desk[layout.MODE] = modes.RUNNING
    one.account[layout.GOVERNED_PEAK] = one.account[layout.EQUITY]
