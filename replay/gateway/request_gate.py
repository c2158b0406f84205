"""When the next request may be made: what the exchange's headers say."""

from __future__ import annotations

from collections.abc import Mapping

from ..clock import Clock
from .exchange import ThrottledError

_PATIENT_SHARE = 0.8
"""Of the allowed weight; what is left is for orders."""
_MINUTE_US = 60_000_000
_WITHOUT_RETRY_AFTER_US = 30_000_000
_TOO_MANY, _BANNED = 429, 418


class RequestGate:
    """Holds requests back as long as the exchange asks for it.

    Args:
        clock: Whose monotonic time is used.
        weight_header: Which header tells the weight that was used in the running minute; None: none does.
        weight_a_minute: How much is allowed.
    """

    def __init__(self, clock: Clock, *, weight_header: str | None, weight_a_minute: int) -> None:
        self._clock = clock
        self._header, self._allowed = weight_header, weight_a_minute
        self._closed_until_us = 0
        self._patient_until_us = 0
        self.used_weight = 0

    def check(self, *, is_patient: bool) -> None:
        """Raise `ThrottledError` where no request may be made now.

        Args:
            is_patient: Whether it can wait for the next minute; an order cannot.
        """
        until_us = max(self._closed_until_us, self._patient_until_us if is_patient else 0)
        wait_us = until_us - self._clock.monotonic_us()
        if wait_us > 0:
            raise ThrottledError(f"no request to the exchange for another {wait_us / 1e6:.1f} s.", wait_us=wait_us)

    def wait_us(self) -> int:
        """How long no request at all may be made; 0 where one may."""
        return max(self._closed_until_us - self._clock.monotonic_us(), 0)

    def answered(self, status: int, headers: Mapping[str, str], *, server_us: int) -> None:
        """Take in what an answer says of limits.

        Args:
            status: Of HTTP.
            headers: Of the answer; names in any case.
            server_us: The exchange's time, in whose minutes weight is counted.
        """
        now_us = self._clock.monotonic_us()
        if status in (_TOO_MANY, _BANNED):
            self._closed_until_us = max(self._closed_until_us, now_us + _retry_after_us(headers.get("Retry-After")))
        used = headers.get(self._header, "") if self._header else ""
        if used.isdecimal():
            self.used_weight = int(used)
            if self.used_weight >= _PATIENT_SHARE * self._allowed:
                self._patient_until_us = now_us + _MINUTE_US - server_us % _MINUTE_US


def _retry_after_us(text: str | None) -> int:
    """The wait of a `Retry-After` header in seconds; a date or nothing at all counts as half a minute."""
    try:
        return max(int(float(text or "") * 1e6), 0)
    except (ValueError, OverflowError):
        return _WITHOUT_RETRY_AFTER_US
