"""A journal's records as the tables of a scheduler's run: the fold that a result is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..engine.bars import MICROSECONDS, Floats
from ..engine.reasons import DECISIONS, FILL_KINDS, GOVERNED
from ..engine.scheduler.machine import SchedulerMachine
from ..engine.scheduler.result import EVENTS
from ..engine.scheduler.setup import SchedulerSetup
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
        self._read: dict[str, Callable[[Record], None]] = {
            "bars": self._bars,
            "weights": self._weights,
            "governor": self._governor,
            "decision": self._decision,
            "fill": self._fill,
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


def _value(number: float | str | None) -> float:
    return np.nan if number is None else float(number)
