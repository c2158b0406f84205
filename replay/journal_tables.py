"""A journal's records as the tables of a scheduler's run: the fold that a result is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from ..config.commands import AnyCommand
from ..engine.bars import MICROSECONDS, Floats
from ..engine.reasons import DECISIONS, FILL_KINDS, GOVERNED
from ..engine.scheduler.effects import Effect, Noted
from ..engine.scheduler.machine import SchedulerMachine
from ..engine.scheduler.result import EVENTS
from ..engine.scheduler.setup import SchedulerSetup
from ..engine.scheduler.state import due_expiries
from ..engine.scheduler.transitions import Event, GovernorHalted, initial_state, transition
from ..kernels import account, decisions
from ..kernels.scheduler import layout
from .journal.record import at_us

Record = Mapping[str, Any]

_REASONS = {"": decisions.ACCEPTED, **{word: code for code, word in DECISIONS.items()}}
_KINDS = {word: code for code, word in FILL_KINDS.items()}
_CHANGES = {word: code for code, word in EVENTS.items()}
_GOVERNED = {word: code for code, word in GOVERNED.items()}


class JournalTables:
    """Takes records in order and gives the tables that the kernels would have written, bit for bit."""

    def __init__(self, setup: SchedulerSetup) -> None:
        self._setup = setup
        self._schedules = {name: s for s, name in enumerate(setup.schedules)}
        self._instruments = {name: i for i, name in enumerate(setup.instruments)}
        self._legs = {name: leg for leg, name in enumerate(setup.panel.names)}
        self._profiles = {name: k for k, name in enumerate(sorted({one.risk_profile for one in setup.resolved}))}
        self._rows: dict[str, list[list[float]]] = {"decisions": [], "fills": [], "refreshes": [], "events": []}
        self._equity: list[tuple[int, float]] = []
        self._told = _Told(setup)
        self._read: dict[str, Callable[[Record], None]] = {
            "bars": self._bars,
            "weights": self._weights,
            "governor": self._governor,
            "decision": self._decision,
            "fill": self._fill,
            "command": self._told.command,
            "expiry": self._told.expiry,
            "mode": self._told.mode,
        }

    def take(self, record: Record) -> None:
        """Add a record; those that no table is made of are passed over."""
        read = self._read.get(record["kind"])
        if read is not None:
            read(record)

    def put_into(self, machine: SchedulerMachine) -> None:
        """Hand everything to a machine that goes on from there."""
        for name, rows in self._rows.items():
            if rows:
                machine.tables.put(name, np.ascontiguousarray(np.array(rows).T))
        machine.tables.notes += self._told.notes
        curve = self.curve()
        machine.curve[: curve.size] = curve

    def curve(self) -> Floats:
        """float64[bar]: equity at each close so far."""
        panel = self._setup.panel
        places = np.searchsorted(
            panel.ts_us, [close - panel.interval_seconds * MICROSECONDS for close, _ in self._equity]
        )
        curve = np.full(int(places[-1]) + 1 if places.size else 0, np.nan)
        curve[places] = [equity for _, equity in self._equity]
        return curve

    def _bars(self, record: Record) -> None:
        self._equity.append((at_us(record["at"]), record["equity"]))

    def _weights(self, record: Record) -> None:
        shares = [_value(record[kind][name]) for kind in ("raw", "weights") for name in self._schedules]
        self._rows["refreshes"].append([at_us(record["at"]), *shares])

    def _governor(self, record: Record) -> None:
        kind = _CHANGES[record["change"]]
        of = (self._profiles if kind <= layout.PROFILE_RECOVERS else _GOVERNED)[record["name"]]
        values = (at_us(record["at"]), kind, of, _value(record["value"]), _value(record["limit"]))
        self._rows["events"].append(list(values))

    def _decision(self, record: Record) -> None:
        row = [0.0] * layout.DECISION
        cell = self._schedules[record["schedule"]] * len(self._instruments) + self._instruments[record["instrument"]]
        row[layout.DECIDED_AT], row[layout.DECIDED_CELL] = at_us(record["at"]), cell
        row[layout.DECIDED_WISH] = record["side"] * record["exposure"]
        row[layout.DECIDED_CONFIDENCE] = _value(record["confidence"])
        row[layout.DECIDED_REASON] = _REASONS[record["reason"]]
        row[layout.IS_ACCEPTED] = record["status"] == "accepted"
        self._rows["decisions"].append(row)

    def _fill(self, record: Record) -> None:
        row = [0.0] * account.FILL_COLUMNS
        row[account.FILL_BAR] = record["bar"]
        row[account.FILL_LEG] = self._schedules[record["schedule"]] * len(self._legs) + self._legs[record["instrument"]]
        row[account.FILL_LOTS], row[account.FILL_PRICE] = record["lots"], record["price"]
        row[account.FILL_FEE], row[account.FILL_REFERENCE] = record["fee"], _value(record["reference"])
        row[account.FILL_KIND] = _KINDS[record["cause"]]
        self._rows["fills"].append(row)


class _Told:
    """The operator's state, moved again by what the journal says, for what it tells.

    Attributes:
        notes: What it told since the start, each with its instant.
    """

    def __init__(self, setup: SchedulerSetup) -> None:
        self.notes: list[tuple[int, Noted]] = []
        self._state, effects = initial_state(setup.scheduler, setup.traits, setup.start_us)
        self._over = _never_held(effects)

    def command(self, record: Record) -> None:
        self._over += _never_held(self._move(record, msgspec.convert(record["command"], AnyCommand)))

    def expiry(self, record: Record) -> None:
        if self._over:  # was past its end when it was given: the state knows that by itself
            self._over -= 1
            return
        now_us, wanted = at_us(record["at"]), (record["what"], record["source"], record["name"])
        for ended in due_expiries(self._state, now_us):
            kind, source, *names = ended.key
            if (kind, source, ":".join(names)) == wanted:
                self._move(record, ended)

    def mode(self, record: Record) -> None:
        self._move(record, GovernorHalted(reason=record["reason"]))

    def _move(self, record: Record, event: Event) -> Sequence[Effect]:
        now_us = at_us(record["at"])
        self._state, effects = transition(self._state, event, now_us)
        self.notes += [(now_us, effect) for effect in effects if isinstance(effect, Noted)]
        return effects


def _never_held(effects: Sequence[Effect]) -> int:
    """How many entries were past their ends when they were given."""
    return sum(isinstance(effect, Noted) and effect.change == "expired" for effect in effects)


def _value(number: float | str | None) -> float:
    return np.nan if number is None else float(number)
