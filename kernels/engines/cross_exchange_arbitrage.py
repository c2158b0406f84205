"""Cross-exchange arbitrage: fade the basis between the closes of one instrument on two venues."""

import numpy as np

from .._jit import kernel
from ..columns import (
    ANNUAL_SCALE,
    CLOSE,
    CONFIDENCE,
    DIAGNOSTICS,
    INTERVAL_SECONDS,
    OWN,
    RETURN,
    SECONDARY_CLOSE,
    SECONDARY_DELAY_MS,
    TARGET,
    TELEMETRY,
    VOLATILITY,
)
from ..moments import MOMENTS_CARRY, NUMBER, SPAN
from ..rolling import fill_std
from .fade import advance_fade, fill_certainty, is_quiet

SPREAD_ENTRY, SPREAD_EXIT, MAX_NOTIONAL, MAX_OPEN_SECONDS, WINDOW, ALLOW_SHORT = range(OWN, OWN + 6)
SPREAD_BPS, CAPTURE_BPS, DELAY_MS = range(DIAGNOSTICS, DIAGNOSTICS + 3)
ROWS = DIAGNOSTICS + 3

_SIDE, _OPENED, _ARMED, _ENTERED_AT, _RETURN = 1, 2, 3, 4, 5
CARRY = _RETURN + MOMENTS_CARRY


@kernel(shared=True)
def cross_exchange_arbitrage(bars, params, carry, out, start, stop, at):
    """Sell the primary venue where it is dearer than the secondary by spread_entry, buy it where it is cheaper.

    basis = primary close / secondary close - 1, with the secondary bar last closed. Left at |basis| <= spread_exit,
    on the other side, or after max_open_seconds of event time. The wish is for the primary leg; the other leg is
    its mirror. Confidence: 0 at |basis| = spread_exit, 1 at twice the entry spread. Diagnostics: basis in bps; the
    basis captured in bps, at the bar that leaves (NaN elsewhere); age of the secondary bar in ms.
    """
    entry, leave, allow_short = params[SPREAD_ENTRY], params[SPREAD_EXIT], params[ALLOW_SHORT] != 0.0
    longest = params[MAX_OPEN_SECONDS] / params[INTERVAL_SECONDS]
    window = int(params[WINDOW])
    close, other, delay, returns = bars[CLOSE], bars[SECONDARY_CLOSE], bars[SECONDARY_DELAY_MS], bars[RETURN]
    return_carry = carry[_RETURN : _RETURN + MOMENTS_CARRY]
    number = carry[NUMBER]
    return_carry[NUMBER] = number
    side, opened, armed, entered_at = carry[_SIDE], carry[_OPENED], carry[_ARMED], carry[_ENTERED_AT]
    while start < stop:
        n = min(SPAN, stop - start)
        target, confidence = out[TARGET, at : at + n], out[CONFIDENCE, at : at + n]
        spread, capture, age = out[SPREAD_BPS, at : at + n], out[CAPTURE_BPS, at : at + n], out[DELAY_MS, at : at + n]
        volatility = out[VOLATILITY, at : at + n]
        for k in range(n):
            spread[k] = close[start + k] / other[start + k] - 1.0
            age[k] = delay[start + k]
            capture[k] = np.nan
        if params[TELEMETRY] != 0.0:
            fill_std(returns, start, n, window, 1, params[ANNUAL_SCALE], return_carry, volatility, target)
            fill_certainty(spread, leave, 2.0 * entry, confidence)
        for k in range(n):
            basis = spread[k]
            timed_out = number - opened >= longest
            if is_quiet(basis, side, entry, leave) and (side == 0.0 or not timed_out):
                armed = 1.0 if side == 0.0 else armed
            else:
                before = side
                side, armed = advance_fade(basis, side, armed, timed_out, entry, leave, True, allow_short)
                if side != before:
                    if before != 0.0:
                        capture[k] = before * (basis - entered_at) * 1e4
                    opened, entered_at = number, basis
            target[k] = side
            number += 1.0
        for k in range(n):
            spread[k] = spread[k] * 1e4
        start += n
        at += n
    carry[NUMBER] = number
    carry[_SIDE], carry[_OPENED], carry[_ARMED], carry[_ENTERED_AT] = side, opened, armed, entered_at
