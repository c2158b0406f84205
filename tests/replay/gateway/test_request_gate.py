"""Requests are held back as long as the exchange asks for it."""

from __future__ import annotations

import pytest
from barstep.replay.clock import SimulatedClock
from barstep.replay.gateway.exchange import ThrottledError
from barstep.replay.gateway.request_gate import RequestGate

SECOND_US, MINUTE_US = 1_000_000, 60_000_000


def gate(clock: SimulatedClock) -> RequestGate:
    return RequestGate(clock, weight_header="X-Used", weight_a_minute=1_000)


@pytest.mark.parametrize("status", [418, 429])
@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), ("0.5", 0.5), (None, 30.0), ("Wed, 21 Oct", 30.0)])
def test_retry_after_is_honoured(status: int, header: str | None, seconds: float) -> None:
    """Until it is over no request is made, patient or not; then every one may be."""
    clock = SimulatedClock()
    held = gate(clock)
    held.answered(status, {} if header is None else {"Retry-After": header}, server_us=0)
    for left_us in (seconds * SECOND_US, 1):
        clock.sleep_us(round(seconds * SECOND_US - left_us) - clock.elapsed_us)
        for is_patient in (True, False):
            with pytest.raises(ThrottledError) as stopped:
                held.check(is_patient=is_patient)
            assert stopped.value.wait_us == left_us
    clock.sleep_us(1)
    held.check(is_patient=True)


def test_used_weight_keeps_room_for_orders() -> None:
    """From four fifths of the weight on, what can wait waits for the exchange's next minute; orders do not."""
    clock = SimulatedClock()
    held = gate(clock)
    held.answered(200, {"X-Used": "799"}, server_us=10 * SECOND_US)
    held.check(is_patient=True)
    held.answered(200, {"X-Used": "800"}, server_us=MINUTE_US + 10 * SECOND_US)
    held.check(is_patient=False)
    with pytest.raises(ThrottledError) as stopped:
        held.check(is_patient=True)
    assert stopped.value.wait_us == 50 * SECOND_US
    clock.sleep_us(50 * SECOND_US)
    held.check(is_patient=True)
