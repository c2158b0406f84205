"""The whole state of a scheduler as plain values, and a scheduler from them: the same bits go on from there.

Taken between blocks of bars. What the bars before say again (prices, wishes at columns) is left out.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ...errors import JournalError
from ...kernels import account, venue
from ...kernels.scheduler import layout
from .machine import SchedulerMachine
from .state import SchedulerState

_ARRAYS = (
    "account", "instruments", "seen", "profiles", "tallies", "schedules", "cells", "said", "unit_lots", "runs", "rests",
    "since", "rows", "hand", "unit_hand", "control", "desk",
)  # fmt: skip


_LENT = [account.CASH, account.FILLS, venue.ELSEWHERE, venue.BOUND]
"""Of a position: lent to it while it is traded; what is left there means nothing."""


def take_checkpoint(machine: SchedulerMachine, next_bar: int) -> dict[str, Any]:
    """Everything that what comes next depends on.

    Args:
        machine: A scheduler between two blocks of bars.
        next_bar: Place in the history of the bar that it takes next.
    """
    machine.tables.flush()  # how full they are is counted in the account
    machine.arrays.cells[..., _LENT] = 0.0
    machine.arrays.schedules[layout.FIRST] = 0.0  # is looked for in the bars that are taken next
    return {
        "next_bar": next_bar,
        "operator": machine.state.to_dict(),
        "arrays": {name: _written(array) for name, array in _arrays(machine)},
    }


def restore_checkpoint(machine: SchedulerMachine, plain: Mapping[str, Any]) -> int:
    """Bring a new scheduler to where another was; returns the place of the bar that it takes next.

    Raises:
        JournalError: The checkpoint is of another scheduler: an array is missing or has another shape.
    """
    machine.resume(SchedulerState.from_dict(plain["operator"]))
    for name, array in _arrays(machine):
        _read(name, plain["arrays"].get(name), array)
    return int(plain["next_bar"])


def _arrays(machine: SchedulerMachine) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
    """Every array that remembers something, by name."""
    yield from ((name, getattr(machine.arrays, name)) for name in _ARRAYS)
    yield "registers", machine.registers
    yield "smoothing", machine.smoothing
    yield from machine.wishes.memories()


def _written(array: np.ndarray[Any, Any]) -> str:
    return base64.b64encode(array.astype(array.dtype.newbyteorder("<")).tobytes()).decode("ascii")


def _read(name: str, text: str | None, array: np.ndarray[Any, Any]) -> None:
    held = base64.b64decode(text or "")
    if text is None or len(held) != array.nbytes:
        raise JournalError(
            f"the checkpoint's {name!r} has {len(held)} bytes, this scheduler's has {array.nbytes}: they are of two "
            "schedulers, or of two versions of one."
        )
    array[...] = np.frombuffer(held, dtype=array.dtype.newbyteorder("<")).reshape(array.shape)
