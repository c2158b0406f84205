"""What ends a stream or half of it: a cut, silence, deafness, and an order's acknowledgement that is lost."""

from __future__ import annotations

import numpy as np

from ..channel.messages import FromLoop, FromVenue, Orders, Report
from .faults import Faults, Occasion

_BEFORE, _HEARD = range(2)
"""Where an acknowledgement is lost: before the orders are heard, or right after; else before a report."""


class Interruptions:
    """What has happened to one stream.

    Attributes:
        is_cut: Whether it is to be ended without a word.
        is_mute: Whether nothing is sent any more.
        is_deaf: Whether nothing is heard any more.
    """

    def __init__(self, faults: Faults, rng: np.random.Generator) -> None:
        self._faults, self._rng = faults, rng
        self._began_us: int | None = None
        self._loses_report = False
        self.is_cut = self.is_mute = self.is_deaf = False

    def hears(self, message: FromLoop) -> bool:
        """Whether a message is heard; it may be the last one."""
        if isinstance(message, Orders) and message.orders and self._rng.random() < self._faults.ack_lost:
            where = int(self._rng.integers(3))
            self.is_cut = where in (_BEFORE, _HEARD)
            self._loses_report = not self.is_cut
            return where != _BEFORE
        return True

    def says(self, message: FromVenue, event_us: int) -> bool:
        """Whether a message is sent, at an instant of event time."""
        if self._began_us is None:
            self._began_us = event_us
        self.is_cut |= self._loses_report and isinstance(message, Report)
        self.is_cut |= self._happens(self._faults.disconnect, event_us)
        self.is_mute |= self._happens(self._faults.stall, event_us)
        self.is_deaf |= self._happens(self._faults.half_close, event_us)
        return not (self.is_cut or self.is_mute)

    def _happens(self, occasion: Occasion | None, event_us: int) -> bool:
        if occasion is None:
            return False
        if occasion.every_us is None:
            return bool(self._rng.random() < occasion.chance)
        return event_us - (self._began_us or 0) >= occasion.every_us
