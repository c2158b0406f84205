"""Defects that tests plant in a live machine."""

from __future__ import annotations

import numpy as np
from barstep.replay.live.session import LiveSession


def flip_a_carry(session: LiveSession, schedule: int) -> bool:
    """Flip a bit of what a schedule's engine remembers, in the middle of its numbers; whether there was any."""
    flipped = False
    for name, array in session.machine.wishes.memories():
        if name == f"carries of {schedule}":
            numbers = array.view(np.int64)
            held = np.isfinite(array) & (np.abs(array) > 1e-3)
            numbers[held] ^= 1 << 50
            flipped |= bool(held.any())
    return flipped
