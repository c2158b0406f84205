"""The orders that a scheduler's positions wait for, under ids that are the same after a restart."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from ...engine.bars import Integers
from ...engine.scheduler.live_machine import LiveMachine
from ...errors import FeedError
from ...kernels.account import DECIDED, HEDGED, PENDING
from ...kernels.scheduler import layout
from ...kernels.scheduler.reports import WAITING, list_waiting
from ..channel.messages import Order

Place: TypeAlias = tuple[int, int]
"""Schedule and instrument."""
_Sent: TypeAlias = tuple[int, str]
"""When an order was sent, and its id."""
_NOTHING: _Sent = (-1, "")

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_RUN_DIGITS = 8


def order_id(run: str, schedule: int, instrument: int, bar: int, ordinal: int) -> str:
    """The id of the order that a schedule sent for an instrument at a bar.

    Args:
        run: The run's id.
        schedule: Its place among the sorted names.
        instrument: Its place.
        bar: Number of the bar that was closed last: open time over interval.
        ordinal: Which of the bar's orders: microseconds since that close.
    """
    return "-".join((run[:_RUN_DIGITS], *map(_in_base_36, (schedule, instrument, bar, ordinal))))


def place_of(run: str, wanted: str) -> tuple[int, int]:
    """The schedule and the instrument of an order of this run.

    Raises:
        FeedError: The id is none of this run.
    """
    parts = wanted.split("-")
    if len(parts) != 5 or parts[0] != run[:_RUN_DIGITS]:
        raise FeedError(f"the venue tells of order {wanted!r}, which is none of run {run[:_RUN_DIGITS]}.")
    return int(parts[1], 36), int(parts[2], 36)


class OpenOrders:
    """What the machine has on order, as a venue knows it."""

    def __init__(self, machine: LiveMachine, run: str) -> None:
        """run: the id of the run's journal."""
        self._machine, self._run = machine, run
        self._waiting: Integers = np.empty((machine.arrays.hand.size, WAITING), dtype=np.int64)
        self._known: dict[Place, _Sent] = {}
        self._known = self._on_hand()

    def current(self, schedule: int, instrument: int) -> str:
        """The id of the order that a position waits for; empty where it waits for none."""
        return self._known.get((schedule, instrument), _NOTHING)[1]

    def all(self) -> dict[str, Order]:
        """All orders that positions wait for, by id; tags are the caller's to add."""
        return {own: self._order(*place, sent_us, own) for place, (sent_us, own) in self._on_hand().items()}

    def news(self) -> tuple[list[Order], list[str]]:
        """What is on order that was not at the last call, and the ids that are no longer wanted and not replaced."""
        before, self._known = self._known, self._on_hand()
        new = [
            self._order(*place, *sent, replaces=before.get(place, _NOTHING)[1])
            for place, sent in self._known.items()
            if before.get(place) != sent
        ]
        return new, [own for place, (_, own) in before.items() if place not in self._known]

    def forget_ended(self, schedule: int, instrument: int) -> None:
        """What a report has ended is no news."""
        if self._machine.arrays.cells[schedule, instrument, layout.REAL, PENDING] == 0.0:
            self._known.pop((schedule, instrument), None)

    def _on_hand(self) -> dict[Place, _Sent]:
        """What each position waits for, in the order in which it is filled; what was known before keeps its id."""
        arrays, known, found = self._machine.arrays, self._known, {}
        on_hand = int(arrays.account[layout.ON_HAND])
        count = list_waiting(arrays.cells, arrays.order, arrays.hand, on_hand, self._waiting)
        for s, i, sent_us in self._waiting[:count].tolist():
            before = known.get((s, i), _NOTHING)
            found[s, i] = before if before[0] == sent_us else (sent_us, self._id(s, i, sent_us))
        return found

    def _id(self, s: int, i: int, sent_us: int) -> str:
        interval_us = self._machine.interval_us
        return order_id(self._run, s, i, sent_us // interval_us - 1, sent_us % interval_us)

    def _order(self, s: int, i: int, sent_us: int, own: str, replaces: str = "") -> Order:
        machine = self._machine
        cell = machine.arrays.cells[s, i, layout.REAL]
        ages = cell[DECIDED] < float("inf")
        return Order(
            order_id=own,
            tag="",
            schedule=s,
            leg=i,
            lots=int(cell[PENDING]),
            pair=bool(machine.arrays.rules[s, HEDGED]),
            decided=int(cell[DECIDED]) if ages else sent_us // machine.interval_us - 1,
            sent_us=sent_us,
            replaces=replaces,
            never_ages=not ages,
        )


def _in_base_36(number: int) -> str:
    digits = ""
    while number >= 36:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return _DIGITS[number] + digits
