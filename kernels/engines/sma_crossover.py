"""Crossover of two simple moving averages: the field's first example, and barstep's yardstick."""

from .._jit import kernel
from ..columns import ANNUAL_SCALE, CLOSE, CONFIDENCE, DIAGNOSTICS, OWN, RETURN, TARGET, TELEMETRY, VOLATILITY
from ..indicators import MEAN
from ..moments import MEAN_CARRY, MOMENTS_CARRY, NUMBER, SPAN, fill_two_means
from ..rolling import fill_std

FAST, SLOW, ALLOW_SHORT = range(OWN, OWN + 3)
FAST_MEAN, SLOW_MEAN = range(DIAGNOSTICS, DIAGNOSTICS + 2)
ROWS = DIAGNOSTICS + 2

_FAST = 1
_SLOW = _FAST + MEAN_CARRY
_RETURN = _SLOW + MEAN_CARRY
CARRY = _RETURN + MOMENTS_CARRY
FULL_CERTAINTY = 0.02
INDICATORS = ((MEAN, FAST), (MEAN, SLOW))


@kernel
def fill_sides(quick, steady, params, target):
    """The side of each bar from its fast and its slow mean."""
    below = -1.0 if params[ALLOW_SHORT] != 0.0 else 0.0
    for k in range(target.shape[0]):
        edge = quick[k] - steady[k]
        target[k] = 1.0 if edge > 0.0 else (below if edge < 0.0 else 0.0)


@kernel(shared=True)
def sma_crossover(bars, params, carry, out, start, stop, at):
    """Long while the fast mean is over the slow one, else flat (or short with allow_short).

    Confidence: |fast / slow - 1|, 1 at 2 %. Volatility is over the slow window. Diagnostics: both means.
    """
    fast, slow = int(params[FAST]), int(params[SLOW])
    telemetry = params[TELEMETRY] != 0.0
    close, returns = bars[CLOSE], bars[RETURN]
    fast_carry, slow_carry = carry[_FAST : _FAST + MEAN_CARRY], carry[_SLOW : _SLOW + MEAN_CARRY]
    return_carry = carry[_RETURN : _RETURN + MOMENTS_CARRY]
    fast_carry[NUMBER] = slow_carry[NUMBER] = return_carry[NUMBER] = carry[NUMBER]
    while start < stop:
        n = min(SPAN, stop - start)
        target, confidence = out[TARGET, at : at + n], out[CONFIDENCE, at : at + n]
        quick, steady = out[FAST_MEAN, at : at + n], out[SLOW_MEAN, at : at + n]
        volatility = out[VOLATILITY, at : at + n]
        fill_two_means(close, start, n, fast, fast_carry, slow, slow_carry, quick, steady)
        if telemetry:
            fill_std(returns, start, n, slow, 1, params[ANNUAL_SCALE], return_carry, volatility, target)
            for k in range(n):
                c = abs(quick[k] - steady[k]) / (steady[k] * FULL_CERTAINTY)
                confidence[k] = (c if c < 1.0 else 1.0) if c > 0.0 else 0.0
        fill_sides(quick, steady, params, target)
        start += n
        at += n
    carry[NUMBER] = fast_carry[NUMBER]
